"""Run tasks on untrusted files in other processes, so that a file that crashes its process is only a finding."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self, TypeVar

from aslkit.core.process_pool import count_cores, create_pool
from aslkit.datasets.verify.findings import Problem, make_problem

_TASKS_PER_PROCESS: Final = 3
"""Number of submitted tasks per process: enough to keep all processes busy, few enough to bound memory."""

_Result = TypeVar("_Result")


class IsolatedPool:
    """A pool of processes. It is started on first use, and restarted after a process crashed.

    Args:
        processes: number of processes. None uses one per core; 0 runs the tasks in this process, without isolation.
    """

    def __init__(self, processes: int | None) -> None:
        self._processes = count_cores() if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._shutdown()

    def results(self, tasks: Sequence[Callable[[], _Result]], files: Sequence[str]) -> Iterator[_Result | Problem]:
        """Yield the result of each task, in order, or a finding if the task crashed its process.

        Args:
            tasks: picklable functions without arguments.
            files: the file that each task reads, for the finding.
        """
        if self._processes == 0:
            yield from (task() for task in tasks)
            return
        pending = deque(zip(tasks, files, strict=True))
        while pending:
            try:
                for result in self._run_tasks([task for task, _ in pending]):
                    yield result
                    pending.popleft()
            except BrokenProcessPool:
                self._shutdown()
                # A broken pool fails all pending tasks and does not say which one crashed, so the first one runs alone.
                yield self._run_alone(*pending.popleft())

    def _run_alone(self, task: Callable[[], _Result], file: str) -> _Result | Problem:
        """Run a task again that may have crashed its process, while no other task can be the cause."""
        try:
            return next(self._run_tasks([task]))
        except BrokenProcessPool:
            self._shutdown()
            return make_problem("crash", "the process that read this file crashed", file=file)

    def _run_tasks(self, tasks: Sequence[Callable[[], _Result]]) -> Iterator[_Result]:
        if self._pool is None:
            # Uses spawn: a fork can hang if native threads (Arrow, OpenCV) are running.
            self._pool = create_pool(self._processes)
        running: deque[Future[_Result]] = deque()
        for task in tasks:
            running.append(self._pool.submit(task))
            if len(running) >= self._processes * _TASKS_PER_PROCESS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()

    def _shutdown(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
