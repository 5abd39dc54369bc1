"""Read rows that are scattered over several datasets in a given order, with bounded memory."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from aslkit.datasets import parquet_store, schema
from aslkit.datasets.merging.source_row import SourceRow

_MAX_CACHE_BYTES: Final = 256_000_000
"""Maximum size of the cached row groups. A cache helps because rows that are adjacent in the new order are mostly
adjacent in the source."""

_MAX_TABLE_BYTES: Final = 256_000_000
"""Maximum size of one yielded table. Arrow cannot store more than 2 GB in a column."""


class RowGroups:
    """Reader of row groups with a least-recently-used cache."""

    def __init__(self) -> None:
        self._cache: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()

    def get(self, path: Path, index: int) -> pa.Table:
        """Return one row group with all columns."""
        key = (path, index)
        if key not in self._cache:
            self._cache[key] = parquet_store.read_row_group(path, index, schema.COLUMNS.names)
        self._cache.move_to_end(key)
        while len(self._cache) > 1 and sum(table.nbytes for table in self._cache.values()) > _MAX_CACHE_BYTES:
            self._cache.popitem(last=False)
        return self._cache[key]


def gather_rows(entries: Sequence[SourceRow], groups: Sequence[int], row_groups: RowGroups) -> Iterator[pa.Table]:
    """Yield the rows of `entries`, in order, in tables of at most `parquet_store.ROWS_PER_GROUP` rows.

    Tables have fewer rows if the images are large.

    Args:
        entries: the rows to read. Each needs a location. Their `signer`, `path` and `clip` replace the values in the
            file.
        groups: the new group number of each row, which replaces the value in the file.
        row_groups: the reader of row groups.
    """
    for start in range(0, len(entries), parquet_store.ROWS_PER_GROUP):
        part = entries[start : start + parquet_store.ROWS_PER_GROUP]
        part_groups = groups[start : start + parquet_store.ROWS_PER_GROUP]
        table = _replace_columns(_read_rows(part, row_groups), part, part_groups)
        pieces = 1 + table.nbytes // _MAX_TABLE_BYTES
        piece_rows = max(1, len(table) // pieces)
        yield from (table.slice(at, piece_rows) for at in range(0, len(table), piece_rows))


def _read_rows(entries: Sequence[SourceRow], row_groups: RowGroups) -> pa.Table:
    by_row_group: OrderedDict[tuple[Path, int], list[int]] = OrderedDict()
    for number, entry in enumerate(entries):
        assert entry.location is not None
        by_row_group.setdefault((entry.location.path, entry.location.row_group), []).append(number)
    tables = []
    for (path, index), numbers in by_row_group.items():
        rows = [location.row for number in numbers if (location := entries[number].location)]
        tables.append(row_groups.get(path, index).select(schema.COLUMNS.names).take(rows).cast(schema.COLUMNS))
    # Rows were read one row group after the other; argsort gives the way back to the requested order.
    order = np.argsort(np.concatenate([np.array(numbers) for numbers in by_row_group.values()]))
    return pa.concat_tables(tables).take(order)


def _replace_columns(table: pa.Table, entries: Sequence[SourceRow], groups: Sequence[int]) -> pa.Table:
    image = table.column("image").combine_chunks()
    image = image.chunk(0) if isinstance(image, pa.ChunkedArray) else image
    paths = pa.array([entry.path for entry in entries], pa.string())
    columns = {
        "image": pa.StructArray.from_arrays(
            [image.field("bytes"), paths], fields=list(schema.COLUMNS.field("image").type)
        ),
        "signer": pa.array([entry.signer for entry in entries], pa.string()),
        "clip": pa.array([entry.clip for entry in entries], pa.string()),
        "group": pa.array(np.asarray(groups, np.int64)),
    }
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table
