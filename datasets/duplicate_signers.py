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

COLUMNS: Final = ("signer", "phash", "landmarks", "width", "height", "parent")
"""Dataset columns that `duplicate_signer_warnings` needs."""

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

_CHUNK_ROWS: Final = 64
"""Frames compared in one matrix product."""


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
    signer = frames.signer
    names = np.unique(signer)
    bits = to_plus_minus_one(hash_bytes(frames.phash))
    found = []
    for name in names if len(names) > 1 else ():
        own = np.flatnonzero(signer == name)
        max_frames = max(MAX_FRAMES // len(names), MIN_FRAMES)
        # Evenly spaced instead of random, so that the result is reproducible and covers all sessions.
        sample = own[np.linspace(0, len(own) - 1, min(max_frames, len(own))).astype(np.int64)]
        matches = Counter(signer[_find_near_duplicates(bits, frames.joints, sample, own)].tolist())
        if matches and matches.total() >= MIN_SHARE * len(sample):
            share = matches.total() / len(sample)
            found.append(DuplicateSigners(signer=str(name), other=matches.most_common(1)[0][0], share=share))
    return found


def _find_near_duplicates(
    bits: npt.NDArray[np.float32],
    joints: npt.NDArray[np.float32],
    sample: npt.NDArray[np.int64],
    own: npt.NDArray[np.int64],
) -> list[int]:
    """Return a row of another signer for each row of `sample` that has a near-duplicate.

    Args:
        bits: hash bits of all rows as -1 and 1, float32 (n, 64).
        joints: joints of all rows, float32 (n, 21, 2).
        sample: indices of the rows to compare.
        own: indices of all rows of the same signer, which are ignored.
    """
    found = []
    # In chunks, because a matrix of all pairs can exceed memory.
    for start in range(0, len(sample), _CHUNK_ROWS):
        chunk = sample[start : start + _CHUNK_ROWS]
        near = hamming_matrix(bits[chunk], bits) <= MAX_DISTANCE
        # Near-duplicates of the same signer are normal.
        near[:, own] = False
        for row, candidates in zip(chunk, map(np.flatnonzero, near), strict=True):
            same = candidates[hands_within(joints[row][None], joints[candidates], MAX_HAND_DISTANCE)]
            found.extend(same[:1].tolist())
    return found


def duplicate_signer_warnings(table: pa.Table) -> list[str]:
    """Return a warning for each pair of signers who may be the same person.

    Args:
        table: rows with the columns COLUMNS. Augmented copies and rows without a signer, hash or hand are ignored.
    """
    table = table.filter(pc.is_null(table.column("parent"))).select(COLUMNS[:-1]).drop_null()
    landmarks = table.column("landmarks").combine_chunks().flatten().to_numpy().reshape(-1, 21, 3)
    sizes = np.stack([table.column(name).to_numpy() for name in ("width", "height")], axis=1)
    return write_warnings(
        find_duplicate_signers(
            ComparedHands(
                signer=np.array(table.column("signer").to_pylist(), str),
                phash=table.column("phash").to_numpy(),
                joints=scale_joints(landmarks, sizes),
            )
        )
    )


def scale_joints(landmarks: npt.NDArray[Any], sizes: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Return joints relative to the longer side of the frame, so that a scaled copy has the same: float32 (n, 21, 2).

    Args:
        landmarks: (n, 21, 3), relative to the width and height of the frame.
        sizes: (n, 2), width and height of the frames, pixels.
    """
    longer = np.maximum(sizes.max(axis=1, initial=1, keepdims=True), 1)
    return np.asarray(landmarks[..., :2] * (sizes / longer)[:, None], np.float32)


def write_warnings(found: Iterable[DuplicateSigners]) -> list[str]:
    """Return a warning for each pair of signers who may be the same person."""
    pairs: dict[frozenset[str], DuplicateSigners] = {}
    for each in sorted(found, key=lambda each: -each.share):
        pairs.setdefault(frozenset((each.signer, each.other)), each)
    return [
        f"{each.share:.0%} of the frames of {each.signer} are near-duplicates of frames of {each.other}. If both are "
        "the same person, give their folders in captures one name: otherwise the accuracy on unseen signers is "
        "overestimated."
        for each in pairs.values()
    ]
