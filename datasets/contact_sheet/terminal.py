"""Render a contact sheet in a terminal. Each character cell shows two pixels, one above the other."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.datasets.contact_sheet.select import ContactSheet, Tile
from aslkit.vision.images import Frame

_Pixel = npt.NDArray[np.uint8]
Colours = Callable[[_Pixel], str]

_TILE_WIDTH: Final = 22
"""Width of a tile in characters. The height is half as many lines."""

_SINGLE_LETTER_TILE_WIDTH: Final = 36
"""Width of a tile in characters if only one letter is shown."""

_MIN_TILE_WIDTH: Final = 4

_GAP: Final = "  "
_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"


def tiles_per_row(width: int, *, single_letter: bool) -> int:
    """Return how many tiles fit next to each other.

    Args:
        width: width of the terminal in characters.
        single_letter: whether only one letter is shown, in larger tiles.
    """
    return max(1, (width - 1 + len(_GAP)) // (_tile_width(width, single_letter=single_letter) + len(_GAP)))


def _tile_width(width: int, *, single_letter: bool) -> int:
    return max(_MIN_TILE_WIDTH, min(_SINGLE_LETTER_TILE_WIDTH if single_letter else _TILE_WIDTH, width - 1))


def render_lines(sheet: ContactSheet, *, width: int, colours: Colours) -> Iterator[str]:
    """Yield the lines of a contact sheet.

    Args:
        sheet: the contact sheet.
        width: width of the terminal in characters.
        colours: one of COLOURS, which the terminal supports.
    """
    single_letter = len(sheet.letters) == 1
    side = _tile_width(width, single_letter=single_letter)
    across = tiles_per_row(width, single_letter=single_letter)
    for letter, tiles in sheet.letters.items():
        yield f"{_BOLD}{letter}{_RESET}"
        for at in range(0, len(tiles), across):
            row = tiles[at : at + across]
            rendered = [_render_tile(tile, side, colours) for tile in row]
            yield from (_GAP.join(parts) for parts in zip(*rendered, strict=True))
            yield _DIM + _GAP.join(_caption(tile)[:side].ljust(side) for tile in row).rstrip() + _RESET
        yield ""


def _caption(tile: Tile) -> str:
    return f"{tile.signer}, {tile.split}"


def _render_tile(tile: Tile, side: int, colours: Colours) -> list[str]:
    if tile.image is None:
        return ["damaged".center(side) if row == side // 4 else " " * side for row in range(side // 2)]
    return _render_pixels(tile.image, side, side // 2, colours)


def render_image(image: Frame, *, width: int, colours: Colours) -> list[str]:
    """Return the lines of an image in its aspect ratio.

    Args:
        image: BGR, uint8 (height, width, 3).
        width: width in characters.
        colours: one of COLOURS, which the terminal supports.
    """
    lines = max(1, round(width * image.shape[0] / image.shape[1] / 2))
    return _render_pixels(image, width, lines, colours)


def _render_pixels(image: Frame, width: int, lines: int, colours: Colours) -> list[str]:
    import cv2

    small = cv2.resize(image, (width, 2 * lines), interpolation=cv2.INTER_AREA)
    rgb = np.asarray(small, np.uint8)[:, :, ::-1]
    return [_render_line(rgb[row], rgb[row + 1], colours) for row in range(0, len(rgb), 2)]


def _render_line(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8], colours: Colours) -> str:
    # The foreground colours the upper half block, the background the lower half of the cell.
    cells = (f"\x1b[38;{colours(above)};48;{colours(below)}m▀" for above, below in zip(upper, lower, strict=True))
    return "".join(cells) + _RESET


def _truecolor_code(rgb: npt.NDArray[np.uint8]) -> str:
    return f"2;{rgb[0]};{rgb[1]};{rgb[2]}"


def _palette_code(rgb: npt.NDArray[np.uint8]) -> str:
    """Return the nearest of the 6×6×6 colours that start at 16, which are the same in all 256-colour terminals."""
    red, green, blue = (round(int(value) / 51) for value in rgb)
    return f"5;{16 + 36 * red + 6 * green + blue}"


COLOURS: Final[dict[str, Colours]] = {"truecolor": _truecolor_code, "256": _palette_code}
"""Functions that format a pixel, RGB, uint8 (3,), as an SGR colour code, by rich's name of the colour system."""
