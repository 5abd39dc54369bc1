"""Rows that lie scattered over several datasets, in a wanted order, a row group at a time: memory stays flat."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from aslkit.datasets import parquet_store, schema
from aslkit.datasets.merging.entries import SourceRow

_KEPT_BYTES: Final = 256_000_000
"""Of row groups held, as neighbours in the new order are mostly neighbours in the old."""

_MOST_BYTES: Final = 256_000_000
"""Of one table that is handed on; Arrow holds at most 2 GB in one column."""


class RowGroups:
    """Row groups, the last used of them held in memory."""

    def __init__(self) -> None:
        self._held: OrderedDict[tuple[Path, int], pa.Table] = OrderedDict()

    def get(self, path: Path, index: int) -> pa.Table:
        """One row group with all columns."""
        key = (path, index)
        if key not in self._held:
            self._held[key] = parquet_store.read_row_group(path, index, schema.COLUMNS.names)
        self._held.move_to_end(key)
        while len(self._held) > 1 and sum(table.nbytes for table in self._held.values()) > _KEPT_BYTES:
            self._held.popitem(last=False)
        return self._held[key]


def gather_rows(entries: Sequence[SourceRow], group: Sequence[int], row_groups: RowGroups) -> Iterator[pa.Table]:
    """Yield the rows of entries, in order, in tables of `store.ROWS_PER_GROUP`, or fewer where images are large.

    Args:
        entries: each with a place; their signer and path replace those in the file.
        group: of each, likewise.
        row_groups: where rows are read from.
    """
    for start in range(0, len(entries), parquet_store.ROWS_PER_GROUP):
        part = entries[start : start + parquet_store.ROWS_PER_GROUP]
        table = _changed(_rows(part, row_groups), part, group[start : start + parquet_store.ROWS_PER_GROUP])
        pieces = 1 + table.nbytes // _MOST_BYTES
        at_once = max(1, len(table) // pieces)
        yield from (table.slice(at, at_once) for at in range(0, len(table), at_once))


def _rows(entries: Sequence[SourceRow], row_groups: RowGroups) -> pa.Table:
    where: OrderedDict[tuple[Path, int], list[int]] = OrderedDict()
    for number, entry in enumerate(entries):
        assert entry.place is not None
        where.setdefault((entry.place.path, entry.place.row_group), []).append(number)
    tables = []
    for (path, index), numbers in where.items():
        rows = [place.row for number in numbers if (place := entries[number].place)]
        tables.append(row_groups.get(path, index).select(schema.COLUMNS.names).take(rows).cast(schema.COLUMNS))
    back = np.argsort(np.concatenate([np.array(numbers) for numbers in where.values()]))
    return pa.concat_tables(tables).take(back)


def _changed(table: pa.Table, entries: Sequence[SourceRow], group: Sequence[int]) -> pa.Table:
    image = table.column("image").combine_chunks()
    image = image.chunk(0) if isinstance(image, pa.ChunkedArray) else image
    paths = pa.array([entry.path for entry in entries], pa.string())
    columns = {
        "image": pa.StructArray.from_arrays(
            [image.field("bytes"), paths], fields=list(schema.COLUMNS.field("image").type)
        ),
        "signer": pa.array([entry.signer for entry in entries], pa.string()),
        "group": pa.array(np.asarray(group, np.int64)),
    }
    for name, values in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, values)
    return table
