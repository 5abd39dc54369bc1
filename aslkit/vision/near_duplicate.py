"""Two frames are near-duplicates if the images are similar and the hand has the same pose and position.

The image alone is not enough: in front of a static background, the perceptual hashes of all frames of a letter are
within four bits of each other, whatever the hand does. The hand alone is not enough either: it says nothing about light
and room. Capture rejects frames by this rule, and curation groups them.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import MIDDLE, WRIST

Joints = npt.NDArray[np.float32]

# Number of set bits of each 16-bit value. np.bitwise_count needs NumPy 2, and mediapipe 0.10.21 needs NumPy 1.
_BITS: Final = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


def hamming_distance(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Return the number of differing bits of 64-bit hashes, 0–64, elementwise with broadcasting."""
    # (…, 1) of uint64 becomes (…, 4) of uint16.
    differing = np.bitwise_xor(left, right)[..., None].view(np.uint16)
    bits: npt.NDArray[np.uint8] = _BITS[differing].sum(axis=-1, dtype=np.uint8)
    return bits


def palm_lengths(hands: Joints) -> npt.NDArray[np.float32]:
    """Return the distance from wrist to middle knuckle of hands (n, 21, 2), float32 (n,), in the unit of the joints."""
    return np.asarray(np.linalg.norm(hands[:, MIDDLE[0]] - hands[:, WRIST], axis=-1), np.float32)


def hands_within(left: Joints, right: Joints, limit: float) -> npt.NDArray[np.bool_]:
    """Return whether the joints of two hands are at most `limit` apart on average.

    Args:
        left: float32 (n, 21, 2), joints in pixels; NaN without a hand.
        right: float32 (n, 21, 2), or (1, 21, 2) to compare one hand with all.
        limit: in lengths of the smaller palm.

    Returns:
        bool (n,); True if neither frame has a hand.
    """
    # NaN if only one frame has a hand, and NaN <= limit is False.
    distance = np.linalg.norm(left - right, axis=-1).mean(axis=-1)
    neither = np.isnan(left[:, 0, 0]) & np.isnan(right[:, 0, 0])
    near: npt.NDArray[np.bool_] = (distance <= limit * np.minimum(palm_lengths(left), palm_lengths(right))) | neither
    return near


def joints_in_pixels(landmarks: npt.NDArray[Any], width: int, height: int) -> Joints:
    """Convert landmarks relative to a frame, (…, 21, 3), to pixels, float32 (…, 21, 2)."""
    return np.asarray(landmarks[..., :2] * np.array([width, height]), np.float32)
