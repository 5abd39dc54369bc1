"""Check one Parquet file: its footer, its rows and their images. Runs in an isolated process that may crash."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABELS, LETTERS
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.verify.findings import Problem, make_problem
from aslkit.datasets.verify.rows import check_rows
from aslkit.vision.images import ImageError, decode_image, pixel_hash, read_header, strip_metadata

KEPT_COLUMNS: Final = (
    "label",
    "signer",
    "session",
    "group",
    "parent",
    "sha256",
    "licence",
    "consent",
    "clip",
    "time_ms",
)
"""Columns that are kept in memory for all rows, for checks across the whole dataset."""

_BATCH_BYTES: Final = 128_000_000
_BATCH_ROWS: Final = 256
_MAX_METADATA_BYTES: Final = 20_000_000

_UNREADABLE: Final = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError, RecursionError)
"""Exceptions that pyarrow raises for damaged files."""


@dataclass(frozen=True, kw_only=True)
class FileFooter:
    """The footer of a file, which describes its contents.

    Attributes:
        rows: number of rows in each row group; empty if the rows cannot be read.
        facts: the metadata of the dataset.
        findings: the problems found.
    """

    rows: tuple[int, ...]
    facts: dict[str, Any]
    findings: tuple[Problem, ...]


@dataclass(frozen=True, kw_only=True)
class RowGroupReport:
    """Result of checking one row group.

    Attributes:
        rows: the columns KEPT_COLUMNS; `pixels`, the hash of the decoded image, null if it cannot be decoded;
            `has_hand`, whether there are landmarks; and `row`, the index in the file.
        findings: the problems found.
    """

    rows: pa.Table
    findings: tuple[Problem, ...]


def read_footer(path: Path, file: str) -> FileFooter:
    """Read and check the footer of a Parquet file.

    Args:
        path: path of the file.
        file: name of the file in findings.
    """
    facts: dict[str, Any] = {}
    try:
        with pq.ParquetFile(path) as opened:
            file_schema, metadata = opened.schema_arrow, opened.metadata
            findings = list(_check_schema(file_schema, file))
            facts = schema.parse_facts(file_schema)
            rows = tuple(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
    except AslkitError as error:
        return FileFooter(rows=(), facts={}, findings=(make_problem("schema", error.message, file=file),))
    except _UNREADABLE as error:
        return FileFooter(rows=(), facts={}, findings=(make_problem("corrupt", _first_line(error), file=file),))
    if problem := parquet_store.implausible_size(metadata, path.stat().st_size):
        return FileFooter(rows=(), facts=facts, findings=(*findings, make_problem("too-large", problem, file=file)))
    return FileFooter(rows=rows, facts=facts, findings=tuple(findings))


def _check_schema(file_schema: pa.Schema, file: str) -> Iterator[Problem]:
    if sum(len(key) + len(value) for key, value in (file_schema.metadata or {}).items()) > _MAX_METADATA_BYTES:
        raise AslkitError(f"its metadata has more than {_MAX_METADATA_BYTES:,} bytes")
    schema.check(file_schema, "the file")
    extra = [name for name in file_schema.names if name not in schema.COLUMNS.names]
    if extra:
        yield make_problem("extra-column", f"unknown columns: {', '.join(extra[:10])}", file=file)
    if not schema.has_known_labels(file_schema):
        names = schema.label_names(file_schema)
        expected = LETTERS if schema.file_version(file_schema) == 1 else LABELS
        yield make_problem("label-names", f"the labels are named {names}, not {' '.join(expected)}", file=file)


def inspect_row_group(path: Path, file: str, group: int, first: int) -> RowGroupReport:
    """Check the rows of a row group and decode their images.

    Args:
        path: path of the file.
        file: name of the file in findings.
        group: index of the row group.
        first: index in the file of the first row in the row group.
    """
    findings: list[Problem] = []
    # An empty table first, so that a file without readable rows still gives the columns.
    tables = [_keep_columns([], first, pa.RecordBatch.from_pylist([], schema.COLUMNS))]
    position = first
    try:
        with pq.ParquetFile(path) as opened:
            metadata = opened.metadata.row_group(group)
            # Fewer rows if they are large, so that memory stays bounded.
            batch_rows = int(_BATCH_BYTES * max(metadata.num_rows, 1) / max(metadata.total_byte_size, 1))
            # A dataset can declare that it contains landmarks only.
            has_images = schema.parse_facts(opened.schema_arrow).get("pixels") is not False
            columns = schema.stored_columns(opened.schema_arrow, schema.COLUMNS.names)
            for stored in opened.iter_batches(
                min(_BATCH_ROWS, max(batch_rows, 1)), row_groups=[group], columns=columns
            ):
                stored.validate(full=True)
                batch = schema.add_clip_columns(stored, schema.COLUMNS.names)
                findings += check_rows(batch, file=file, first=position)
                hashes = [
                    _check_image(row, file, position + index, findings, has_images)
                    for index, row in enumerate(_iter_image_rows(batch))
                ]
                tables.append(_keep_columns(hashes, position, batch))
                position += len(batch)
    except _UNREADABLE as error:
        findings.append(
            make_problem("corrupt", f"cannot be read from here on: {_first_line(error)}", file=file, row=position)
        )
    return RowGroupReport(rows=pa.concat_tables(tables), findings=tuple(findings))


_ImageRow = tuple[bytes | None, int | None, int | None, str | None]
"""Image file, width, height and sha256 of a row."""


def _iter_image_rows(batch: pa.RecordBatch) -> Iterator[_ImageRow]:
    images = batch.column("image").field("bytes")
    # `field` ignores the validity of the struct, so a null row could show leftover bytes.
    images = pa.compute.if_else(batch.column("image").is_valid(), images, None)
    columns = (batch.column(name).to_pylist() for name in ("width", "height", "sha256"))
    return zip((image.as_py() for image in images), *columns, strict=True)


def _check_image(row: _ImageRow, file: str, position: int, findings: list[Problem], has_images: bool) -> str | None:
    """Return the hash of an image's pixels, or None if it cannot be decoded. Add problems to `findings`."""
    data, width, height, stated_hash = row
    if data is None:
        if has_images:
            findings.append(make_problem("missing-value", "the image is missing", file=file, row=position))
        return None
    try:
        # The header first: decoding would allocate memory for the size that it claims.
        read_header(data)
    except ImageError as error:
        kind = "bomb" if error.message.startswith("too large") else "not-an-image"
        findings.append(make_problem(kind, error.message, file=file, row=position))
        return None
    try:
        frame = decode_image(data)
    except (ImageError, MemoryError) as error:
        findings.append(make_problem("damaged-image", _first_line(error), file=file, row=position))
        return None
    if (frame.shape[1], frame.shape[0]) != (width, height):
        text = f"the image has {frame.shape[1]}×{frame.shape[0]} pixels, but its row states {width}×{height}"
        findings.append(make_problem("size", text, file=file, row=position))
    pixels = pixel_hash(frame)
    if stated_hash is not None and pixels != stated_hash:
        text = f"the pixels have the hash {pixels[:12]}…, but their row states {stated_hash[:12]}…"
        findings.append(make_problem("pixels", text, file=file, row=position))
    if strip_metadata(data) != data:
        text = "the image contains EXIF, text, hidden pixels, or data after its end"
        findings.append(make_problem("metadata", text, file=file, row=position))
    return pixels


def _keep_columns(hashes: list[str | None], first: int, batch: pa.RecordBatch) -> pa.Table:
    columns = {name: batch.column(name) for name in KEPT_COLUMNS}
    columns["pixels"] = pa.array(hashes, pa.string())
    columns["has_hand"] = batch.column("landmarks").is_valid()
    columns["row"] = pa.array(np.arange(first, first + len(batch)), pa.int64())
    return pa.table(columns)


def _first_line(error: BaseException) -> str:
    text = error.message if isinstance(error, AslkitError) else str(error)
    return next(iter(text.splitlines()), "") or type(error).__name__
