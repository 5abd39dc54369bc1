"""Train a network on several ranks with Horovod on Spark. The only module that imports Horovod."""

import io
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.core.process_pool import count_cores
from aslkit.core.progress import Advance, progress_bar
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.epoch_batches import RankData, Variant
from aslkit.train.engine.threads import limit_threads
from aslkit.train.engine.training_loop import Schedule, run_training
from aslkit.train.engine.training_state import TrainingState
from aslkit.vision.preprocess import Array

_POLL_INTERVAL_S: Final = 0.5
"""Interval at which the driver reads the number of finished epochs, seconds."""

_PEER_FAILURES: Final = ("HorovodInternalError", "HorovodGroupedAllreduce", "HorovodAllreduce", "HorovodBroadcast")
"""Substrings of a traceback which show that the rank failed only because another one did."""

_START_TIMEOUT_S: Final = 120
"""Time limit for Spark to start the ranks, seconds."""


@dataclass(frozen=True, kw_only=True)
class RankTask:
    """A training on several ranks, sent to each rank.

    Attributes:
        build: function () -> keras.Model.
        variants, to_inputs, schedule, seed: see `run_training`.
        store: shards of images, and checkpoints.
    """

    build: Callable[[], Any]
    variants: Sequence[Variant]
    to_inputs: Callable[[Any], Array]
    schedule: Schedule
    seed: int
    store: CheckpointStore


@dataclass(frozen=True, kw_only=True)
class RankResult:
    """A finished training.

    Attributes:
        state: final state.
        start_s: seconds from the call to the first step: Spark tasks, imports, Horovod's rendezvous, reading shards.
    """

    state: TrainingState
    start_s: float


def shard_per_rank(data: RankData, ranks: int) -> list[RankData]:
    """Distribute images over ranks, round-robin: the numbers of images of two ranks differ by at most one."""
    return [
        RankData(
            images=data.images[rank::ranks],
            label=data.label[rank::ranks],
            validation_images=data.validation_images[rank::ranks],
            validation_label=data.validation_label[rank::ranks],
            total=len(data.images),
        )
        for rank in range(ranks)
    ]


def train_on_ranks(task: RankTask, *, ranks: int, title: str, resume: str) -> RankResult:
    """Train on the shards in the task's store, in the active Spark session.

    Args:
        task: the training.
        ranks: number of ranks, equal to the number of shards.
        title: title of the progress bar.
        resume: command that resumes the training; quoted in the error message.

    Raises:
        AslkitError: a rank failed.
    """
    import_keras(exact=False)  # before horovod.spark, which would import TensorFlow with its log messages on
    import horovod.spark

    started, output = time.time(), io.StringIO()
    with (
        progress_bar(title, task.schedule.epochs) as advance,
        _ProgressPoller(task.store, advance),
        _quiet_job_thread(),
    ):
        try:
            # The ranks' output is collected and only shown if none of them has recorded a traceback.
            ready = horovod.spark.run(
                _run_rank, args=(task,), num_proc=ranks, start_timeout=_START_TIMEOUT_S, env=_rank_environment(),
                stdout=output, stderr=output, verbose=0,
            )  # fmt: skip
        except Exception as error:  # Horovod raises Exception, RuntimeError, and exceptions of its own and of Spark
            raise _explain_failure(task.store, ranks, error, output.getvalue(), resume) from error
    return RankResult(state=task.store.load(), start_s=min(ready) - started)


def _run_rank(task: RankTask) -> float:
    """Run one rank, in a Spark task. Return when it was ready for its first step, seconds since 1970."""
    rank = int(os.environ.get("HOROVOD_RANK", "0"))
    try:
        return _train_rank(task)
    except BaseException:
        task.store.write_failure(rank, traceback.format_exc())
        raise


def _train_rank(task: RankTask) -> float:
    keras = import_keras(exact=False)
    import horovod.tensorflow as hvd

    hvd.init()
    threads = max(1, count_cores() // hvd.local_size())  # ranks on one machine share its cores
    limit_threads(threads)
    keras.utils.set_random_seed(task.seed + hvd.rank())  # for dropout; the weights are broadcast from rank 0
    shard, model, ready = task.store.read_shard(hvd.rank(), hvd.size()), task.build(), time.time()

    def save_checkpoint(state: TrainingState) -> None:
        # The weights are equal on all ranks, so one of them writes the file.
        if hvd.rank() == 0:
            task.store.save(state)

    run_training(
        model, shard, task.schedule, variants=task.variants, to_inputs=task.to_inputs, seed=task.seed,
        ranks=_Horovod(), state=task.store.load(), after_epoch=save_checkpoint,
    )  # fmt: skip
    hvd.shutdown()
    return ready


class _Horovod:
    """`training_step.Ranks` with Horovod, which must be initialised."""

    def __init__(self) -> None:
        import horovod.tensorflow as hvd

        self._hvd = hvd
        self.rank, self.count = hvd.rank(), hvd.size()

    def allreduce(self, tensors: list[Any]) -> list[Any]:
        """See `training_step.Ranks`."""
        return list(self._hvd.grouped_allreduce(tensors, op=self._hvd.Sum))

    def broadcast(self, variables: Sequence[Any]) -> None:
        """See `training_step.Ranks`."""
        self._hvd.broadcast_variables(variables, root_rank=0)


def _rank_environment() -> dict[str, str]:
    """Return this process's environment, with Gloo: Horovod is built with it, but would prefer an installed MPI."""
    return os.environ | {"HOROVOD_CONTROLLER": "gloo", "HOROVOD_CPU_OPERATIONS": "gloo", "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def _quiet_job_thread() -> Iterator[None]:
    """Do not print the traceback of Horovod's Spark job thread: `_explain_failure` reports what the ranks recorded."""
    previous = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.thread is None or "run_spark" not in args.thread.name:
            previous(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = previous


class _ProgressPoller:
    """Advance a progress bar in a background thread as epochs end: the ranks are other processes."""

    def __init__(self, store: CheckpointStore, advance: Advance) -> None:
        self._store, self._advance, self._stop = store, advance, threading.Event()
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def _poll(self) -> None:
        shown = 0
        while not self._stop.wait(_POLL_INTERVAL_S):
            done = self._store.count_epochs()
            if done > shown:
                self._advance(done - shown)
                shown = done

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()


def _explain_failure(store: CheckpointStore, ranks: int, error: Exception, output: str, resume: str) -> AslkitError:
    """Return an error with the traceback of the rank that failed first, and how to resume."""
    tracebacks = store.pop_failures(ranks)
    # When one rank dies, all others fail in their next allreduce; their tracebacks do not show the cause.
    causes = {rank: text for rank, text in tracebacks.items() if not any(sign in text for sign in _PEER_FAILURES)}
    done = store.count_epochs()
    if causes:
        rank, text = next(iter(causes.items()))
        why = f"Rank {rank} of {ranks} failed:\n\n{text.strip()}\n"
    else:
        killed = sorted(set(range(ranks)) - set(tracebacks))
        name = f"Rank {killed[0]}" if len(killed) == 1 else "A rank"
        last = next((line for line in reversed(output.splitlines()) if line.strip()), str(error).splitlines()[0])
        why = (
            f"{name} of {ranks} ended without an error message; it was probably killed or out of memory. Last output: "
            f"{last.strip()[:300]}\n"
        )
    return AslkitError(f"{why}\nFinished epochs in the checkpoint: {done}. Resume with:\n\n    {resume}")
