"""Crop a frame to the hand, or to the movement of a clip, and convert the row's landmarks and hand box to the crop."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from aslkit.vision.crop import shrink
from aslkit.vision.images import Frame, encode_jpeg, encode_png, read_header
from aslkit.vision.preprocess import CROP_MARGIN

JPEG_QUALITY: Final = 90
"""JPEG quality, 1–100. At 95, the crops of 13,721 photographs of 224 pixels are larger than the photographs. See also
DEFAULT_CROP_SIZE."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""

MIN_SIDE: Final = 32
"""Minimum side of a crop in pixels: twice the minimum image size."""


def crop_box(box: Sequence[float], width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom, in pixels, of the square around a hand that all pixel features use.

    The square is clipped to the frame. Training pads a crop by repeating its border, as it does with the frame.

    Args:
        box: left, top, right and bottom of the hand, relative to the frame size.
        width: width of the frame in pixels.
        height: height of the frame in pixels.
    """
    left, top, right, bottom = (each * side for each, side in zip(box, (width, height, width, height), strict=True))
    half = max(right - left, bottom - top, MIN_SIDE / (1 + 2 * CROP_MARGIN)) * (0.5 + CROP_MARGIN)
    x, y = (left + right) / 2, (top + bottom) / 2
    x0, y0 = (int(np.clip(np.floor(at - half), 0, side - 1)) for at, side in ((x, width), (y, height)))
    x1, y1 = (int(np.clip(np.ceil(at + half), 1, side)) for at, side in ((x, width), (y, height)))
    x0, x1 = _widen(x0, x1, width)
    y0, y1 = _widen(y0, y1, height)
    return x0, y0, x1, y1


def join_boxes(boxes: Iterable[Sequence[float]]) -> list[float]:
    """Return the smallest box that contains some boxes, at least one: left, top, right and bottom."""
    array = np.array(list(boxes), np.float64)
    return [*array[:, :2].min(axis=0).tolist(), *array[:, 2:].max(axis=0).tolist()]


def crop_row(
    row: Mapping[str, Any], frame: Frame, region: Sequence[float], *, max_side: int
) -> tuple[Frame, dict[str, Any]]:
    """Crop the image of a row to a region, which is the hand, or all hands of a clip.

    Args:
        row: a row in which image is not null.
        frame: the decoded image, BGR, uint8 (height, width, 3).
        region: box in the middle of the crop, see `crop_box`.
        max_side: maximum side of the crop in pixels. A larger crop is scaled down.

    Returns:
        The crop, and the new values of landmarks and hand_box, null without a hand.
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = crop_box(region, width, height)
    crop_width, crop_height = x1 - x0, y1 - y0
    crop = shrink(np.ascontiguousarray(frame[y0:y1, x0:x1]), max_side)
    if row["landmarks"] is None or row["hand_box"] is None:
        return crop, {"landmarks": None, "hand_box": None, "handedness": None, "hand_score": None}
    # float64 in between, so that the result is rounded to float32 only once.
    landmarks = np.array(row["landmarks"], np.float64).reshape(21, 3) * (width, height, width)
    box = (np.array(row["hand_box"], np.float64) * (width, height, width, height)).reshape(2, 2)
    new_landmarks = (landmarks - (x0, y0, 0)) / (crop_width, crop_height, crop_width)
    new_box = (box - (x0, y0)) / (crop_width, crop_height)
    return crop, {
        "landmarks": new_landmarks.astype(np.float32).ravel().tolist(),
        "hand_box": new_box.astype(np.float32).ravel().tolist(),
    }


def move_to_crop(box: Box, region: Sequence[float], frame: Frame) -> Box:
    """Convert a box from a frame to its crop.

    Args:
        box: left, top, right and bottom, relative to the frame size.
        region: box to which the frame is cropped, as in `crop_row`.
        frame: (height, width, 3).

    Returns:
        The same, relative to the size of the crop. It can extend beyond the crop, or be outside of it.
    """
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = crop_box(region, width, height)
    left, top, right, bottom = box
    (left, right), (top, bottom) = (
        ((low * side - start) / (end - start), (high * side - start) / (end - start))
        for low, high, side, start, end in ((left, right, width, x0, x1), (top, bottom, height, y0, y1))
    )
    return left, top, right, bottom


def encode_crop(crop: Frame, image: Mapping[str, Any]) -> dict[str, Any]:
    """Encode a crop in the format of its image, JPEG, or else PNG.

    Args:
        crop: BGR, uint8 (height, width, 3).
        image: the values bytes and path of the whole image.

    Returns:
        The values bytes and path of the crop. The suffix of the path can be another.
    """
    is_jpeg = read_header(image["bytes"]).format == "JPEG"
    stem = image["path"].rpartition(".")[0]
    return {
        "bytes": encode_jpeg(crop, quality=JPEG_QUALITY) if is_jpeg else encode_png(crop),
        "path": f"{stem}.{'jpg' if is_jpeg else 'png'}",
    }


def _widen(low: int, high: int, side: int) -> tuple[int, int]:
    """Widen a range to MIN_SIDE, as far as the frame allows."""
    missing = max(0, min(MIN_SIDE, side) - (high - low))
    low = max(0, min(low - missing // 2, side - min(MIN_SIDE, side)))
    return low, max(high, low + min(MIN_SIDE, side))
