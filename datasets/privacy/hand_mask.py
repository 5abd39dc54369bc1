"""The pixels that belong to a hand, drawn from its landmarks."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import FINGERS, MIDDLE, THUMB, WRIST

FINGER_THICKNESS: Final = 0.5
"""Thickness of a finger with its outline, in palm lengths (wrist to middle knuckle)."""


def hand_mask(landmarks: npt.NDArray[Any], width: int, height: int) -> npt.NDArray[np.bool_]:
    """Return the pixels that show palm and fingers, bool (height, width).

    Args:
        landmarks: float (21, 2 or 3), x and y relative to the frame size.
        width: width of the frame in pixels.
        height: height of the frame in pixels.
    """
    import cv2

    joints = landmarks[:, :2] * (width, height)
    points = np.round(joints).astype(np.int32)
    palm = float(np.linalg.norm(joints[MIDDLE[0]] - joints[WRIST]))
    mask = np.zeros((height, width), np.uint8)
    knuckles = points[[WRIST, THUMB[0], *(finger[0] for finger in FINGERS[1:])]]
    cv2.fillConvexPoly(mask, cv2.convexHull(knuckles), 255)
    for finger in FINGERS:
        line = [points[[WRIST, *finger]]]
        cv2.polylines(mask, line, isClosed=False, color=255, thickness=max(1, round(FINGER_THICKNESS * palm)))
    return mask > 0
