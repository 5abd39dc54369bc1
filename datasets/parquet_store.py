"""Read and write datasets on disk: data/SPLIT-00000-of-0000N.parquet, and the findings and decisions next to it."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import schema

ROWS_PER_GROUP: Final = 256
"""Rows in one Parquet row group: 4 to 25 MB of frames, which bounds the memory of readers and writers."""

SHARD_BYTES: Final = 128_000_000
"""File size in bytes at which a new file is started. Transfers in seconds, and suits Hugging Face and Spark."""

_MAX_FILES: Final = 100_000
"""Maximum number of files in one split: 13 TB."""

_MAX_GROUP_BYTES: Final = 4_000_000_000
"""Maximum uncompressed size of one row group. Curation writes at most a tenth of this."""

REJECTED_FILE: Final = "rejected.parquet"
FLAGGED_FILE: Final = "flagged.parquet"
REVIEWED_FILE: Final = "reviewed.parquet"

_UNREADABLE: Final = (pa.ArrowException, OSError, UnicodeDecodeError, IndexError)
"""Exceptions that pyarrow raises for damaged files."""

_DICTIONARY_COLUMNS: Final = ["signer", "session", "camera", "handedness", "licence", "consent", "augmentation", "clip"]
"""Columns with few distinct values, which are dictionary-encoded."""


def write_split(folder: Path, split: str, groups: Iterable[pa.Table], *, facts: dict[str, Any]) -> int:
    """Write the rows of one split to Parquet files of about SHARD_BYTES each.

    At most one row group is held in memory.

    Args:
        folder: the dataset folder.
        split: "train", "validation" or "test".
        groups: tables with the columns `schema.COLUMNS`; each one becomes a row group. If empty, no file is written.
        facts: metadata that describes the dataset, stored in each file.

    Returns:
        The number of rows written.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    full, tables = schema.with_metadata(facts), (group for group in groups if len(group))
    shards: list[Path] = []
    rows, table = 0, next(tables, None)
    while table is not None:
        shards.append(data / f"{split}-{len(shards):05d}.parquet")
        # zstd is for the other columns: the frames are already compressed.
        with pq.ParquetWriter(shards[-1], full, compression="zstd", use_dictionary=_DICTIONARY_COLUMNS) as writer:
            size = 0
            while table is not None and size < SHARD_BYTES:
                writer.write_table(table.cast(full), row_group_size=len(table))
                size, rows, table = size + table.nbytes, rows + len(table), next(tables, None)
    # Renamed at the end, because the number of shards is only known then.
    for shard in shards:
        shard.rename(data / f"{shard.stem}-of-{len(shards):05d}.parquet")
    return rows


def write_findings(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write rejected.parquet, flagged.parquet or reviewed.parquet, even if there are no rows."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema.REJECTED), path, compression="zstd")


def read_dataset(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all splits of a dataset into one table, with an added column `split`.

    Args:
        folder: the dataset folder.
        columns: the columns to read, or None for all. Without "image" the table is small. "image.path" reads the
            image paths without the images.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: a file is missing, damaged or does not have the expected schema.
    """
    tables = [_read_file(path, columns) for path in list_files(folder)]
    return pa.concat_tables(tables)


def iter_row_groups(folder: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the rows of `read_dataset` in the same order, one row group at a time, for datasets that exceed memory.

    Raises:
        InputError, AslkitError: see `read_dataset`.
    """
    for path in list_files(folder):
        yield from iter_file_row_groups(path, columns)


def iter_file_row_groups(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the row groups of one file. See `iter_row_groups`."""
    with _open_file(path) as file:
        schema.check(file.schema_arrow, str(path))
        for index in range(file.num_row_groups):
            yield _read_row_group(file, index, columns, path)


def read_row_group(path: Path, index: int, columns: Sequence[str]) -> pa.Table:
    """Read one row group of a file, for random access.

    Raises:
        AslkitError: the file is damaged.
    """
    with _open_file(path) as file:
        return _read_row_group(file, index, columns, path)


def _read_row_group(file: pq.ParquetFile, index: int, columns: Sequence[str], path: Path) -> pa.Table:
    try:
        table = file.read_row_group(index, columns=schema.stored_columns(file.schema_arrow, columns))
        table.validate(full=True)
        # pyarrow 23 returns fewer rows than the footer claims for some damaged files, without an error.
        if len(table) != (expected := file.metadata.row_group(index).num_rows):
            raise pa.ArrowInvalid(f"{len(table)} rows in a row group of {expected}")
    except _UNREADABLE as error:
        raise _damaged_error(path, error) from error
    _check_list_lengths(table, path)
    return schema.add_clip_columns(table, columns)


def list_datasets(folder: Path) -> list[Path]:
    """Return the folders of the datasets in a folder, by name; none if the folder does not exist."""
    return sorted(path for path in folder.glob("*") if (path / "data").is_dir())


def list_files(folder: Path) -> list[Path]:
    """Return the Parquet files of a dataset, in the order of the splits.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: a file of a split is missing.
    """
    files = [path for split in schema.SPLITS for path in _list_split_files(folder, split)]
    if files:
        return files
    datasets = [path.name for path in list_datasets(folder.parent)]
    existing = f" Existing datasets: {', '.join(datasets)}." if datasets else ""
    raise InputError(f"No dataset found in {folder}. Run `aslkit curate` to create one from your captures.{existing}")


def read_facts(folder: Path) -> dict[str, Any]:
    """Read the metadata that describes a dataset: how it was made, from which sources and with which settings."""
    with _open_file(list_files(folder)[0]) as file:
        return schema.parse_facts(file.schema_arrow)


def read_rejected(folder: Path) -> pa.Table:
    """Read rejected.parquet. Return an empty table if the file is missing."""
    return _read_findings(folder / REJECTED_FILE)


def read_flagged(folder: Path) -> pa.Table:
    """Read flagged.parquet, the warnings about accepted frames. Return an empty table if the file is missing."""
    return _read_findings(folder / FLAGGED_FILE)


def read_reviewed(folder: Path) -> pa.Table:
    """Read reviewed.parquet, the decisions of people about frames. Return an empty table if the file is missing."""
    return _read_findings(folder / REVIEWED_FILE)


def _read_findings(path: Path) -> pa.Table:
    if not path.exists():
        return schema.REJECTED.empty_table()
    with _open_file(path) as file:
        try:
            table = file.read()
            table.validate(full=True)
            return table
        except _UNREADABLE as error:
            raise _damaged_error(path, error) from error


def count_rows(folder: Path) -> int:
    """Count the rows of all splits. Reads only the file footers, which also checks cheaply that all files are complete.

    Raises:
        InputError, AslkitError: see `read_dataset`.
    """
    total = 0
    for path in list_files(folder):
        with _open_file(path) as file:
            total += file.metadata.num_rows
    return total


def _list_split_files(folder: Path, split: str) -> list[Path]:
    # A missing file must be an error: the others would be read as a complete, smaller dataset.
    files = sorted((folder / "data").glob(f"{split}-*-of-*.parquet"))
    if files:
        total = files[0].stem.rpartition("-of-")[2]
        count = min(int(total), _MAX_FILES) if total.isdecimal() else 0  # the number in the file name is untrusted
        names = [f"{split}-{index:05d}-of-{total}.parquet" for index in range(count)]
        if missing := [name for name in names if not (folder / "data" / name).is_file()]:
            raise AslkitError(
                f"{folder / 'data' / missing[0]} is missing. Run `aslkit curate --rebuild`, or ask the sender to send "
                "the dataset again."
            )
    return files


def _read_file(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with _open_file(path) as file:
        schema.check(file.schema_arrow, str(path))
        names = [*dict.fromkeys((*file.schema_arrow.names, *schema.COLUMNS.names))] if columns is None else columns
        try:
            table = file.read(columns=schema.stored_columns(file.schema_arrow, names))
            table.validate(full=True)
        except _UNREADABLE as error:
            raise _damaged_error(path, error) from error
    _check_list_lengths(table, path)
    split = pa.array([path.name.split("-")[0]] * len(table), pa.string())
    table = schema.add_clip_columns(table, names)
    return table.replace_schema_metadata(None).append_column("split", split)


def _check_list_lengths(table: pa.Table, path: Path) -> None:
    """Raise AslkitError if a list does not have the length given in `schema.LENGTHS`."""
    for name, length in schema.LENGTHS.items():
        if name in table.column_names:
            lengths = pc.list_value_length(table.column(name)).unique().to_pylist()
            if wrong := [found for found in lengths if found not in (None, length)]:
                raise AslkitError(
                    f"{path}: a row has {wrong[0]} values in {name!r}, not {length}. Ask the sender for a valid file."
                )


def _open_file(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
        file.schema_arrow  # noqa: B018 - raises if column names are not valid text
        problem = implausible_size(file.metadata, path.stat().st_size)
    except _UNREADABLE as error:
        raise _damaged_error(path, error) from error
    if problem:
        file.close()
        raise AslkitError(f"{path} {problem}. No real dataset does. Ask the sender for a valid file.")
    return file


def implausible_size(metadata: pq.FileMetaData, size: int) -> str | None:
    """Describe a size in the footer that no real file has, or return None.

    Call it before reading rows: Parquet encodes a trillion nulls in a few bytes, so a small file can exhaust memory.

    Args:
        metadata: the footer of the file.
        size: the size of the file in bytes.
    """
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    rows = sum(max(group.num_rows, 0) for group in groups)
    largest = max((group.total_byte_size for group in groups), default=0)
    if rows > size or any(group.num_rows < 0 or group.total_byte_size < 0 for group in groups):
        return f"claims {rows:,} rows in {size:,} bytes"
    return f"claims a row group of {largest:,} bytes" if largest > _MAX_GROUP_BYTES else None


def _damaged_error(path: Path, error: Exception) -> AslkitError:
    first_line = str(error).splitlines()[0]
    return AslkitError(
        f"{path} is damaged ({first_line}). Run `aslkit curate --rebuild`, or ask the sender to send the dataset again."
    )
