"""Render a contact sheet as a self-contained HTML page without scripts."""

from functools import partial
from typing import Final

from aslkit.core.sanitize import load_html_template
from aslkit.datasets.contact_sheet.select import ContactSheet
from aslkit.vision.crop import jpeg_data_uri

_JPEG_QUALITY: Final = 80


def render_html(sheet: ContactSheet) -> str:
    """Render a contact sheet as HTML."""
    data_uri = partial(jpeg_data_uri, quality=_JPEG_QUALITY)
    return load_html_template("aslkit.datasets.contact_sheet", "sheet.html.j2", data_uri=data_uri).render(sheet=sheet)
