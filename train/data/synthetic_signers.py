"""Synthetic signers that are added to the training data of a landmark model (docs/adr/0016)."""

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
    """Return whether synthetic signers are added to the training data.

    They exist as landmarks only. They are not added if the dataset itself has synthetic signers, because its test
    signers would then be similar to signers in the training data.
    """
    synthetic = [name.startswith(SYNTHETIC_PREFIX) for name in np.unique(samples.signer).tolist()]
    return config.synthetic and feature.contract.kind == "landmarks" and not any(synthetic)


def synthetic_samples(
    letters: npt.NDArray[np.int64], contract: PreprocessConfig
) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return hands of synthetic signers that sign letters or rest.

    Args:
        letters: indices of the letters to return, int64 (k,).
        contract: preprocessing of a landmark feature.

    Returns:
        Hands as in `Samples.hands`, float32 (n, 21, 3), and the index of each letter, int64 (n,), NO_LETTER for rest
        poses.
    """
    points, label = _canonical_landmarks(contract.mirror_left)
    selected = np.isin(label, [*letters, NO_LETTER])
    return points[selected], label[selected]


@cache
def _canonical_landmarks(mirror_left: bool) -> tuple[Array, npt.NDArray[np.int64]]:
    synthetic = load_landmarks()
    count = len(synthetic.label)
    points = canonical_points(
        synthetic.points,
        widths=np.full(count, WIDTH),
        heights=np.full(count, HEIGHT),
        left=synthetic.left,
        mirror_left=mirror_left,
    )
    return points, synthetic.label
