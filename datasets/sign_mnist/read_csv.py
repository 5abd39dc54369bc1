"""Read Sign Language MNIST: 28×28 greyscale images of the 24 letters, as CSV files or in the zip file from Kaggle."""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.core.progress import iterate_with_progress
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets.sign_mnist.parse_csv import parse_csv

COUNTS: Final = {"train": 27_455, "test": 7_172}
"""Published number of rows by split."""

SOURCE: Final = "Sign Language MNIST, https://www.kaggle.com/datasets/datamunge/sign-language-mnist, its official split"
_LABEL_OF_J: Final = 9
"""The published labels number A to Z from 0. J (9) is signed with a movement and does not occur. 24 is Y."""

_MAX_FILE_BYTES: Final = 1_000_000_000
"""Maximum uncompressed size of one CSV file: ten times the size of the published one."""

_SPLIT_WORDS: Final = {"train": "train", "test": "test"}
"""The word in a file name by which its split is recognised."""


@dataclass(frozen=True, kw_only=True)
class SignMnistImages:
    """The images of one split.

    Attributes:
        pixels: greyscale images, uint8 (n, 28, 28).
        labels: index into the 24 letters in alphabetical order, int64 (n,).
    """

    pixels: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]


def is_sign_mnist(path: Path) -> bool:
    """Return whether a path looks like Sign Language MNIST: a zip or CSV file, or a folder with its CSV files."""
    return path.suffix.lower() in (".zip", ".csv") or any(path.glob("*train*.csv")) or any(path.glob("*/*train*.csv"))


def read_sign_mnist(path: Path, *, renumbered: bool = False) -> dict[str, SignMnistImages]:
    """Read Sign Language MNIST.

    Args:
        path: the zip file, a folder with the CSV files, or one CSV file. A single file is train unless its name
            contains "test".
        renumbered: whether the labels are 0–23, without the gap for J.

    Returns:
        The images by split, "train" and "test", as far as the files exist.

    Raises:
        InputError: the file does not exist, there is no CSV file, or the labels are ambiguous.
        AslkitError: a file is damaged.
    """
    files = iterate_with_progress("Reading", len(_SPLIT_WORDS), _iter_files(path))
    images = {split: _parse(data, name, renumbered) for split, name, data in files}
    if not images:
        raise InputError(
            f"{path} contains no CSV file of Sign Language MNIST. Pass the zip file, or a folder with both CSV files."
        )
    return images


def _iter_files(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield split, name and content of one CSV file for each split. Kaggle's archive contains each file twice."""
    try:
        yield from _iter_zip(path) if path.suffix.lower() == ".zip" else _iter_disk(path)
    except FileNotFoundError as error:
        raise InputError(f"No file found at {path}.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as error:
        raise AslkitError(f"{path} is damaged ({error}). Download it again.") from error
    except OSError as error:
        raise AslkitError(f"{path} cannot be read ({error}). Check its permissions, or download it again.") from error


def _iter_zip(path: Path) -> Iterator[tuple[str, str, bytes]]:
    done = set()
    with zipfile.ZipFile(path) as archive:
        for member in sorted(archive.infolist(), key=lambda each: each.filename.count("/")):
            file = Path(member.filename).name
            split = _find_split(file) if file.lower().endswith(".csv") and file[0] != "." else None
            if split and split not in done:
                # Before reading: a small zip file can unpack to terabytes.
                _check_size(member.file_size, f"{sanitize_text(member.filename)} in {path}")
                yield split, f"{path}: {sanitize_text(member.filename)}", archive.read(member)
                done.add(split)


def _iter_disk(path: Path) -> Iterator[tuple[str, str, bytes]]:
    done = set()
    for file in _find_files(path) if path.is_dir() else [path]:
        split = _find_split(file.name) or ("" if path.is_dir() else "train")
        if split and split not in done:
            _check_size(file.stat().st_size, str(file))
            yield split, str(file), file.read_bytes()
            done.add(split)


def _find_files(folder: Path) -> list[Path]:
    """Return the CSV files in a folder and below it, such as those of the unpacked archive; those above come first."""
    files = (path for path in folder.rglob("*") if path.suffix.lower() == ".csv" and path.name[0] != ".")
    return sorted((path for path in files if path.is_file()), key=lambda path: (len(path.parts), path))


def _check_size(size: int, name: str) -> None:
    if size > _MAX_FILE_BYTES:
        raise InputError(f"{name} is too large: {size:,} bytes, more than ten times the size of the published files.")


def _find_split(name: str) -> str | None:
    return next((split for split, word in _SPLIT_WORDS.items() if word in name.lower()), None)


def _parse(data: bytes, name: str, renumbered: bool) -> SignMnistImages:
    published, pixels = parse_csv(data, name)
    return SignMnistImages(pixels=pixels, labels=_convert_labels(published, name, renumbered))


def _convert_labels(published: npt.NDArray[np.int64], name: str, renumbered: bool) -> npt.NDArray[np.int64]:
    """Convert published labels, 0–24 without J, to indices into LETTERS."""
    if renumbered:
        if published.min() < 0 or published.max() >= len(LETTERS):
            raise InputError(f"{name}: renumbered labels must be 0–23, but one is {published.max()}.")
        return published
    if published.min() < 0 or published.max() > 24:
        raise InputError(f"{name}: labels must be 0–24, but they are {published.min()} to {published.max()}.")
    if (published == _LABEL_OF_J).any():
        raise InputError(
            f"{name} has rows with label 9, which would be J. The labels seem to be renumbered 0–23, without a gap for "
            "J. If so, use --renumbered. Otherwise every letter from K on would be wrong."
        )
    letters = np.array([INDEX.get(chr(ord("A") + label), -1) for label in range(25)])
    return np.asarray(letters[published], np.int64)
