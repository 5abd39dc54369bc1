"""Synthetic signers beside the real ones: people to learn from where there are few (docs/adr/0016)."""

from functools import cache

import numpy as np
import numpy.typing as npt

from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.synthetic.landmark_dataset import HEIGHT, NO_LETTER, WIDTH, load_landmarks
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points


def uses_synthetic_signers(samples: Samples, feature: Feature, config: TrainConfig) -> bool:
    """Whether synthetic signers are learned from beside those of the dataset.

    They are of landmarks only, and not where the dataset's own are synthetic: those would no longer be strangers.
    """
    made = [name.startswith(SYNTHETIC_PREFIX) for name in np.unique(samples.signer).tolist()]
    return config.synthetic and feature.contract.kind == "landmarks" and not any(made)


def synthetic_samples(
    letters: npt.NDArray[np.int64], contract: PreprocessConfig
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Hands of synthetic signers: signing, and at rest.

    Args:
        letters: int64 (k,), indices of the letters that are wanted.
        contract: of a feature of landmarks.

    Returns:
        float32 (n, 21, 3), as `data.Samples.raw`, and int64 (n,), their letters, NO_LETTER at rest.
    """
    points, label = _all(contract.mirror_left)
    wanted = np.isin(label, [*letters, NO_LETTER])
    return points[wanted], label[wanted]


@cache
def _all(mirror_left: bool) -> tuple[Array, npt.NDArray[np.int64]]:
    made = load_landmarks()
    count = len(made.label)
    points = canonical_points(
        made.points,
        widths=np.full(count, WIDTH),
        heights=np.full(count, HEIGHT),
        left=made.left,
        mirror_left=mirror_left,
    )
    return points, made.label
