"""Prints the results of `aslkit doctor`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from aslkit.doctor.result import State
from aslkit.doctor.run_checks import CheckResult

if TYPE_CHECKING:
    from rich.console import Console

MARKS: Final[dict[State, tuple[str, str, str]]] = {
    "ok": ("✓", "+", "green"),
    "missing": ("✗", "x", "red"),
    "problem": ("!", "!", "yellow"),
}
"""State to its symbol, the symbol for ASCII terminals, and the colour."""

PAGE: Final = "docs/troubleshooting.md"
"""Explains every message of the checks, word for word. A test compares the page with the source code."""


def print_results(results: Sequence[CheckResult], console: "Console") -> None:
    """Print all results. Those that are not "ok" are followed by what needs the item, and the complete remedy."""
    from rich.table import Table
    from rich.text import Text

    name_width = max(len(result.name) for result in results)
    for result in results:
        mark, ascii_mark, colour = MARKS[result.state]
        row = Table.grid(padding=(0, 1))
        row.add_column()
        row.add_column(width=name_width)
        row.add_column(overflow="fold")
        symbol = Text(ascii_mark if console.options.ascii_only else mark, style=colour)
        row.add_row(symbol, Text(result.name), Text(result.detail))
        console.print(row)
        if result.state != "ok":
            # The terminal wraps these lines, so that a command can be copied without line breaks.
            console.print(Text(f"  needed for  {result.needed_for}"), soft_wrap=True)
            console.print(Text.assemble("  to do       ", (result.remedy, "bold")), soft_wrap=True)
    console.print(Text(f"\n{_summary(results)}"))
    if any(result.state != "ok" for result in results):
        console.print(Text(f"For explanations and other problems, see {PAGE}."))


def _summary(results: Sequence[CheckResult]) -> str:
    failed = [result for result in results if result.state != "ok"]
    required = [result.name for result in failed if result.required]
    if required:
        return f"Capture, curate and live may not work correctly. See {', '.join(required)}."
    if failed:
        names = ", ".join(result.name for result in failed)
        return f"The base installation is complete. Not available: {names}."
    return "All checks passed."
