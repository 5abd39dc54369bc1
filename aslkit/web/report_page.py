"""Report pages: self-contained HTML files with one style, and lists in words."""

from collections.abc import Sequence
from importlib import resources
from typing import Any, Final

from aslkit.core.sanitize import load_html_template

STYLE_FILE: Final = "report.css"


def render_page(package: str, template: str, **values: Any) -> str:
    """Return a report as HTML. The template includes the style of all reports with `{{ style }}`.

    Args:
        package: import name of the package that contains the template.
        template: file name of the template.
        values: variables of the template.
    """
    from markupsafe import Markup

    style = Markup(resources.files("aslkit.web").joinpath(STYLE_FILE).read_text(encoding="utf-8"))
    return load_html_template(package, template).render(style=style, join_words=join_words, **values)


def join_words(words: Sequence[str]) -> str:
    """Return words as in a sentence, such as "A, B and C"."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def join_listed(items: Sequence[str], limit: int) -> str:
    """Return the first items, and how many more there are, such as "A, B and 3 more"."""
    if len(items) <= limit:
        return ", ".join(items)
    return f"{', '.join(items[:limit])} and {len(items) - limit:,} more"


def count_near_duplicates(images: int, groups: int) -> str:
    """Return how many images have a near-duplicate that came before, such as "1 near-duplicate"."""
    number = images - groups
    return f"{f'{number:,}' if number else 'no'} near-duplicate{'' if number == 1 else 's'}"
