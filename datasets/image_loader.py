"""Load decoded images in batches. Memory use does not depend on the size of the dataset."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store
from aslkit.vision.images import Frame, ImageError, decode_image, read_header

_BATCHES_AHEAD: Final = 1
"""Batches decoded while the caller uses one. One is enough, because all threads work on the same batch."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows with their decoded images.

    Attributes:
        images: decoded images, each BGR, uint8 (height, width, 3).
        rows: the other requested columns.
    """

    images: list[Frame]
    rows: pa.Table


def iter_batches(
    folder: Path, *, batch_size: int, split: str | None = None, columns: Sequence[str] = ("label",)
) -> Iterator[Batch]:
    """Yield the rows of a dataset with decoded images, in order. The last batch may be smaller.

    Images are decoded with OpenCV on all cores. This is faster than `images.decode_image`; pixel values may differ from
    it by one grey level.

    Args:
        folder: the dataset folder.
        batch_size: number of rows in a batch.
        split: the split to read, or None for all.
        columns: the columns to read in addition to the image.

    Raises:
        InputError: the folder contains no dataset, or the dataset has no such split.
        AslkitError: a file or an image is damaged.
    """
    files = [path for path in parquet_store.list_files(folder) if split is None or path.name.startswith(f"{split}-")]
    if not files:
        raise InputError(f"{folder} has no split {split!r}.")
    names = ["image", *(name for name in columns if name != "image")]
    tables = (table for path in files for table in parquet_store.iter_file_row_groups(path, names))
    # Threads instead of processes: OpenCV releases the GIL, and the images need not be copied.
    workers = cpu_count() or 1
    running: deque[tuple[pa.Table, list[Future[list[Frame]]]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for rows in _rebatch(tables, batch_size):
                # Each thread decodes a part of each batch, so that few decoded images wait in memory.
                part = -(-len(rows) // workers)
                running.append(
                    (rows, [pool.submit(_decode_images, rows.slice(at, part)) for at in range(0, len(rows), part)])
                )
                if len(running) > _BATCHES_AHEAD:
                    yield _collect_batch(*running.popleft())
            while running:
                yield _collect_batch(*running.popleft())
        finally:
            # If the caller stops early, the batches that were decoded ahead are not needed.
            pool.shutdown(wait=True, cancel_futures=True)


def _collect_batch(rows: pa.Table, parts: Sequence[Future[list[Frame]]]) -> Batch:
    images = [image for part in parts for image in part.result()]
    return Batch(images=images, rows=rows.drop_columns(["image"]))


def _rebatch(tables: Iterator[pa.Table], batch_size: int) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `batch_size` rows. The last one may be smaller."""
    pending: list[pa.Table] = []
    for table in tables:
        pending.append(table)
        if sum(map(len, pending)) >= batch_size:
            joined = pa.concat_tables(pending)
            end = len(joined) // batch_size * batch_size
            for start in range(0, end, batch_size):
                yield joined.slice(start, batch_size)
            pending = [joined.slice(end)] if end < len(joined) else []
    if pending:
        yield pa.concat_tables(pending)


def _decode_images(table: pa.Table) -> list[Frame]:
    images: list[Frame] = []
    for chunk in table.column("image").chunks:
        images += [_decode_cell(cell, chunk, index) for index, cell in enumerate(chunk.field("bytes"))]
    return images


def _decode_cell(cell: Any, chunk: Any, index: int) -> Frame:
    import cv2

    data = cell.as_buffer()
    try:
        if data is None:
            raise ImageError("missing")
        read_header(data)  # checks the size before memory is allocated for the pixels
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        # OpenCV returns None without a reason; Pillow either reads the file or names the fault.
        return decode_image(data.to_pybytes()) if frame is None else np.asarray(frame, np.uint8)
    except ImageError as error:
        path = sanitize_text(chunk.field("path")[index].as_py())
        raise AslkitError(
            f"The image {path!r} is {error.message}. Run `aslkit dataset verify` to list all damaged images."
        ) from error
