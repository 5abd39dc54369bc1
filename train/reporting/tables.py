"""Tables as files: CSV for programs, Markdown for people."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aslkit.core.files import write_text


def write_rows(path: Path, rows: Sequence[dict[str, Any]], *, names: list[str] | None = None) -> None:
    """Write a table as CSV, whole or not at all; `names` are its columns, where there may be no rows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names or list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
