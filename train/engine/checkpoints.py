"""Files that the ranks of a training share, on disk or on any fsspec store: shards of images, and checkpoints."""

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
from aslkit.datasets.sharing.retry import with_retries
from aslkit.train.engine.epoch_batches import RankData
from aslkit.train.engine.training_state import TrainingState

T = TypeVar("T")

_CHECKPOINT: Final = "checkpoint.npz"
_HISTORY: Final = "history.json"
_FAILURE: Final = "failed-rank-{}.txt"
_SHARD: Final = "shard-{:05d}-of-{:05d}.parquet"
_ROW_GROUP_SIZE: Final = 4096
"""Rows per row group: 13 MB of 28×28 images."""


@dataclass(frozen=True, kw_only=True)
class CheckpointStore:
    """Folder of one training. All ranks must be able to read and write it.

    Attributes:
        url: path, or URL such as `s3://…`.
    """

    url: str

    def write_shards(self, shards: list[RankData]) -> None:
        """Write the images of each rank as one Parquet file."""
        for rank, shard in enumerate(shards):
            images = np.concatenate([shard.images, shard.validation_images])
            values = pa.FixedSizeListArray.from_arrays(pa.array(images.ravel()), int(np.prod(images.shape[1:])))
            is_validation = np.repeat([False, True], [len(shard.images), len(shard.validation_images)])
            label = np.concatenate([shard.label, shard.validation_label])
            metadata = {"shape": json.dumps(images.shape[1:]), "total": str(shard.total)}
            table = pa.table({"raw": values, "label": label, "checked": is_validation})
            sink = io.BytesIO()
            pq.write_table(
                table.replace_schema_metadata(metadata), sink, row_group_size=_ROW_GROUP_SIZE, compression="zstd"
            )
            self._write(_SHARD.format(rank, len(shards)), sink.getvalue())

    def read_shard(self, rank: int, ranks: int) -> RankData:
        """Read the images of one rank.

        Raises:
            AslkitError: the shard is missing or damaged.
        """
        name = _SHARD.format(rank, ranks)
        try:
            table = pq.read_table(io.BytesIO(self._read(name)))
            metadata = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        except (pa.ArrowException, OSError) as error:
            raise AslkitError(f"{self.url}/{name} is missing or damaged ({error}).") from error
        flat = table.column("raw").combine_chunks().flatten().to_numpy()
        images = flat.reshape(len(table), *json.loads(metadata["shape"]))
        label: npt.NDArray[np.int64] = table.column("label").to_numpy()
        is_validation = table.column("checked").to_numpy()
        return RankData(
            images=images[~is_validation],
            label=label[~is_validation],
            validation_images=images[is_validation],
            validation_label=label[is_validation],
            total=int(metadata["total"]),
        )

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint atomically (to a temporary file, then renamed)."""
        arrays: dict[str, npt.NDArray[Any]] = {"history": np.frombuffer(json.dumps(state.history).encode(), np.uint8)}
        for name in ("best", "variables"):
            arrays |= {f"{name}-{index:04d}": value for index, value in enumerate(getattr(state, name))}
        sink = io.BytesIO()
        np.savez(sink, **arrays)  # type: ignore[arg-type,unused-ignore]
        self._write(_CHECKPOINT, sink.getvalue())
        # After the checkpoint, so that the progress bar never shows an epoch that could not be resumed.
        self._write(_HISTORY, json.dumps(state.history).encode())

    def load(self) -> TrainingState:
        """Read the checkpoint, or return an empty state if there is none.

        Raises:
            AslkitError: the checkpoint is damaged.
        """
        try:
            data = self._read(_CHECKPOINT)
        except FileNotFoundError:
            return TrainingState()
        try:
            # A pickled array in a checkpoint from elsewhere could run code.
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                return TrainingState(
                    history=json.loads(file["history"].tobytes()),
                    best=[file[name] for name in sorted(file.files) if name.startswith("best-")],
                    variables=[file[name] for name in sorted(file.files) if name.startswith("variables-")],
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise AslkitError(f"{self.url}/{_CHECKPOINT} is damaged ({error}). Delete it to start again.") from error

    def count_epochs(self) -> int:
        """Return the number of finished epochs, or 0 if it cannot be read now, for example while a rank writes."""
        files, folder = self._open()
        files.invalidate_cache()
        try:
            return len(json.loads(files.cat_file(f"{folder}/{_HISTORY}")))
        except (OSError, ValueError):
            return 0

    def write_failure(self, rank: int, text: str) -> None:
        """Write the traceback of a failed rank."""
        self._write(_FAILURE.format(rank), text.encode())

    def pop_failures(self, ranks: int) -> dict[int, str]:
        """Return the tracebacks of failed ranks by rank, and delete them. A rank that was killed has none."""
        tracebacks = {}
        for rank in range(ranks):
            try:
                tracebacks[rank] = self._read(_FAILURE.format(rank)).decode()
            except FileNotFoundError:
                continue
            files, folder = self._open()
            self._with_retries(partial(files.rm_file, f"{folder}/{_FAILURE.format(rank)}"))
        return tracebacks

    def remove(self) -> None:
        """Delete the folder, if it exists."""
        files, folder = self._open()

        def delete() -> None:
            files.invalidate_cache()
            with suppress(FileNotFoundError):
                files.rm(folder, recursive=True)

        self._with_retries(delete)

    def _open(self) -> tuple[Any, str]:
        """Return the fsspec file system and the folder in it."""
        import fsspec  # type: ignore[import-untyped]

        files, folder = fsspec.core.url_to_fs(self.url)
        return files, folder.rstrip("/")

    def _read(self, name: str) -> bytes:
        files, folder = self._open()
        files.invalidate_cache()  # another process may have written the file since

        def read() -> bytes | None:
            with suppress(FileNotFoundError):
                return bytes(files.cat_file(f"{folder}/{name}"))
            return None

        data = self._with_retries(read)
        if data is None:
            raise FileNotFoundError(f"{self.url}/{name}")
        return data

    def _write(self, name: str, data: bytes) -> None:
        files, folder = self._open()
        self._with_retries(partial(files.makedirs, folder, exist_ok=True))
        # Written under another name and then moved, so that a rank never reads an incomplete file.
        self._with_retries(partial(files.pipe_file, f"{folder}/.{name}.partial", data))
        self._with_retries(partial(files.mv, f"{folder}/.{name}.partial", f"{folder}/{name}"))

    def _with_retries(self, action: Callable[[], T]) -> T:
        """Run an action; on a remote store, retry it after a temporary failure."""
        return with_retries(action, self.url) if "://" in self.url else action()
