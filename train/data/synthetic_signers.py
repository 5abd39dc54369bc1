"""Synthetic signers that are added to the training data of a landmark or embedding model (docs/adr/0016)."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.synthetic.embedding_dataset import load_embeddings
from aslkit.synthetic.landmark_dataset import HEIGHT, NO_LETTER, WIDTH, load_landmarks
from aslkit.train.config import TrainConfig
from aslkit.train.data.embedding_views import join_hands
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.vision.preprocess import Array, PreprocessConfig, canonical_points

_EMBEDDING_SEED: Final = 0
"""Seed that selects an embedding for each hand."""


@dataclass(frozen=True, kw_only=True)
class SyntheticHands:
    """Hands of synthetic signers that sign letters or rest.

    Attributes:
        points: landmarks from `canonical_points`, float32 (n, 21, 3).
        label: index of each letter, int64 (n,); NO_LETTER for rest poses.
        views: number of views of each embedding, all equal; 0 without embeddings.
    """

    points: Array
    label: npt.NDArray[np.int64]
    views: int

    def select(self, rows: npt.NDArray[np.int64]) -> "SyntheticHands":
        """Return some of the hands."""
        return replace(self, points=self.points[rows], label=self.label[rows])

    def read(self, rows: slice) -> Array:
        """Return hands as in `Samples.hands`.

        With embeddings, each hand has the embedding of a random hand with the same label, because only a part of them
        was embedded. The networks for landmarks and embeddings are independent, so the combination does not matter.
        """
        points, label = self.points[rows], self.label[rows]
        if not self.views:
            return points
        embeddings, rng = load_embeddings(), np.random.default_rng([_EMBEDDING_SEED, rows.start])
        selected = np.empty(len(label), np.int64)
        for letter in np.unique(label):
            same = label == letter
            selected[same] = rng.choice(np.flatnonzero(embeddings.label == letter), int(same.sum()))
        return join_hands(points, np.repeat(embeddings.values[selected, None], self.views, axis=1))


def uses_synthetic_signers(samples: Samples, feature: Feature, config: TrainConfig) -> bool:
    """Return whether synthetic signers are added to the training data.

    They exist as landmarks and embeddings only. They are not added if the dataset itself has synthetic signers, because
    its test signers would then be similar to signers in the training data.
    """
    synthetic = [name.startswith(SYNTHETIC_PREFIX) for name in np.unique(samples.signer).tolist()]
    return config.synthetic and feature.contract.kind != "pixels" and not any(synthetic)


def synthetic_samples(letters: npt.NDArray[np.int64], contract: PreprocessConfig, *, views: int = 0) -> SyntheticHands:
    """Return hands of synthetic signers that sign letters or rest.

    Args:
        letters: indices of the letters to return, int64 (k,).
        contract: preprocessing of a landmark or embedding feature.
        views: varied views of each embedding, as for `load_samples`.
    """
    points, label = _canonical_landmarks(contract.mirror_left)
    selected = np.isin(label, [*letters, NO_LETTER])
    return SyntheticHands(
        points=points[selected], label=label[selected], views=1 + views if contract.has_embedding else 0
    )


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
