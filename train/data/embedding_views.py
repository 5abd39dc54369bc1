"""Hands as landmarks and embeddings, from which the inputs of the features `embedding` and `both` are computed.

Embeddings cannot be augmented, because they are computed from pixels. So each frame is embedded several times: as it
is, and in slightly different regions, alternately mirrored. Training selects one of these views at random.

The landmarks of a hand and its views are stored in one row: 63 + views * EMBEDDING_VALUES values, float32.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.train.data.augmentation import augment_landmarks
from aslkit.vision.hand_embedding import EMBEDDING_VALUES, embedding_features
from aslkit.vision.hand_region import Frame, Region, region_around
from aslkit.vision.preprocess import Array, landmark_features

SHIFT_STD: Final = 0.03
"""Standard deviation of the position of a varied region, relative to its side."""

SCALE_LOG_STD: Final = 0.1
"""Standard deviation of the log size of a varied region."""

ROTATION_STD_DEG: Final = 12.0
"""Standard deviation of the rotation of a varied region, degrees."""

_POINT_VALUES: Final = 63


def embed_views(
    frame: Frame, landmarks: npt.NDArray[np.float32], *, mirror: bool, views: int, rng: np.random.Generator
) -> Array:
    """Embed a hand as it is, and in varied regions.

    Args:
        frame: BGR, uint8 (height, width, 3).
        landmarks: of the hand, as `Hand.landmarks`.
        mirror: mirror the hand, because it is a left one. Every second view, from the first varied one on, is mirrored
            once more.
        views: number of varied regions.
        rng: random number generator.

    Returns:
        float32 (1 + views, EMBEDDING_VALUES).
    """
    region = region_around(landmarks, frame)
    regions = [region, *(_vary(region, rng) for _ in range(views))]
    return np.stack(
        [embedding_features(frame, each, mirror=mirror != (number % 2 == 1)) for number, each in enumerate(regions)]
    )


def _vary(region: Region, rng: np.random.Generator) -> Region:
    right, down, size, turn = rng.standard_normal(4).tolist()
    return Region(
        region.x + SHIFT_STD * region.side * right,
        region.y + SHIFT_STD * region.side * down,
        region.side * float(np.exp(SCALE_LOG_STD * size)),
        region.rotation + float(np.deg2rad(ROTATION_STD_DEG)) * turn,
    )


def row_size(views: int) -> int:
    """Return the number of values of a hand with so many varied views."""
    return _POINT_VALUES + (1 + views) * EMBEDDING_VALUES


def join_hands(points: Array, embeddings: Array) -> Array:
    """Join landmarks from `canonical_points`, (n, 21, 3), and embeddings, (n, views, EMBEDDING_VALUES), to rows."""
    count = len(points)
    return np.concatenate([points.reshape(count, -1), embeddings.reshape(count, -1)], axis=1)


def split_hands(hands: Array) -> tuple[Array, Array]:
    """Return landmarks, (n, 21, 3), and embeddings, (n, views, EMBEDDING_VALUES), of rows. Nothing is copied."""
    count = len(hands)
    points, embeddings = hands[:, :_POINT_VALUES], hands[:, _POINT_VALUES:]
    return points.reshape(count, 21, 3), embeddings.reshape(count, -1, EMBEDDING_VALUES)


def read_points(hands: Array) -> Array:
    """Return the landmarks, (n, 21, 3), of hands that are landmarks, or rows with embeddings."""
    return hands if hands.ndim == 3 else split_hands(hands)[0]


def embedding_inputs(hands: Array) -> Array:
    """Return the first view of rows, float32 (n, EMBEDDING_VALUES)."""
    return np.ascontiguousarray(split_hands(hands)[1][:, 0])


def both_inputs(hands: Array) -> Array:
    """Return landmark features and the first view of rows, float32 (n, LANDMARK_VALUES + EMBEDDING_VALUES)."""
    return np.concatenate([landmark_features(split_hands(hands)[0]), embedding_inputs(hands)], axis=1)


def augment_views(hands: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
    """Augment landmarks, and select a view of each hand.

    Args:
        hands: rows of n hands.
        mirrored_share: share of the hands, chosen at random, that is mirrored, 0–1.
        rng: random number generator.

    Returns:
        Rows with one view, float32 (n, 63 + EMBEDDING_VALUES).
    """
    points, embeddings = split_hands(hands)
    count, views = embeddings.shape[:2]
    mirrored = (rng.random(count) < mirrored_share) & (views > 1)
    # Mirrored views have odd numbers.
    pair = rng.integers(0, np.where(mirrored, views // 2, (views + 1) // 2))
    selected = embeddings[np.arange(count), 2 * pair + mirrored]
    return join_hands(augment_landmarks(points, mirrored_share, rng), selected)
