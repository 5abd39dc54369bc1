"""Random variation of training samples: hands as landmarks, and grayscale images."""

from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import MIDDLE
from aslkit.vision.preprocess import Array

Images = TypeVar("Images", bound=npt.NDArray[Any])

ROTATION_STD_DEG: Final = 15.0
"""Standard deviation of the rotation about each axis, degrees: varies the pose of the hand and of the camera."""

STRETCH_LOG_STD: Final = 0.1
"""Standard deviation of the log scale of x and y. For z it is twice as much: MediaPipe only estimates the depth."""

_STRETCH_LOG_STD_XYZ: Final = np.array([STRETCH_LOG_STD, STRETCH_LOG_STD, 2 * STRETCH_LOG_STD], np.float32)

BONE_LENGTH_LOG_STD: Final = 0.2
"""Standard deviation of the log length of each bone: varies hand shapes and landmark errors."""

JITTER_STD: Final = 0.01
"""Standard deviation of each landmark's position, palm lengths."""


def augment_landmarks(points: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
    """Rotate, stretch, reshape, jitter and mirror hands in 3-D.

    Args:
        points: landmarks from `canonical_points`, float32 (n, 21, 3).
        mirrored_share: share of the hands, chosen at random, that is mirrored, 0–1.
        rng: random number generator.

    Returns:
        float32 (n, 21, 3).
    """
    count, draw = len(points), partial(rng.standard_normal, dtype=np.float32)  # float32 takes half as long as float64
    # (n, fingers, bones, 3), each finger from the wrist to the tip.
    joints = (points[:, 1:] - points[:, :1]).reshape(count, 5, 4, 3)
    bones = np.concatenate([joints[:, :, :1], joints[:, :, 1:] - joints[:, :, :-1]], axis=2)
    bones *= np.exp(np.float32(BONE_LENGTH_LOG_STD) * draw((count, 5, 4, 1)))
    angles = np.deg2rad(rng.normal(0, ROTATION_STD_DEG, (3, count))).astype(np.float32)
    rotations = [_rotations(axis, angles[axis]) for axis in (2, 0, 1)]
    # (n, 3, 3): stretch, then rotate, then mirror.
    change = rotations[0] @ rotations[1] @ rotations[2]
    change *= np.exp(_STRETCH_LOG_STD_XYZ * draw((count, 1, 3)))
    change[rng.random(count) < mirrored_share, 0] *= -1
    augmented = np.zeros((count, 21, 3), np.float32)
    augmented[:, 1:] = bones.cumsum(axis=2).reshape(count, 20, 3) @ change.transpose(0, 2, 1)
    # After scaling the bones, so that the jitter is relative to the new palm.
    palm = np.linalg.norm(augmented[:, MIDDLE[0]], axis=-1)[:, None, None]
    augmented += np.float32(JITTER_STD) * palm * draw(augmented.shape)
    return augmented


def augment_crops(crops: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
    """Shift, rotate, scale and mirror grayscale crops, and change their brightness and contrast.

    Args:
        crops: float32 (n, size, size, 1), 0–1.
        mirrored_share: probability of mirroring each crop, 0–1.
        rng: random number generator.

    Returns:
        float32 (n, size, size, 1), 0–1.
    """
    augmented = augment_images(
        crops[..., 0],
        rng,
        turn_deg=10,
        scale=0.1,
        shift=0.05,
        light=0.2,
        brightness=0.05,
        pivot=0,
        mirrored_share=mirrored_share,
    )
    return augmented[..., None]


def augment_images(
    images: Images,
    rng: np.random.Generator,
    *,
    turn_deg: float,
    scale: float,
    shift: float,
    light: float,
    brightness: float | None = None,
    pivot: float = 0.5,
    mirrored_share: float = 0.0,
) -> Images:
    """Rotate, scale, shift and mirror each image, and change its brightness and contrast, at random.

    Args:
        images: (n, side, side), uint8 (0–255) or float32 (0–1).
        rng: random number generator.
        turn_deg: standard deviation of the rotation, degrees.
        scale: standard deviation of the log size.
        shift: standard deviation of the position, relative to the side.
        light: standard deviation of the log contrast.
        brightness: standard deviation of the brightness, relative to white; None for a third of `light`.
        pivot: grey value that the contrast does not change, relative to white. 0 keeps a black background black.
        mirrored_share: probability of mirroring each image, 0–1.

    Returns:
        images of the same shape and type.
    """
    import cv2

    augmented: Images = np.empty_like(images)
    side = images.shape[1]
    white = 255.0 if images.dtype == np.uint8 else 1.0
    center = ((side - 1) / 2, (side - 1) / 2)
    std = [turn_deg, scale, shift * side, shift * side, light, light / 3 if brightness is None else brightness]
    parameters = rng.normal(0, 1, (len(images), 6)) * std
    # Size and contrast are factors: their logarithms are drawn, so that doubling and halving are equally likely.
    parameters[:, [1, 4]] = np.exp(parameters[:, [1, 4]])
    mirrored = rng.random(len(images)) < mirrored_share if mirrored_share else np.zeros(len(images), bool)
    for index, (rotation, size, right, down, gain, offset) in enumerate(parameters):
        transform = cv2.getRotationMatrix2D(center, rotation, size)
        transform[:, 2] += right, down
        if mirrored[index]:
            # x becomes side - 1 - x before the rotation, so that mirroring needs no second interpolation.
            transform = transform @ np.array([[-1, 0, side - 1], [0, 1, 0], [0, 0, 1]])
        warped = cv2.warpAffine(images[index], transform, (side, side), borderMode=cv2.BORDER_REPLICATE)
        varied = cv2.addWeighted(warped, gain, warped, 0, white * pivot * (1 - gain) + white * offset)
        augmented[index] = np.clip(varied, 0, white)  # OpenCV saturates uint8, but not float32
    return augmented


def _rotations(axis: int, angles: Array) -> Array:
    """Return rotation matrices about one axis, float32 (n, 3, 3), for angles, float32 (n,), in radians."""
    rotations = np.zeros((len(angles), 3, 3), np.float32)
    first, second = (other for other in range(3) if other != axis)
    rotations[:, axis, axis] = 1
    rotations[:, first, first] = rotations[:, second, second] = np.cos(angles)
    rotations[:, second, first] = np.sin(angles)
    rotations[:, first, second] = -rotations[:, second, first]
    return rotations
