"""Finding near-duplicates: frames of one signer and letter whose perceptual hashes differ in few bits."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_ROWS: Final = 512
"""Hashes compared with all others at once: bounds the memory to some megabytes."""

_BITS: Final = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


def near_duplicates(phash: npt.NDArray[np.uint64], within: npt.NDArray[Any], *, distance: int) -> Integers:
    """Give every frame the number of its group of near-duplicates.

    Frames are in one group when a chain of pairs, each at most `distance` bits apart, joins them (single linkage):
    whatever is alike stays together, which is what a split needs.

    Args:
        phash: uint64 (n,).
        within: integers or strings (n,); frames are only compared where these are equal: signer and letter.
        distance: bits of 64.

    Returns:
        int64 (n,): groups are numbered from 0 in the order of their first frames.
    """
    parent = np.arange(len(phash))
    _, part = np.unique(within, return_inverse=True)
    order = np.argsort(part, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        for left, right in _pairs(phash[rows], distance):
            _join(parent, rows[left], rows[right])
    roots = np.array([_root(parent, i) for i in range(len(parent))], np.int64)
    _, first, group = np.unique(roots, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[group].astype(np.int64)


def hamming(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """Bits in which hashes differ, 0–64, elementwise with broadcasting."""
    differing = np.bitwise_xor(left, right)[..., None].view(np.uint16)
    bits: npt.NDArray[np.uint8] = _BITS[differing].sum(axis=-1, dtype=np.uint8)
    return bits


def _pairs(phash: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.int64]:
    found = []
    for start in range(0, len(phash), _ROWS):
        near = hamming(phash[start : start + _ROWS, None], phash[None, start:]) <= distance
        found.append(np.argwhere(np.triu(near, k=1)) + start)
    return np.concatenate(found)


def _root(parent: Integers, node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = int(parent[node])
    return node


def _join(parent: Integers, left: int, right: int) -> None:
    a, b = _root(parent, left), _root(parent, right)
    parent[max(a, b)] = min(a, b)
