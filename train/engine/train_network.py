"""Train a network in this process, or on several Horovod ranks in a Spark session."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from aslkit.core.native_libraries import import_keras
from aslkit.core.progress import progress_bar
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.devices import prepare_device, set_weights
from aslkit.train.engine.epoch_batches import Variant
from aslkit.train.engine.row_blocks import read_rank_data, remove_blocks, write_blocks
from aslkit.train.engine.training_loop import Schedule, run_training
from aslkit.train.engine.training_rows import RankData, TrainingRows
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.engine.training_step import SingleProcess
from aslkit.vision.preprocess import Array

MEMORY_BYTES: Final = 128 * 2**20
"""Maximum size of the rows that one process holds in memory: 520,000 hands as landmarks. More are read in blocks."""


@dataclass(frozen=True, kw_only=True)
class TrainingResources:
    """Where networks are trained, and with how many processes.

    Attributes:
        checkpoints: folder or URL for checkpoints, from which an interrupted training is resumed, and for the rows of
            each rank. Each training has its own subfolder. "" writes no checkpoints. All ranks must be able to read and
            write it.
        logs: folder for TensorBoard logs; None writes no logs.
        ranks: number of processes. With more than one, a Spark session must be active.
    """

    checkpoints: str = ""
    logs: Path | None = None
    ranks: int = 1

    def without_logs(self) -> "TrainingResources":
        """Return the same without TensorBoard logs, for trainings other than that of the final model."""
        return replace(self, logs=None)

    def open_store(self, name: str) -> CheckpointStore | None:
        """Return the store of the training of this name; None without checkpoints."""
        return CheckpointStore(url=f"{self.checkpoints.rstrip('/')}/{name}") if self.checkpoints else None


ONE_PROCESS: Final = TrainingResources()
"""One process, without checkpoints."""


@dataclass(frozen=True, kw_only=True)
class NetworkTraining:
    """A training of one network.

    Attributes:
        network: keras.Model with its initial weights; see `run_training`. Layers can be frozen.
        rows: training and validation rows.
        schedule, variants, to_inputs, seed: see `run_training`.
        title: title of the progress bar.
        store: checkpoints; None writes none.
        ranks: number of processes. With more than one, a Spark session must be active, and `store` is needed.
        resume: command that resumes after a failed rank; quoted in the error message, unless it is "".
        on_epoch: called with the row of each epoch that ends.
    """

    network: Any
    rows: TrainingRows
    schedule: Schedule
    variants: Sequence[Variant]
    to_inputs: Callable[[Any], Array]
    seed: int
    title: str = ""
    store: CheckpointStore | None = None
    ranks: int = 1
    resume: str = ""
    on_epoch: Callable[[dict[str, float]], None] = field(default=lambda row: None)

    def run(self, state: TrainingState) -> float:
        """Train to the end, from a state that is updated in place. Then the network has the weights of the last epoch.

        Args:
            state: an empty state, or that of an interrupted training. After an exception it is that of the last epoch.

        Returns:
            Seconds until the first step.

        Raises:
            NonFiniteError: the loss or the weights are not finite.
            AslkitError: a rank failed.
            KeyboardInterrupt: Ctrl-C.
        """
        with progress_bar(self.title, self.schedule.epochs if self.title else 0) as advance:
            advance(len(state.history))

            def report(history: list[dict[str, float]]) -> None:
                advance(len(history))
                for row in history:
                    self.on_epoch(row)

            train = self._train_here if self.ranks == 1 else self._train_on_ranks
            return train(state, report)

    def _train_here(self, state: TrainingState, report: Callable[[list[dict[str, float]]], None]) -> float:
        started = time.perf_counter()

        def after_epoch(current: TrainingState) -> None:
            if self.store is not None:
                self.store.save(current)
            report(current.history[-1:])

        with self._open_rows() as data:
            start_s = time.perf_counter() - started
            run_training(
                self.network, data, self.schedule, variants=self.variants, to_inputs=self.to_inputs, seed=self.seed,
                ranks=SingleProcess(), device=prepare_device(), state=state, after_epoch=after_epoch,
            )  # fmt: skip
        return start_s

    def _train_on_ranks(self, state: TrainingState, report: Callable[[list[dict[str, float]]], None]) -> float:
        from aslkit.train.engine import horovod_ranks

        if self.store is None:
            raise ValueError("Several ranks need a store.")
        write_blocks(self.store, self.rows, ranks=self.ranks, seed=self.seed)
        # The same layers without their names, which TensorFlow numbers.
        build = partial(rebuild_network, self.network.to_json(), self.network.get_weights())
        task = horovod_ranks.RankTask(
            build=build, variants=self.variants, to_inputs=self.to_inputs, schedule=self.schedule, seed=self.seed,
            store=self.store,
        )  # fmt: skip
        try:
            start_s = horovod_ranks.train_on_ranks(task, ranks=self.ranks, resume=self.resume, on_epochs=report)
        finally:
            state.update(self.store.load())
            state.restore_network(self.network)
        remove_blocks(self.store)
        return start_s

    @contextmanager
    def _open_rows(self) -> Iterator[RankData]:
        """Yield the rows in memory if they are few, otherwise in blocks on disk."""
        train, validation = self.rows.train, self.rows.validation
        if train.count * train.row_bytes + validation.count * validation.row_bytes <= MEMORY_BYTES:
            yield RankData(train=[train.load()], validation=[validation.load()], total=train.count)
            return
        with tempfile.TemporaryDirectory(prefix="aslkit-rows-") as folder:
            store = CheckpointStore(url=folder)
            write_blocks(store, self.rows, ranks=1, seed=self.seed)
            yield read_rank_data(store, 0, 1)


def rebuild_network(architecture: str, weights: list[Any]) -> Any:
    """Build a network in another process.

    Args:
        architecture: `keras.Model.to_json()`.
        weights: `keras.Model.get_weights()`.
    """
    network = import_keras(exact=False).models.model_from_json(architecture)
    set_weights(network, weights)
    return network
