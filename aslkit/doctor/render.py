"""What `aslkit doctor` prints of its findings."""

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
"""For each state: its mark, its mark where the terminal knows ASCII only, its colour."""

PAGE: Final = "docs/troubleshooting.md"
"""Has an entry for each finding, in the same words: a test compares them."""


def print_results(findings: Sequence[CheckResult], console: "Console") -> None:
    """Print every finding, and below one that is not ok what it is needed for and the whole remedy."""
    from rich.table import Table
    from rich.text import Text

    name_width = max(len(finding.name) for finding in findings)
    for finding in findings:
        mark, ascii_mark, colour = MARKS[finding.state]
        row = Table.grid(padding=(0, 1))
        row.add_column()
        row.add_column(width=name_width)
        row.add_column(overflow="fold")
        shown = Text(ascii_mark if console.options.ascii_only else mark, style=colour)
        row.add_row(shown, Text(finding.name), Text(finding.detail))
        console.print(row)
        if finding.state != "ok":
            # Left to the terminal to wrap, so that a command is copied in one piece.
            console.print(Text(f"  needed for  {finding.needed_for}"), soft_wrap=True)
            console.print(Text.assemble("  to do       ", (finding.remedy, "bold")), soft_wrap=True)
    console.print(Text(f"\n{_summary(findings)}"))
    if any(finding.state != "ok" for finding in findings):
        console.print(Text(f"What each means, and what else may go wrong: {PAGE}"))


def _summary(findings: Sequence[CheckResult]) -> str:
    to_do = [finding for finding in findings if finding.state != "ok"]
    broken = [finding.name for finding in to_do if finding.required]
    if broken:
        return f"Capture, curate and live may not work as they should: see {', '.join(broken)}."
    if to_do:
        return f"The base install is complete. Not everything else is: see {', '.join(f.name for f in to_do)}."
    return "Everything is there."
