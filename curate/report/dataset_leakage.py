"""How much of a dataset's test can be remembered, and beside it the same under a random split, for its report."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.report.leakage import ComparedImages, Leakage, measure_leakage, normalize_thumbnail
from aslkit.datasets.split import random_split

MOST_TESTED: Final = 3000
"""Of more test images, so many are drawn: 13,750 images are then compared in some ten seconds on two cores."""

MOST: Final = 50_000
"""Of more images nothing is measured here, since all are compared at once: it would take a gigabyte of memory."""

_TEST_SHARE: Final = 0.2

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class DatasetLeakage:
    """Of one dataset.

    Attributes:
        own: under its own split.
        random: under a random split of all its images.
        tested: how many images the dataset's test holds; `own.test` of them were looked at.
    """

    own: Leakage
    random: Leakage
    tested: int


def measure_dataset_leakage(
    smalls: npt.NDArray[np.uint8],
    hashes: npt.NDArray[np.uint64],
    labels: npt.NDArray[np.int64],
    test: Mask,
    *,
    distance: int,
    seed: int,
) -> DatasetLeakage | None:
    """Measure as `curate.audit.audit` does, but of a large test only a part.

    Args:
        smalls: uint8 (n, 784), the images as `fingerprint.small` makes them.
        hashes: uint64 (n,), perceptual.
        labels: int64 (n,), index of the letter.
        test: bool (n,), which are tested on.
        distance: bits of 64 up to which a picture counts as a copy.
        seed: of the random split, and of what is drawn.

    Returns:
        None where there is nothing to compare, or too much.
    """
    drawn = random_split(labels, share=_TEST_SHARE, seed=seed)
    if len(smalls) > MOST or not all(0 < chosen.sum() < len(smalls) for chosen in (test, drawn)):
        return None
    pictures = ComparedImages(
        thumbnails=np.stack([normalize_thumbnail(each) for each in smalls]),
        hashes=hashes,
        labels=labels,
        splits=np.where(test, "test", "train").astype(np.str_),
    )
    own, random = (
        measure_leakage(*_part(pictures, chosen, seed), distance=distance, title=title)
        for chosen, title in ((test, "Own split"), (drawn, "Random split"))
    )
    return DatasetLeakage(own=own, random=random, tested=int(test.sum()))


def _part(pictures: ComparedImages, test: Mask, seed: int) -> tuple[ComparedImages, Mask]:
    """All that is trained on, and at most MOST_TESTED of the others."""
    rows = np.flatnonzero(test)
    if len(rows) <= MOST_TESTED:
        return pictures, test
    chosen = ~test
    chosen[np.random.default_rng(seed).choice(rows, MOST_TESTED, replace=False)] = True
    part = ComparedImages(
        thumbnails=pictures.thumbnails[chosen],
        hashes=pictures.hashes[chosen],
        labels=pictures.labels[chosen],
        splits=pictures.splits[chosen],
    )
    return part, test[chosen]
