"""The contact sheet as a file: what its name ends with says which."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from aslkit.core.errors import InputError
from aslkit.core.files import write_bytes
from aslkit.datasets.contact_sheet.html import page
from aslkit.datasets.contact_sheet.png import png
from aslkit.datasets.contact_sheet.select import Sheet


def _html(sheet: Sheet) -> bytes:
    return page(sheet).encode()


KINDS: Final[dict[str, Callable[[Sheet], bytes]]] = {".png": png, ".html": _html}


def write(to: Path, choose: Callable[[], Sheet]) -> int:
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
