"""The contact sheet in a terminal: each character shows two pixels, one above the other."""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.datasets.contact_sheet.select import ContactSheet, Tile

_Pixel = npt.NDArray[np.uint8]
Colours = Callable[[_Pixel], str]

_SIDE: Final = 22
"""Of a tile, characters across; half as many down."""

_SIDE_OF_ONE: Final = 36
"""Where one letter is shown."""

_GAP: Final = "  "
_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_DIM: Final = "\x1b[2m"


def tiles_per_row(width: int, *, one: bool) -> int:
    """How many tiles have room side by side.

    Args:
        width: of the terminal, characters.
        one: only one letter is shown, larger.
    """
    return max(1, (width - 1 + len(_GAP)) // (_side(width, one=one) + len(_GAP)))


def _side(width: int, *, one: bool) -> int:
    return max(4, min(_SIDE_OF_ONE if one else _SIDE, width - 1))


def render_lines(sheet: ContactSheet, *, width: int, colours: Colours) -> Iterator[str]:
    """Yield a sheet line by line.

    Args:
        sheet: what is shown.
        width: of the terminal, characters.
        colours: one of COLOURS, what the terminal knows.
    """
    one = len(sheet.letters) == 1
    side, across = _side(width, one=one), tiles_per_row(width, one=one)
    for letter, tiles in sheet.letters.items():
        yield f"{_BOLD}{letter}{_RESET}"
        for at in range(0, len(tiles), across):
            row = tiles[at : at + across]
            painted = [_painted(tile, side, colours) for tile in row]
            yield from (_GAP.join(parts) for parts in zip(*painted, strict=True))
            yield _DIM + _GAP.join(_caption(tile)[:side].ljust(side) for tile in row).rstrip() + _RESET
        yield ""


def _caption(tile: Tile) -> str:
    return f"{tile.signer}, {tile.split}"


def _painted(tile: Tile, side: int, colours: Colours) -> list[str]:
    if tile.picture is None:
        return ["damaged".center(side) if row == side // 4 else " " * side for row in range(side // 2)]
    import cv2

    small = cv2.resize(tile.picture, (side, side // 2 * 2), interpolation=cv2.INTER_AREA)
    rgb = np.asarray(small, np.uint8)[:, :, ::-1]
    return [_line(rgb[row], rgb[row + 1], colours) for row in range(0, len(rgb), 2)]


def _line(upper: npt.NDArray[np.uint8], lower: npt.NDArray[np.uint8], code: Colours) -> str:
    cells = (f"\x1b[38;{code(above)};48;{code(below)}m▀" for above, below in zip(upper, lower, strict=True))
    return "".join(cells) + _RESET


def _true(rgb: npt.NDArray[np.uint8]) -> str:
    return f"2;{rgb[0]};{rgb[1]};{rgb[2]}"


def _cube(rgb: npt.NDArray[np.uint8]) -> str:
    """The nearest of the 6×6×6 colours from 16 on, which every terminal of 256 colours has alike."""
    red, green, blue = (round(int(value) / 51) for value in rgb)
    return f"5;{16 + 36 * red + 6 * green + blue}"


COLOURS: Final[dict[str, Colours]] = {"truecolor": _true, "256": _cube}
"""How a colour is written, by what rich calls the terminal."""
