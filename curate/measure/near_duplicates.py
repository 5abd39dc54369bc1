"""Group the near-duplicates among the frames of each signer and letter."""

from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.config import NearDuplicateLimits
from aslkit.vision.near_duplicate import hands_within
from aslkit.vision.perceptual_hash import hamming_matrix, to_plus_minus_one

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_ROWS_PER_BLOCK: Final = 64
"""Frames compared with all others of their part at once. Limits memory to some tens of megabytes."""


@dataclass(frozen=True, kw_only=True)
class GroupFeatures:
    """Features by which n frames are compared.

    Attributes:
        phash: uint8 (n, 8), 64-bit perceptual hash of the frame.
        hands: float32 (n, 21, 2), joints in pixels; NaN without a hand.
    """

    phash: Bytes
    hands: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        """Validate the shapes. Hashes of a wrong length could be compared without an error."""
        count = len(self.phash)
        expected = ((count, 8), (count, 21, 2))
        shapes = tuple(getattr(self, field.name).shape for field in fields(self))
        if shapes != expected:
            raise ValueError(f"Features must have the shapes {expected}. Received: {shapes}.")

    def select(self, rows: npt.NDArray[Any]) -> "GroupFeatures":
        """Return the features of some frames, given by index or mask."""
        return GroupFeatures(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def group_near_duplicates(features: GroupFeatures, part: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
    """Return the group number of each frame, int64 (n,).

    Two frames are near-duplicates if their perceptual hashes are within `distance` and their hands within
    `hand_distance`; if neither frame has a hand, the hashes decide. Modified copies of a photo are found by
    `find_copies`.

    A group is a connected component of such pairs (single linkage), so that near-duplicates are never in different
    groups and hence never in different splits. All pairs within a part are compared; none is missed.

    Args:
        features: features of n frames.
        part: integers or strings (n,), signer and letter; only frames of the same part are compared.
        limits: maximum distances.

    Returns:
        int64 (n,), groups numbered from 0 in the order of their first frames.
    """
    _, part_index = np.unique(part, return_inverse=True)
    order = np.argsort(part_index, kind="stable")
    first = np.zeros(len(part), np.int64)
    for rows in np.split(order, np.flatnonzero(np.diff(part_index[order])) + 1):
        first[rows] = rows[connected_components(features.select(rows), limits)]
    return number_groups(first)


def number_groups(first: Integers) -> Integers:
    """Number groups from 0, int64 (n,), given the index of the first frame of each frame's group."""
    return np.asarray(np.unique(first, return_inverse=True)[1], np.int64)


def connected_components(features: GroupFeatures, limits: NearDuplicateLimits) -> Integers:
    """Return the index of the first frame of each frame's group, int64 (n,), for the frames of one part."""
    group = np.arange(len(features.phash))
    hashes, hands = to_plus_minus_one(features.phash), features.hands
    for start in range(0, len(group), _ROWS_PER_BLOCK):
        rows = slice(start, min(start + _ROWS_PER_BLOCK, len(group)))
        near = hamming_matrix(hashes[rows], hashes[start:]) <= limits.distance
        not_joined = group[rows, None] != group[None, start:]
        pairs = np.argwhere(np.triu(near & not_joined, k=1)) + start
        same = hands_within(hands[pairs[:, 0]], hands[pairs[:, 1]], limits.hand_distance)
        group = merge_groups(group, pairs[same])
    return group


def merge_groups(group: Integers, pairs: Integers) -> Integers:
    """Merge the groups of each pair of frames, int64 (m, 2), and return the first frame of each frame's group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(pairs):
        return group
    size = len(group)
    graph = coo_array((np.ones(len(pairs), bool), tuple(group[pairs].T)), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    first = np.full(size, size)
    np.minimum.at(first, label, np.arange(size))
    return np.asarray(first[label][group], np.int64)
