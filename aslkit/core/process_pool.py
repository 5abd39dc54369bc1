"""Process pools whose workers end with their parent."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import Thread


def count_cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def create_pool(processes: int | None = None) -> ProcessPoolExecutor:
    """Create a pool whose workers ignore Ctrl-C, which this process handles, and exit when this process is killed.

    Args:
        processes: number of workers; None for one per core.
    """
    # spawn: forking a process with native threads (Arrow, OpenCV) can deadlock.
    return ProcessPoolExecutor(
        processes or count_cores(), mp_context=get_context("spawn"), initializer=_initialise_worker
    )


def _initialise_worker() -> None:
    # A terminal sends Ctrl-C to all processes of the group, and each worker would print a traceback.
    signal(SIGINT, SIG_IGN)
    Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    # A killed parent cannot shut its pool down, and the workers would wait for tasks forever.
    if parent := parent_process():
        parent.join()
        # sys.exit would only end this thread.
        os._exit(1)
