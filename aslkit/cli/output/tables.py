"""Print tables and counts. All text is sanitized, because it can contain terminal escape sequences."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aslkit.cli.output.stages import MAX_LISTED
from aslkit.core.sanitize import sanitize_text


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table. The first column and the column "splits" contain text, the others numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(name, justify="left" if name in (header[0], "splits") else "right")
    for row in rows:
        table.add_row(*(Text(sanitize_text(each)) for each in row))  # Text, so that "[red]" is not parsed as markup
    Console().print(table)


def format_counts(counts: Mapping[str, Any]) -> str:
    """Return names with their counts, such as "camera 0 (54)", up to twice MAX_LISTED."""
    items = [
        f"{sanitize_text(name)} ({count:,})" if isinstance(count, int) else sanitize_text(name)
        for name, count in counts.items()
    ]
    more = f", and {len(items) - 2 * MAX_LISTED} more" if len(items) > 2 * MAX_LISTED else ""
    return ", ".join(items[: 2 * MAX_LISTED]) + more
