"""Sign Language MNIST as the benchmark needs it: pixels, letters, and which images are of one original photograph.

Its images are some 1,700 photographs, each varied about twenty times. A validation drawn at random has a sister of each
of its images in train, and reads 1.000 whatever the model is worth. So images of one photograph stay together.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.datasets import image_loader, parquet_store
from aslkit.datasets.sign_mnist.fetch import SPLIT_BY
from aslkit.datasets.split import random_split

SAME_PHOTOGRAPH: Final = 0.95
"""Correlation of two images of a letter from which on they are of one photograph. From 0.93 to 0.97 train falls into
1,065 to 1,229 photographs, each of about 21 images: the limit hardly matters."""

_AT_ONCE: Final = 4096


@dataclass(frozen=True, kw_only=True)
class BenchmarkImages:
    """n images.

    Attributes:
        pixels: uint8 (n, 28, 28), grey.
        label: int64 (n,), index of the letter.
        photograph: int64 (n,), equal where two images are of one original.
        split: str (n,), "train", "validation" or "test".
    """

    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int64]
    photograph: npt.NDArray[np.int64]
    split: npt.NDArray[np.str_]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.label)

    def part(self, *names: str) -> npt.NDArray[np.int64]:
        """Rows of these splits, in order."""
        return np.flatnonzero(np.isin(self.split, names))


def is_official(folder: Path) -> bool:
    """Whether a dataset keeps a published split, of which nobody knows who is on which side.

    Raises:
        InputError, AslkitError: no dataset there, or damaged.
    """
    summary: Any = parquet_store.read_facts(folder).get("summary")
    return isinstance(summary, dict) and summary.get("split_by") == SPLIT_BY


def load_images(folder: Path, *, validation_share: float, seed: int) -> BenchmarkImages:
    """Read the images; validation is taken from train by whole photographs, letters in balance. The test stays.

    Args:
        folder: of a dataset with an official split.
        validation_share: of train, 0–1.
        seed: of the choice.

    Raises:
        InputError, AslkitError: no dataset there, damaged, without a train or a test, or of other images.
    """
    parts = {split: _read(folder, split) for split in ("train", "test")}
    sizes = [len(label) for _, label in parts.values()]
    if min(sizes) < len(LETTERS):
        raise AslkitError(f"{folder} has {sizes[0]} images to train on and {sizes[1]} to test. Fetch it again, whole.")
    pixels = np.concatenate([parts["train"][0], parts["test"][0]])
    label = np.concatenate([parts["train"][1], parts["test"][1]])
    photograph = np.concatenate([find_photographs(*parts["train"]), np.full(sizes[1], -1)])
    names = np.repeat(np.array(["train", "test"], dtype="<U10"), sizes)
    images = BenchmarkImages(pixels=pixels, label=label, photograph=photograph, split=names)
    train = images.part("train")
    names[train[_held(label[train], photograph[train], validation_share, seed)]] = "validation"
    return images


def split_randomly(
    images: BenchmarkImages, *, test_share: float, validation_share: float, seed: int
) -> BenchmarkImages:
    """The reference study's own protocol: train and test thrown together and split at random. It leaks."""
    names = np.full(len(images), "train", dtype="<U10")
    test = random_split(images.label, share=test_share, seed=seed)
    names[test] = "test"
    rest = np.flatnonzero(~test)
    names[rest[random_split(images.label[rest], share=validation_share, seed=seed + 1)]] = "validation"
    return replace(images, split=names)


def find_photographs(pixels: npt.NDArray[np.uint8], label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Find which images are of one photograph: the connected ones, of one letter, by correlation.

    Args:
        pixels: uint8 (n, side, side).
        label: int64 (n,).

    Returns:
        int64 (n,), numbers from 0.
    """
    from scipy.sparse.csgraph import connected_components

    found, count = np.zeros(len(label), np.int64), 0
    for letter in np.unique(label):
        rows = np.flatnonzero(label == letter)
        flat = pixels[rows].reshape(len(rows), -1).astype(np.float32)
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
        number, part = connected_components(flat @ flat.T >= SAME_PHOTOGRAPH, directed=False)
        found[rows] = count + part
        count += number
    return found


def _held(
    label: npt.NDArray[np.int64], photograph: npt.NDArray[np.int64], share: float, seed: int
) -> npt.NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(max(2, round(1 / share)), shuffle=True, random_state=seed)
    _, held = next(folds.split(np.zeros(len(label)), label, photograph))
    return np.asarray(held, np.int64)


def _read(folder: Path, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    pixels, labels = [], []
    for batch in image_loader.iter_batches(folder, batch_size=_AT_ONCE, split=split):
        shapes = {image.shape for image in batch.images}
        if shapes != {(28, 28, 3)}:
            raise AslkitError(f"{folder} has images of {sorted(shapes)[-1][:2]} pixels; the benchmark is of 28×28.")
        pixels.append(np.stack(batch.images)[..., 0])
        labels.append(batch.rows.column("label").to_numpy())
    return np.concatenate(pixels), np.concatenate(labels)
