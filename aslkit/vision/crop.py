"""Square crops of a frame, for model inputs and for thumbnails."""

import base64
from collections.abc import Sequence
from typing import Final

import numpy as np

from aslkit.vision.images import Frame, encode_jpeg

MIN_SPAN: Final = 2.0
"""Minimum side of a crop in pixels of the frame: a hand of a single point has no extent."""


def crop_square(
    frame: Frame,
    *,
    middle: tuple[float, float],
    span: float,
    side: int,
    smooth: bool = False,
    outside: tuple[int, int, int] | None = None,
) -> Frame:
    """Crop a square from a frame and scale it. When it shrinks a lot, pixels are averaged instead of skipped.

    A point (x, y) of the frame is mapped to (x, y) * scale + side / 2 - middle * scale, where scale = side / span.

    Args:
        frame: BGR or gray, uint8 (height, width[, 3]).
        middle: center of the square, x and y in pixels of the frame; can lie outside of it.
        span: side of the square in pixels of the frame; positive.
        side: side of the result in pixels.
        smooth: enlarge with cubic interpolation, for display; otherwise linear.
        outside: color beyond the frame, B, G, R; None repeats the frame's border.

    Returns:
        uint8 (side, side[, 3]).
    """
    import cv2

    height, width = frame.shape[:2]
    scale = side / span
    shift_x = side / 2 - middle[0] * scale
    shift_y = side / 2 - middle[1] * scale
    scale_x = scale_y = scale
    if scale < 0.5:  # average first: sampling alone would skip pixels
        shrink_x, shrink_y = max(2 * scale, 1 / width), max(2 * scale, 1 / height)
        small = np.asarray(cv2.resize(frame, None, fx=shrink_x, fy=shrink_y, interpolation=cv2.INTER_AREA), np.uint8)
        scale_x, scale_y = scale * width / small.shape[1], scale * height / small.shape[0]
        frame = small
    place = np.array([[scale_x, 0, shift_x], [0, scale_y, shift_y]], np.float64)
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    flags = cv2.INTER_CUBIC if smooth and scale > 1 else cv2.INTER_LINEAR
    cut = cv2.warpAffine(frame, place, (side, side), flags=flags, borderMode=border, borderValue=outside or 0)
    return np.asarray(cut, np.uint8)


def hand_square(frame: Frame, box: Sequence[float] | None, *, margin: float) -> tuple[tuple[float, float], float]:
    """Return middle and span of the square around a hand, as `crop_square` takes them.

    Args:
        frame: (height, width[, 3]).
        box: left, top, right and bottom of the hand, relative to the frame size; None for the largest centered square.
        margin: on each side, relative to the longer side of the box.
    """
    height, width = frame.shape[:2]
    if box is None:
        return (width / 2, height / 2), float(min(width, height))
    left, top, right, bottom = (each * size for each, size in zip(box, (width, height) * 2, strict=True))
    span = max(right - left, bottom - top, MIN_SPAN) * (1 + 2 * margin)
    return (float(left + right) / 2, float(top + bottom) / 2), float(span)


def crop_hand(
    frame: Frame,
    box: Sequence[float] | None,
    *,
    side: int,
    margin: float,
    outside: tuple[int, int, int] | None = None,
) -> Frame:
    """Return a thumbnail of the hand, uint8 (side, side[, 3]).

    Args:
        frame: BGR or gray, uint8 (height, width[, 3]).
        box: as in `hand_square`.
        side: as in `crop_square`.
        margin: as in `hand_square`.
        outside: as in `crop_square`.
    """
    middle, span = hand_square(frame, box, margin=margin)
    return crop_square(frame, middle=middle, span=span, side=side, smooth=True, outside=outside)


def shrink(frame: Frame, side: int) -> Frame:
    """Scale a frame down so that its longer side has at most `side` pixels; a smaller frame is returned as it is."""
    import cv2

    height, width = frame.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return frame
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg_data_uri(frame: Frame, *, quality: int) -> str:
    """Encode a frame, BGR, uint8 (height, width, 3), as a JPEG data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(frame, quality=quality)).decode("ascii")
