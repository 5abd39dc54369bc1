"""Render a contact sheet as a PNG image: two columns of letters, with a row of hands for each letter."""

from typing import Any, Final

import numpy as np

from aslkit.datasets.contact_sheet.select import ContactSheet, Tile
from aslkit.datasets.info import UNKNOWN
from aslkit.gui.drawing import fit_text, load_font
from aslkit.vision.images import Frame, encode_png

TILE: Final = 112
"""Side of a tile in pixels."""

_GAP: Final = 8
_CAPTION_HEIGHT: Final = 20
_LETTER_WIDTH: Final = 64
_MARGIN: Final = 36
_HEADER_HEIGHT: Final = 76
_MIN_WIDTH: Final = 640
_BACKGROUND, _TEXT, _MUTED, _LINE = "#ffffff", "#1c2733", "#5b6876", "#dde3ea"
_MIN_ROWS_FOR_TWO_COLUMNS: Final = 13

_MAX_TILES_PER_ROW: Final = 16
"""A letter with more tiles continues in the next row."""


def render_png(sheet: ContactSheet) -> bytes:
    """Render a contact sheet and return the PNG file."""
    from PIL import Image, ImageDraw

    rows = [
        (letter if at == 0 else "", tiles[at : at + _MAX_TILES_PER_ROW])
        for letter, tiles in sheet.letters.items()
        for at in range(0, len(tiles), _MAX_TILES_PER_ROW)
    ]
    columns = 1 if len(rows) < _MIN_ROWS_FOR_TWO_COLUMNS else 2
    rows_per_column = -(-len(rows) // columns)
    max_tiles = max(len(tiles) for _, tiles in rows)
    column_width = _LETTER_WIDTH + max_tiles * (TILE + _GAP) - _GAP
    row_height = TILE + _CAPTION_HEIGHT + _GAP
    width = max(2 * _MARGIN + columns * column_width + (columns - 1) * _MARGIN, _MIN_WIDTH)
    image = Image.new("RGB", (width, _HEADER_HEIGHT + rows_per_column * row_height + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    _draw_header(draw, sheet)
    for index, (letter, tiles) in enumerate(rows):
        column, row = divmod(index, rows_per_column)
        position = (_MARGIN + column * (column_width + _MARGIN), _HEADER_HEIGHT + row * row_height)
        _draw_row(image, draw, letter, tiles, position)
    return encode_png(np.ascontiguousarray(np.asarray(image)[:, :, ::-1]))


def _draw_header(draw: Any, sheet: ContactSheet) -> None:
    draw.text((_MARGIN, 20), sheet.name[:60], fill=_TEXT, font=load_font(26))
    left = _MARGIN + draw.textlength(sheet.name[:60], font=load_font(26)) + 14
    draw.text((left, 28), f"{sheet.count:,} of {sheet.total:,} images", fill=_MUTED, font=load_font(17))


def _draw_row(image: Any, draw: Any, letter: str, tiles: list[Tile], position: tuple[int, int]) -> None:
    left, top = position
    draw.text((left + (_LETTER_WIDTH - 16) / 2, top + TILE / 2), letter, fill=_TEXT, font=load_font(46), anchor="mm")
    for index, tile in enumerate(tiles):
        x, y = left + _LETTER_WIDTH + index * (TILE + _GAP), top
        if tile.image is None:
            draw.rectangle((x, y, x + TILE - 1, y + TILE - 1), outline=_LINE, width=2)
            draw.text((x + TILE / 2, y + TILE / 2), "damaged", fill=_MUTED, font=load_font(15), anchor="mm")
        else:
            image.paste(_scale_tile(tile.image), (x, y))
        caption = fit_text(_caption(tile), 13, TILE)
        draw.text((x, y + TILE + 2), caption, fill=_MUTED, font=load_font(13))


def _caption(tile: Tile) -> str:
    if tile.signer == UNKNOWN:
        return tile.split
    return f"no hand: {tile.signer}" if tile.is_full_image else tile.signer


def _scale_tile(image: Frame) -> Any:
    from PIL import Image

    return Image.fromarray(image[:, :, ::-1]).resize((TILE, TILE), Image.Resampling.LANCZOS)
