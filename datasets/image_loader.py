"""Reading a dataset fast: batches of decoded images, in order or shuffled; and tables without images, filtered.

Memory stays flat: a few row groups of encoded images and a few decoded batches, whatever the dataset's size.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.dataset as pa_dataset
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store, schema
from aslkit.vision.images import Frame, ImageError, decode_image, read_header

WINDOW: Final = 8
"""Row groups shuffled together: some 2,000 rows of a dataset that curation wrote, 30 to 200 MB."""

_AHEAD: Final = 1
"""Batches that are decoded while one is used: all threads work on each."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Some rows.

    Attributes:
        images: decoded, BGR, uint8 (height, width, 3) each.
        rows: their other columns, as asked for.
    """

    images: list[Frame]
    rows: pa.Table


def iter_batches(
    folder: Path,
    *,
    size: int,
    split: str | None = None,
    columns: Sequence[str] = ("label",),
    rng: np.random.Generator | None = None,
    threads: int | None = None,
) -> Iterator[Batch]:
    """Yield a dataset's rows with decoded images, each row once, `size` at a time; the last batch may be smaller.

    OpenCV decodes, on all cores: it is faster than `images.decode_image`, and may differ from it by a grey level.

    Args:
        folder: of the dataset.
        size: rows of a batch.
        split: only this; all where None.
        columns: what else to read.
        rng: shuffles: row groups come in random order, WINDOW of them at a time, and their rows are mixed. The same
            seed gives the same order. In the order of the files where None.
        threads: that decode; one for each core where None.

    Raises:
        InputError: no dataset there, or no such split.
        AslkitError: a file or an image is damaged.
    """
    files = [path for path in parquet_store.list_files(folder) if split is None or path.name.startswith(f"{split}-")]
    if not files:
        raise InputError(f"{folder} has no split {split!r}.")
    names = ["image", *(name for name in columns if name != "image")]
    tables = _in_order(files, names) if rng is None else _shuffled(files, names, rng)
    workers = threads or cpu_count() or 1
    running: deque[tuple[pa.Table, list[Future[list[Frame]]]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for rows in _of_size(tables, size):
                part = -(-len(rows) // workers)  # each thread takes a part of each batch, so that few wait decoded
                running.append(
                    (rows, [pool.submit(_decoded, rows.slice(at, part)) for at in range(0, len(rows), part)])
                )
                if len(running) > _AHEAD:
                    yield _joined(*running.popleft())
            while running:
                yield _joined(*running.popleft())
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _joined(rows: pa.Table, parts: Sequence[Future[list[Frame]]]) -> Batch:
    images = [image for part in parts for image in part.result()]
    return Batch(images=images, rows=rows.drop_columns(["image"]))


def _in_order(files: Sequence[Path], names: Sequence[str]) -> Iterator[pa.Table]:
    for path in files:
        yield from parquet_store.iter_file_row_groups(path, names)


def _shuffled(files: Sequence[Path], names: Sequence[str], rng: np.random.Generator) -> Iterator[pa.Table]:
    places = [(path, index) for path in files for index in range(pq.read_metadata(path).num_row_groups)]
    order = rng.permutation(len(places))
    for start in range(0, len(order), WINDOW):
        drawn = [places[index] for index in order[start : start + WINDOW]]
        window = pa.concat_tables([parquet_store.read_row_group(path, group, names) for path, group in drawn])
        yield window.take(pa.array(rng.permutation(len(window))))


def _of_size(tables: Iterator[pa.Table], size: int) -> Iterator[pa.Table]:
    """The same rows in tables of `size`, the last one smaller."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(map(len, waiting)) >= size:
            whole = pa.concat_tables(waiting)
            full = len(whole) // size * size
            for start in range(0, full, size):
                yield whole.slice(start, size)
            waiting = [whole.slice(full)] if full < len(whole) else []
    if waiting:
        yield pa.concat_tables(waiting)


def _decoded(table: pa.Table) -> list[Frame]:
    images: list[Frame] = []
    for chunk in table.column("image").chunks:
        images += [_image(each, chunk, index) for index, each in enumerate(chunk.field("bytes"))]
    return images


def _image(scalar: Any, chunk: Any, index: int) -> Frame:
    import cv2

    data = scalar.as_buffer()
    try:
        if data is None:
            raise ImageError("missing")
        read_header(data)  # its size, before memory is taken for it
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return decode_image(data.to_pybytes()) if frame is None else np.asarray(frame, np.uint8)
    except ImageError as error:
        path = sanitize_text(chunk.field("path")[index].as_py())
        raise AslkitError(f"The image {path!r} is {error.message}. `aslkit dataset verify` names all such.") from error


def landmarks(folder: Path, *, where: Any = None) -> npt.NDArray[np.float32]:
    """Read the landmarks of those rows in which a hand was found: float32 (n, 21, 3), as `Hand.landmarks`.

    Args:
        folder: of the dataset.
        where: a `pyarrow.compute` expression over the columns, which rows to take; all where None.

    Raises:
        InputError, AslkitError: as `table`.
    """
    found = pa.compute.field("landmarks").is_valid()
    column = table(folder, ["landmarks"], where=found if where is None else found & where).column("landmarks")
    values = [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    return np.asarray(np.concatenate([np.zeros(0, np.float32), *values]), np.float32).reshape(-1, 21, 3)


def table(folder: Path, columns: Sequence[str], *, where: Any = None) -> pa.Table:
    """Read columns of the rows that an expression takes, on all cores, without holding the others.

    Args:
        folder: of the dataset.
        columns: which.
        where: a `pyarrow.compute` expression over the columns; all rows where None.

    Raises:
        InputError: no dataset there.
        AslkitError: a file is damaged, or not of the schema.
    """
    files = parquet_store.list_files(folder)
    if not all([parquet_store.is_current(path) for path in files]):
        whole = parquet_store.read_dataset(folder)
        return (whole if where is None else whole.filter(where)).select(list(columns))
    try:
        found = pa_dataset.dataset(files, schema=schema.COLUMNS, format="parquet")
        read = found.to_table(columns=list(columns), filter=where)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise AslkitError(
            f"{folder} is damaged. `aslkit dataset verify {sanitize_text(folder)}` says where."
        ) from error
    parquet_store.check_lengths(read, folder)
    return read
