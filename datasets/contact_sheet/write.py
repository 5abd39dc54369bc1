"""Write a contact sheet to a file. The suffix of the file name determines the format."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import write_bytes
from aslkit.datasets.contact_sheet.html import render_html
from aslkit.datasets.contact_sheet.png import render_png
from aslkit.datasets.contact_sheet.select import ContactSheet


def _render_html_bytes(sheet: ContactSheet) -> bytes:
    return render_html(sheet).encode()


RENDERERS: Final[dict[str, Callable[[ContactSheet], bytes]]] = {".png": render_png, ".html": _render_html_bytes}


def write_contact_sheet(to: Path, select: Callable[[], ContactSheet]) -> int:
    """Write a contact sheet atomically and return the number of images on it.

    Args:
        to: path of the file. Its suffix must be in RENDERERS.
        select: makes the contact sheet. Called only if the suffix is valid, because it takes time.

    Raises:
        InputError: the suffix is not supported.
    """
    render = RENDERERS.get(to.suffix.lower())
    if render is None:
        raise InputError(f"Cannot tell the format from the file name {to}. Use a name that ends with .png or .html.")
    sheet = select()
    write_bytes(to, render(sheet))
    return sheet.count
