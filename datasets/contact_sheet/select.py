"""A contact sheet: a few hands of each letter, of as many people as there are, cut out of their images."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.errors import InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store
from aslkit.datasets.info import UNKNOWN
from aslkit.datasets.schema import FAR
from aslkit.vision.crop import MIN_SPAN, crop_square
from aslkit.vision.images import Frame, ImageError, decode_image

SIDE: Final = 192
"""Of a tile, pixels: twice what it is shown at, for sharp screens."""

_MARGIN: Final = 0.3
"""Around a hand, of its box's longer side."""

_ABOUT: Final = ("label", "signer", "group", "parent", "hand_box")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One image on the sheet.

    Attributes:
        letter: its letter.
        signer: whose hand it is, fit to be shown.
        split: which it is in.
        picture: the hand with its surroundings, BGR, uint8 (SIDE, SIDE, 3); the whole image where no hand was found;
            None where it cannot be decoded.
        whole: whether it is the whole image.
    """

    letter: str
    signer: str
    split: str
    picture: Frame | None
    whole: bool


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """Tiles by letter, in the order of the alphabet; and of how many images they were chosen."""

    name: str
    letters: dict[str, list[Tile]]
    of: int

    @property
    def count(self) -> int:
        """Tiles in all."""
        return sum(map(len, self.letters.values()))


def select_tiles(
    folder: Path,
    *,
    letter: str | None = None,
    signer: str | None = None,
    split: str | None = None,
    count: int,
    rng: np.random.Generator,
) -> ContactSheet:
    """Choose images and cut the hands out.

    Args:
        folder: of the dataset.
        letter: only this; all where None.
        signer: only this; all where None.
        split: only this; all where None.
        count: of each letter, at most.
        rng: source of chance.

    Raises:
        InputError: no dataset there, or nothing that is asked for.
        AslkitError: it is damaged.
    """
    table = parquet_store.read_dataset(folder, _ABOUT)
    table = table.append_column("place", pa.array(np.arange(len(table))))
    asked = _asked(table, letter, signer, split)
    if not len(asked):
        raise InputError(_nothing(table, letter, signer, split))
    chosen = {each: _varied(asked, INDEX[each], count, rng) for each in ([letter] if letter else LETTERS)}
    places = sorted(place for each in chosen.values() for place in each)
    images = dict(zip(places, _images(folder, places), strict=True))
    rows = {row["place"]: row for row in table.take(pa.array(places)).to_pylist()}
    return ContactSheet(
        name=sanitize_text(folder.absolute().name),
        letters={each: [_tile(rows[at], images[at]) for at in ats] for each, ats in chosen.items() if ats},
        of=len(asked),
    )


def _asked(table: pa.Table, letter: str | None, signer: str | None, split: str | None) -> pa.Table:
    table = table.filter(pc.is_null(table.column("parent")))
    table = table.filter(pc.is_in(table.column("label"), value_set=pa.array(range(len(LETTERS)))))
    for name, value in (("label", letter and INDEX[letter]), ("signer", signer), ("split", split)):
        if value is not None:
            table = table.filter(pc.equal(table.column(name), value))
    return table


def _nothing(table: pa.Table, letter: str | None, signer: str | None, split: str | None) -> str:
    known = [sanitize_text(name) for name in table.column("signer").unique().to_pylist() if name is not None]
    asked = " of ".join(each for each in (letter, signer and sanitize_text(signer)) if each) or "any letter"
    there = f" Signers: {', '.join(sorted(known)[:20])}." if known else ""
    return f"There is no image of {asked}{f' in {split}' if split else ''}.{there}"


def _varied(table: pa.Table, label: int, count: int, rng: np.random.Generator) -> list[int]:
    """Choose rows of a letter: of each signer as many, and no near-copies while there are others."""
    own = table.filter(pc.equal(table.column("label"), label)).select(["signer", "group", "place"])
    copies, of_signer = Counter[tuple[str, int]](), dict[str, list[tuple[int, int]]]()
    for row in own.take(pa.array(rng.permutation(len(own)))).to_pylist():
        signer, group = str(row["signer"]), row["place"] if row["group"] is None else row["group"]
        of_signer.setdefault(signer, []).append((copies[signer, group], row["place"]))
        copies[signer, group] += 1
    in_turn = [
        (turn, signer, place)
        for signer, each in of_signer.items()
        for turn, (_, place) in enumerate(sorted(each, key=lambda found: found[0]))
    ]
    chosen = sorted(in_turn)[:count]
    return [place for _, _, place in sorted(chosen, key=lambda found: (found[1], found[0]))]


def _images(folder: Path, places: list[int]) -> Iterator[bytes | None]:
    """Yield the image files of rows, by their places in the whole dataset, which are sorted."""
    wanted, at, first = np.array(places, np.int64), 0, 0
    for path in parquet_store.list_files(folder):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                to = int(np.searchsorted(wanted, first + rows))
                if to > at:
                    yield from _of_group(path, group, wanted[at:to] - first)
                at, first = to, first + rows


def _of_group(path: Path, group: int, rows: npt.NDArray[np.int64]) -> Iterator[bytes | None]:
    for image in parquet_store.read_row_group(path, group, ["image"]).column("image").take(pa.array(rows)).to_pylist():
        yield image and image["bytes"]


def _tile(row: dict[str, Any], data: bytes | None) -> Tile:
    box = None if row["hand_box"] is None else np.array(row["hand_box"], np.float32)
    if box is not None and not (np.isfinite(box).all() and np.abs(box).max() < FAR):
        box = None
    try:
        picture = None if data is None else crop_tile(decode_image(data), box)
    except ImageError:
        picture = None
    return Tile(
        letter=LETTERS[row["label"]],
        signer=sanitize_text(row["signer"] if row["signer"] is not None else UNKNOWN, most=40),
        split=row["split"],
        picture=picture,
        whole=box is None,
    )


def crop_tile(frame: Frame, box: npt.NDArray[np.float32] | None) -> Frame:
    """Cut a square out of a frame and bring it to SIDE.

    Args:
        frame: BGR, uint8 (height, width, 3).
        box: of the hand, float32 (4,), as shares of the frame; None takes the middle of the whole frame.
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = (0, 0, width, height) if box is None else box * [width, height, width, height]
    span = min(width, height) if box is None else max(right - left, bottom - top, MIN_SPAN) * (1 + 2 * _MARGIN)
    middle = (float(left + right) / 2, float(top + bottom) / 2)
    return crop_square(frame, middle=middle, span=float(span), side=SIDE, smooth=True)
