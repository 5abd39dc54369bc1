"""Progress bars with the remaining time; without a terminal silent, lines within `progress_lines`, or JSON lines.

With the environment variable ASLKIT_PROGRESS=json, each bar prints lines such as
{"progress": "Training", "done": 3, "total": 40, "elapsed_s": 1.5} to standard error, for programs that show them.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, Protocol, TypeVar

import click

Item = TypeVar("Item")

OnMessage = Callable[[str], None]
"""Called with each line that the user should read. The CLI prints it; nothing below the CLI prints."""


LINE_INTERVAL_S: Final = 10.0
"""Time between two lines of progress, seconds."""

_JSON_INTERVAL_S: Final = 0.2

_lines: ContextVar[bool] = ContextVar("progress lines", default=False)


@contextmanager
def progress_lines() -> Iterator[None]:
    """Without a terminal, let progress bars print a line when they start and every LINE_INTERVAL_S."""
    token = _lines.set(True)
    try:
        yield
    finally:
        _lines.reset(token)


class Advance(Protocol):
    """Called with the number of steps done since the last call."""

    def __call__(self, steps: int = 1) -> None:
        """Advance the bar."""


@contextmanager
def progress_bar(title: str, total: int, *, in_bytes: bool = False) -> Iterator[Advance]:
    """Show a progress bar on standard error while the block runs, if it is a terminal and `total` is not 0.

    Args:
        title: of the bar.
        total: number of steps, or of bytes.
        in_bytes: show sizes instead of counts.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    if total and _prints_json():
        yield _print_json_lines(title, total)
        return
    console = Console(stderr=True)
    if total and _lines.get() and not console.is_terminal:
        yield _print_lines(title, total)
        return
    done = DownloadColumn() if in_bytes else MofNCompleteColumn()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), done, TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal or not total) as progress:
        task = progress.add_task(title, total=total)

        def advance(steps: int = 1) -> None:
            progress.advance(task, steps)

        yield advance


def announce_run(name: str) -> None:
    """Print the name of the run that a training writes, for the program that asked for JSON lines."""
    if _prints_json():
        click.echo(json.dumps({"run": name}), err=True)


def _prints_json() -> bool:
    return os.environ.get("ASLKIT_PROGRESS") == "json"


def _print_json_lines(title: str, total: int) -> Advance:
    """Print a JSON line, and return a function that prints the next ones."""
    start_s = printed_s = time.monotonic()
    done = 0

    def print_line() -> None:
        values = {"progress": title, "done": done, "total": total, "elapsed_s": round(time.monotonic() - start_s, 2)}
        click.echo(json.dumps(values), err=True)

    def advance(steps: int = 1) -> None:
        nonlocal done, printed_s
        done += steps
        now_s = time.monotonic()
        if now_s - printed_s >= _JSON_INTERVAL_S or done >= total:
            printed_s = now_s
            print_line()

    print_line()
    return advance


def _print_lines(title: str, total: int) -> Advance:
    """Print the title, and return a function that prints how much is done."""
    done, printed = 0, time.monotonic()

    def advance(steps: int = 1) -> None:
        nonlocal done, printed
        done += steps
        if time.monotonic() - printed >= LINE_INTERVAL_S:
            printed = time.monotonic()
            click.echo(f"{title}: {done / total:.0%}", err=True)

    click.echo(f"{title} …", err=True)
    return advance


def iterate_with_progress(
    title: str, total: int, items: Iterable[Item], *, size: Callable[[Item], int] = lambda _: 1
) -> Iterator[Item]:
    """Yield the items and show a progress bar meanwhile.

    Args:
        title: of the bar.
        total: steps of all items.
        items: any iterable, also a generator.
        size: steps of an item, such as the number of rows of a table.
    """
    with progress_bar(title, total) as advance:
        for item in items:
            yield item
            advance(size(item))
