"""When two frames are near-duplicates: the pictures look alike, and the hand is alike and in the same place.

The picture alone does not tell: before a still background, the perceptual hashes of a signer's whole letter are within
four bits of each other, whatever the hand does. The hand alone does not tell either: it says nothing of light and room.
capture refuses by this rule what curate would drop or group by it.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.hands import MIDDLE, WRIST

Joints = npt.NDArray[np.float32]

_BITS: Final = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


def hamming(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Bits in which hashes differ, 0–64, elementwise with broadcasting."""
    differing = np.bitwise_xor(left, right)[..., None].view(np.uint16)
    bits: npt.NDArray[np.uint8] = _BITS[differing].sum(axis=-1, dtype=np.uint8)
    return bits


def palm_lengths(hands: Joints) -> npt.NDArray[np.float32]:
    """Distance from the wrist to the middle knuckle of hands (n, 21, 2): float32 (n,), in the unit of the joints."""
    return np.asarray(np.linalg.norm(hands[:, MIDDLE[0]] - hands[:, WRIST], axis=-1), np.float32)


def hands_near(left: Joints, right: Joints, limit: float) -> npt.NDArray[np.bool_]:
    """Whether hands' joints lie, on average, at most `limit` apart, in lengths of the smaller palm.

    Args:
        left: float32 (n, 21, 2), joints in pixels; NaN where no hand was found.
        right: float32 (n, 21, 2), or (1, 21, 2) for one against all.
        limit: palm lengths.

    Returns:
        bool (n,): true also where neither has a hand.
    """
    apart = np.linalg.norm(left - right, axis=-1).mean(axis=-1)
    neither = np.isnan(left[:, 0, 0]) & np.isnan(right[:, 0, 0])
    near: npt.NDArray[np.bool_] = (apart <= limit * np.minimum(palm_lengths(left), palm_lengths(right))) | neither
    return near


def joints_in_pixels(landmarks: npt.NDArray[Any], width: int, height: int) -> Joints:
    """Return landmarks as shares of a frame, (…, 21, 3), as joints in its pixels, float32 (…, 21, 2)."""
    return np.asarray(landmarks[..., :2] * np.array([width, height]), np.float32)
