"""Progress bars with the time left; silent when the output is not a terminal."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

Item = TypeVar("Item")

OnMessage = Callable[[str], None]
"""Called with each line that the user should read. The CLI prints it; nothing below the CLI prints."""


class Advance(Protocol):
    """Call with the number of steps done since the last call."""

    def __call__(self, steps: int = 1) -> None:
        """Move the bar on."""


@contextmanager
def progress_bar(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a bar on standard error while the block runs, if that is a terminal and there is a step; may be of bytes."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    done = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), done, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal or not total) as progress:
        task = progress.add_task(title, total=total)

        def advance(steps: int = 1) -> None:
            progress.advance(task, steps)

        yield advance


def iterate_with_progress(
    title: str, total: int, items: Iterable[Item], *, size: Callable[[Item], int] = lambda _: 1
) -> Iterator[Item]:
    """Yield the items, and show meanwhile how far it is.

    Args:
        title: of the bar.
        total: steps of all items.
        items: may be made as they are asked for.
        size: how many steps an item is, as the number of rows of a table.
    """
    with progress_bar(title, total) as advance:
        for item in items:
            yield item
            advance(size(item))
