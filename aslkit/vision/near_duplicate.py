"""When two frames are near-duplicates: the pictures look alike, and the hand is alike and in the same place.

The picture alone does not tell: before a still background, the perceptual hashes of a signer's whole letter are within
four bits of each other, whatever the hand does. The hand alone does not tell either: it says nothing of light and room.
capture refuses by this rule what curate would drop or group by it.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import FINGERS, MIDDLE, WRIST

Joints = npt.NDArray[np.float32]

_KNUCKLES: Final = [finger[0] for finger in FINGERS[1:]]
_BITS: Final = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


def hamming_distance(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Bits in which hashes differ, 0–64, elementwise with broadcasting."""
    differing = np.bitwise_xor(left, right)[..., None].view(np.uint16)
    bits: npt.NDArray[np.uint8] = _BITS[differing].sum(axis=-1, dtype=np.uint8)
    return bits


def palm_lengths(hands: Joints) -> npt.NDArray[np.float32]:
    """Distance from the wrist to the middle knuckle of hands (n, 21, 2): float32 (n,), in the unit of the joints."""
    return np.asarray(np.linalg.norm(hands[:, MIDDLE[0]] - hands[:, WRIST], axis=-1), np.float32)


def hands_within(left: Joints, right: Joints, limit: float) -> npt.NDArray[np.bool_]:
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


def align_upright(joints: npt.NDArray[Any], left: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """How to bring hands to one place, size, direction and side: so that copies that were cropped or turned compare.

    Args:
        joints: (n, 21, 2), in pixels; NaN without a hand.
        left: bool (n,), left hands, which are mirrored.

    Returns:
        float64 (n, 2, 3), affine: the joints' mean comes to the origin, the knuckles above the wrist, and the root mean
        square of the distances from the origin is 1.
    """
    points = joints.astype(np.float64)
    side = np.where(left, -1.0, 1.0)
    points[..., 0] *= side[:, None]
    middle = points.mean(axis=1)
    spread = np.sqrt(((points - middle[:, None]) ** 2).sum(axis=2).mean(axis=1))
    up = points[:, _KNUCKLES].mean(axis=1) - points[:, WRIST]
    up /= (np.linalg.norm(up, axis=1) * spread + 1e-9)[:, None]
    turn = np.stack([np.stack([-up[:, 1], up[:, 0]], axis=1), np.stack([-up[:, 0], -up[:, 1]], axis=1)], axis=1)
    move = -np.einsum("nij,nj->ni", turn, middle)
    turn[:, :, 0] *= side[:, None]
    return np.concatenate([turn, move[:, :, None]], axis=2)


def transform_joints(joints: npt.NDArray[Any], by: npt.NDArray[np.float64]) -> Joints:
    """Joints (n, 21, 2) after affine transforms (n, 2, 3): float32 (n, 21, 2)."""
    return np.asarray(np.einsum("nij,nkj->nki", by[:, :, :2], joints) + by[:, None, :, 2], np.float32)
