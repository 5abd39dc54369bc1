"""Measure data leakage: for each test image, how similar is the most similar train image?

Works on any labelled images with a split. A random split of the same images is measured for comparison, because most
published results are based on one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.core.letters import INDEX
from aslkit.core.progress import progress_bar
from aslkit.curate.measure.find_copies import find_copies
from aslkit.curate.measure.photo_copies import ComparedPhoto, prepare_photo
from aslkit.datasets import parquet_store
from aslkit.datasets.sign_mnist import read_csv
from aslkit.formats.image_folders.read_folder import LabelledImage, read_image_folder
from aslkit.vision.images import (
    Frame,
    ImageError,
    decode_image,
    perceptual_hash,
    read_image_file,
    to_gray,
)
from aslkit.vision.near_duplicate import joints_in_pixels
from aslkit.vision.perceptual_hash import DOWNSCALED_SIDE, downscale_gray, hamming_matrix, hash_bytes, to_plus_minus_one

MIN_CORRELATION: Final = 0.97
"""Minimum correlation of near-duplicates. In Sign Language MNIST, the median is 0.9999 for augmented copies of the same
image, and 0.85 between the official test and train images."""

_ROWS_PER_BLOCK: Final = 256
"""Test images compared with all train images at once."""

_TEST_SHARE: Final = 0.2
_TEST: Final = "test"

MIN_PHOTO_SIDE: Final = 64
"""Minimum side in pixels of images in which augmented copies are searched. Smaller ones have too little detail."""

MAX_PHOTOS: Final = 50_000
"""Maximum number of images in which augmented copies are searched; they take 35 kB of memory each."""


@dataclass(frozen=True, kw_only=True)
class ComparedImages:
    """n images, downscaled so that all pairs can be compared.

    Attributes:
        thumbnails: float32 (n, 784), gray, each of mean 0 and norm 1, so that the dot product is the correlation.
        hashes: uint64 (n,), perceptual hashes.
        labels: int64 (n,), index of the letter.
        splits: str (n,), name of the split; empty for images without one.
        photos: n images to search for augmented copies; None if they are too small or too many.
        unreadable: path and reason of each file that cannot be decoded.
    """

    thumbnails: npt.NDArray[np.float32]
    hashes: npt.NDArray[np.uint64]
    labels: npt.NDArray[np.int64]
    splits: npt.NDArray[np.str_]
    photos: Sequence[ComparedPhoto] | None = None
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
        augmented_copies: share of test images of which train has a copy of the same letter, also if it was rotated,
            cropped, sheared or otherwise augmented, 0–1; None if these were not searched.
    """

    test: int
    train: int
    copies: float
    hash_copies: float
    correlation: float
    remembered: float
    hash_remembered: float
    augmented_copies: float | None = None


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
            with such folders named train, validation and test, or another layout that `aslkit import` knows.
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
        own = _audit_split(images, images.splits == _TEST, distance, "its own split")
    test = np.zeros(count, bool)
    test[np.random.default_rng(seed).permutation(count)[: max(1, round(_TEST_SHARE * count))]] = True
    random = _audit_split(images, test, distance, "a random split")
    return AuditResult(own=own, random=random, unreadable=images.unreadable)


def _audit_split(images: ComparedImages, test: npt.NDArray[np.bool_], distance: int, name: str) -> Leakage:
    leakage = measure_leakage(images, test, distance=distance, title=f"Comparing {name}")
    if images.photos is None:
        return leakage
    found = set()
    with progress_bar(f"Searching copies, {name}", len(images.labels)) as advance:
        for label in np.unique(images.labels):
            rows = np.flatnonzero(images.labels == label)
            photos = [images.photos[row] for row in rows]
            for pair in find_copies(photos, np.arange(len(rows)), test[rows]):
                found |= {int(rows[row]) for row in pair if test[rows[row]]}
            advance(len(rows))
    return replace(leakage, augmented_copies=len(found) / leakage.test)


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
        return _collect(_iter_dataset(path), parquet_store.read_dataset(path, ["clip"]).column("clip").null_count)
    if read_csv.is_sign_mnist(path):
        splits = read_csv.read_sign_mnist(path, renumbered=renumbered)
        return _collect(_iter_sign_mnist(splits), sum(len(split.labels) for split in splits.values()))
    folder = read_image_folder(path)
    images = [image for image in folder.images if image.letter in INDEX]
    skipped = tuple((str(each), reason) for each, reason in folder.skipped)
    compared = _collect(_iter_files(images), len(images))
    return replace(compared, unreadable=(*compared.unreadable, *skipped))


@dataclass(frozen=True, kw_only=True)
class _Item:
    """An image to compare.

    Attributes:
        frame: the image, or the reason why it cannot be decoded.
        label: index of the letter.
        split: name of the split; empty without one.
        path: of the image.
        landmarks: 63 numbers, relative to the frame; None if unknown.
    """

    frame: Frame | str
    label: int
    split: str
    path: str = ""
    landmarks: Sequence[float] | None = None


def _collect(items: Iterator[_Item], total: int) -> ComparedImages:
    thumbnails, hashes, labels, splits, unreadable = [], [], [], [], []
    photos: list[ComparedPhoto] | None = [] if total <= MAX_PHOTOS else None
    with progress_bar("Reading images", total) as advance:
        for item in items:
            advance()
            if isinstance(item.frame, str):
                unreadable.append((item.path, item.frame))
                continue
            gray = to_gray(item.frame)
            thumbnails.append(normalize_thumbnail(downscale_gray(gray)))
            hashes.append(perceptual_hash(item.frame))
            labels.append(item.label)
            splits.append(item.split)
            photos = None if photos is None or min(gray.shape) < MIN_PHOTO_SIDE else photos
            if photos is not None:
                photos.append(prepare_photo(gray, _find_joints(item, gray)))
    return ComparedImages(
        thumbnails=np.array(thumbnails, np.float32).reshape(-1, DOWNSCALED_SIDE**2),
        hashes=np.array(hashes, np.uint64),
        labels=np.array(labels, np.int64),
        splits=np.array(splits, np.str_),
        photos=photos,
        unreadable=tuple(unreadable),
    )


def _find_joints(item: _Item, gray: Frame) -> npt.NDArray[np.float32] | None:
    if item.landmarks is None:
        return None
    return joints_in_pixels(np.array(item.landmarks).reshape(21, 3), gray.shape[1], gray.shape[0])


def normalize_thumbnail(thumbnail: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Convert the result of `downscale_gray` to a row of `ComparedImages.thumbnails`."""
    values = thumbnail.astype(np.float32) - np.float32(thumbnail.mean())
    return np.asarray(values / max(float(np.linalg.norm(values)), 1e-6), np.float32)


def _iter_dataset(folder: Path) -> Iterator[_Item]:
    for path in parquet_store.list_files(folder):
        split = path.name.split("-")[0]
        for table in parquet_store.iter_file_row_groups(path, ["image", "label", "landmarks", "clip"]):
            stills = table.filter(table.column("clip").is_null())  # frames of a clip are similar, and in one split
            for image, label, landmarks, _ in zip(*stills.columns, strict=True):
                if image["bytes"].as_py() is None or label.as_py() is None:
                    raise InputError(
                        f"{path.name} has rows without an image or letter, but an audit compares images. Was the "
                        "dataset pushed with --landmarks-only?"
                    )
                yield _Item(
                    frame=_decode(image["bytes"].as_py()),
                    label=label.as_py(),
                    split=split,
                    path=str(image["path"]),
                    landmarks=landmarks.as_py(),
                )


def _iter_sign_mnist(splits: dict[str, read_csv.SignMnistImages]) -> Iterator[_Item]:
    for split, images in splits.items():
        for pixels, label in zip(images.pixels, images.labels, strict=True):
            yield _Item(frame=np.repeat(pixels[..., None], 3, axis=2), label=int(label), split=split)


def _iter_files(images: Sequence[LabelledImage]) -> Iterator[_Item]:
    for image in images:
        frame = _decode(read_image_file(image.path))
        yield _Item(frame=frame, label=INDEX[image.letter], split=image.split or "", path=str(image.path))


def _decode(data: bytes) -> Frame | str:
    try:
        return decode_image(data)
    except ImageError as error:
        return error.message
