"""Looking into one Parquet file: its footer, its rows and their images. Runs in a process of its own, which may die."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.verify.findings import Problem, make_problem
from aslkit.datasets.verify.rows import check_rows
from aslkit.vision.images import ImageError, decode_image, pixel_hash, read_header, strip_metadata

KEPT: Final = ("label", "signer", "session", "group", "parent", "sha256", "licence", "consent")
"""Columns that are compared across the whole dataset: all that is held of a row."""

_BATCH_BYTES: Final = 128_000_000
_BATCH_ROWS: Final = 256
_MOST_FACTS: Final = 20_000_000
"""Bytes of what a file says of itself."""

_UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, RecursionError)
"""What pyarrow raises on what is damaged."""


@dataclass(frozen=True, kw_only=True)
class FileFooter:
    """The end of a file, which tells what is in it.

    Attributes:
        rows: in each row group; empty where the file cannot be read on.
        facts: what the dataset says of itself.
        findings: what is wrong.
    """

    rows: tuple[int, ...]
    facts: dict[str, Any]
    findings: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class RowGroupReport:
    """What came of a row group.

    Attributes:
        rows: KEPT, `row` in the file, and `pixels`, the hash of what was decoded, null where nothing could be.
        findings: what is wrong.
    """

    rows: pa.Table
    findings: tuple[Problem, ...]


def read_footer(path: Path, file: str) -> FileFooter:
    """Read the end of a Parquet file, which is named `file` in findings."""
    facts: dict[str, Any] = {}
    try:
        with pq.ParquetFile(path) as opened:
            columns, about = opened.schema_arrow, opened.metadata
            findings = list(_of_schema(columns, file))
            facts = schema.parse_facts(columns)
            rows = tuple(about.row_group(index).num_rows for index in range(about.num_row_groups))
    except AslkitError as error:
        return FileFooter(rows=(), facts={}, findings=(make_problem("schema", error.message, file=file),))
    except _UNREADABLE as error:
        return FileFooter(rows=(), facts={}, findings=(make_problem("corrupt", _first_line(error), file=file),))
    if wrong := parquet_store.implausible_size(about, path.stat().st_size):
        return FileFooter(rows=(), facts=facts, findings=(*findings, make_problem("too-large", wrong, file=file)))
    return FileFooter(rows=rows, facts=facts, findings=tuple(findings))


def _of_schema(columns: pa.Schema, file: str) -> Iterator[Problem]:
    if sum(len(key) + len(value) for key, value in (columns.metadata or {}).items()) > _MOST_FACTS:
        raise AslkitError(f"its metadata have more than {_MOST_FACTS:,} bytes")
    schema.check(columns, "the file")
    more = [name for name in columns.names if name not in schema.COLUMNS.names]
    if more:
        yield make_problem("extra-column", f"columns that aslkit does not know: {', '.join(more[:10])}", file=file)
    names = schema.label_names(columns)
    if names is not None and names != list(LETTERS):
        yield make_problem("label-names", f"the labels are named {names}, not {' '.join(LETTERS)}", file=file)


def inspect_row_group(path: Path, file: str, group: int, first: int) -> RowGroupReport:
    """Check the rows of a row group and decode their images.

    Args:
        path: of the file.
        file: its name in findings.
        group: number of the row group.
        first: row of the file at which it begins.
    """
    findings: list[Problem] = []
    tables = [_rows([], first, pa.RecordBatch.from_pylist([], schema.COLUMNS))]
    at = first
    try:
        with pq.ParquetFile(path) as opened:
            about = opened.metadata.row_group(group)
            fit = int(_BATCH_BYTES * max(about.num_rows, 1) / max(about.total_byte_size, 1))
            columns = opened.schema_arrow
            pictures = schema.parse_facts(columns).get("pixels") is not False  # it may say that it has landmarks only
            names = schema.columns_to_read(columns, schema.COLUMNS.names)
            for raw in opened.iter_batches(min(_BATCH_ROWS, max(fit, 1)), row_groups=[group], columns=names):
                raw.validate(full=True)
                batch = _current(raw, columns)
                findings += check_rows(batch, file=file, first=at)
                hashes = [_image(row, file, at + i, findings, pictures) for i, row in enumerate(_pictures(batch))]
                tables.append(_rows(hashes, at, batch))
                at += len(batch)
    except _UNREADABLE as error:
        findings.append(
            make_problem("corrupt", f"cannot be read on from here: {_first_line(error)}", file=file, row=at)
        )
    return RowGroupReport(rows=pa.concat_tables(tables), findings=tuple(findings))


def _current(batch: pa.RecordBatch, columns: pa.Schema) -> pa.RecordBatch:
    """The batch of a file with these columns, as one of `schema.COLUMNS`."""
    table = schema.upgrade_table(pa.Table.from_batches([batch]), columns, schema.COLUMNS.names)
    return next(iter(table.select(schema.COLUMNS.names).combine_chunks().to_batches()), batch)


def _pictures(batch: pa.RecordBatch) -> Iterator[tuple[bytes | None, int | None, int | None, str | None]]:
    images = batch.column("image").field("bytes")
    images = pa.compute.if_else(batch.column("image").is_valid(), images, None)
    sides = (batch.column(name).to_pylist() for name in ("width", "height", "sha256"))
    return zip((image.as_py() for image in images), *sides, strict=True)


def _image(
    row: tuple[bytes | None, int | None, int | None, str | None],
    file: str,
    at: int,
    findings: list[Problem],
    pictures: bool,
) -> str | None:
    """The hash of an image's pixels; None where it cannot be decoded, and then why is among the findings."""
    data, width, height, said = row
    if data is None:
        if pictures:
            findings.append(make_problem("missing-value", "there is no image", file=file, row=at))
        return None
    try:
        read_header(data)
    except ImageError as error:
        kind = "bomb" if error.message.startswith("too large") else "not-an-image"
        findings.append(make_problem(kind, error.message, file=file, row=at))
        return None
    try:
        frame = decode_image(data)
    except (ImageError, MemoryError) as error:
        findings.append(make_problem("damaged-image", _first_line(error), file=file, row=at))
        return None
    if (frame.shape[1], frame.shape[0]) != (width, height):
        words = f"the image has {frame.shape[1]}×{frame.shape[0]} pixels, its row says {width}×{height}"
        findings.append(make_problem("size", words, file=file, row=at))
    pixels = pixel_hash(frame)
    if said is not None and pixels != said:
        findings.append(
            make_problem(
                "pixels", f"pixels have the hash {pixels[:12]}…, their row says {said[:12]}…", file=file, row=at
            )
        )
    if strip_metadata(data) != data:
        findings.append(
            make_problem("metadata", "the image holds EXIF, text or what follows its end", file=file, row=at)
        )
    return pixels


def _rows(pixels: list[str | None], first: int, batch: pa.RecordBatch) -> pa.Table:
    kept = {name: batch.column(name) for name in KEPT}
    kept["pixels"] = pa.array(pixels, pa.string())
    kept["row"] = pa.array(np.arange(first, first + len(batch)), pa.int64())
    return pa.table(kept)


def _first_line(error: BaseException) -> str:
    words = error.message if isinstance(error, AslkitError) else str(error)
    return next(iter(words.splitlines()), "") or type(error).__name__
