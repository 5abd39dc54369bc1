"""Finding near-duplicates among the frames of one signer and letter, and the groups that they make."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.likeness import hamming, hands_near

Integers = npt.NDArray[np.int64]

_ROWS: Final = 64
"""Frames compared with all others of their part at once: bounds the memory to some tens of megabytes."""


def near_duplicates(
    phash: npt.NDArray[np.uint64],
    hands: npt.NDArray[np.float32],
    within: npt.NDArray[Any],
    *,
    distance: int,
    hand_distance: float,
) -> Integers:
    """Give every frame the number of its group of near-duplicates.

    Two frames are near-duplicates when their hashes are at most `distance` bits apart and their hands' joints lie, on
    average, at most `hand_distance` apart; where neither has a hand, the hashes decide. Frames are in one group when a
    chain of such pairs joins them (single linkage): whatever is alike stays together, which is what a split needs.

    Args:
        phash: uint64 (n,).
        hands: float32 (n, 21, 2), joints in pixels; NaN where no hand was found.
        within: integers or strings (n,); frames are only compared where these are equal: signer and letter.
        distance: bits of 64.
        hand_distance: in lengths of the smaller palm (wrist to middle knuckle).

    Returns:
        int64 (n,): groups are numbered from 0 in the order of their first frames.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(phash)
    _, part = np.unique(within, return_inverse=True)
    order = np.argsort(part, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(part[order])) + 1)
    left, right = np.concatenate(
        [rows[pairs] for rows in parts for pairs in _pairs(phash[rows], hands[rows], distance, hand_distance)]
    ).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    _, group = connected_components(graph, directed=False)
    _, first, group = np.unique(group, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[group], np.int64)


def _pairs(
    phash: npt.NDArray[np.uint64], hands: npt.NDArray[np.float32], distance: int, hand_distance: float
) -> Iterator[Integers]:
    """Yield near-duplicate pairs, int64 (n, 2)."""
    for start in range(0, len(phash), _ROWS):
        alike = hamming(phash[start : start + _ROWS, None], phash[None, start:]) <= distance
        pairs = np.argwhere(np.triu(alike, k=1)) + start
        yield pairs[hands_near(hands[pairs[:, 0]], hands[pairs[:, 1]], hand_distance)]
