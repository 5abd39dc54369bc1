"""Render a contact sheet as a self-contained HTML page without scripts."""

import base64
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.datasets.contact_sheet.select import ContactSheet
from aslkit.vision.images import Frame, encode_jpeg

_JPEG_QUALITY: Final = 80


def render_html(sheet: ContactSheet) -> str:
    """Render a contact sheet as HTML."""
    environment = Environment(
        loader=PackageLoader("aslkit.datasets.contact_sheet", "."),
        undefined=StrictUndefined,
        autoescape=True,  # signer names are untrusted
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    return environment.get_template("sheet.html.j2").render(sheet=sheet)


def data_uri(image: Frame) -> str:
    """Encode an image, BGR, uint8 (height, width, 3), as a JPEG data URI."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(image, quality=_JPEG_QUALITY)).decode("ascii")
