"""Tables as CSV and Markdown."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aslkit.core.files import write_text


def write_rows(path: Path, rows: Sequence[dict[str, Any]], *, names: list[str] | None = None) -> None:
    """Write a CSV file atomically (to a temporary file, then renamed).

    Args:
        path: file to write.
        rows: values by column.
        names: columns; required if `rows` can be empty.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
