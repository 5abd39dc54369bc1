"""Checkpoints of a training, and what its failed ranks recorded, in a folder that all ranks share."""

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.train.engine.shared_folder import SharedFolder
from aslkit.train.engine.training_state import TrainingState

_CHECKPOINT: Final = "checkpoint.npz"
_HISTORY: Final = "history.json"
_FAILURE: Final = "failed-rank-{}.json"


@dataclass(frozen=True, kw_only=True)
class RankFailure:
    """What a failed rank recorded.

    Attributes:
        error: name of the exception's class.
        message: message of an error that has one for users; otherwise empty.
        traceback: the traceback.
    """

    error: str
    message: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class CheckpointStore(SharedFolder):
    """Folder of one training."""

    def save(self, state: TrainingState) -> None:
        """Write a checkpoint atomically."""
        arrays: dict[str, npt.NDArray[Any]] = {"history": np.frombuffer(json.dumps(state.history).encode(), np.uint8)}
        for name in ("best", "variables"):
            arrays |= {f"{name}-{index:04d}": value for index, value in enumerate(getattr(state, name))}
        sink = io.BytesIO()
        np.savez(sink, **arrays)  # type: ignore[arg-type,unused-ignore]
        self.write(_CHECKPOINT, sink.getvalue())
        # After the checkpoint, so that the progress bar never shows an epoch that could not be resumed.
        self.write(_HISTORY, json.dumps(state.history).encode())

    def load(self) -> TrainingState:
        """Read the checkpoint, or return an empty state if there is none.

        Raises:
            AslkitError: the checkpoint is damaged.
        """
        try:
            data = self.read(_CHECKPOINT)
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

    def read_history(self) -> list[dict[str, float]]:
        """Return the rows of the finished epochs; none if they cannot be read now, for example while a rank writes."""
        files, folder = self._open()
        files.invalidate_cache()
        try:
            history = json.loads(files.cat_file(f"{folder}/{_HISTORY}"))
        except (OSError, ValueError):
            return []
        return history if isinstance(history, list) else []

    def write_failure(self, rank: int, failure: RankFailure) -> None:
        """Write what a failed rank records."""
        self.write(_FAILURE.format(rank), json.dumps(asdict(failure)).encode())

    def pop_failures(self, ranks: int) -> dict[int, RankFailure]:
        """Return what failed ranks recorded, by rank, and delete it. A rank that was killed recorded nothing."""
        failures = {}
        for rank in range(ranks):
            try:
                failures[rank] = RankFailure(**json.loads(self.read(_FAILURE.format(rank))))
            except FileNotFoundError:
                continue
            self.delete(_FAILURE.format(rank))
        return failures
