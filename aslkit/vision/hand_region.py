"""Regions of a frame that may contain a hand, and the changed frames in which the palm detector searches for them."""

import math
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
Points = npt.NDArray[np.floating[Any]]

PALM_INPUT: Final = 192
"""Width and height of the palm detector's input, in pixels."""

BLUR: Final = 0.72
"""Standard deviation of the low-pass filter, in pixels of the palm detector's input."""

MEAN_RGB: Final = (150, 115, 100)
"""Mean of the changed frames: a gray-world correction to a warm tone, because hands in bluish light are missed."""

_WRIST, _INDEX, _MIDDLE, _RING = 0, 5, 9, 13
_PALM_JOINTS: Final = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)  # as in MediaPipe's HandLandmarksToRectCalculator


class Variant(NamedTuple):
    """How a frame is changed.

    Attributes:
        scale: longer side relative to the palm detector's input; below 1, the border is replicated around the frame.
        rotation: counter-clockwise, degrees.
        gamma: exponent of the pixel values relative to 255; below 1 brightens dark hands in front of a window. The
            landmark model needs the brightened frame as well.
    """

    scale: float
    rotation: float
    gamma: float = 1.0


class Region(NamedTuple):
    """A square of a frame: centre and side in pixels, and rotation clockwise in radians."""

    x: float
    y: float
    side: float
    rotation: float


def brighten(frame: Frame, gamma: float) -> Frame:
    """Return a frame, uint8, with its pixel values relative to 255 raised to the power of gamma."""
    import cv2

    if gamma == 1:
        return frame
    values = 255 * np.linspace(0, 1, 256) ** gamma
    return np.asarray(cv2.LUT(frame, values.astype(np.uint8)), np.uint8)


def change_frame(frame: Frame, variant: Variant) -> tuple[Frame, Points]:
    """Return a changed frame, and the affine matrix (2, 3) from pixels of the frame to pixels of the changed frame.

    Args:
        frame: RGB, uint8 (height, width, 3).
        variant: size and rotation; its gamma has been applied.

    Returns:
        RGB, uint8 (PALM_INPUT, PALM_INPUT, 3), low-pass filtered, with the mean colour MEAN_RGB.
    """
    import cv2

    height, width = frame.shape[:2]
    scale = variant.scale * PALM_INPUT / max(height, width)
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), variant.rotation, scale)
    matrix[:, 2] += (PALM_INPUT - width) / 2, (PALM_INPUT - height) / 2
    # Averaging down to 4/3 of the input first makes the filter small.
    shrink = min(1.0, 256 / max(height, width))
    small_size = max(1, round(width * shrink)), max(1, round(height * shrink))
    small = cv2.resize(frame, small_size, interpolation=cv2.INTER_AREA)
    gain = np.array(MEAN_RGB) / (small.mean(axis=(0, 1)) + 1)
    small = np.clip(small * gain, 0, 255).astype(np.uint8)
    small = cv2.GaussianBlur(small, (0, 0), BLUR * shrink / scale)
    from_small = matrix.copy()
    from_small[:, 0] *= width / small.shape[1]
    from_small[:, 1] *= height / small.shape[0]
    size = (PALM_INPUT, PALM_INPUT)
    changed = cv2.warpAffine(small, from_small, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(changed, np.uint8), np.asarray(matrix)


def region_from_palm(box: Points, wrist: Points, middle: Points) -> Region:
    """Return the region of a palm detection, computed as in MediaPipe's PalmDetectionDetectionToRoi.

    Args:
        box: (4,), left, top, width, height of the palm in pixels.
        wrist: (2,), keypoint 0 in pixels.
        middle: (2,), keypoint 2, the first joint of the middle finger, in pixels.
    """
    left, top, width, height = box.tolist()
    rotation = _rotation(wrist, middle)
    # The fingers are above the palm: shift by half its height, and enlarge 2.6 times.
    x = left + width / 2 + 0.5 * height * math.sin(rotation)
    y = top + height / 2 - 0.5 * height * math.cos(rotation)
    return Region(x, y, 2.6 * max(width, height), rotation)


def region_around(landmarks: Points, frame: Frame) -> Region:
    """Return the region around a hand, computed as in MediaPipe's HandLandmarkLandmarksToRoi.

    Args:
        landmarks: (21, 2) or (21, 3), x and y relative to the frame.
        frame: (height, width, 3).
    """
    height, width = frame.shape[:2]
    points = landmarks[:, :2] * np.array([width, height])
    rotation = _rotation(points[_WRIST], ((points[_INDEX] + points[_RING]) / 2 + points[_MIDDLE]) / 2)
    # Columns: the region's own axes, right and down.
    axes = np.array([[math.cos(rotation), -math.sin(rotation)], [math.sin(rotation), math.cos(rotation)]])
    along = points[list(_PALM_JOINTS)] @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    x, y = axes @ ((low + high) / 2 - np.array([0, 0.1 * (high - low)[1]]))
    return Region(float(x), float(y), 2 * float((high - low).max()), rotation)


def map_back(region: Region, matrix: Points) -> Region:
    """Return a region of a changed frame as a region of the frame.

    Args:
        region: in pixels of the changed frame.
        matrix: (2, 3), from pixels of the frame to pixels of the changed frame, as returned by `change_frame`.
    """
    inverse = np.linalg.inv(matrix[:, :2])
    x, y = inverse @ (np.array([region.x, region.y]) - matrix[:, 2])
    up_x, up_y = inverse @ np.array([math.sin(region.rotation), -math.cos(region.rotation)])
    return Region(float(x), float(y), region.side * math.hypot(up_x, up_y), math.atan2(up_x, -up_y))


def _rotation(wrist: Points, middle: Points) -> float:
    """Return the clockwise rotation of a hand from upright, radians."""
    x, y = (middle - wrist).tolist()
    return math.atan2(x, -y)
