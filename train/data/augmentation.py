"""Random variation of training samples: hands as landmarks, and grayscale images."""

from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import MIDDLE, PARENT
from aslkit.vision.preprocess import Array

Images = TypeVar("Images", bound=npt.NDArray[Any])

ROTATION_STD_DEG: Final = 15.0
"""Standard deviation of the rotation about each axis, degrees: varies the pose of the hand and of the camera."""

STRETCH_LOG_STD: Final = 0.1
"""Standard deviation of the log scale of x and y. For z it is twice as much: MediaPipe only estimates the depth."""

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
    count = len(points)
    bones = (points[:, 1:] - points[:, PARENT]) * np.exp(rng.normal(0, BONE_LENGTH_LOG_STD, (count, 20, 1)))
    reshaped = np.zeros_like(points)
    # From the wrist outwards: a parent has a smaller number than its child, so its new position is already known.
    for joint in range(1, 21):
        reshaped[:, joint] = reshaped[:, PARENT[joint - 1]] + bones[:, joint - 1]
    rotations = [_rotations(axis, np.deg2rad(rng.normal(0, ROTATION_STD_DEG, count))) for axis in (2, 0, 1)]
    stretch = np.exp(rng.normal(0, [STRETCH_LOG_STD, STRETCH_LOG_STD, 2 * STRETCH_LOG_STD], (count, 3)))
    # (n, 3, 3) rotations applied to (n, 21, 3) joints.
    augmented = np.einsum("nij,nkj->nki", rotations[0] @ rotations[1] @ rotations[2], reshaped * stretch[:, None])
    # After scaling the bones, so that the jitter is relative to the new palm.
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


def _rotations(axis: int, angles: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return rotation matrices about one axis, float64 (n, 3, 3), for angles (n,) in radians."""
    rotations = np.zeros((len(angles), 3, 3))
    first, second = (other for other in range(3) if other != axis)
    rotations[:, axis, axis] = 1
    rotations[:, first, first] = rotations[:, second, second] = np.cos(angles)
    rotations[:, second, first] = np.sin(angles)
    rotations[:, first, second] = -rotations[:, second, first]
    return rotations
