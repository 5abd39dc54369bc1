"""How much of a test can be remembered: for each test image, how like it the likest training image is.

Works on any images with letters and a split. A random split of the same images stands beside it, because that is what
most published figures are measured on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.core.files import natural_key
from aslkit.core.letters import INDEX
from aslkit.core.progress import progress_bar
from aslkit.datasets import parquet_store
from aslkit.datasets.sign_mnist import read_csv
from aslkit.vision.images import (
    IMAGE_SUFFIXES,
    Frame,
    ImageError,
    decode_image,
    perceptual_hash,
    read_image_file,
    to_gray,
)
from aslkit.vision.perceptual_hash import DOWNSCALED_SIDE, downscale_gray, hamming_matrix, hash_bytes, to_plus_minus_one

COPY: Final = 0.97
"""Correlation from which a picture counts as a copy: the augmented siblings in Sign Language MNIST have 0.9999 at the
median, its official test 0.85."""

_AT_ONCE: Final = 256
_TEST_SHARE: Final = 0.2
_TRAIN, _TEST = "train", "test"


@dataclass(frozen=True, kw_only=True)
class ComparedImages:
    """Images made small enough to compare all with all.

    Attributes:
        thumbnails: float32 (n, 784), grey, each of mean 0 and length 1, so that a product is a correlation.
        hashes: uint64 (n,), perceptual.
        labels: int64 (n,), index of the letter.
        splits: str (n,); empty where an image belongs to none.
        unreadable: files that could not be taken, and why.
    """

    thumbnails: npt.NDArray[np.float32]
    hashes: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int64]
    splits: npt.NDArray[np.str_]
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """What training images tell of test images without anything being learned.

    Attributes:
        test, train: how many images.
        copies: share of test images with a training image that correlates at least COPY, 0–1.
        hash_copies: share with a training image within the hash distance, 0–1.
        correlation: of the likest training image, median.
        remembered: share of test images whose likest training image has their letter, 0–1: what a model gets by
            remembering alone.
        hash_remembered: the same by hash.
    """

    test: int
    train: int
    copies: float
    hash_copies: float
    correlation: float
    remembered: float
    hash_remembered: float


@dataclass(frozen=True, kw_only=True)
class AuditResult:
    """Of one dataset.

    Attributes:
        own: under its own split; None where it has none.
        random: under a random split of all its images.
        unreadable: files that could not be taken, and why.
    """

    own: Leakage | None
    random: Leakage
    unreadable: tuple[tuple[str, str], ...]


def audit_dataset(path: Path, *, distance: int, seed: int = 0, renumbered: bool = False) -> AuditResult:
    """Measure the leak of a dataset.

    Args:
        path: a dataset's folder; Sign Language MNIST (zip, CSV or folder); a folder of letters' folders; or a folder
            of those, named train, validation and test.
        distance: bits of 64 between hashes, up to which a picture counts as a copy.
        seed: of the random split.
        renumbered: Sign Language MNIST with labels 0–23.

    Raises:
        InputError: nothing of the kind.
        AslkitError: it is damaged.
    """
    pictures = _pictures(path, renumbered)
    count = len(pictures.labels)
    if count < 2:
        raise InputError(f"{path} has {count} images. An audit compares at least two.")
    own = None
    if (pictures.splits == _TEST).any() and (pictures.splits != _TEST).any():
        own = measure_leakage(pictures, pictures.splits == _TEST, distance=distance, title="Own split")
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(seed).permutation(count)[: max(1, round(_TEST_SHARE * count))]] = True
    random = measure_leakage(pictures, chosen, distance=distance, title="Random split")
    return AuditResult(own=own, random=random, unreadable=pictures.unreadable)


def measure_leakage(pictures: ComparedImages, test: npt.NDArray[np.bool_], *, distance: int, title: str) -> Leakage:
    """Find for each test image the likest training image, all against all: nothing is approximate.

    Args:
        pictures: all.
        test: bool (n,), which are tested on; the others are trained on.
        distance: bits.
        title: of the progress bar.
    """
    train, rows = np.flatnonzero(~test), np.flatnonzero(test)
    known = np.ascontiguousarray(pictures.thumbnails[train].T)
    hashes = to_plus_minus_one(hash_bytes(pictures.hashes))
    others = hashes[train]
    found, nearest = np.empty(len(rows), np.float32), np.empty(len(rows), np.int64)
    bits, by_hash = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    with progress_bar(title, len(rows)) as advance:
        for start in range(0, len(rows), _AT_ONCE):
            part, to = rows[start : start + _AT_ONCE], slice(start, start + _AT_ONCE)
            likeness = pictures.thumbnails[part] @ known
            apart = hamming_matrix(hashes[part], others)
            nearest[to], by_hash[to] = likeness.argmax(axis=1), apart.argmin(axis=1)
            each = np.arange(len(part))
            found[to], bits[to] = likeness[each, nearest[to]], apart[each, by_hash[to]]
            advance(len(part))
    labels = pictures.labels
    return Leakage(
        test=len(rows),
        train=len(train),
        copies=float((found >= COPY).mean()),
        hash_copies=float((bits <= distance).mean()),
        correlation=float(np.median(found)),
        remembered=float((labels[train[nearest]] == labels[rows]).mean()),
        hash_remembered=float((labels[train[by_hash]] == labels[rows]).mean()),
    )


def _pictures(path: Path, renumbered: bool) -> ComparedImages:
    if (path / "data").is_dir():
        return _collected(_of_dataset(path), parquet_store.count_rows(path))
    if read_csv.is_sign_mnist(path):
        images = read_csv.read_sign_mnist(path, renumbered=renumbered)
        return _collected(_of_sign_mnist(images), sum(len(split.labels) for split in images.values()))
    files = list(_files(path))
    if not files:
        raise InputError(
            f"{path} is no dataset that can be audited. Give a dataset's name or folder, Sign Language MNIST, "
            "or a folder that holds folders A, B, … or train/A, …, test/A, …"
        )
    return _collected(_of_files(files), len(files))


_Item = tuple[Frame | None, int, str, str]
"""A picture (None where it cannot be read), its letter's index, its split, where it lies and why it cannot be read."""


def _collected(items: Iterator[_Item], total: int) -> ComparedImages:
    thumbs, hashes, labels, splits, unreadable = [], [], [], [], []
    with progress_bar("Reading", total) as advance:
        for frame, label, split, about in items:
            advance()
            if frame is None:
                where, _, why = about.partition("\0")
                unreadable.append((where, why))
                continue
            thumbs.append(normalize_thumbnail(downscale_gray(to_gray(frame))))
            hashes.append(perceptual_hash(frame))
            labels.append(label)
            splits.append(split)
    return ComparedImages(
        thumbnails=np.array(thumbs, np.float32).reshape(-1, DOWNSCALED_SIDE**2),
        hashes=np.array(hashes, np.uint64),
        labels=np.array(labels, np.int64),
        splits=np.array(splits, np.str_),
        unreadable=tuple(unreadable),
    )


def normalize_thumbnail(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Make a row of `Pictures.thumbs` of what `fingerprint.small` gives."""
    values = picture.astype(np.float32) - np.float32(picture.mean())
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)


def _of_dataset(folder: Path) -> Iterator[_Item]:
    for path in parquet_store.list_files(folder):
        split = path.name.split("-")[0]
        for table in parquet_store.iter_file_row_groups(path, ["image", "label"]):
            for image, label in zip(table.column("image"), table.column("label"), strict=True):
                if image["bytes"].as_py() is None or label.as_py() is None:
                    raise InputError(
                        f"{path.name} has rows without a picture or letter; an audit compares pictures. Was it sent "
                        "with --landmarks-only?"
                    )
                yield _item(image["bytes"].as_py(), label.as_py(), split, str(image["path"]))


def _of_sign_mnist(images: dict[str, read_csv.SignMnistImages]) -> Iterator[_Item]:
    for split, each in images.items():
        for pixels, label in zip(each.pixels, each.labels, strict=True):
            yield np.repeat(pixels[..., None], 3, axis=2), int(label), split, ""


def _files(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield images below FOLDER/LETTER or FOLDER/SPLIT/LETTER with letter and split."""
    for below in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        if (label := INDEX.get(below.name.upper())) is not None:
            yield from ((path, label, "") for path in _images(below))
        elif (split := _split_named(below.name)) is not None:
            for letter in sorted(path for path in below.iterdir() if path.is_dir()):
                if (label := INDEX.get(letter.name.upper())) is not None:
                    yield from ((path, label, split) for path in _images(letter))


def _split_named(name: str) -> str | None:
    return next((s for s in (_TRAIN, "valid", _TEST) if name.lower().startswith(s)), None)


def _images(folder: Path) -> list[Path]:
    paths = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != ".")
    return sorted((path for path in paths if path.is_file()), key=lambda path: natural_key(path.name))


def _of_files(files: Sequence[tuple[Path, int, str]]) -> Iterator[_Item]:
    for path, label, split in files:
        yield _item(read_image_file(path), label, split, str(path))


def _item(data: bytes, label: int, split: str, where: str) -> _Item:
    try:
        return decode_image(data), label, split, where
    except ImageError as error:
        return None, label, split, f"{where}\0{error.message}"
