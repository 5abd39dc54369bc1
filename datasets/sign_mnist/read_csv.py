"""Sign Language MNIST: 28×28 grey images of the 24 letters, as CSV files or as the zip file they are handed on in."""

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.core.progress import iterate_with_progress
from aslkit.core.sanitize import sanitize_text

SIDE: Final = 28
COLUMNS: Final = ("label", *(f"pixel{number}" for number in range(1, SIDE * SIDE + 1)))

COUNTS: Final = {"train": 27_455, "test": 7_172}
"""Rows, as published."""

SOURCE: Final = "Sign Language MNIST, https://www.kaggle.com/datasets/datamunge/sign-language-mnist, its official split"
_GAP: Final = 9
"""The published labels count A to Z from 0; 9 would be J, which moves, and does not occur. 24 is Y."""

_MOST_BYTES: Final = 1_000_000_000
"""Of one CSV file when it is unpacked: ten times the published one."""

_SPLITS: Final = {"train": "train", "test": "test"}
"""Which split a file is, by what its name holds."""


@dataclass(frozen=True, kw_only=True)
class SignMnistImages:
    """One split.

    Attributes:
        pixels: uint8 (n, 28, 28), grey.
        labels: int64 (n,), index into the 24 letters, alphabetical.
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def is_sign_mnist(path: Path) -> bool:
    """Whether a path looks like it: a zip or CSV file, or a folder that holds the two CSV files."""
    return path.suffix.lower() in (".zip", ".csv") or (path.is_dir() and any(path.glob("*train*.csv")))


def read_sign_mnist(path: Path, *, renumbered: bool = False) -> dict[str, SignMnistImages]:
    """Read Sign Language MNIST.

    Args:
        path: the zip file, a folder with the CSV files in it, or one CSV file, which is train unless its name says
            test.
        renumbered: the labels are 0–23 without the gap where J would be.

    Returns:
        The splits that are there, of "train" and "test".

    Raises:
        InputError: no such file, or none of it; or labels that may mean two things.
        AslkitError: a file is damaged.
    """
    files = iterate_with_progress("Reading", len(_SPLITS), _files(path))
    found = {split: _parsed(data, name, renumbered) for split, name, data in files}
    if not found:
        raise InputError(f"{path} holds no CSV file of Sign Language MNIST. Give the zip file or a folder with both.")
    return found


def _files(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield split, name and content of one CSV file for each split: Kaggle's archive has each twice."""
    try:
        yield from _of_zip(path) if path.suffix.lower() == ".zip" else _of_disk(path)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise AslkitError(f"{path} is damaged ({error}). Download it again.") from error
    except OSError as error:
        raise AslkitError(f"{path} cannot be read ({error}). Look at its permissions, or download it again.") from error


def _of_zip(path: Path) -> Iterator[tuple[str, str, bytes]]:
    seen = set()
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename.count("/")):
            split = _split_of(Path(member.filename).name) if member.filename.lower().endswith(".csv") else None
            if split and split not in seen:
                _check_size(member.file_size, f"{sanitize_text(member.filename)} in {path}")
                yield split, f"{path}: {sanitize_text(member.filename)}", archive.read(member)
                seen.add(split)


def _of_disk(path: Path) -> Iterator[tuple[str, str, bytes]]:
    seen = set()
    for each in sorted(path.glob("*.csv")) if path.is_dir() else [path]:
        split = _split_of(each.name) or ("" if path.is_dir() else "train")
        if split and split not in seen:
            _check_size(each.stat().st_size, str(each))
            yield split, str(each), each.read_bytes()
            seen.add(split)


def _check_size(size: int, name: str) -> None:
    if size > _MOST_BYTES:
        raise InputError(f"{name} is too large: {size:,} bytes. The published files have less than a tenth of it.")


def _split_of(name: str) -> str | None:
    return next((split for split, word in _SPLITS.items() if word in name.lower()), None)


def _parsed(data: bytes, name: str, renumbered: bool) -> SignMnistImages:
    from pyarrow import csv

    header = data[:100].lstrip(b'\xef\xbb\xbf"').lower().startswith(b"label")
    names = None if header else list(COLUMNS)
    try:
        table = csv.read_csv(
            io.BytesIO(data),
            read_options=csv.ReadOptions(column_names=names),
            convert_options=csv.ConvertOptions(column_types={column: pa.int16() for column in COLUMNS}),
        )
        columns = tuple(table.column_names)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise AslkitError(f"{name} is not a CSV file of label and 784 pixels ({error}).") from error
    if columns != COLUMNS:
        raise AslkitError(f"{name} has {len(columns)} columns; expected label, pixel1, …, pixel784.")
    given, *values = (column.to_numpy() for column in table.columns)
    by_column = np.stack(values)  # and turned when it is small: five times as fast as to stack along rows
    if len(given) == 0 or by_column.min() < 0 or by_column.max() > 255:
        raise AslkitError(f"{name} has no rows, or pixels outside 0–255.")
    pixels = np.ascontiguousarray(by_column.astype(np.uint8).T)
    labels = _labels(given.astype(np.int64), name, renumbered)
    return SignMnistImages(pixels=pixels.reshape(-1, SIDE, SIDE), labels=labels)


def _labels(given: npt.NDArray[np.int64], name: str, renumbered: bool) -> npt.NDArray[np.int64]:
    """Index into LETTERS of labels as published: 0–24, A to Y, without J."""
    if renumbered:
        if given.min() < 0 or given.max() >= len(LETTERS):
            raise InputError(f"{name}: renumbered labels are 0–23; there is {given.max()}.")
        return given
    if given.min() < 0 or given.max() > 24:
        raise InputError(f"{name}: labels are 0–24; there are {given.min()} to {given.max()}.")
    if (given == _GAP).any():
        raise InputError(
            f"{name} has rows of label 9, which would be J: the labels seem to be renumbered 0–23, without the gap. "
            "If so, say --renumbered; read as published, every letter from K on would be wrong."
        )
    letters = np.array([INDEX.get(chr(ord("A") + label), -1) for label in range(25)])
    return np.asarray(letters[given], np.int64)
