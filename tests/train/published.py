"""A small substitute for Sign Language MNIST: images of drawn letters, in several variants each."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.train.data.augmentation import augment_images

RECIPE = """
[benchmark]
seeds = [0]
validation_share = 0.25
random_split = false
random_test_share = 0.2
[models.small]
architecture = "cnn"
"""
"""Recipe of one small network, without the number of epochs."""

PHOTOGRAPHS = 4
VARIANTS = 4


def draw_photographs(
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return pixels, uint8 (n, 28, 28), labels and numbers of the photographs, int64 (n,)."""
    pixels, labels = [], []
    for label, letter in enumerate(LETTERS):
        for _ in range(PHOTOGRAPHS):
            background = cv2.resize(
                rng.integers(0, 200, (4, 4)).astype(np.uint8), (28, 28), interpolation=cv2.INTER_CUBIC
            )
            position = (int(rng.integers(2, 8)), int(rng.integers(20, 27)))
            photograph = cv2.putText(background, letter, position, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2).astype(
                np.uint8
            )
            variants = augment_images(
                np.repeat(photograph[None], VARIANTS, axis=0), rng, turn_deg=1, scale=0.005, shift=0.003, light=0.05
            )
            pixels.append(variants)
            labels.append(label)
    number = np.repeat(np.arange(len(labels)), VARIANTS)
    return np.concatenate(pixels), np.repeat(labels, VARIANTS), number


def write(folder: Path, scratch: Path) -> Path:
    """Write the dataset through CSV files, as `aslkit dataset get` does. The test split has its own photographs."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        pixels, label, _ = draw_photographs(rng)
        order = rng.permutation(len(label))
        published = label + (label >= LETTERS.index("K"))  # the published labels have a gap at J
        rows = np.column_stack([published, pixels.reshape(len(label), -1)])[order]
        header = ",".join(["label", *(f"pixel{number}" for number in range(1, 785))])
        scratch.mkdir(parents=True, exist_ok=True)
        np.savetxt(scratch / f"sign_mnist_{split}.csv", rows, fmt="%d", delimiter=",", header=header, comments="")
    fetch_sign_mnist(folder, source=scratch, partial=True)
    return folder
