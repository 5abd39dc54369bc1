"""Work on what cannot be trusted, in other processes: one that a file ends is an outcome, and no end of the work."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self, TypeVar

from aslkit.core.process_pool import count_cores, create_pool
from aslkit.datasets.verify.findings import Problem, make_problem

_WAITING: Final = 3
"""Tasks under way for each process: none is idle, and memory stays flat."""

_Result = TypeVar("_Result")


class IsolatedPool:
    """A pool of processes, started when it is first needed, and again after one was killed.

    Args:
        processes: how many; one for each core where None; 0 works in this process, without protection.
    """

    def __init__(self, processes: int | None) -> None:
        self._processes = count_cores() if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def results(self, tasks: Sequence[Callable[[], _Result]], files: Sequence[str]) -> Iterator[_Result | Problem]:
        """Yield the outcome of each task, in order.

        Args:
            tasks: picklable, without arguments.
            files: which file each reads, for the finding that takes the place of the outcome where it ends its process.
        """
        if self._processes == 0:
            yield from (task() for task in tasks)
            return
        left = deque(zip(tasks, files, strict=True))
        while left:
            try:
                for outcome in self._mapped([task for task, _ in left]):
                    yield outcome
                    left.popleft()
            except BrokenProcessPool:
                self._end()
                yield self._alone(*left.popleft())

    def _alone(self, task: Callable[[], _Result], file: str) -> _Result | Problem:
        """The outcome of a task that may have ended a process, while no other runs that it could take along."""
        try:
            return next(self._mapped([task]))
        except BrokenProcessPool:
            self._end()
            return make_problem("crash", "the process that read this file was killed", file=file)

    def _mapped(self, tasks: Sequence[Callable[[], _Result]]) -> Iterator[_Result]:
        if self._pool is None:
            # spawn: a fork of a process in which native threads run (Arrow, OpenCV) may hang.
            self._pool = create_pool(self._processes)
        running: deque[Future[_Result]] = deque()
        for task in tasks:
            running.append(self._pool.submit(task))
            if len(running) >= self._processes * _WAITING:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()

    def _end(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
