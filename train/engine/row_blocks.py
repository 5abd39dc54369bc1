"""Blocks of rows as Parquet files in a folder that all ranks share.

Each block is a random part of the rows. A rank reads its share of the blocks one after the other, and shuffles the
rows of each, so that it never holds more than one block.
"""

import io
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.train.engine.shared_folder import SharedFolder
from aslkit.train.engine.training_rows import RankData, Rows, RowStream, TrainingRows

BLOCK_BYTES: Final = 32 * 2**20
"""Maximum size of a block in memory: 130,000 hands as landmarks, or 2,000 crops of 64 pixels."""

_FILE: Final = "{}-{:05d}-of-{:05d}.parquet"
_INDEX: Final = "blocks.json"


@dataclass(frozen=True, kw_only=True)
class StoredBlock:
    """A block that is read from its file.

    Attributes:
        folder: folder of the file.
        name: name of the file.
        rows: number of rows.
    """

    folder: SharedFolder
    name: str
    rows: int

    def __len__(self) -> int:
        """Number of rows."""
        return self.rows

    def read(self) -> Rows:
        """Read the rows.

        Raises:
            AslkitError: the file is missing or damaged.
        """
        try:
            table = pq.read_table(io.BytesIO(self.folder.read(self.name)))
            shape = json.loads(table.schema.metadata[b"shape"])
        except (pa.ArrowException, OSError) as error:
            raise AslkitError(f"{self.folder.url}/{self.name} is missing or damaged ({error}).") from error
        images = table.column("image").combine_chunks().flatten().to_numpy()
        return Rows(
            images=images.reshape(len(table), *shape),
            label=table.column("label").to_numpy(),
            weight=table.column("weight").to_numpy(),
        )


def write_blocks(folder: SharedFolder, rows: TrainingRows, *, ranks: int, seed: int) -> None:
    """Write training and validation rows as blocks, for a number of ranks.

    Args:
        folder: the shared folder. Blocks of the same names are replaced.
        rows: the rows, which are read once.
        ranks: number of ranks. Each gets the same number of blocks.
        seed: random seed of the division into blocks.
    """
    index = {}
    for split, stream in (("train", rows.train), ("validation", rows.validation)):
        blocks = ranks * max(1, -(-stream.count * stream.row_bytes // (ranks * BLOCK_BYTES)))
        # The sizes of two blocks differ by at most one row.
        block = np.random.default_rng(seed).permutation(stream.count) % blocks
        _write_split(folder, split, stream, block, blocks)
        index[split] = np.bincount(block, minlength=blocks).tolist()
    folder.write(_INDEX, json.dumps(index).encode())


def read_rank_data(folder: SharedFolder, rank: int, ranks: int) -> RankData:
    """Return the blocks of one rank, which are read from the folder when they are needed.

    Raises:
        AslkitError: there are no blocks, or their list is damaged.
    """
    try:
        index = json.loads(folder.read(_INDEX))
        shares = {split: _list_blocks(folder, split, counts)[rank::ranks] for split, counts in index.items()}
        return RankData(**shares, total=sum(index["train"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError) as error:
        raise AslkitError(f"{folder.url}/{_INDEX} is missing or damaged ({error}).") from error


def remove_blocks(folder: SharedFolder) -> None:
    """Delete the blocks in a folder."""
    index = json.loads(folder.read(_INDEX))
    folder.delete(_INDEX)
    for split, counts in index.items():
        for block in _list_blocks(folder, split, counts):
            folder.delete(block.name)


def _list_blocks(folder: SharedFolder, split: str, counts: list[int]) -> list[StoredBlock]:
    return [
        StoredBlock(folder=folder, name=_FILE.format(split, number, len(counts)), rows=rows)
        for number, rows in enumerate(counts)
    ]


def _write_split(folder: SharedFolder, split: str, stream: RowStream, block: Any, blocks: int) -> None:
    """Write each row to the file of its block, `block` (n,), in one pass; then upload the files."""
    with tempfile.TemporaryDirectory() as local:
        paths = [Path(local) / _FILE.format(split, number, blocks) for number in range(blocks)]
        done = 0
        with ExitStack() as files:
            writers: dict[int, pq.ParquetWriter] = {}
            for rows in stream.portions():
                block_of_row = block[done : done + len(rows)]
                done += len(rows)
                # Also the empty part, so that an empty block has a file with a schema.
                for number, path in enumerate(paths):
                    table = _to_table(rows, np.flatnonzero(block_of_row == number))
                    if number not in writers:
                        writers[number] = files.enter_context(pq.ParquetWriter(path, table.schema, compression="lz4"))
                    writers[number].write_table(table)
        for path in paths:
            folder.upload(path)


def _to_table(rows: Rows, selected: Any) -> pa.Table:
    images = rows.images[selected]
    shape = images.shape[1:]
    values = pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), int(np.prod(shape)))
    table = pa.table({"image": values, "label": rows.label[selected], "weight": rows.weight[selected]})
    return table.replace_schema_metadata({"shape": json.dumps(shape)})
