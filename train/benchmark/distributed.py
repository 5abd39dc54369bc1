"""Training a network on many ranks: Horovod on Spark. The only module that imports Horovod."""

import io
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.core.process_pool import count_cores
from aslkit.core.progress import Advance, progress_bar
from aslkit.train.fitting.checkpoints import CheckpointStore
from aslkit.train.fitting.training_loop import RankData, Schedule, TrainingState, run_training
from aslkit.vision.preprocess import Array

_LOOKED_AFTER_S: Final = 0.5
"""How often the driver asks how far the ranks are."""

_LEFT_ALONE: Final = ("HorovodInternalError", "HorovodGroupedAllreduce", "HorovodAllreduce", "HorovodBroadcast")
"""Signs, in the words of a rank, that it only lost another one."""

_START_S: Final = 120
"""How long Spark may take to start the ranks."""


@dataclass(frozen=True, kw_only=True)
class RankTask:
    """What a rank needs to know; its images lie in the store.

    Attributes:
        build: makes the network: () to keras.Model.
        vary, finish, schedule, seed: as `loop.run` takes them.
        store: where shards lie and checkpoints go.
    """

    build: Callable[[], Any]
    vary: Callable[[Any, np.random.Generator], Array]
    finish: Callable[[Any], Array]
    schedule: Schedule
    seed: int
    store: CheckpointStore


@dataclass(frozen=True, kw_only=True)
class RankResult:
    """A finished training.

    Attributes:
        state: see `loop.State`.
        start_s: seconds from the call to the first step: Spark's tasks, imports, Horovod's meeting, reading the shards.
    """

    state: TrainingState
    start_s: float


def shard_per_rank(whole: RankData, ranks: int) -> list[RankData]:
    """Deal images out to ranks, like cards: each image to one rank, and no rank has two more than another."""
    return [
        RankData(
            raw=whole.raw[rank::ranks],
            label=whole.label[rank::ranks],
            checked=whole.checked[rank::ranks],
            checked_label=whole.checked_label[rank::ranks],
            total=len(whole.raw),
        )
        for rank in range(ranks)
    ]


def train_on_ranks(job: RankTask, *, ranks: int, title: str, resume: str) -> RankResult:
    """Train on the shards in the job's store, in the Spark session that is active.

    Args:
        job: see there.
        ranks: how many, as many as shards were written.
        title: of the progress bar.
        resume: the command that goes on from the last epoch, for whom it fails.

    Raises:
        AslkitError: a rank failed; with what it said, and how to go on.
    """
    import_keras(exact=False)  # horovod.spark would import TensorFlow itself, and let it talk
    import horovod.spark

    begun, said = time.time(), io.StringIO()
    with progress_bar(title, job.schedule.epochs) as advance, _Followed(job.store, advance), _job_silenced():
        try:
            ready = horovod.spark.run(
                _rank, args=(job,), num_proc=ranks, start_timeout=_START_S, env=_environment(),
                stdout=said, stderr=said, verbose=0,
            )  # fmt: skip
        except Exception as error:  # Horovod raises plain Exception, RuntimeError, its own, and Spark's
            raise _explained(job.store, ranks, error, said.getvalue(), resume) from error
    return RankResult(state=job.store.state(), start_s=min(ready) - begun)


def _rank(job: RankTask) -> float:
    """One rank: returns when it was ready for its first step, seconds since 1970."""
    rank = int(os.environ.get("HOROVOD_RANK", "0"))
    try:
        return _trained(job)
    except BaseException:
        job.store.note_failure(rank, traceback.format_exc())
        raise


def _trained(job: RankTask) -> float:
    keras = import_keras(exact=False)
    import horovod.tensorflow as hvd
    import tensorflow as tf

    hvd.init()
    threads = max(1, count_cores() // hvd.local_size())  # ranks on one machine do not fight for its cores
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    keras.utils.set_random_seed(job.seed + hvd.rank())  # each drops other units; weights come from rank 0
    share, model, ready = job.store.shard(hvd.rank(), hvd.size()), job.build(), time.time()

    def ended(state: TrainingState) -> None:
        if hvd.rank() == 0:
            job.store.save(state)

    run_training(
        model, share, job.schedule, vary=job.vary, finish=job.finish, seed=job.seed, ranks=_Horovod(),
        state=job.store.state(), ended=ended,
    )  # fmt: skip
    hvd.shutdown()
    return ready


class _Horovod:
    """`loop.Ranks` by Horovod, once it is initialised."""

    def __init__(self) -> None:
        import horovod.tensorflow as hvd

        self._hvd = hvd
        self.rank, self.count = hvd.rank(), hvd.size()

    def total(self, tensors: list[Any]) -> list[Any]:
        """See `loop.Ranks`."""
        return list(self._hvd.grouped_allreduce(tensors, op=self._hvd.Sum))

    def broadcast(self, variables: Sequence[Any]) -> None:
        """See `loop.Ranks`."""
        self._hvd.broadcast_variables(variables, root_rank=0)


def _environment() -> dict[str, str]:
    """Of a rank: this process's own, and Gloo, which was built, even where an MPI is installed."""
    return os.environ | {"HOROVOD_CONTROLLER": "gloo", "HOROVOD_CPU_OPERATIONS": "gloo", "TF_CPP_MIN_LOG_LEVEL": "3"}


@contextmanager
def _job_silenced() -> Iterator[None]:
    """While the block runs, the thread of Horovod's Spark job prints nothing when it fails: ranks say why, in words."""
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        if args.thread is None or "run_spark" not in args.thread.name:
            before(args)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


class _Followed:
    """While the block runs, moves a progress bar on as epochs end."""

    def __init__(self, store: CheckpointStore, advance: Advance) -> None:
        self._store, self._advance, self._over = store, advance, threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def _follow(self) -> None:
        shown = 0
        while not self._over.wait(_LOOKED_AFTER_S):
            done = self._store.epochs()
            if done > shown:
                self._advance(done - shown)
                shown = done

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def _explained(store: CheckpointStore, ranks: int, error: Exception, said: str, resume: str) -> AslkitError:
    """Say which rank failed and why: the first cause, not the ranks that lost it."""
    failed = store.failures(ranks)
    own = {rank: text for rank, text in failed.items() if not any(sign in text for sign in _LEFT_ALONE)}
    done = store.epochs()
    if own:
        rank, text = next(iter(own.items()))
        why = f"Rank {rank} of {ranks} failed:\n\n{text.strip()}\n"
    else:
        silent = sorted(set(range(ranks)) - set(failed))
        who = f"Rank {silent[0]}" if len(silent) == 1 else "A rank"
        last = next((line for line in reversed(said.splitlines()) if line.strip()), str(error).splitlines()[0])
        why = f"{who} of {ranks} ended without a word: killed, or out of memory? Last seen: {last.strip()[:300]}\n"
    return AslkitError(f"{why}\n{done} epochs are kept. Go on from there with:\n\n    {resume}")
