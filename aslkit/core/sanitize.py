"""Make untrusted text safe to display: names in a dataset can contain terminal escapes, HTML, or be very long."""

import html
import re
from typing import Final

MAX_CHARS: Final = 80
"""Longest text that is displayed."""

_MARKS: Final = re.compile(r"([\\`*_\[\]|~])")
_AT_START: Final = re.compile(r"^([#+\-=:]|\d+[.)](?=\s|$))")


def sanitize_text(text: object, *, most: int = MAX_CHARS) -> str:
    """Return text on one printable line: control and direction characters become U+FFFD.

    Args:
        text: converted to a string.
        most: maximum length; longer text is cut and ends with an ellipsis.
    """
    full = str(text)
    printable = "".join(each if each.isprintable() else "\ufffd" for each in full[:most])
    return printable + "…" if len(full) > most else printable


def escape_markdown(text: object, *, most: int = MAX_CHARS) -> str:
    """Escape text for Markdown, so that it creates no tag, link, heading, table cell or emphasis."""
    marked = _MARKS.sub(r"\\\1", html.escape(sanitize_text(text, most=most), quote=False))
    return _AT_START.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], marked)


def format_percent(share: float | None) -> str:
    """Return a share, 0–1, in percent with one decimal; "–" for None. Never rounds up to 100 or down to 0."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{min(share, 0.999 if share < 1 else 1):.1%}"
