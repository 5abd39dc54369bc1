"""Train a network on several ranks with Horovod on Spark. The only module that imports Horovod."""

import io
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.core.process_pool import count_cores
from aslkit.train.engine.checkpoints import CheckpointStore, RankFailure
from aslkit.train.engine.devices import limit_threads, prepare_device
from aslkit.train.engine.epoch_batches import Variant
from aslkit.train.engine.row_blocks import read_rank_data
from aslkit.train.engine.training_loop import NonFiniteError, Schedule, run_training
from aslkit.train.engine.training_state import TrainingState
from aslkit.vision.preprocess import Array

History = list[dict[str, float]]
"""Rows of epochs, see `TrainingState.history`."""

_POLL_INTERVAL_S: Final = 0.5
"""Interval at which the driver reads the history, seconds."""

_PEER_FAILURES: Final = ("HorovodInternalError", "HorovodGroupedAllreduce", "HorovodAllreduce", "HorovodBroadcast")
"""Substrings of a traceback which show that the rank failed only because another one did."""

_START_TIMEOUT_S: Final = 120
"""Time limit for Spark to start the ranks, seconds."""


@dataclass(frozen=True, kw_only=True)
class RankTask:
    """A training on several ranks, sent to each rank.

    Attributes:
        build: function () -> keras.Model. The weights that it has on rank 0 are the initial ones.
        variants, to_inputs, schedule, seed: see `run_training`.
        store: blocks of rows (`write_blocks`), and checkpoints.
    """

    build: Callable[[], Any]
    variants: Sequence[Variant]
    to_inputs: Callable[[Any], Array]
    schedule: Schedule
    seed: int
    store: CheckpointStore


def train_on_ranks(task: RankTask, *, ranks: int, resume: str, on_epochs: Callable[[History], None]) -> float:
    """Train on the blocks in the task's store, in the active Spark session. The final state is the last checkpoint.

    Args:
        task: the training.
        ranks: number of ranks.
        resume: command that resumes the training; quoted in the error message.
        on_epochs: called with the rows of the epochs that have ended since the last call, in another thread.

    Returns:
        Seconds from the call to the first step: Spark tasks, imports, Horovod's rendezvous.

    Raises:
        NonFiniteError: the loss or the weights are not finite.
        AslkitError: a rank failed.
    """
    import_keras(exact=False)  # before horovod.spark, which would import TensorFlow with its log messages on
    import horovod.spark

    started, output, failure, ready = time.time(), io.StringIO(), None, list[float | None]()
    with _HistoryPoller(task.store, on_epochs), _quiet_job_thread(), _record_interrupt() as was_interrupted:
        try:
            # The ranks' output is collected and only shown if none of them has recorded a traceback.
            ready = horovod.spark.run(
                _run_rank, args=(task,), num_proc=ranks, start_timeout=_START_TIMEOUT_S, env=rank_environment(),
                stdout=output, stderr=output, verbose=0,
            )  # fmt: skip
        except Exception as error:  # Horovod raises Exception, RuntimeError, and exceptions of its own and of Spark
            failure = error
        if was_interrupted():
            task.store.pop_failures(ranks)
            raise KeyboardInterrupt from failure
    times = [each for each in ready if each is not None]  # a rank that Horovod stopped returns None
    if failure is not None or len(times) < ranks:
        raise _explain_failure(task.store, ranks, failure, output.getvalue(), resume) from failure
    return min(times) - started


def _run_rank(task: RankTask) -> float:
    """Run one rank, in a Spark task. Return when it was ready for its first step, seconds since 1970."""
    rank = int(os.environ.get("HOROVOD_RANK", "0"))
    try:
        return _train_rank(task)
    except BaseException as error:
        message = error.message if isinstance(error, AslkitError) else ""
        task.store.write_failure(
            rank, RankFailure(error=type(error).__name__, message=message, traceback=traceback.format_exc())
        )
        raise


def _train_rank(task: RankTask) -> float:
    keras = import_keras(exact=False)
    import horovod.tensorflow as hvd

    hvd.init()
    threads = max(1, count_cores() // hvd.local_size())  # ranks on one machine share its cores
    limit_threads(threads)
    device = prepare_device(hvd.local_rank())
    keras.utils.set_random_seed(task.seed + hvd.rank())  # for dropout; the weights are broadcast from rank 0
    data, model, ready = read_rank_data(task.store, hvd.rank(), hvd.size()), task.build(), time.time()

    def save_checkpoint(state: TrainingState) -> None:
        # The weights are equal on all ranks, so one of them writes the file.
        if hvd.rank() == 0:
            task.store.save(state)

    run_training(
        model, data, task.schedule, variants=task.variants, to_inputs=task.to_inputs, seed=task.seed,
        ranks=_Horovod(), device=device, state=task.store.load(), after_epoch=save_checkpoint,
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


def rank_environment() -> dict[str, str]:
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


@contextmanager
def _record_interrupt() -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C was pressed in the block.

    Horovod replaces the handler of Ctrl-C, stops the ranks, and raises the same exception as for a lost rank.
    """
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    os.set_blocking(write_end, False)
    previous = signal.set_wakeup_fd(write_end)  # receives the number of each signal

    def was_interrupted() -> bool:
        with suppress(BlockingIOError):
            return signal.SIGINT in os.read(read_end, 1024)
        return False

    try:
        yield was_interrupted
    finally:
        signal.set_wakeup_fd(previous)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        os.close(read_end)
        os.close(write_end)


class _HistoryPoller:
    """Report epochs in a background thread as they end: the ranks are other processes."""

    def __init__(self, store: CheckpointStore, on_epochs: Callable[[History], None]) -> None:
        self._store, self._on_epochs, self._stop = store, on_epochs, threading.Event()
        self._reported = len(store.read_history())
        self._thread = threading.Thread(target=self._poll, daemon=True)

    def _poll(self) -> None:
        while not self._stop.wait(_POLL_INTERVAL_S):
            self._report()

    def _report(self) -> None:
        history = self._store.read_history()
        if len(history) > self._reported:
            self._on_epochs(history[self._reported :])
            self._reported = len(history)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._report()


def _explain_failure(
    store: CheckpointStore, ranks: int, error: Exception | None, output: str, resume: str
) -> AslkitError:
    """Return an error with the cause of the rank that failed first, and how to resume."""
    failures = store.pop_failures(ranks)
    # When one rank dies, all others fail in their next allreduce; their tracebacks do not show the cause.
    causes = {
        rank: each for rank, each in failures.items() if not any(sign in each.traceback for sign in _PEER_FAILURES)
    }
    for each in causes.values():
        if each.error == NonFiniteError.__name__:
            return NonFiniteError(each.message)
    if causes:
        rank, cause = next(iter(causes.items()))
        reason = cause.message or f"\n\n{cause.traceback.strip()}"
        why = f"Rank {rank} of {ranks} failed: {reason}\n"
    else:
        killed = sorted(set(range(ranks)) - set(failures))
        name = f"Rank {killed[0]}" if len(killed) == 1 else "A rank"
        last = next((line for line in reversed(output.splitlines()) if line.strip()), str(error or "none"))
        why = (
            f"{name} of {ranks} ended without an error message; it was probably killed or out of memory. Last output: "
            f"{last.strip().splitlines()[0][:300]}\n"
        )
    done = len(store.read_history())
    how = f" Resume with:\n\n    {resume}" if resume else ""
    return AslkitError(f"{why}\nFinished epochs in the checkpoint: {done}.{how}")
