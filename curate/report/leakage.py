"""Measure data leakage: for each test image, how similar is the most similar train image?

Works on any labelled images with a split. A random split of the same images is measured for comparison, because most
published results are based on one.
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

MIN_CORRELATION: Final = 0.97
"""Minimum correlation of near-duplicates. In Sign Language MNIST, the median is 0.9999 for augmented copies of the same
image, and 0.85 between the official test and train images."""

_ROWS_PER_BLOCK: Final = 256
"""Test images compared with all train images at once."""

_TEST_SHARE: Final = 0.2
_TRAIN, _TEST = "train", "test"


@dataclass(frozen=True, kw_only=True)
class ComparedImages:
    """n images, downscaled so that all pairs can be compared.

    Attributes:
        thumbnails: float32 (n, 784), gray, each of mean 0 and norm 1, so that the dot product is the correlation.
        hashes: uint64 (n,), perceptual hashes.
        labels: int64 (n,), index of the letter.
        splits: str (n,), name of the split; empty for images without one.
        unreadable: path and reason of each file that cannot be decoded.
    """

    thumbnails: npt.NDArray[np.float32]
    hashes: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int64]
    splits: npt.NDArray[np.str_]
    unreadable: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Leakage:
    """Data leakage of one split.

    Attributes:
        test, train: number of images.
        copies: share of test images with a near-duplicate in train, with a correlation of at least MIN_CORRELATION,
            0–1.
        hash_copies: share of test images with a train image within the hash distance, 0–1.
        correlation: median correlation of a test image with the most similar train image.
        remembered: accuracy of predicting the letter of the most similar train image, 0–1: what a model achieves by
            memorising alone.
        hash_remembered: the same, with the train image of the nearest hash.
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
    """Data leakage of a dataset.

    Attributes:
        own: under its own split; None without one.
        random: under a random split of all its images.
        unreadable: path and reason of each file that cannot be decoded.
    """

    own: Leakage | None
    random: Leakage
    unreadable: tuple[tuple[str, str], ...]


def audit_dataset(path: Path, *, distance: int, seed: int = 0, renumbered: bool = False) -> AuditResult:
    """Measure the data leakage of a dataset.

    Args:
        path: dataset folder; Sign Language MNIST (zip, CSV or folder); folder with one folder per letter; or folder
            with such folders named train, validation and test.
        distance: maximum Hamming distance of near-duplicates, of 64 bits.
        seed: seed of the random split.
        renumbered: whether Sign Language MNIST has the labels 0–23.

    Raises:
        InputError: not a dataset, or fewer than two images.
        AslkitError: the dataset is damaged.
    """
    images = _load_images(path, renumbered)
    count = len(images.labels)
    if count < 2:
        raise InputError(f"An audit needs at least two images; {path} has {count}.")
    own = None
    if (images.splits == _TEST).any() and (images.splits != _TEST).any():
        own = measure_leakage(images, images.splits == _TEST, distance=distance, title="Comparing splits")
    test = np.zeros(count, bool)
    test[np.random.default_rng(seed).permutation(count)[: max(1, round(_TEST_SHARE * count))]] = True
    random = measure_leakage(images, test, distance=distance, title="Comparing a random split")
    return AuditResult(own=own, random=random, unreadable=images.unreadable)


def measure_leakage(images: ComparedImages, test: npt.NDArray[np.bool_], *, distance: int, title: str) -> Leakage:
    """Find the most similar train image of each test image. The search is exact: all pairs are compared.

    Args:
        images: n images.
        test: bool (n,), test images; all others are train images.
        distance: maximum Hamming distance of near-duplicates, of 64 bits.
        title: title of the progress bar.
    """
    train, rows = np.flatnonzero(~test), np.flatnonzero(test)
    train_thumbnails = np.ascontiguousarray(images.thumbnails[train].T)
    hashes = to_plus_minus_one(hash_bytes(images.hashes))
    train_hashes = hashes[train]
    correlation, nearest = np.empty(len(rows), np.float32), np.empty(len(rows), np.int64)
    bits, nearest_by_hash = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    with progress_bar(title, len(rows)) as advance:
        for start in range(0, len(rows), _ROWS_PER_BLOCK):
            block = slice(start, start + _ROWS_PER_BLOCK)
            part = rows[block]
            correlations = images.thumbnails[part] @ train_thumbnails
            distances = hamming_matrix(hashes[part], train_hashes)
            nearest[block], nearest_by_hash[block] = correlations.argmax(axis=1), distances.argmin(axis=1)
            correlation[block] = correlations[np.arange(len(part)), nearest[block]]
            bits[block] = distances[np.arange(len(part)), nearest_by_hash[block]]
            advance(len(part))
    labels = images.labels
    return Leakage(
        test=len(rows),
        train=len(train),
        copies=float((correlation >= MIN_CORRELATION).mean()),
        hash_copies=float((bits <= distance).mean()),
        correlation=float(np.median(correlation)),
        remembered=float((labels[train[nearest]] == labels[rows]).mean()),
        hash_remembered=float((labels[train[nearest_by_hash]] == labels[rows]).mean()),
    )


def _load_images(path: Path, renumbered: bool) -> ComparedImages:
    if (path / "data").is_dir():
        return _collect(_iter_dataset(path), parquet_store.count_rows(path))
    if read_csv.is_sign_mnist(path):
        splits = read_csv.read_sign_mnist(path, renumbered=renumbered)
        return _collect(_iter_sign_mnist(splits), sum(len(split.labels) for split in splits.values()))
    files = list(_list_files(path))
    if not files:
        raise InputError(
            f"{path} is not a dataset that can be audited. Specify the name or folder of a dataset, Sign Language "
            "MNIST, or a folder with the folders A, B, … or train/A, …, test/A, …"
        )
    return _collect(_iter_files(files), len(files))


_Item = tuple[Frame | None, int, str, str]
"""An image (None if it cannot be decoded), the index of its letter, its split, and its path. For an image that cannot
be decoded, the path is followed by a null character and the reason."""


def _collect(items: Iterator[_Item], total: int) -> ComparedImages:
    thumbnails, hashes, labels, splits, unreadable = [], [], [], [], []
    with progress_bar("Reading images", total) as advance:
        for frame, label, split, location in items:
            advance()
            if frame is None:
                path, _, reason = location.partition("\0")
                unreadable.append((path, reason))
                continue
            thumbnails.append(normalize_thumbnail(downscale_gray(to_gray(frame))))
            hashes.append(perceptual_hash(frame))
            labels.append(label)
            splits.append(split)
    return ComparedImages(
        thumbnails=np.array(thumbnails, np.float32).reshape(-1, DOWNSCALED_SIDE**2),
        hashes=np.array(hashes, np.uint64),
        labels=np.array(labels, np.int64),
        splits=np.array(splits, np.str_),
        unreadable=tuple(unreadable),
    )


def normalize_thumbnail(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert the result of `downscale_gray` to a row of `ComparedImages.thumbnails`."""
    values = thumbnail.astype(np.float32) - np.float32(thumbnail.mean())
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)


def _iter_dataset(folder: Path) -> Iterator[_Item]:
    for path in parquet_store.list_files(folder):
        split = path.name.split("-")[0]
        for table in parquet_store.iter_file_row_groups(path, ["image", "label"]):
            for image, label in zip(table.column("image"), table.column("label"), strict=True):
                if image["bytes"].as_py() is None or label.as_py() is None:
                    raise InputError(
                        f"{path.name} has rows without an image or letter, but an audit compares images. Was the "
                        "dataset pushed with --landmarks-only?"
                    )
                yield _decode(image["bytes"].as_py(), label.as_py(), split, str(image["path"]))


def _iter_sign_mnist(splits: dict[str, read_csv.SignMnistImages]) -> Iterator[_Item]:
    for split, images in splits.items():
        for pixels, label in zip(images.pixels, images.labels, strict=True):
            yield np.repeat(pixels[..., None], 3, axis=2), int(label), split, ""


def _list_files(folder: Path) -> Iterator[tuple[Path, int, str]]:
    """Yield path, label and split of the images in FOLDER/LETTER or FOLDER/SPLIT/LETTER."""
    for subfolder in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        if (label := INDEX.get(subfolder.name.upper())) is not None:
            yield from ((path, label, "") for path in _list_images(subfolder))
        elif (split := _parse_split(subfolder.name)) is not None:
            for letter in sorted(path for path in subfolder.iterdir() if path.is_dir()):
                if (label := INDEX.get(letter.name.upper())) is not None:
                    yield from ((path, label, split) for path in _list_images(letter))


def _parse_split(name: str) -> str | None:
    return next((split for split in (_TRAIN, "valid", _TEST) if name.lower().startswith(split)), None)


def _list_images(folder: Path) -> list[Path]:
    paths = (path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != ".")
    return sorted((path for path in paths if path.is_file()), key=lambda path: natural_key(path.name))


def _iter_files(files: Sequence[tuple[Path, int, str]]) -> Iterator[_Item]:
    for path, label, split in files:
        yield _decode(read_image_file(path), label, split, str(path))


def _decode(data: bytes, label: int, split: str, path: str) -> _Item:
    try:
        return decode_image(data), label, split, path
    except ImageError as error:
        return None, label, split, f"{path}\0{error.message}"
