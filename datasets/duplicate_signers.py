"""Detect a person who is in a dataset under two names, by near-duplicate images of two signers.

Only frames that show the same hand pose at the same place count. In front of a plain background, the perceptual hashes
of different people are similar.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.vision.near_duplicate import hands_within
from aslkit.vision.perceptual_hash import hamming_matrix, hash_bytes, to_plus_minus_one

COLUMNS: Final = ("signer", "phash", "landmarks", "width", "height", "parent", "clip")
"""Dataset columns that `duplicate_signer_warnings` needs."""

_COMPARED: Final = ("signer", "phash", "landmarks", "width", "height")

MAX_DISTANCE: Final = 4
"""Maximum Hamming distance of near-duplicates, of 64 bits; the same as in curation."""

MAX_HAND_DISTANCE: Final = 0.05
"""Maximum mean distance of the joints of near-duplicates, in palm lengths; the same as in curation."""

MIN_SHARE: Final = 0.02
"""Minimum share of a signer's frames with a near-duplicate for which a warning is given."""

MAX_FRAMES: Final = 4000
"""Maximum number of frames compared with all others, over all signers. If there are more, the same number is sampled
from each signer, evenly over time."""

MIN_FRAMES: Final = 20
"""Minimum number of frames compared per signer, however many signers there are."""

MAX_WARNINGS: Final = 10
"""Pairs of signers that are named in warnings."""

_CHUNK_ROWS: Final = 64
_BLOCK_ROWS: Final = 65_536
"""Sampled frames, and frames to compare with, in one matrix product."""


@dataclass(frozen=True, kw_only=True)
class ComparedHands:
    """n frames with a hand.

    Attributes:
        signer: name of the signer of each frame, str (n,).
        phash: perceptual hash of each frame, uint64 (n,).
        joints: float32 (n, 21, 2), relative to the longer side of the frame.
    """

    signer: npt.NDArray[np.str_]
    phash: npt.NDArray[np.uint64]
    joints: npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class DuplicateSigners:
    """A signer whose frames have near-duplicates among the frames of other signers.

    Attributes:
        signer: name of the signer.
        other: name of the signer with most of the near-duplicates.
        share: share of the signer's frames with a near-duplicate of any other signer, 0–1.
    """

    signer: str
    other: str
    share: float


def find_duplicate_signers(frames: ComparedHands) -> list[DuplicateSigners]:
    """Find the signers for whom at least MIN_SHARE of the frames are near-duplicates of other signers' frames.

    Returns:
        One entry for each such signer, sorted by name. If two signers share images, both are listed.
    """
    names, owner = np.unique(frames.signer, return_inverse=True)
    if len(names) < 2:
        return []
    max_frames = max(MAX_FRAMES // len(names), MIN_FRAMES)
    order, ends = np.argsort(owner, kind="stable"), np.cumsum(np.bincount(owner))
    # Evenly spaced instead of random, so that the result is reproducible and covers all sessions.
    samples = [
        own[np.linspace(0, len(own) - 1, min(max_frames, len(own))).astype(np.int64)]
        for own in np.split(order, ends[:-1])
    ]
    match = _find_near_duplicates(frames, owner, np.concatenate(samples))
    found = []
    for name, matches in zip(names, np.split(match, np.cumsum([len(each) for each in samples])[:-1]), strict=True):
        others = Counter(owner[matches[matches >= 0]].tolist())
        if others and others.total() >= MIN_SHARE * len(matches):
            other, _ = others.most_common(1)[0]
            share = others.total() / len(matches)
            found.append(DuplicateSigners(signer=str(name), other=str(names[other]), share=share))
    return found


def _find_near_duplicates(
    frames: ComparedHands, owner: npt.NDArray[np.int64], sample: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Return the first row of another signer that is a near-duplicate of each row of `sample`, int64; -1 without one.

    Args:
        frames: the n frames.
        owner: number of the signer of each frame, int64 (n,).
        sample: rows to compare, int64 (m,).
    """
    match = np.full(len(sample), -1)
    sample_bits = to_plus_minus_one(hash_bytes(frames.phash[sample]))
    # In blocks, because a matrix of all pairs can exceed memory.
    for first in range(0, len(owner), _BLOCK_ROWS):
        block = slice(first, first + _BLOCK_ROWS)
        bits = to_plus_minus_one(hash_bytes(frames.phash[block]))
        missing = np.flatnonzero(match < 0)
        for rows in np.split(missing, range(_CHUNK_ROWS, len(missing), _CHUNK_ROWS)):
            near = hamming_matrix(sample_bits[rows], bits) <= MAX_DISTANCE
            # Near-duplicates of the same signer are normal.
            near &= owner[sample[rows], None] != owner[None, block]
            for row, candidates in zip(rows, map(np.flatnonzero, near), strict=True):
                match[row] = _first_same_hand(frames.joints, sample[row], first + candidates)
    return match


def _first_same_hand(joints: npt.NDArray[np.float32], row: int, candidates: npt.NDArray[np.int64]) -> int:
    """Return the first of some rows with the same hand as `row`; -1 if there is none."""
    for start in range(0, len(candidates), _CHUNK_ROWS):
        part = candidates[start : start + _CHUNK_ROWS]
        same = part[hands_within(joints[row][None], joints[part], MAX_HAND_DISTANCE)]
        if len(same):
            return int(same[0])
    return -1


def duplicate_signer_warnings(tables: Iterable[pa.Table]) -> list[str]:
    """Return a warning for each pair of signers who may be the same person.

    Args:
        tables: rows with the columns COLUMNS, in parts. Augmented copies, frames of clips, and rows without a signer,
            hash or hand are ignored.
    """
    parts = [_read_hands(table) for table in tables]
    if not parts:
        return []
    signer, phash, joints = (np.concatenate(each) for each in zip(*parts, strict=True))
    return write_warnings(find_duplicate_signers(ComparedHands(signer=signer, phash=phash, joints=joints)))


def _read_hands(table: pa.Table) -> tuple[Any, Any, npt.NDArray[np.float32]]:
    """Return the columns of `ComparedHands` of some rows."""
    stills = pc.and_(pc.is_null(table.column("parent")), pc.is_null(table.column("clip")))
    table = table.filter(stills).select(_COMPARED).drop_null()
    landmarks = table.column("landmarks").combine_chunks().flatten().to_numpy().reshape(-1, 21, 3)
    sizes = np.stack([table.column(name).to_numpy().astype(np.float32) for name in ("width", "height")], axis=1)
    signer = np.array(table.column("signer").to_pylist(), str)
    return signer, table.column("phash").to_numpy(), scale_joints(landmarks, sizes)


def scale_joints(landmarks: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return joints relative to the longer side of the frame, so that a scaled copy has the same: float32 (n, 21, 2).

    Args:
        landmarks: (n, 21, 3), relative to the width and height of the frame.
        sizes: (n, 2), width and height of the frames, pixels.
    """
    longer = np.maximum(sizes.max(axis=1, initial=1, keepdims=True), 1)
    return np.asarray(landmarks[..., :2] * (sizes / longer)[:, None].astype(np.float32), np.float32)


def write_warnings(found: Iterable[DuplicateSigners]) -> list[str]:
    """Return a warning for each pair of signers who may be the same person, for at most MAX_WARNINGS pairs."""
    pairs: dict[frozenset[str], DuplicateSigners] = {}
    for each in sorted(found, key=lambda each: -each.share):
        pairs.setdefault(frozenset((each.signer, each.other)), each)
    listed = list(pairs.values())
    more = len(listed) - MAX_WARNINGS
    return [
        f"{each.share:.0%} of the frames of {each.signer} are near-duplicates of frames of {each.other}. If both are "
        "the same person, give their folders in captures one name: otherwise the accuracy on unseen signers is "
        "overestimated."
        for each in listed[:MAX_WARNINGS]
    ] + [f"{more} more pairs of signers may be the same person."] * (more > 0)
