"""Small pictures of a dataset's frames, for a run's report; nowhere else are they kept."""

import base64
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.datasets import parquet_store
from aslkit.vision.crop import MIN_SPAN, crop_square
from aslkit.vision.images import Frame, ImageError, decode_image, encode_jpeg

SIDE: Final = 96
"""Of a picture, pixels."""

_QUALITY: Final = 72
_MARGIN: Final = 0.35
"""Around the hand, of its box's longer side."""

_OUTSIDE: Final = (236, 232, 228)
"""Beyond the frame's edge, B, G, R: the page's light grey."""


def thumbnails(dataset: Path, keys: Iterable[str]) -> dict[str, str]:
    """Square pictures of the hands in some frames.

    Args:
        dataset: its folder.
        keys: of the frames, as its `image.path` has them; those that are not there, or have no picture, are left out.

    Returns:
        for each key a data: URI of a JPEG.
    """
    wanted, found = set(keys), dict[str, str]()
    if not wanted:
        return found
    for table in parquet_store.iter_row_groups(dataset, ["image", "hand_box"]):
        here = pc.is_in(pc.struct_field(table.column("image"), "path"), pa.array(sorted(wanted)))
        for row in table.filter(here).to_pylist():
            image = row["image"]
            try:
                found[image["path"]] = _uri(decode_image(image["bytes"] or b""), row["hand_box"])
            except ImageError:
                continue
        if len(found) == len(wanted):
            break
    return found


def _uri(frame: Frame, box: list[float] | None) -> str:
    height, width = frame.shape[:2]
    left, top, right, bottom = (np.array(box or [0, 0, 1, 1]) * [width, height, width, height]).tolist()
    span = max(right - left, bottom - top, MIN_SPAN) * (1 + 2 * _MARGIN if box else 1)
    middle = ((left + right) / 2, (top + bottom) / 2)
    data = encode_jpeg(crop_square(frame, middle=middle, span=span, side=SIDE, outside=_OUTSIDE), quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
