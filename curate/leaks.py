"""How much of a dataset's test can be remembered, and beside it the same under a random split, for its report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.curate.audit import SIDE, Leak, Pictures, leak, thumb
from aslkit.datasets.split import random_split
from aslkit.images import decode, read_file
from aslkit.native import native_log_silenced
from aslkit.progress import bar

MOST_TESTED: Final = 3000
"""Of more test images, so many are drawn: 13,750 images are then compared in some ten seconds on two cores."""

MOST: Final = 50_000
"""Of more images nothing is measured here, since all are compared at once: it would take a gigabyte of memory."""

_TEST_SHARE: Final = 0.2

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Leaks:
    """Of one dataset.

    Attributes:
        own: under its own split.
        random: under a random split of all its images.
        tested: how many images the dataset's test holds; `own.test` of them were looked at.
    """

    own: Leak
    random: Leak
    tested: int


def leaks(
    files: Sequence[Path],
    hashes: npt.NDArray[np.uint64],
    labels: npt.NDArray[np.int64],
    test: Mask,
    *,
    distance: int,
    seed: int,
) -> Leaks | None:
    """Measure as `curate.audit.audit` does, but of a large test only a part.

    Args:
        files: the images, all of which can be decoded, n of them.
        hashes: uint64 (n,), perceptual.
        labels: int64 (n,), index of the letter.
        test: bool (n,), which are tested on.
        distance: bits of 64 up to which a picture counts as a copy.
        seed: of the random split, and of what is drawn.

    Returns:
        None where there is nothing to compare, or too much.
    """
    drawn = random_split(labels, share=_TEST_SHARE, seed=seed)
    if len(files) > MOST or not all(0 < chosen.sum() < len(files) for chosen in (test, drawn)):
        return None
    pictures = Pictures(
        thumbs=_thumbs(files), hashes=hashes, labels=labels, splits=np.where(test, "test", "train").astype(np.str_)
    )
    own, random = (
        leak(*_part(pictures, chosen, seed), distance=distance, title=title)
        for chosen, title in ((test, "Own split"), (drawn, "Random split"))
    )
    return Leaks(own=own, random=random, tested=int(test.sum()))


def _part(pictures: Pictures, test: Mask, seed: int) -> tuple[Pictures, Mask]:
    """All that is trained on, and at most MOST_TESTED of the others."""
    rows = np.flatnonzero(test)
    if len(rows) <= MOST_TESTED:
        return pictures, test
    chosen = ~test
    chosen[np.random.default_rng(seed).choice(rows, MOST_TESTED, replace=False)] = True
    part = Pictures(
        thumbs=pictures.thumbs[chosen],
        hashes=pictures.hashes[chosen],
        labels=pictures.labels[chosen],
        splits=pictures.splits[chosen],
    )
    return part, test[chosen]


def _thumbs(files: Sequence[Path]) -> npt.NDArray[np.float32]:
    thumbs = np.empty((len(files), SIDE * SIDE), np.float32)
    with bar("Comparing images", len(files)) as advance:
        for index, path in enumerate(files):
            thumbs[index] = thumb(_grey(read_file(path)))
            advance()
    return thumbs


def _grey(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode straight to grey: a sixth of the time, and the thumbs correlate with those in colour to 0.99999."""
    with native_log_silenced():  # its decoders complain to the terminal of what is known to be so
        grey: Any = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:  # what only Pillow reads
        grey = cv2.cvtColor(decode(data), cv2.COLOR_BGR2GRAY)
    return np.asarray(grey, np.uint8)
