"""Words of others, fit to be shown: a name in a dataset may hold commands to a terminal, tags of a page, or a novel."""

import html
import re
from typing import Final

MAX_CHARS: Final = 80
"""Characters of one name that are shown."""

_MARKS: Final = re.compile(r"([\\`*_\[\]|~])")
_AT_START: Final = re.compile(r"^([#+\-=:]|\d+[.)](?=\s|$))")


def sanitize_text(text: object, *, most: int = MAX_CHARS) -> str:
    """Return text on one line that can be printed anywhere: control and direction characters become U+FFFD.

    Args:
        text: anything; what is no string is turned into one.
        most: characters; the rest is cut off, and an ellipsis says so.
    """
    given = str(text)
    shown = "".join(each if each.isprintable() else "\ufffd" for each in given[:most])
    return shown + "…" if len(given) > most else shown


def escape_markdown(text: object, *, most: int = MAX_CHARS) -> str:
    """Return text that Markdown shows as it is: no tag, link, heading, table cell or emphasis comes of it."""
    marked = _MARKS.sub(r"\\\1", html.escape(sanitize_text(text, most=most), quote=False))
    return _AT_START.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], marked)


def format_percent(share: float | None) -> str:
    """Return a share, 0–1, in percent with one decimal; "–" for None. Never rounds up to 100 or down to 0."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "< 0.1%"
    return f"{min(share, 0.999 if share < 1 else 1):.1%}"
