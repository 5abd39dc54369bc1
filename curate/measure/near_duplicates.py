"""Group the near-duplicates among the frames of each signer and letter."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.config import NearDuplicateLimits
from aslkit.vision.near_duplicate import hands_within
from aslkit.vision.perceptual_hash import FINE_BYTES, MIRRORED, hamming_matrix, to_plus_minus_one

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
        fine_hash: uint8 (n, FINE_BYTES), 256-bit hash of the frame.
        hands: float32 (n, 21, 2), joints in pixels; NaN without a hand.
    """

    phash: Bytes
    fine_hash: Bytes
    hands: npt.NDArray[np.float32]

    def __post_init__(self) -> None:
        """Validate the shapes. Hashes of a wrong length could be compared without an error."""
        count = len(self.phash)
        expected = ((count, 8), (count, FINE_BYTES), (count, 21, 2))
        shapes = tuple(getattr(self, field.name).shape for field in fields(self))
        if shapes != expected:
            raise ValueError(f"Features must have the shapes {expected}. Received: {shapes}.")

    def select(self, rows: npt.NDArray[Any]) -> "GroupFeatures":
        """Return the features of some frames, given by index or mask."""
        return GroupFeatures(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def group_near_duplicates(features: GroupFeatures, part: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
    """Return the group number of each frame, int64 (n,).

    Two frames are near-duplicates if one of these rules holds:
    - similar frames: perceptual hashes within `distance` and hands within `hand_distance`; if neither frame has a hand,
      the hashes decide;
    - the same image, re-encoded, scaled, brightened or mirrored: 256-bit hashes within `fine_distance`.
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
    for rule in (_same_image, _similar_frame):
        candidates, confirm = rule(features, limits)
        for start in range(0, len(group), _ROWS_PER_BLOCK):
            rows = slice(start, min(start + _ROWS_PER_BLOCK, len(group)))
            not_joined = group[rows, None] != group[None, start:]
            pairs = np.argwhere(np.triu(candidates(rows) & not_joined, k=1)) + start
            group = merge_groups(group, pairs[confirm(pairs)])
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


Rule = tuple[Callable[[slice], Mask], Callable[[Integers], Mask]]
"""Two functions: one from a slice of r rows to candidates, bool (r, frames from the start of the slice), and one that
confirms candidate pairs, from int64 (m, 2) to bool (m,)."""


def _same_image(features: GroupFeatures, limits: NearDuplicateLimits) -> Rule:
    fine, mirrored = to_plus_minus_one(features.fine_hash), to_plus_minus_one(features.fine_hash ^ MIRRORED)

    def candidates(rows: slice) -> Mask:
        others = fine[rows.start :]
        distance = np.minimum(hamming_matrix(fine[rows], others), hamming_matrix(mirrored[rows], others))
        return np.asarray(distance <= limits.fine_distance)

    return candidates, lambda pairs: np.ones(len(pairs), bool)


def _similar_frame(features: GroupFeatures, limits: NearDuplicateLimits) -> Rule:
    hashes, hands = to_plus_minus_one(features.phash), features.hands

    def candidates(rows: slice) -> Mask:
        return np.asarray(hamming_matrix(hashes[rows], hashes[rows.start :]) <= limits.distance)

    return candidates, lambda pairs: hands_within(hands[pairs[:, 0]], hands[pairs[:, 1]], limits.hand_distance)
