"""Finding near-duplicates among the frames of one signer and letter, and the groups that they make."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.curate.config import NearDuplicateLimits
from aslkit.vision.near_duplicate import align_upright, hands_within, transform_joints
from aslkit.vision.perceptual_hash import FINE_BYTES, MIRRORED, hamming_matrix, to_plus_minus_one

Integers = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_ROWS: Final = 64
"""Frames compared with all others of their part at once: bounds the memory to some tens of megabytes."""


@dataclass(frozen=True, kw_only=True)
class GroupFeatures:
    """What frames are compared by, one entry for each, all of length n.

    Attributes:
        phash: uint8 (n, 8), bytes of the frame's perceptual hash.
        fine_hash: uint8 (n, FINE_BYTES), of the frame.
        hand_hash: uint8 (n, FINE_BYTES), of the hand; anything without one.
        hands: float32 (n, 21, 2), joints in pixels; NaN where no hand was found.
        left: bool (n,), left hands.
    """

    phash: Bytes
    fine_hash: Bytes
    hand_hash: Bytes
    hands: npt.NDArray[np.float32]
    left: Mask

    def __post_init__(self) -> None:
        """Check the shapes: a hash of another length would compare as another one."""
        count = len(self.phash)
        wanted = ((count, 8), (count, FINE_BYTES), (count, FINE_BYTES), (count, 21, 2), (count,))
        found = tuple(getattr(self, field.name).shape for field in fields(self))
        if found != wanted:
            raise ValueError(f"traits of shapes {found}, not {wanted}")

    def select(self, rows: npt.NDArray[Any]) -> "GroupFeatures":
        """Return those of some frames."""
        return GroupFeatures(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


def near_duplicates(traits: GroupFeatures, within: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
    """Give every frame the number of its group of near-duplicates.

    Two frames are near-duplicates when they are one of these:
    - alike: hashes at most `distance` apart, and hands at most `hand_distance`; where neither has a hand, the hashes
      decide;
    - the same picture, coded anew, scaled, brightened or mirrored: fine hashes at most `fine_distance` apart;
    - the same hand, cropped, moved or turned: hashes of the hands at most `crop_distance` apart, joints likewise.
    Frames are in one group when a chain of such pairs joins them (single linkage): whatever is alike stays together,
    which is what a split needs. All pairs within a part are compared, so that none is missed.

    Args:
        traits: of n frames.
        within: integers or strings (n,); frames are only compared where these are equal: signer and letter.
        limits: see there.

    Returns:
        int64 (n,): groups are numbered from 0 in the order of their first frames.
    """
    _, part = np.unique(within, return_inverse=True)
    order = np.argsort(part, kind="stable")
    first = np.zeros(len(within), np.int64)
    for rows in np.split(order, np.flatnonzero(np.diff(part[order])) + 1):
        first[rows] = rows[connected_components(traits.select(rows), limits)]
    return component_ids(first)


def component_ids(first: Integers) -> Integers:
    """Groups named by their first frames, int64 (n,), numbered from 0 in the order of these."""
    return np.asarray(np.unique(first, return_inverse=True)[1], np.int64)


def connected_components(traits: GroupFeatures, limits: NearDuplicateLimits) -> Integers:
    """Of frames of one part, the index of the first frame of each one's group, int64 (n,)."""
    group = np.arange(len(traits.phash))
    for rule in (_same_picture, _alike, _same_hand):
        near, sure = rule(traits, limits)
        for start in range(0, len(group), _ROWS):
            rows = slice(start, min(start + _ROWS, len(group)))
            apart = group[rows, None] != group[None, start:]
            pairs = np.argwhere(np.triu(near(rows) & apart, k=1)) + start
            group = _joined(group, pairs[sure(pairs)])
    return group


def _joined(group: Integers, pairs: Integers) -> Integers:
    """Join the groups of pairs (m, 2) of frames; each frame keeps the index of the first frame of its group."""
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
"""Which of the frames from the first of some rows on may be near each of these rows, bool (rows, frames from there on);
and which of such pairs, int64 (m, 2), are: bool (m,)."""


def _same_picture(traits: GroupFeatures, limits: NearDuplicateLimits) -> Rule:
    fine, mirrored = to_plus_minus_one(traits.fine_hash), to_plus_minus_one(traits.fine_hash ^ MIRRORED)

    def near(rows: slice) -> Mask:
        others = fine[rows.start :]
        bits = np.minimum(hamming_matrix(fine[rows], others), hamming_matrix(mirrored[rows], others))
        return np.asarray(bits <= limits.fine_distance)

    return near, lambda pairs: np.ones(len(pairs), bool)


def _alike(traits: GroupFeatures, limits: NearDuplicateLimits) -> Rule:
    hashes, hands = to_plus_minus_one(traits.phash), traits.hands

    def near(rows: slice) -> Mask:
        return np.asarray(hamming_matrix(hashes[rows], hashes[rows.start :]) <= limits.distance)

    return near, lambda pairs: hands_within(hands[pairs[:, 0]], hands[pairs[:, 1]], limits.hand_distance)


def _same_hand(traits: GroupFeatures, limits: NearDuplicateLimits) -> Rule:
    found, hashes = np.isfinite(traits.hands).all(axis=(1, 2)), to_plus_minus_one(traits.hand_hash)
    hands = transform_joints(traits.hands, align_upright(traits.hands, traits.left))

    def near(rows: slice) -> Mask:
        alike = hamming_matrix(hashes[rows], hashes[rows.start :]) <= limits.crop_distance
        return np.asarray(alike & found[rows, None] & found[None, rows.start :])

    return near, lambda pairs: hands_within(hands[pairs[:, 0]], hands[pairs[:, 1]], limits.crop_hand_distance)
