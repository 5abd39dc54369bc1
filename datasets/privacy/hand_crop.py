"""The hand alone, cut out of a frame, and what the row then says of it."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from aslkit.vision.images import Frame, encode_jpeg, encode_png, read_header
from aslkit.vision.preprocess import CROP_MARGIN

QUALITY: Final = 90
"""JPEG, 1–100: at 95 the crops of 13,721 photographs of 224 pixels have more bytes than the photographs."""

MIN_SIDE: Final = 32
"""Pixels: twice what the smallest image that is taken has."""


def crop_box(box: list[float], width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom, in pixels, of the square around a hand that every pixel feature sees.

    Where it reaches beyond the frame it ends with it: training repeats the border there, as it does with the frame.

    Args:
        box: the hand's, left, top, right, bottom as shares of the frame.
        width: of the frame, pixels.
        height: likewise.
    """
    left, top, right, bottom = (each * side for each, side in zip(box, (width, height, width, height), strict=True))
    half = max(right - left, bottom - top, MIN_SIDE / (1 + 2 * CROP_MARGIN)) * (0.5 + CROP_MARGIN)
    x, y = (left + right) / 2, (top + bottom) / 2
    x0, y0 = (int(np.clip(np.floor(at - half), 0, side - 1)) for at, side in ((x, width), (y, height)))
    x1, y1 = (int(np.clip(np.ceil(at + half), 1, side)) for at, side in ((x, width), (y, height)))
    x0, x1 = _at_least(x0, x1, width)
    y0, y1 = _at_least(y0, y1, height)
    return x0, y0, x1, y1


def crop_row(row: Mapping[str, Any], frame: Frame) -> tuple[bytes, dict[str, Any]]:
    """Cut the hand out of a frame; returns the new image file, and the columns that say where the hand lies in it.

    Args:
        row: with image, landmarks and hand_box, not null.
        frame: the decoded image, BGR, uint8 (height, width, 3).
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = crop_box(row["hand_box"], width, height)
    part = np.ascontiguousarray(frame[y0:y1, x0:x1])
    jpeg = read_header(row["image"]["bytes"]).format == "JPEG"
    wide, high = x1 - x0, y1 - y0
    points = np.array(row["landmarks"], np.float64).reshape(21, 3) * (width, height, width)
    box = (np.array(row["hand_box"], np.float64) * (width, height, width, height)).reshape(2, 2)
    stem = row["image"]["path"].rpartition(".")[0]
    return encode_jpeg(part, quality=QUALITY) if jpeg else encode_png(part), {
        "path": f"{stem}.{'jpg' if jpeg else 'png'}",
        "landmarks": ((points - (x0, y0, 0)) / (wide, high, wide)).astype(np.float32).ravel().tolist(),
        "hand_box": ((box - (x0, y0)) / (wide, high)).astype(np.float32).ravel().tolist(),
    }


def _at_least(low: int, high: int, side: int) -> tuple[int, int]:
    """Widen a span to LEAST_SIDE, as far as the frame reaches."""
    missing = max(0, min(MIN_SIDE, side) - (high - low))
    low = max(0, min(low - missing // 2, side - min(MIN_SIDE, side)))
    return low, max(high, low + min(MIN_SIDE, side))
