"""The contact sheet as one PNG: letters in two columns, a row of hands for each."""

from typing import Any, Final

import numpy as np

from aslkit.datasets.contact_sheet.select import ContactSheet, Tile
from aslkit.datasets.info import UNKNOWN
from aslkit.gui.drawing import fit_text, load_font
from aslkit.vision.images import Frame, encode_png

TILE: Final = 112
"""Side of a hand, pixels."""

_GAP: Final = 8
_CAPTION: Final = 20
_LETTER: Final = 64
_EDGE: Final = 36
_HEAD: Final = 76
_PAPER, _INK, _SOFT, _LINE = "#ffffff", "#1c2733", "#5b6876", "#dde3ea"
_ROWS_OF_ONE: Final = 13
"""With fewer rows, one column is enough."""

_MOST_ACROSS: Final = 16
"""Hands side by side; more go on in the next row."""


def render_png(sheet: ContactSheet) -> bytes:
    """Draw a sheet; returns the PNG file."""
    from PIL import Image, ImageDraw

    rows = [
        (letter if at == 0 else "", tiles[at : at + _MOST_ACROSS])
        for letter, tiles in sheet.letters.items()
        for at in range(0, len(tiles), _MOST_ACROSS)
    ]
    columns = 1 if len(rows) < _ROWS_OF_ONE else 2
    down = -(-len(rows) // columns)
    across = max(len(tiles) for _, tiles in rows)
    wide = _LETTER + across * (TILE + _GAP) - _GAP
    high = TILE + _CAPTION + _GAP
    size = (max(2 * _EDGE + columns * wide + (columns - 1) * _EDGE, 640), _HEAD + down * high + _EDGE)
    image = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(image)
    _head(draw, sheet)
    for index, (letter, tiles) in enumerate(rows):
        column, row = divmod(index, down)
        _row(image, draw, letter, tiles, (_EDGE + column * (wide + _EDGE), _HEAD + row * high))
    return encode_png(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))


def _head(draw: Any, sheet: ContactSheet) -> None:
    draw.text((_EDGE, 20), sheet.name[:60], fill=_INK, font=load_font(26))
    left = _EDGE + draw.textlength(sheet.name[:60], font=load_font(26)) + 14
    draw.text((left, 28), f"{sheet.count:,} of {sheet.of:,} images", fill=_SOFT, font=load_font(17))


def _row(image: Any, draw: Any, letter: str, tiles: list[Tile], at: tuple[int, int]) -> None:
    left, top = at
    draw.text((left + (_LETTER - 16) / 2, top + TILE / 2), letter, fill=_INK, font=load_font(46), anchor="mm")
    for index, tile in enumerate(tiles):
        place = (left + _LETTER + index * (TILE + _GAP), top)
        if tile.picture is None:
            draw.rectangle((*place, place[0] + TILE - 1, place[1] + TILE - 1), outline=_LINE, width=2)
            draw.text(
                (place[0] + TILE / 2, place[1] + TILE / 2), "damaged", fill=_SOFT, font=load_font(15), anchor="mm"
            )
        else:
            image.paste(_small(tile.picture), place)
        words = fit_text(_caption(tile), 13, TILE)
        draw.text((place[0], place[1] + TILE + 2), words, fill=_SOFT, font=load_font(13))


def _caption(tile: Tile) -> str:
    if tile.signer == UNKNOWN:
        return tile.split
    return f"no hand: {tile.signer}" if tile.whole else tile.signer


def _small(picture: Frame) -> Any:
    from PIL import Image

    return Image.fromarray(picture[:, :, ::-1]).resize((TILE, TILE), Image.Resampling.LANCZOS)
