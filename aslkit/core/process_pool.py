"""Pools of processes that end when they should."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from signal import SIG_IGN, SIGINT, signal
from threading import Thread


def count_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def create_pool(processes: int | None = None) -> ProcessPoolExecutor:
    """Make a pool whose processes leave Ctrl-C to this one, and end when this one is killed.

    Args:
        processes: how many; one for each core where None.
    """
    # spawn: a fork of a process in which native threads run (Arrow, OpenCV) may hang.
    return ProcessPoolExecutor(processes or count_cores(), mp_context=get_context("spawn"), initializer=_begin)


def _begin() -> None:
    signal(SIGINT, SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)
