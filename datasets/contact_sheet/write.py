"""The contact sheet as a file: what its name ends with says which."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import write_bytes
from aslkit.datasets.contact_sheet.html import render_html
from aslkit.datasets.contact_sheet.png import render_png
from aslkit.datasets.contact_sheet.select import ContactSheet


def _html(sheet: ContactSheet) -> bytes:
    return render_html(sheet).encode()


KINDS: Final[dict[str, Callable[[ContactSheet], bytes]]] = {".png": render_png, ".html": _html}


def write_contact_sheet(to: Path, choose: Callable[[], ContactSheet]) -> int:
    """Write a sheet, whole or not at all; returns how many images it shows.

    Args:
        to: its name ends with one of KINDS.
        choose: makes the sheet, once it is clear that it can be written.

    Raises:
        InputError: another kind of file.
    """
    draw = KINDS.get(to.suffix.lower())
    if draw is None:
        raise InputError(
            f"{to} ends neither with .png nor with .html, so what to write is not clear. Name one of them."
        )
    sheet = choose()
    write_bytes(to, draw(sheet))
    return sheet.count
