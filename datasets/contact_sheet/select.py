"""Select the images of a contact sheet: a few of each letter, from as many signers as possible, cropped to the hand."""

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
from aslkit.core.workspace import compose
from aslkit.datasets import parquet_store
from aslkit.datasets.info import UNKNOWN
from aslkit.datasets.schema import MAX_COORDINATE
from aslkit.vision.crop import MIN_SPAN, crop_square
from aslkit.vision.images import Frame, ImageError, decode_image

SIDE: Final = 192
"""Side of a tile in pixels: about twice the displayed size, for high-resolution screens."""

_MARGIN: Final = 0.3
"""Margin around a hand, as a share of the longer side of its box."""

_COLUMNS: Final = ("label", "signer", "group", "parent", "hand_box", "clip")


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One image of a contact sheet.

    Attributes:
        letter: the letter that the image shows.
        signer: name of the signer, sanitized for display.
        split: name of the split.
        image: the hand with a margin, BGR, uint8 (SIDE, SIDE, 3). The centre of the full image if no hand was detected;
            None if the image is damaged.
        is_full_image: whether the image is not cropped to a hand.
    """

    letter: str
    signer: str
    split: str
    image: Frame | None
    is_full_image: bool


@dataclass(frozen=True, kw_only=True)
class ContactSheet:
    """Sample images of a dataset.

    Attributes:
        name: name of the dataset.
        letters: the tiles by letter, in alphabetical order.
        total: number of images the tiles were selected from.
    """

    name: str
    letters: dict[str, list[Tile]]
    total: int

    @property
    def count(self) -> int:
        """Number of tiles."""
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
    """Select images at random and crop them to the hand. The frames of clips are not selected.

    Args:
        folder: the dataset folder.
        letter: the letter to show, or None for all.
        signer: the signer to show, or None for all.
        split: the split to show, or None for all.
        count: maximum number of images of each letter.
        rng: random number generator.

    Raises:
        InputError: the folder contains no dataset, or no image matches.
        AslkitError: the dataset is damaged.
    """
    table = parquet_store.read_dataset(folder, _COLUMNS)
    table = table.append_column("position", pa.array(np.arange(len(table))))
    matching = _filter_rows(table, letter, signer, split)
    if not len(matching):
        raise InputError(_no_match_message(table, letter, signer, split))
    chosen = {each: _choose_rows(matching, INDEX[each], count, rng) for each in ([letter] if letter else LETTERS)}
    positions = sorted(position for each in chosen.values() for position in each)
    images = dict(zip(positions, _iter_images(folder, positions), strict=True))
    rows = {row["position"]: row for row in table.take(pa.array(positions)).to_pylist()}
    return ContactSheet(
        name=sanitize_text(folder.absolute().name),
        letters={
            each: [_make_tile(rows[position], images[position]) for position in positions]
            for each, positions in chosen.items()
            if positions
        },
        total=len(matching),
    )


def _filter_rows(table: pa.Table, letter: str | None, signer: str | None, split: str | None) -> pa.Table:
    # Augmented copies would show the same image several times, and a single frame does not show a movement.
    table = table.filter(pc.and_(pc.is_null(table.column("parent")), pc.is_null(table.column("clip"))))
    table = table.filter(pc.is_in(table.column("label"), value_set=pa.array(range(len(LETTERS)))))
    for name, value in (("label", letter and INDEX[letter]), ("split", split)):
        if value is not None:
            table = table.filter(pc.equal(table.column(name), value))
    if signer is not None:
        names = table.column("signer").unique().to_pylist()
        equal = [name for name in names if name is not None and compose(name) == compose(signer)]
        table = table.filter(pc.is_in(table.column("signer"), value_set=pa.array(equal, pa.string())))
    return table


def _no_match_message(table: pa.Table, letter: str | None, signer: str | None, split: str | None) -> str:
    names = [sanitize_text(name) for name in table.column("signer").unique().to_pylist() if name is not None]
    letter_text = f" of letter {letter}" if letter else ""
    signer_text = f" of signer {sanitize_text(signer)}" if signer else ""
    split_text = f" in {split}" if split else ""
    known = f" Signers: {', '.join(sorted(names)[:20])}." if names else ""
    clips = " The frames of clips are not shown." if table.column("clip").null_count < len(table) else ""
    return f"No image{letter_text}{signer_text}{split_text} found.{clips}{known}"


def _choose_rows(table: pa.Table, label: int, count: int, rng: np.random.Generator) -> list[int]:
    """Choose the positions of up to `count` rows of a letter.

    Signers are represented equally. Near-duplicates are only chosen if there are no other rows.
    """
    rows = table.filter(pc.equal(table.column("label"), label)).select(["signer", "group", "position"])
    duplicates, by_signer = Counter[tuple[str, int]](), dict[str, list[tuple[int, int]]]()
    # Count how many earlier rows of the shuffled order are in the same group; 0 comes first below.
    for row in rows.take(pa.array(rng.permutation(len(rows)))).to_pylist():
        signer, group = str(row["signer"]), row["position"] if row["group"] is None else row["group"]
        by_signer.setdefault(signer, []).append((duplicates[signer, group], row["position"]))
        duplicates[signer, group] += 1
    ranked = [
        (rank, signer, position)
        for signer, candidates in by_signer.items()
        for rank, (_, position) in enumerate(sorted(candidates, key=lambda candidate: candidate[0]))
    ]
    # By rank first: every signer gives one image before any gives a second one.
    chosen = sorted(ranked)[:count]
    return [position for _, _, position in sorted(chosen, key=lambda row: (row[1], row[0]))]


def _iter_images(folder: Path, positions: list[int]) -> Iterator[bytes | None]:
    """Yield the image files of the rows at the given positions in the dataset. `positions` must be sorted."""
    wanted, done, first = np.array(positions, np.int64), 0, 0
    for path in parquet_store.list_files(folder):
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                rows = file.metadata.row_group(group).num_rows
                end = int(np.searchsorted(wanted, first + rows))
                if end > done:
                    yield from _iter_group_images(path, group, wanted[done:end] - first)
                done, first = end, first + rows


def _iter_group_images(path: Path, group: int, rows: npt.NDArray[np.int64]) -> Iterator[bytes | None]:
    for image in parquet_store.read_row_group(path, group, ["image"]).column("image").take(pa.array(rows)).to_pylist():
        yield image and image["bytes"]


def _make_tile(row: dict[str, Any], data: bytes | None) -> Tile:
    box = None if row["hand_box"] is None else np.array(row["hand_box"], np.float32)
    # A damaged box could ask for a crop of any size.
    if box is not None and not (np.isfinite(box).all() and np.abs(box).max() < MAX_COORDINATE):
        box = None
    try:
        image = None if data is None else crop_tile(decode_image(data), box)
    except ImageError:
        image = None
    return Tile(
        letter=LETTERS[row["label"]],
        signer=sanitize_text(row["signer"] if row["signer"] is not None else UNKNOWN, most=40),
        split=row["split"],
        image=image,
        is_full_image=box is None,
    )


def crop_tile(frame: Frame, box: npt.NDArray[np.float32] | None) -> Frame:
    """Crop a square from a frame and scale it to SIDE × SIDE pixels.

    Args:
        frame: BGR, uint8 (height, width, 3).
        box: left, top, right and bottom of the hand, relative to the frame size, float32 (4,). If None, the square is
            the centre of the frame.
    """
    height, width = frame.shape[:2]
    left, top, right, bottom = (0, 0, width, height) if box is None else box * [width, height, width, height]
    span = min(width, height) if box is None else max(right - left, bottom - top, MIN_SPAN) * (1 + 2 * _MARGIN)
    middle = (float(left + right) / 2, float(top + bottom) / 2)
    return crop_square(frame, middle=middle, span=float(span), side=SIDE, smooth=True)
