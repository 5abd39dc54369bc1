"""Data leakage of a curated dataset, under its own split and under a random one, for the report."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.report.leakage import ComparedImages, Leakage, measure_leakage, normalize_thumbnail
from aslkit.datasets.split import random_split

MAX_TEST_IMAGES: Final = 3000
"""Maximum number of test images to compare; of a larger test split, a sample is compared. With 13,750 images this takes
some ten seconds on two cores."""

MAX_IMAGES: Final = 50_000
"""Maximum size of a dataset whose leakage is measured here. All images are in memory at once, about a gigabyte."""

_TEST_SHARE: Final = 0.2
"""Share of test images in the random split."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class DatasetLeakage:
    """Data leakage of a dataset.

    Attributes:
        own: under its own split.
        random: under a random split of all its images.
        tested: number of images in its test split, of which `own.test` were compared.
    """

    own: Leakage
    random: Leakage
    tested: int


def measure_dataset_leakage(
    thumbnails: npt.NDArray[np.uint8],
    hashes: npt.NDArray[np.uint64],
    labels: npt.NDArray[np.int64],
    test: Mask,
    *,
    distance: int,
    seed: int,
) -> DatasetLeakage | None:
    """Measure leakage as `leakage.audit_dataset` does, on a sample of the test split if it is large.

    Args:
        thumbnails: uint8 (n, 784), images downscaled by `downscale_gray`.
        hashes: uint64 (n,), perceptual hashes.
        labels: int64 (n,), index of the letter.
        test: bool (n,), test images.
        distance: maximum Hamming distance of near-duplicates, of 64 bits.
        seed: seed of the random split and of the sample.

    Returns:
        None if there are no train or test images, or more than MAX_IMAGES.
    """
    random_test = random_split(labels, share=_TEST_SHARE, seed=seed)
    if len(thumbnails) > MAX_IMAGES or not all(0 < mask.sum() < len(thumbnails) for mask in (test, random_test)):
        return None
    images = ComparedImages(
        thumbnails=np.stack([normalize_thumbnail(thumbnail) for thumbnail in thumbnails]),
        hashes=hashes,
        labels=labels,
        splits=np.where(test, "test", "train").astype(np.str_),
    )
    own, random = (
        measure_leakage(*_sample_test(images, mask, seed), distance=distance, title=title)
        for mask, title in ((test, "Comparing splits"), (random_test, "Comparing a random split"))
    )
    return DatasetLeakage(own=own, random=random, tested=int(test.sum()))


def _sample_test(images: ComparedImages, test: Mask, seed: int) -> tuple[ComparedImages, Mask]:
    """Return all train images and at most MAX_TEST_IMAGES test images, and which of them are test images."""
    rows = np.flatnonzero(test)
    if len(rows) <= MAX_TEST_IMAGES:
        return images, test
    chosen = ~test
    chosen[np.random.default_rng(seed).choice(rows, MAX_TEST_IMAGES, replace=False)] = True
    sample = ComparedImages(
        thumbnails=images.thumbnails[chosen],
        hashes=images.hashes[chosen],
        labels=images.labels[chosen],
        splits=images.splits[chosen],
    )
    return sample, test[chosen]
