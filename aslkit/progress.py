"""Progress bars with the time left; silent when the output is not a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Call with the number of steps done since the last call."""

    def __call__(self, steps: int = 1) -> None:
        """Move the bar on."""


@contextmanager
def bar(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs, if that is a terminal; steps may be bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    done = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), done, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(title, total=total)

        def advance(steps: int = 1) -> None:
            progress.advance(task, steps)

        yield advance
