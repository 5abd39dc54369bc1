"""What runs the work on images: here, a pool of processes on this machine. `curate.spark` is the other one."""

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
from aslkit.curate.measure.near_duplicates import GroupFeatures, Integers, near_duplicates

BATCH: Final = 32
"""Images in one batch for a process: about a second of work, so that bar and Ctrl-C are prompt."""

WAITING: Final = 3
"""Batches under way for each process: enough that none is idle while the oldest is waited for, few enough that memory
stays flat."""


Work = Callable[[pa.RecordBatch], pa.RecordBatch]
"""A picklable pure function."""


class Engine(Protocol):
    """What images are looked at with, and compared. Every engine gives the same rows."""

    def describe(self, files: Mapping[str, Path], looking: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Yield descriptions, batches of `describe.DESCRIBED`, of files (content hash to path), in any order."""

    def group(self, traits: GroupFeatures, within: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Find near-duplicates, as `group.near_duplicates` does."""

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield `work` of each batch, in their order."""


@dataclass(frozen=True, kw_only=True)
class Local:
    """A pool of processes on this machine.

    Attributes:
        processes: how many; one for each core where None.
    """

    processes: int | None = None

    def describe(self, files: Mapping[str, Path], looking: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Likewise; in the order of the files, which the processes read themselves."""
        return map_local(partial(measure_files, looking=looking), file_batches(files, BATCH), processes=self.processes)

    def group(self, traits: GroupFeatures, within: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Likewise; in this process, whose arithmetic uses all cores."""
        return near_duplicates(traits, within, limits)

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Likewise."""
        return map_local(work, batches, processes=self.processes)


def map_local(
    work: Work, batches: Iterable[pa.RecordBatch], *, processes: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield `work` of each batch, in their order.

    Args:
        work: a picklable pure function.
        batches: read as they are needed.
        processes: how many; one for each core where None.

    Raises:
        AslkitError: a process was killed, most often for want of memory.
    """
    processes = processes or count_cores()
    workers = create_pool(processes)
    running: deque[Future[pa.RecordBatch]] = deque()
    try:
        for batch in batches:
            running.append(workers.submit(work, batch))
            if len(running) >= processes * WAITING:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BrokenProcessPool as error:
        raise AslkitError(
            "A process that looks at images was killed, perhaps for want of memory. Close other programs and run the "
            "same command again: it goes on where it was."
        ) from error
    finally:
        workers.shutdown(wait=True, cancel_futures=True)
