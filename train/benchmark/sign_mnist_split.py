"""Sign Language MNIST for the benchmark: pixels, letters, and which images derive from the same photograph.

The dataset has about 1,700 photographs, each in about twenty augmented variants. With a random validation split, almost
every validation image has a variant of the same photograph in train, and the validation accuracy is 1.000 for any
model. Therefore all images of a photograph stay on one side of the split.
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
"""Correlation from which two images of a letter are taken to derive from one photograph. Thresholds from 0.93 to 0.97
yield 1,065 to 1,229 photographs in train, each of about 21 images, so the exact value hardly matters."""

_BATCH_SIZE: Final = 4096


@dataclass(frozen=True, kw_only=True)
class BenchmarkImages:
    """n images.

    Attributes:
        pixels: grayscale, uint8 (n, 28, 28).
        label: index of the letter, int64 (n,).
        photograph: number of the photograph that an image derives from, int64 (n,); -1 in the test split.
        split: "train", "validation" or "test", str (n,).
    """

    pixels: npt.NDArray[np.uint8]
    label: npt.NDArray[np.int64]
    photograph: npt.NDArray[np.int64]
    split: npt.NDArray[np.str_]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.label)

    def part(self, *names: str) -> npt.NDArray[np.int64]:
        """Return the rows of the given splits, in order."""
        return np.flatnonzero(np.isin(self.split, names))


def is_official(folder: Path) -> bool:
    """Return whether a dataset keeps the split that it was published with, without information about signers.

    Raises:
        InputError: no dataset found.
        AslkitError: the dataset is damaged.
    """
    summary: Any = parquet_store.read_facts(folder).get("summary")
    return isinstance(summary, dict) and summary.get("split_by") == SPLIT_BY


def load_images(folder: Path, *, validation_share: float, seed: int) -> BenchmarkImages:
    """Read the images and split validation images off train, by whole photographs and stratified by letter.

    The test split is not changed.

    Args:
        folder: folder of a dataset with its official split.
        validation_share: share of the train split to use for validation, 0–1.
        seed: random seed of the split.

    Raises:
        InputError: no dataset found.
        AslkitError: the dataset is damaged, has no train or test split, or its images are not 28×28.
    """
    parts = {split: _read_split(folder, split) for split in ("train", "test")}
    sizes = [len(label) for _, label in parts.values()]
    if min(sizes) < len(LETTERS):
        raise AslkitError(
            f"{folder} is incomplete: it has {sizes[0]} train and {sizes[1]} test images. Fetch the dataset again."
        )
    pixels = np.concatenate([parts["train"][0], parts["test"][0]])
    label = np.concatenate([parts["train"][1], parts["test"][1]])
    photograph = np.concatenate([find_photographs(*parts["train"]), np.full(sizes[1], -1)])
    names = np.repeat(np.array(["train", "test"], dtype="<U10"), sizes)
    images = BenchmarkImages(pixels=pixels, label=label, photograph=photograph, split=names)
    train = images.part("train")
    names[train[_choose_validation(label[train], photograph[train], validation_share, seed)]] = "validation"
    return images


def split_randomly(
    images: BenchmarkImages, *, test_share: float, validation_share: float, seed: int
) -> BenchmarkImages:
    """Merge train and test and split them at random, as the reference study did. The split has data leakage."""
    names = np.full(len(images), "train", dtype="<U10")
    test = random_split(images.label, share=test_share, seed=seed)
    names[test] = "test"
    rest = np.flatnonzero(~test)
    names[rest[random_split(images.label[rest], share=validation_share, seed=seed + 1)]] = "validation"
    return replace(images, split=names)


def find_photographs(pixels: npt.NDArray[np.uint8], label: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Group images of a letter by photograph: connected components of the graph of correlated images.

    Args:
        pixels: uint8 (n, side, side).
        label: index of the letter, int64 (n,).

    Returns:
        Number of the photograph, from 0, int64 (n,).
    """
    from scipy.sparse.csgraph import connected_components

    photograph, count = np.zeros(len(label), np.int64), 0
    for letter in np.unique(label):
        rows = np.flatnonzero(label == letter)
        flat = pixels[rows].reshape(len(rows), -1).astype(np.float32)
        # Centred vectors of length 1: their dot products are correlations, so all pairs are one matrix product.
        flat -= flat.mean(axis=1, keepdims=True)
        flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
        number, component = connected_components(flat @ flat.T >= SAME_PHOTOGRAPH, directed=False)
        photograph[rows] = count + component
        count += number
    return photograph


def _choose_validation(
    label: npt.NDArray[np.int64], photograph: npt.NDArray[np.int64], share: float, seed: int
) -> npt.NDArray[np.int64]:
    from sklearn.model_selection import StratifiedGroupKFold

    folds = StratifiedGroupKFold(max(2, round(1 / share)), shuffle=True, random_state=seed)
    _, validation = next(folds.split(np.zeros(len(label)), label, photograph))
    return np.asarray(validation, np.int64)


def _read_split(folder: Path, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    pixels, labels = [], []
    for batch in image_loader.iter_batches(folder, batch_size=_BATCH_SIZE, split=split):
        shapes = {image.shape for image in batch.images}
        if shapes != {(28, 28, 3)}:
            height, width = sorted(shapes)[-1][:2]
            raise AslkitError(f"{folder} has images of {height}×{width} pixels; the benchmark needs 28×28.")
        pixels.append(np.stack(batch.images)[..., 0])
        labels.append(batch.rows.column("label").to_numpy())
    return np.concatenate(pixels), np.concatenate(labels)
