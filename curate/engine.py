"""Mapping `describe` over many batches: here, a pool of processes on this machine."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from typing import Final

import pyarrow as pa

from aslkit.errors import AslkitError

WAITING: Final = 3
"""Batches under way for each process: enough that none is idle while the oldest is waited for, few enough that memory
stays flat."""


def map_local(
    work: Callable[[pa.RecordBatch], pa.RecordBatch], batches: Iterable[pa.RecordBatch], *, processes: int | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield `work` of each batch, in their order.

    Args:
        work: a picklable pure function.
        batches: read as they are needed.
        processes: how many; one for each core where None.

    Raises:
        AslkitError: a process was killed, most often for want of memory.
    """
    processes = processes or cores()
    # spawn: a fork of a process in which native threads run (Arrow, OpenCV) may hang.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
    running: deque[Future[pa.RecordBatch]] = deque()
    try:
        for batch in batches:
            running.append(pool.submit(work, batch))
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
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _begin() -> None:
    """Set up a process: Ctrl-C is the parent's to handle, and when the parent is killed, it ends too."""
    signal(SIGINT, SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)
