"""Progress of a training of Spark MLlib. Spark does not report it, so finished jobs are counted."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

from aslkit.core.progress import progress_bar

_POLL_INTERVAL_S: Final = 0.5
"""Interval at which finished jobs are counted, seconds."""

_STOP_TIMEOUT_S: Final = 5.0
"""Time that the thread has to end, seconds. It waits for Java, which may have stopped responding."""

_STEP_STAGES: Final = ("collectAsMap at RandomForest", "treeAggregate at LBFGS")
"""Starts of the names of stages that only a job has which is a step of a training: one more level of the trees of a
forest, or one evaluation of a perceptron's gradient."""


@contextmanager
def spark_progress_bar(title: str, spark: Any, weights: Sequence[int]) -> Iterator[None]:
    """Show a progress bar while the block trains a model of MLlib.

    A failure to read the progress never ends the training: the bar then stops.

    Args:
        title: of the bar.
        spark: Spark session, on this computer or on a cluster.
        weights: expected duration of each step of the training, relative to the others. See `_STEP_STAGES`.
    """
    remaining = deque(weights)
    with progress_bar(title, sum(weights)) as advance:

        def finish_steps(count: int) -> None:
            # There can be more steps than expected, for example if a line search needs several evaluations.
            for _ in range(min(count, len(remaining))):
                advance(remaining.popleft())

        with _count_steps(spark, finish_steps):
            yield
        advance(sum(remaining))


@contextmanager
def _count_steps(spark: Any, finish_steps: Callable[[int], None]) -> Iterator[None]:
    """Call `finish_steps` with the number of new finished steps, in a background thread and once at the end."""
    counter, stop = StepCounter(spark.sparkContext.statusTracker()), threading.Event()

    def poll() -> None:
        # Py4J raises several types, for example after Java ran out of memory. The training reports that itself.
        with suppress(Exception):
            while not stop.wait(_POLL_INTERVAL_S):
                finish_steps(counter.count_new())
            finish_steps(counter.count_new())

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(_STOP_TIMEOUT_S)


class StepCounter:
    """Counts the steps of a training among the finished jobs of a Spark session.

    Args:
        tracker: pyspark.StatusTracker. Its jobs without a group are counted; those of Horovod have one.
    """

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self._last_job = max(tracker.getJobIdsForGroup(), default=-1)

    def count_new(self) -> int:
        """Return the number of steps that finished since the last call, or since the object was made."""
        steps = 0
        for job in sorted(each for each in self._tracker.getJobIdsForGroup() if each > self._last_job):
            info = self._tracker.getJobInfo(job)
            if info is not None and info.status == "RUNNING":
                break  # a training runs its jobs one after another
            self._last_job = job
            steps += info is not None and self._is_step(info)
        return steps

    def _is_step(self, job: Any) -> bool:
        stages = (self._tracker.getStageInfo(stage) for stage in job.stageIds)
        return any(stage is not None and stage.name.startswith(_STEP_STAGES) for stage in stages)
