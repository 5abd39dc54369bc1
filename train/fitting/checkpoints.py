"""What ranks exchange through files, on disk or at an fsspec address: shards of images, and how far training is."""

import io
import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.errors import AslkitError
from aslkit.core.retry import with_retries
from aslkit.train.fitting.training_loop import RankData, TrainingState

T = TypeVar("T")

_CHECKPOINT: Final = "checkpoint.npz"
_HISTORY: Final = "history.json"
_FAILED: Final = "failed-rank-{}.txt"
_SHARD: Final = "shard-{:05d}-of-{:05d}.parquet"
_ROWS: Final = 4096
"""Of one row group: 13 MB of 28×28 images."""


@dataclass(frozen=True, kw_only=True)
class CheckpointStore:
    """A folder for one training, by its path or URL (`s3://…`); all ranks must be able to read and write it."""

    url: str

    def write_shards(self, shares: list[RankData]) -> None:
        """Write the images of each rank as one Parquet file."""
        for rank, share in enumerate(shares):
            raw = np.concatenate([share.raw, share.checked])
            values = pa.FixedSizeListArray.from_arrays(pa.array(raw.ravel()), int(np.prod(raw.shape[1:])))
            checks = np.repeat([False, True], [len(share.raw), len(share.checked)])
            labels = np.concatenate([share.label, share.checked_label])
            about = {"shape": json.dumps(raw.shape[1:]), "total": str(share.total)}
            table = pa.table({"raw": values, "label": labels, "checked": checks}).replace_schema_metadata(about)
            sink = io.BytesIO()
            pq.write_table(table, sink, row_group_size=_ROWS, compression="zstd")
            self._write(_SHARD.format(rank, len(shares)), sink.getvalue())

    def shard(self, rank: int, ranks: int) -> RankData:
        """Read the images of one rank.

        Raises:
            AslkitError: missing or damaged.
        """
        name = _SHARD.format(rank, ranks)
        try:
            table = pq.read_table(io.BytesIO(self._read(name)))
            about = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        except (pa.ArrowException, OSError) as error:
            raise AslkitError(f"{self.url}/{name} is missing or damaged ({error}).") from error
        flat = table.column("raw").combine_chunks().flatten().to_numpy()
        raw = flat.reshape(len(table), *json.loads(about["shape"]))
        label: npt.NDArray[np.int64] = table.column("label").to_numpy()
        checked = table.column("checked").to_numpy()
        return RankData(
            raw=raw[~checked],
            label=label[~checked],
            checked=raw[checked],
            checked_label=label[checked],
            total=int(about["total"]),
        )

    def save(self, state: TrainingState) -> None:
        """Write how far the training has come, whole or not at all."""
        arrays: dict[str, npt.NDArray[Any]] = {"history": np.frombuffer(json.dumps(state.history).encode(), np.uint8)}
        for name in ("best", "variables"):
            arrays |= {f"{name}-{index:04d}": value for index, value in enumerate(getattr(state, name))}
        sink = io.BytesIO()
        np.savez(sink, **arrays)  # type: ignore[arg-type,unused-ignore]
        self._write(_CHECKPOINT, sink.getvalue())
        self._write(_HISTORY, json.dumps(state.history).encode())

    def state(self) -> TrainingState:
        """Read what `save` wrote; an empty state where nothing was.

        Raises:
            AslkitError: it is damaged.
        """
        try:
            data = self._read(_CHECKPOINT)
        except FileNotFoundError:
            return TrainingState()
        try:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                return TrainingState(
                    history=json.loads(file["history"].tobytes()),
                    best=[file[name] for name in sorted(file.files) if name.startswith("best-")],
                    variables=[file[name] for name in sorted(file.files) if name.startswith("variables-")],
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise AslkitError(f"{self.url}/{_CHECKPOINT} is damaged ({error}). Delete it to begin anew.") from error

    def epochs(self) -> int:
        """How many epochs are done, 0 where that cannot be told now; asked again and again while ranks write."""
        files, folder = self._place()
        files.invalidate_cache()
        try:
            return len(json.loads(files.cat_file(f"{folder}/{_HISTORY}")))
        except (OSError, ValueError):
            return 0

    def note_failure(self, rank: int, text: str) -> None:
        """Keep what ended a rank."""
        self._write(_FAILED.format(rank), text.encode())

    def failures(self, ranks: int) -> dict[int, str]:
        """What ended ranks: number to traceback, of those that could still say so; forgets them."""
        found = {}
        for rank in range(ranks):
            try:
                found[rank] = self._read(_FAILED.format(rank)).decode()
            except FileNotFoundError:
                continue
            files, folder = self._place()
            self._patiently(partial(files.rm_file, f"{folder}/{_FAILED.format(rank)}"))
        return found

    def remove(self) -> None:
        """Take all of it away; nothing, where nothing is."""
        files, folder = self._place()

        def gone() -> None:
            files.invalidate_cache()
            with suppress(FileNotFoundError):
                files.rm(folder, recursive=True)

        self._patiently(gone)

    def _place(self) -> tuple[Any, str]:
        import fsspec  # type: ignore[import-untyped]

        files, folder = fsspec.core.url_to_fs(self.url)
        return files, folder.rstrip("/")

    def _read(self, name: str) -> bytes:
        files, folder = self._place()
        files.invalidate_cache()  # another process may have written since

        def read() -> bytes | None:
            with suppress(FileNotFoundError):
                return bytes(files.cat_file(f"{folder}/{name}"))
            return None

        data = self._patiently(read)
        if data is None:
            raise FileNotFoundError(f"{self.url}/{name}")
        return data

    def _write(self, name: str, data: bytes) -> None:
        files, folder = self._place()
        self._patiently(partial(files.makedirs, folder, exist_ok=True))
        self._patiently(partial(files.pipe_file, f"{folder}/.{name}.partial", data))
        self._patiently(partial(files.mv, f"{folder}/.{name}.partial", f"{folder}/{name}"))

    def _patiently(self, action: Callable[[], T]) -> T:
        """Do it; over a network again, where it fails for a moment."""
        return with_retries(action, self.url) if "://" in self.url else action()
