"""Engines that run the work on images: here, a local process pool. `spark_engine` has the other one."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.process_pool import count_cores, create_pool
from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure.measure import MeasureOptions, file_batches, measure_files
from aslkit.curate.measure.near_duplicates import GroupFeatures, Integers, group_near_duplicates

IMAGES_PER_BATCH: Final = 32
"""Images in one batch: about a second of work, so that the progress bar and Ctrl-C respond quickly."""

BATCHES_PER_PROCESS: Final = 3
"""Submitted batches per process: enough that no process is idle while the oldest batch is awaited, few enough that
memory stays flat."""

Work = Callable[[pa.RecordBatch], pa.RecordBatch]
"""Picklable pure function of a batch."""


class Engine(Protocol):
    """Measures and compares images. All engines return the same rows."""

    def measure(self, files: Mapping[str, Path], options: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Yield batches of `measure.MEASURED_SCHEMA` for files (path by content hash), in any order."""

    def group(self, features: GroupFeatures, part: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Group near-duplicates, as `near_duplicates.group_near_duplicates` does."""

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the result of `work` for each batch, in order."""

    def map_files(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Like `map`, for work that reads image files; on a cluster, the workers do it."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """Engine with a local process pool.

    Attributes:
        processes: number of worker processes; None for one per core.
    """

    processes: int | None = None

    def measure(self, files: Mapping[str, Path], options: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Measure the files in order; the worker processes read them."""
        batches = file_batches(files, IMAGES_PER_BATCH)
        return map_local(partial(measure_files, options=options), batches, processes=self.processes)

    def group(self, features: GroupFeatures, part: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Group near-duplicates in this process: NumPy uses all cores for the matrix products."""
        return group_near_duplicates(features, part, limits)

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Run `work` in the worker processes."""
        return map_local(work, batches, processes=self.processes)

    def map_files(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Run `work` in the worker processes."""
        return self.map(work, batches)


def map_local(
    work: Work, batches: Iterable[pa.RecordBatch], *, processes: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the result of `work` for each batch, in order.

    Args:
        work: picklable pure function.
        batches: batches, read only as they are needed.
        processes: number of worker processes; None for one per core.

    Raises:
        AslkitError: a worker process was killed, probably because memory ran out.
    """
    processes = processes or count_cores()
    workers = create_pool(processes)
    running: deque[Future[pa.RecordBatch]] = deque()
    try:
        for batch in batches:
            running.append(workers.submit(work, batch))
            if len(running) >= processes * BATCHES_PER_PROCESS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BrokenProcessPool as error:
        raise AslkitError(
            "A worker process was killed, probably because memory ran out. Close other programs and run the same "
            "command again: it continues where it stopped."
        ) from error
    finally:
        workers.shutdown(wait=True, cancel_futures=True)
