"""Features: what a model sees. Each knows its contract, how to vary a training sample, and its usual architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.vision.hand_landmarker import MIDDLE, PARENT
from aslkit.vision.preprocess import Array, PreprocessConfig, landmark_features

TURN_DEG: Final = 15.0
"""Standard deviation of the turn about each axis, degrees: a hand held otherwise, or a camera placed otherwise."""

STRETCH: Final = 0.1
"""Standard deviation of the logarithm of the stretch of x and y, and half that of z, which MediaPipe only guesses."""

BONE: Final = 0.2
"""Standard deviation of the logarithm of each bone's length: people's hands differ, and so do landmarks found."""

JITTER: Final = 0.01
"""Standard deviation of each landmark's place, in lengths of the palm."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One way to show a hand to a model.

    Attributes:
        contract: how it is made from a frame.
        architecture: the one that goes with it, where none is asked for.
        copies: varied copies of each training sample in an epoch, beside the sample itself.
        vary: raw samples in, varied ones out: (raw, share that is mirrored, rng).
        finish: raw samples to model inputs.
    """

    contract: PreprocessConfig
    architecture: str
    copies: int
    vary: Callable[[Array, float, np.random.Generator], Array]
    finish: Callable[[Array], Array]


def augment_landmarks(points: Array, mirrored: float, rng: np.random.Generator) -> Array:
    """Turn, stretch, reshape and jitter hands in 3-D.

    Args:
        points: float32 (n, 21, 3), as `canonical_points` gives them.
        mirrored: share of them, drawn at random, that is also mirrored, 0–1.
        rng: source of chance.

    Returns:
        float32 (n, 21, 3).
    """
    count = len(points)
    bones = (points[:, 1:] - points[:, PARENT]) * np.exp(rng.normal(0, BONE, (count, 20, 1)))
    shaped = np.zeros_like(points)
    for joint in range(1, 21):
        shaped[:, joint] = shaped[:, PARENT[joint - 1]] + bones[:, joint - 1]
    turns = [_turns(axis, np.deg2rad(rng.normal(0, TURN_DEG, count))) for axis in (2, 0, 1)]
    stretch = np.exp(rng.normal(0, [STRETCH, STRETCH, 2 * STRETCH], (count, 3)))
    turned = np.einsum("nij,nkj->nki", turns[0] @ turns[1] @ turns[2], shaped * stretch[:, None])
    palm = np.linalg.norm(turned[:, MIDDLE[0]], axis=-1)[:, None, None]
    turned += rng.normal(0, JITTER, turned.shape) * palm
    turned[rng.random(count) < mirrored, :, 0] *= -1
    return np.asarray(turned, np.float32)


def augment_crops(crops: Array, mirrored: float, rng: np.random.Generator) -> Array:
    """Shift, turn, scale and light grey crops otherwise.

    Args:
        crops: float32 (n, size, size, 1), 0–1.
        mirrored: share that is also mirrored, 0–1.
        rng: source of chance.

    Returns:
        float32, the same shape, 0–1.
    """
    import cv2

    size = crops.shape[1]
    varied = np.empty_like(crops)
    for index, crop in enumerate(crops[..., 0]):
        place = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 10), np.exp(rng.normal(0, 0.1)))
        place[:, 2] += rng.normal(0, 0.05 * size, 2)
        if rng.random() < mirrored:
            place = place @ np.array([[-1, 0, size - 1], [0, 1, 0], [0, 0, 1]])
        moved = cv2.warpAffine(crop, place, (size, size), borderMode=cv2.BORDER_REPLICATE)
        varied[index, ..., 0] = np.clip(moved * np.exp(rng.normal(0, 0.2)) + rng.normal(0, 0.05), 0, 1)
    return varied


def _turns(axis: int, angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Rotation matrices, float64 (n, 3, 3), about one axis by angles (n,) in radians."""
    turns = np.zeros((len(angles), 3, 3))
    first, second = (other for other in range(3) if other != axis)
    turns[:, axis, axis] = 1
    turns[:, first, first] = turns[:, second, second] = np.cos(angles)
    turns[:, second, first] = np.sin(angles)
    turns[:, first, second] = -turns[:, second, first]
    return turns


def _as_they_are(crops: Array) -> Array:
    return crops


def _pixels(size: int, *, cut_out: bool = False) -> Feature:
    contract = PreprocessConfig(kind="pixels", size=size, cut_out=cut_out)
    return Feature(contract=contract, architecture="cnn", copies=1, vary=augment_crops, finish=_as_they_are)


FEATURES: Final = {
    "landmarks": Feature(
        contract=PreprocessConfig(kind="landmarks"),
        architecture="mlp",
        copies=5,
        vary=augment_landmarks,
        finish=landmark_features,
    ),
    "pixels28": _pixels(28),
    "pixels64": _pixels(64),
    "hand28": _pixels(28, cut_out=True),
    "hand64": _pixels(64, cut_out=True),
}


def get_feature(name: str) -> Feature:
    """Look a feature up.

    Raises:
        InputError: none of that name.
    """
    if isinstance(name, str) and name in FEATURES:  # a configuration file may say anything
        return FEATURES[name]
    raise InputError(f"There is no feature {name!r}. Known: {', '.join(FEATURES)}.")
