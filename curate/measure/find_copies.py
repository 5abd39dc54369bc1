"""Find augmented copies of the same photo among many images.

Comparing all pairs with `photo_copies.is_copy` would take too long, so the most similar images are found first: each
feature is a few visual words, and images are compared by their words (Sivic and Zisserman, "Video Google", ICCV 2003).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.measure.photo_copies import ComparedPhoto, LocalFeatures, is_copy

_TABLES, _BITS = 4, 12
"""Each feature is _TABLES words; a word is the value of _BITS fixed, randomly chosen bits of its descriptor. Among the
three most similar images, 99.6 % of 2,788 images have a copy of the same photo."""

_CANDIDATES: Final = 3
"""Number of most similar images that an image is compared with."""

_ROWS_PER_BLOCK: Final = 256
"""Images compared with all others by their words at once, to limit memory."""

_COPY_SUFFIX: Final = re.compile(
    r"""
    (?P<stem>.+?)
    (?: \.rf\.[0-9a-zA-Z]{8,}                       # Roboflow: hello_jpg.rf.1f3a….jpg
      | [ _-]+ (?:aug|augmented|copy|kopie|copie|copia) (?:[ _-]*\(?\d+\)?)?  # hello_aug3, hello - Copy (2)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)

_NUMBERED: Final = re.compile(r"(?P<stem>.+?) ?\(\d+\)")
"""hello (1) is a copy of hello, if that exists. Without it, numbers in parentheses can count different photos."""


def family_names(stems: Sequence[str]) -> list[str]:
    """Return the name of the photo that each file is a copy of, by the names that programs give to copies.

    Args:
        stems: names of files in one folder, without suffix.

    Returns:
        The same name for all copies of a photo, such as "hello" for hello_aug3 and "hello - Copy"; the stem itself if
        it is not named like a copy.
    """
    existing = set(stems)

    def family(stem: str) -> str:
        if match := _COPY_SUFFIX.fullmatch(stem):
            return family(match["stem"])
        numbered = _NUMBERED.fullmatch(stem)
        return family(numbered["stem"]) if numbered and numbered["stem"] in existing else stem

    return [family(stem) for stem in stems]


def find_copies(
    photos: Sequence[ComparedPhoto], group: npt.NDArray[np.int64], query: npt.NDArray[np.bool_] | None = None
) -> Iterator[tuple[int, int]]:
    """Yield pairs of images that are copies of one photo.

    Args:
        photos: n images.
        group: int64 (n,), images known to be near-duplicates; pairs in one group are not compared.
        query: bool (n,), images for which copies are searched among the others, such as test images among train
            images; None for all among all.
    """
    seen: set[tuple[int, int]] = set()
    for row, candidate, mirrored in _find_candidates(photos, group, query):
        pair = (min(row, candidate), max(row, candidate))
        if pair in seen:
            continue
        seen.add(pair)
        other = photos[candidate].mirror() if mirrored else photos[candidate]
        if is_copy(photos[row], other):
            yield pair


def _find_candidates(
    photos: Sequence[ComparedPhoto], group: npt.NDArray[np.int64], query: npt.NDArray[np.bool_] | None
) -> Iterator[tuple[int, int, bool]]:
    """Yield an image, one of the most similar ones, and whether that one is mirrored."""
    plain = _count_words([photo.features for photo in photos])
    mirrored = _count_words([photo.mirrored_features for photo in photos])
    # Words of few images say more (inverse document frequency).
    frequency = np.asarray(plain.sum(axis=0)).ravel() + np.asarray(mirrored.sum(axis=0)).ravel()
    weights = np.log((2 * len(photos) + 1) / (frequency + 1)).astype(np.float32)
    plain, mirrored = _normalize(plain, weights), _normalize(mirrored, weights)
    rows = np.arange(len(photos)) if query is None else np.flatnonzero(query)
    for start in range(0, len(rows), _ROWS_PER_BLOCK):
        block = rows[start : start + _ROWS_PER_BLOCK]
        similar = np.stack([(plain[block] @ words.T).toarray() for words in (plain, mirrored)])
        best = similar.max(axis=0)
        best[group[block, None] == group[None]] = -1
        if query is not None:
            best[:, query] = -1
        count = min(_CANDIDATES, best.shape[1])
        nearest = np.argpartition(-best, count - 1, axis=1)[:, :count]
        for index, row in enumerate(block):
            for candidate in nearest[index]:
                if best[index, candidate] > 0:
                    flip = similar[1, index, candidate] > similar[0, index, candidate]
                    yield int(row), int(candidate), bool(flip)


def _count_words(features: Sequence[LocalFeatures]) -> Any:
    """Return which words each image has, sparse float32 (n, words)."""
    from scipy.sparse import csr_array

    generator = np.random.default_rng(0)
    bits = np.stack([generator.choice(256, _BITS, replace=False) for _ in range(_TABLES)])
    offsets, values = np.arange(_TABLES) << _BITS, 1 << np.arange(_BITS)
    words = []
    for each in features:
        chosen = np.unpackbits(each.descriptors, axis=1)[:, bits]  # (features, tables, bits)
        words.append(np.unique(chosen @ values + offsets))
    ends = np.cumsum([0, *map(len, words)])
    ones = np.ones(ends[-1], np.float32)
    return csr_array((ones, np.concatenate(words), ends), shape=(len(features), _TABLES << _BITS))


def _normalize(words: Any, weights: npt.NDArray[np.float32]) -> Any:
    """Weight the words, and scale each row to length 1, so that a product of rows is their similarity, 0–1."""
    from scipy.sparse import diags_array

    weighted = words @ diags_array(weights)
    length = np.sqrt(np.asarray((weighted**2).sum(axis=1)).ravel())
    return (diags_array(1 / np.maximum(length, 1e-9)) @ weighted).tocsr()
