"""A small stand-in for Sign Language MNIST: drawn letters, several photographs of each, each photograph varied."""

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.train.benchmark.image_descriptors import augment_images

RECIPE = """
[benchmark]
seeds = [0]
validation_share = 0.25
random_split = false
random_test_share = 0.2
[models.small]
architecture = "cnn"
"""
"""Of one small network; how many epochs is left to whoever trains it."""

PHOTOGRAPHS = 4
VARIED = 4


def photographs(rng: np.random.Generator) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pixels, uint8 (n, 28, 28), labels and numbers of photographs, int64 (n,)."""
    pixels, labels = [], []
    for label, letter in enumerate(LETTERS):
        for _ in range(PHOTOGRAPHS):
            ground = cv2.resize(rng.integers(0, 200, (4, 4)).astype(np.uint8), (28, 28), interpolation=cv2.INTER_CUBIC)
            at = (int(rng.integers(2, 8)), int(rng.integers(20, 27)))
            drawn = cv2.putText(ground, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2).astype(np.uint8)
            copies = augment_images(
                np.repeat(drawn[None], VARIED, axis=0), rng, turn_deg=1, scale=0.005, shift=0.003, light=0.05
            )
            pixels.append(copies)
            labels.append(label)
    number = np.repeat(np.arange(len(labels)), VARIED)
    return np.concatenate(pixels), np.repeat(labels, VARIED), number


def write(folder: Path, scratch: Path) -> Path:
    """Write it as `aslkit dataset get` would, by way of CSV files; the test has photographs of its own."""
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        pixels, label, _ = photographs(rng)
        order = rng.permutation(len(label))
        published = label + (label >= LETTERS.index("K"))  # where J would be, there is a gap
        rows = np.column_stack([published, pixels.reshape(len(label), -1)])[order]
        header = ",".join(["label", *(f"pixel{number}" for number in range(1, 785))])
        scratch.mkdir(parents=True, exist_ok=True)
        np.savetxt(scratch / f"sign_mnist_{split}.csv", rows, fmt="%d", delimiter=",", header=header, comments="")
    fetch_sign_mnist(folder, source=scratch, partial=True)
    return folder
