"""Cutting a square out of a frame: for features, and for small pictures to look at."""

from typing import Final

import numpy as np

from aslkit.vision.images import Frame

MIN_SPAN: Final = 2.0
"""Pixels of a frame: a hand of one point is no square."""


def crop_square(
    frame: Frame,
    *,
    middle: tuple[float, float],
    span: float,
    side: int,
    smooth: bool = False,
    outside: tuple[int, int, int] | None = None,
) -> Frame:
    """Cut a square out of a frame and bring it to a size; where much is left out, pixels are averaged, not skipped.

    The point (x, y) of the frame comes to (x, y) * scale + side / 2 - middle * scale, where scale = side / span.

    Args:
        frame: BGR or grey, uint8 (height, width[, 3]).
        middle: of the square, x and y in pixels of the frame; may lie outside of it.
        span: of the square's side, pixels of the frame; above 0.
        side: of the result, pixels.
        smooth: enlarge by cubic interpolation, for the eye; linear otherwise.
        outside: what is shown beyond the frame, B, G, R; None repeats its edge.

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
