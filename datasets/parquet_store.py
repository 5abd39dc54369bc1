"""A dataset on disk: data/SPLIT-00000-of-0000N.parquet, README.md, rejected.parquet."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import schema

ROWS_PER_GROUP: Final = 256
"""Rows of one Parquet row group: 4 to 25 MB of frames, so that readers and writers hold little at a time."""

SHARD_BYTES: Final = 128_000_000
"""Bytes after which a file ends: a few seconds of transfer, and what Hugging Face and Spark like to read."""

_MOST_FILES: Final = 100_000
"""Of one split: 13 terabytes."""

_MOST_GROUP_BYTES: Final = 4_000_000_000
"""Of one row group, uncompressed. Curation writes a tenth of it at most."""

REJECTED_FILE: Final = "rejected.parquet"
FLAGGED_FILE: Final = "flagged.parquet"

_UNREADABLE: Final = (pa.ArrowException, OSError, UnicodeDecodeError, IndexError)
"""What pyarrow raises on files that are damaged."""

_TEXTS: Final = ["signer", "session", "camera", "handedness", "licence", "consent", "augmentation"]
"""Columns in which few values come again and again."""


def write_split(folder: Path, split: str, groups: Iterable[pa.Table], *, facts: dict[str, Any]) -> int:
    """Write one split's rows to Parquet files of about SHARD_BYTES each, holding one row group in memory.

    Args:
        folder: of the dataset.
        split: "train", "validation" or "test".
        groups: tables of `schema.COLUMNS`; each becomes a row group. Nothing is written for none.
        facts: what the dataset says of itself, kept in each file.

    Returns:
        the number of rows.
    """
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    full, tables = schema.with_metadata(facts), (group for group in groups if len(group))
    shards: list[Path] = []
    rows, table = 0, next(tables, None)
    while table is not None:
        shards.append(data / f"{split}-{len(shards):05d}.parquet")
        # Frames are compressed already; zstd is for the other columns.
        with pq.ParquetWriter(shards[-1], full, compression="zstd", use_dictionary=_TEXTS) as writer:
            size = 0
            while table is not None and size < SHARD_BYTES:
                writer.write_table(table.cast(full), row_group_size=len(table))
                size, rows, table = size + table.nbytes, rows + len(table), next(tables, None)
    for shard in shards:
        shard.rename(data / f"{shard.stem}-of-{len(shards):05d}.parquet")
    return rows


def write_findings(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write rejected.parquet or flagged.parquet, even when it has no rows."""
    pq.write_table(pa.Table.from_pylist(list(rows), schema.REJECTED), path, compression="zstd")


def read_dataset(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a dataset, all splits, with a column `split` added; without "image" it is small.

    Args:
        folder: of the dataset.
        columns: which to read, all where None; "image.path" reads the image's name without its bytes.

    Raises:
        InputError: no dataset there.
        AslkitError: a file is damaged, or not of the schema.
    """
    tables = [_read_file(path, columns) for path in list_files(folder)]
    return pa.concat_tables(tables)


def iter_row_groups(folder: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """Yield the same rows as `read_dataset`, in the same order, a row group at a time: for what is too large to hold.

    Raises:
        InputError, AslkitError: as `read_dataset`.
    """
    for path in list_files(folder):
        yield from iter_file_row_groups(path, columns)


def iter_file_row_groups(path: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """As `iter_row_groups`, of one file."""
    with _opened(path) as file:
        schema.check(file.schema_arrow, str(path))
        for index in range(file.num_row_groups):
            yield _row_group(file, index, columns, path)


def read_row_group(path: Path, index: int, columns: Sequence[str]) -> pa.Table:
    """The row group `index` of one file, for what is not read in order.

    Raises:
        AslkitError: the file is damaged.
    """
    with _opened(path) as file:
        return _row_group(file, index, columns, path)


def _row_group(file: pq.ParquetFile, index: int, columns: Sequence[str], path: Path) -> pa.Table:
    try:
        table = file.read_row_group(index, columns=schema.columns_to_read(file.schema_arrow, columns))
        table.validate(full=True)
        if len(table) != (said := file.metadata.row_group(index).num_rows):
            raise pa.ArrowInvalid(f"{len(table)} rows in a row group of {said}")
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    table = schema.upgrade_table(table, file.schema_arrow, columns)
    check_lengths(table, path)
    return table


def list_files(folder: Path) -> list[Path]:
    """The dataset's Parquet files, splits in order.

    Raises:
        InputError: no dataset there.
        AslkitError: one of several files of a split is missing.
    """
    files = [path for split in schema.SPLITS for path in _files_of_split(folder, split)]
    if files:
        return files
    known = (
        sorted(path.name for path in folder.parent.glob("*") if (path / "data").is_dir())
        if folder.parent.is_dir()
        else []
    )
    have = f" There: {', '.join(known)}." if known else ""
    raise InputError(f"There is no dataset in {folder}. `aslkit curate` makes it from your captures.{have}")


def read_facts(folder: Path) -> dict[str, Any]:
    """What the dataset says of itself: how it was made, from what, with which settings."""
    with _opened(list_files(folder)[0]) as file:
        return schema.parse_facts(file.schema_arrow)


def read_rejected(folder: Path) -> pa.Table:
    """Read rejected.parquet; without one, nothing was rejected."""
    return _findings(folder / REJECTED_FILE)


def read_flagged(folder: Path) -> pa.Table:
    """Read flagged.parquet: what is to be known of frames that were taken; without one, nothing is."""
    return _findings(folder / FLAGGED_FILE)


def _findings(path: Path) -> pa.Table:
    if not path.exists():
        return schema.REJECTED.empty_table()
    with _opened(path) as file:
        try:
            table = file.read()
            table.validate(full=True)
            return table
        except _UNREADABLE as error:
            raise _damaged(path, error) from error


def count_rows(folder: Path) -> int:
    """Number of rows in all splits, from the ends of the files: that they are there and whole is seen at little cost.

    Raises:
        InputError, AslkitError: as `read_dataset`.
    """
    total = 0
    for path in list_files(folder):
        with _opened(path) as file:
            total += file.metadata.num_rows
    return total


def _files_of_split(folder: Path, split: str) -> list[Path]:
    files = sorted((folder / "data").glob(f"{split}-*-of-*.parquet"))
    if files:
        said = files[0].stem.rpartition("-of-")[2]
        count = min(int(said), _MOST_FILES) if said.isdecimal() else 0  # a name may say any number
        names = [f"{split}-{index:05d}-of-{said}.parquet" for index in range(count)]
        if missing := [name for name in names if not (folder / "data" / name).is_file()]:
            raise AslkitError(
                f"{folder / 'data' / missing[0]} is missing. Run `aslkit curate --rebuild`, or ask whoever sent the "
                "dataset to send it again."
            )
    return files


def _read_file(path: Path, columns: Sequence[str] | None) -> pa.Table:
    with _opened(path) as file:
        schema.check(file.schema_arrow, str(path))
        try:
            table = file.read(columns=schema.columns_to_read(file.schema_arrow, columns))
            table.validate(full=True)
        except _UNREADABLE as error:
            raise _damaged(path, error) from error
        table = schema.upgrade_table(table, file.schema_arrow, columns)
    check_lengths(table, path)
    split = pa.array([path.name.split("-")[0]] * len(table), pa.string())
    return table.replace_schema_metadata(None).append_column("split", split)


def is_current(path: Path) -> bool:
    """Whether a file is of today's version of the schema; raises AslkitError where it is of none."""
    with _opened(path) as file:
        schema.check(file.schema_arrow, str(path))
        return schema.is_current(file.schema_arrow)


def check_lengths(table: pa.Table, path: Path) -> None:
    """Raise AslkitError where a list has not as many values as `schema.LENGTHS` says."""
    for name, length in schema.LENGTHS.items():
        if name in table.column_names:
            lengths = pc.list_value_length(table.column(name)).unique().to_pylist()
            if stray := [found for found in lengths if found not in (None, length)]:
                raise AslkitError(
                    f"{path}: a row has {stray[0]} values in {name!r}, not {length}. Ask its sender for another."
                )


def _opened(path: Path) -> pq.ParquetFile:
    try:
        file = pq.ParquetFile(path)
        file.schema_arrow  # noqa: B018 - names that are no text show here
        wrong = implausible_size(file.metadata, path.stat().st_size)
    except _UNREADABLE as error:
        raise _damaged(path, error) from error
    if wrong:
        file.close()
        raise AslkitError(f"{path} {wrong}. No real dataset does; ask its sender for another.")
    return file


def implausible_size(about: pq.FileMetaData, size: int) -> str | None:
    """Say what no real file claims, before memory is taken for it: Parquet codes a trillion nulls in a few bytes.

    Args:
        about: the end of the file.
        size: of the file, bytes.
    """
    groups = [about.row_group(index) for index in range(about.num_row_groups)]
    rows, most = sum(max(group.num_rows, 0) for group in groups), max((g.total_byte_size for g in groups), default=0)
    if rows > size or any(group.num_rows < 0 or group.total_byte_size < 0 for group in groups):
        return f"claims {rows:,} rows in {size:,} bytes"
    return f"claims a row group of {most:,} bytes" if most > _MOST_GROUP_BYTES else None


def _damaged(path: Path, error: Exception) -> AslkitError:
    first = str(error).splitlines()[0]
    return AslkitError(
        f"{path} is damaged ({first}). Run `aslkit curate --rebuild`, or ask whoever sent the dataset to send it again."
    )
