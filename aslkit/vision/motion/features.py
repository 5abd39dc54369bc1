"""The model input for a movement: where the hand and its fingertips were, how it was turned, which fingers were out."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import FINGERS, INDEX, MIDDLE, PINKY, WRIST
from aslkit.vision.motion.track import OFFSETS_S

Array = npt.NDArray[np.float32]

STEP_VALUES: Final = 18
"""Values per time: three places (x, y), the extension of five fingers, two directions (x, y, z), and validity."""

MOTION_VALUES: Final = len(OFFSETS_S) * STEP_VALUES
"""Number of values that `motion_features` computes."""

_TIPS: Final = [finger[-1] for finger in FINGERS]
_BASES: Final = [finger[0] for finger in FINGERS]


def motion_features(points: Array, valid: npt.NDArray[np.bool_], *, left: npt.NDArray[np.bool_]) -> Array:
    """Compute the input of a motion network.

    All lengths are in palm sizes, the mean over the movement of the distance from the wrist to the middle knuckle plus
    that from the index to the little knuckle. Places are relative to the newest wrist.

    Args:
        points: float32 (n, 24, 21, 3), hands at `track.OFFSETS_S`, in pixels.
        valid: bool (n, 24), see `track.sample_track`.
        left: bool (n,), which hands are left; they are mirrored.

    Returns:
        float32 (n, MOTION_VALUES), 18 values for each of the 24 times.
    """
    points = points.astype(np.float32, copy=True)
    points[left, ..., 0] *= -1
    along = points[:, :, MIDDLE[0]] - points[:, :, WRIST]
    across = points[:, :, INDEX[0]] - points[:, :, PINKY[0]]
    palm = (_length(along) + _length(across)).mean(axis=1)[:, None, None] + np.float32(1e-6)  # (n, 1, 1)
    origin = points[:, -1:, WRIST, :2]
    places = [(points[:, :, joint, :2] - origin) / palm for joint in (WRIST, INDEX[-1], PINKY[-1])]
    extension = _length(points[:, :, _TIPS] - points[:, :, _BASES]) / palm
    steps = [*places, extension, along / palm, across / palm, valid[..., None].astype(np.float32)]
    values: Array = np.concatenate(steps, axis=-1).reshape(len(points), MOTION_VALUES)
    return values


def _length(vectors: Array) -> Array:
    """Return the lengths of vectors, (…, 3) to (…)."""
    # Not np.linalg.norm: it may sum in another order for one movement than for many.
    result: Array = np.sqrt(vectors[..., 0] ** 2 + vectors[..., 1] ** 2 + vectors[..., 2] ** 2)
    return result
