"""Model features: how each is preprocessed and augmented, and its default architecture."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.vision.hand_landmarker import MIDDLE, PARENT
from aslkit.vision.preprocess import Array, PreprocessConfig, landmark_features

ROTATION_STD_DEG: Final = 15.0
"""Standard deviation of the rotation about each axis, degrees: varies the pose of the hand and of the camera."""

STRETCH_LOG_STD: Final = 0.1
"""Standard deviation of the log scale of x and y. For z it is twice as much: MediaPipe only estimates the depth."""

BONE_LENGTH_LOG_STD: Final = 0.2
"""Standard deviation of the log length of each bone: varies hand shapes and landmark errors."""

JITTER_STD: Final = 0.01
"""Standard deviation of each landmark's position, palm lengths."""


@dataclass(frozen=True, kw_only=True)
class Feature:
    """One kind of model input.

    "Hands" are the hands of n frames as `Samples.hands` holds them: landmarks or crops.

    Attributes:
        contract: preprocessing that turns a frame into the model's input.
        architecture: default architecture.
        copies: augmented copies of each training sample per epoch, in addition to the sample itself.
        augment: function (hands, share to mirror, rng) -> augmented hands.
        to_inputs: function hands -> model inputs.
    """

    contract: PreprocessConfig
    architecture: str
    copies: int
    augment: Callable[[Array, float, np.random.Generator], Array]
    to_inputs: Callable[[Array], Array]


def augment_landmarks(points: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
    """Rotate, stretch, reshape, jitter and mirror hands in 3-D.

    Args:
        points: landmarks from `canonical_points`, float32 (n, 21, 3).
        mirrored_share: share of the hands, chosen at random, that is mirrored, 0–1.
        rng: random number generator.

    Returns:
        float32 (n, 21, 3).
    """
    count = len(points)
    bones = (points[:, 1:] - points[:, PARENT]) * np.exp(rng.normal(0, BONE_LENGTH_LOG_STD, (count, 20, 1)))
    reshaped = np.zeros_like(points)
    for joint in range(1, 21):
        reshaped[:, joint] = reshaped[:, PARENT[joint - 1]] + bones[:, joint - 1]
    rotations = [_rotations(axis, np.deg2rad(rng.normal(0, ROTATION_STD_DEG, count))) for axis in (2, 0, 1)]
    stretch = np.exp(rng.normal(0, [STRETCH_LOG_STD, STRETCH_LOG_STD, 2 * STRETCH_LOG_STD], (count, 3)))
    augmented = np.einsum("nij,nkj->nki", rotations[0] @ rotations[1] @ rotations[2], reshaped * stretch[:, None])
    palm = np.linalg.norm(augmented[:, MIDDLE[0]], axis=-1)[:, None, None]
    augmented += rng.normal(0, JITTER_STD, augmented.shape) * palm
    augmented[rng.random(count) < mirrored_share, :, 0] *= -1
    return np.asarray(augmented, np.float32)


def augment_crops(crops: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
    """Shift, rotate, scale and mirror grayscale crops, and change their brightness and contrast.

    Args:
        crops: float32 (n, size, size, 1), 0–1.
        mirrored_share: probability of mirroring each crop, 0–1.
        rng: random number generator.

    Returns:
        float32 (n, size, size, 1), 0–1.
    """
    import cv2

    size = crops.shape[1]
    augmented = np.empty_like(crops)
    for index, crop in enumerate(crops[..., 0]):
        transform = cv2.getRotationMatrix2D((size / 2, size / 2), rng.normal(0, 10), np.exp(rng.normal(0, 0.1)))
        transform[:, 2] += rng.normal(0, 0.05 * size, 2)
        if rng.random() < mirrored_share:
            transform = transform @ np.array([[-1, 0, size - 1], [0, 1, 0], [0, 0, 1]])
        warped = cv2.warpAffine(crop, transform, (size, size), borderMode=cv2.BORDER_REPLICATE)
        augmented[index, ..., 0] = np.clip(warped * np.exp(rng.normal(0, 0.2)) + rng.normal(0, 0.05), 0, 1)
    return augmented


def _rotations(axis: int, angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rotation matrices about one axis, float64 (n, 3, 3), for angles (n,) in radians."""
    rotations = np.zeros((len(angles), 3, 3))
    first, second = (other for other in range(3) if other != axis)
    rotations[:, axis, axis] = 1
    rotations[:, first, first] = rotations[:, second, second] = np.cos(angles)
    rotations[:, second, first] = np.sin(angles)
    rotations[:, first, second] = -rotations[:, second, first]
    return rotations


def _crops_to_inputs(crops: Array) -> Array:
    return crops


def _pixel_feature(size: int, *, cut_out: bool = False) -> Feature:
    contract = PreprocessConfig(kind="pixels", size=size, cut_out=cut_out)
    return Feature(contract=contract, architecture="cnn", copies=1, augment=augment_crops, to_inputs=_crops_to_inputs)


FEATURES: Final = {
    "landmarks": Feature(
        contract=PreprocessConfig(kind="landmarks"),
        architecture="mlp",
        copies=5,
        augment=augment_landmarks,
        to_inputs=landmark_features,
    ),
    "pixels28": _pixel_feature(28),
    "pixels64": _pixel_feature(64),
    "hand28": _pixel_feature(28, cut_out=True),
    "hand64": _pixel_feature(64, cut_out=True),
}


def get_feature(name: str) -> Feature:
    """Return the feature of a name.

    Raises:
        InputError: unknown name.
    """
    if isinstance(name, str) and name in FEATURES:  # in a configuration file the value can have any type
        return FEATURES[name]
    raise InputError(f"There is no feature {name!r}. Known: {', '.join(FEATURES)}.")
