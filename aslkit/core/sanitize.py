"""Make untrusted text safe to display: names in a dataset can contain terminal escapes, HTML, or be very long."""

import html
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jinja2 import Template

JOINERS: Final = "\u200c\u200d"
"""Invisible characters that Persian and Indic words need. They do not change the direction of the text."""

MAX_CHARS: Final = 80
"""Longest text that is displayed."""

_MARKS: Final = re.compile(r"([\\`*_\[\]|~])")
_CONTROL_CHARACTERS: Final = {code: "\ufffd" for code in (*range(9), *range(11, 32), *range(127, 160))}
"""Replacements of all control characters except tab and line feed."""

_AT_START: Final = re.compile(r"^([#+\-=:]|\d+[.)](?=\s|$))")


def sanitize_text(text: object, *, most: int = MAX_CHARS) -> str:
    """Return text on one printable line: control and direction characters become U+FFFD.

    Args:
        text: converted to a string.
        most: maximum length; longer text is cut and ends with an ellipsis.
    """
    full = str(text)
    printable = "".join(each if is_printable(each) else "\ufffd" for each in full[:most])
    return printable + "…" if len(full) > most else printable


def is_printable(text: str) -> bool:
    """Return whether text has no control or direction characters. Joiners, which some words need, are allowed."""
    return all(each.isprintable() or each in JOINERS for each in text)


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


def join_names(names: Sequence[str], *, most: int = 12) -> str:
    """Return names with commas; of more than `most`, the first ones and the number of the others."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def format_count(number: int, noun: str) -> str:
    """Return a number and a noun, such as "1 frame" or "1,024 frames"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def load_html_template(package: str, name: str, **filters: Callable[[Any], str]) -> "Template":
    """Return an HTML template that escapes values and replaces control characters in them.

    Args:
        package: import name of the package that contains the template.
        name: file name of the template.
        filters: filters in addition to `percent`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, "."),
        # A misspelled name in a template fails instead of rendering as "".
        undefined=StrictUndefined,
        autoescape=True,  # names of signers and files are untrusted
        # autoescape does not change control characters, which are invalid in HTML.
        finalize=_replace_control_characters,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": format_percent, **filters}
    return environment.get_template(name)


def _replace_control_characters(value: Any) -> Any:
    return value.translate(_CONTROL_CHARACTERS) if isinstance(value, str) else value
