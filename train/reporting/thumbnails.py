"""Thumbnails of a dataset's frames for the report of a run."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aslkit.datasets import parquet_store
from aslkit.vision.crop import crop_hand, jpeg_data_uri
from aslkit.vision.images import ImageError, decode_image

SIDE: Final = 96
"""Side of a thumbnail, pixels."""

_QUALITY: Final = 72
_MARGIN: Final = 0.35
"""On each side of the hand, relative to the longer side of its box."""

_OUTSIDE: Final = (236, 232, 228)
"""Color beyond the frame, B, G, R: light gray as on the page."""


def render_thumbnails(dataset: Path, keys: Iterable[str]) -> dict[str, str]:
    """Return thumbnails of the hands in some frames of a dataset.

    Args:
        dataset: folder of the dataset.
        keys: values of its `image.path`; frames that do not exist or have no pixels are skipped.

    Returns:
        A JPEG data URI by key.
    """
    wanted, found = set(keys), dict[str, str]()
    if not wanted:
        return found
    for table in parquet_store.iter_row_groups(dataset, ["image", "hand_box"]):
        # Filtered in Arrow, so that only the images that are shown are copied to Python.
        selected = pc.is_in(pc.struct_field(table.column("image"), "path"), pa.array(sorted(wanted)))
        for row in table.filter(selected).to_pylist():
            image = row["image"]
            try:
                frame = decode_image(image["bytes"] or b"")
            except ImageError:
                continue
            hand = crop_hand(frame, row["hand_box"], side=SIDE, margin=_MARGIN, outside=_OUTSIDE)
            found[image["path"]] = jpeg_data_uri(hand, quality=_QUALITY)
        if len(found) == len(wanted):
            break
    return found
