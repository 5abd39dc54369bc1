"""The contact sheet as one page that needs no other file, and runs nothing."""

import base64
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from aslkit.datasets.contact_sheet.select import ContactSheet
from aslkit.vision.images import Frame, encode_jpeg

_QUALITY: Final = 80


def render_html(sheet: ContactSheet) -> str:
    """Return the HTML of a sheet."""
    environment = Environment(
        loader=PackageLoader("aslkit.datasets.contact_sheet", "."),
        undefined=StrictUndefined,
        autoescape=True,  # names of signers are others' words
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_uri"] = data_uri
    return environment.get_template("sheet.html.j2").render(sheet=sheet)


def data_uri(picture: Frame) -> str:
    """A picture, BGR, uint8 (height, width, 3), inside an address."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(picture, quality=_QUALITY)).decode("ascii")
