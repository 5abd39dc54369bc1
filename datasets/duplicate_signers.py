"""Whether somebody may be in a dataset under two names: pictures of one signer that nearly are pictures of another."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

COLUMNS: Final = ("signer", "phash", "parent")
"""Of a dataset, which are needed."""

MAX_DISTANCE: Final = 4
"""Bits of 64 up to which two pictures are near-copies, as in curation. Of 13,750 photographs of three people in three
rooms none is so near to one of another person, nor is any of 4,574 of them cropped to the hand: the nearest is 8 bits
away."""

MIN_SHARE: Final = 0.02
"""Of a signer's frames, from which it is said."""

MAX_FRAMES: Final = 4000
"""Frames that are compared with all others, of all signers together; of more, as many of each, evenly over time."""

MIN_FRAMES: Final = 20
"""Frames of each signer that are compared, however many signers there are."""

_AT_ONCE: Final = 64


@dataclass(frozen=True, kw_only=True)
class DuplicateSigners:
    """A signer whose frames have near-copies among another's.

    Attributes:
        signer: who.
        other: whose frames most of them are copies of.
        share: of the signer's frames that have a near-copy of whomever, 0–1.
    """

    signer: str
    other: str
    share: float


def find_duplicate_signers(signer: npt.NDArray[np.str_], phash: npt.NDArray[np.uint64]) -> list[DuplicateSigners]:
    """Name the signers of whose frames at least SHARE are near-copies of others'.

    Args:
        signer: str (n,), of each frame.
        phash: uint64 (n,), perceptual hash of each.

    Returns:
        One for each such signer, in the order of their names; of two who share pictures, both.
    """
    names = np.unique(signer)
    bits = np.unpackbits(phash.astype(">u8").view(np.uint8).reshape(-1, 8), axis=1).astype(np.float32) * 2 - 1
    found = []
    for name in names if len(names) > 1 else ():
        own = np.flatnonzero(signer == name)
        most = max(MAX_FRAMES // len(names), MIN_FRAMES)
        taken = own[np.linspace(0, len(own) - 1, min(most, len(own))).astype(np.int64)]
        copied = Counter(signer[_nearest(bits, taken, own)].tolist())
        if copied and copied.total() >= MIN_SHARE * len(taken):
            share = copied.total() / len(taken)
            found.append(DuplicateSigners(signer=str(name), other=copied.most_common(1)[0][0], share=share))
    return found


def _nearest(
    bits: npt.NDArray[np.float32], some: npt.NDArray[np.int64], own: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Of each of some rows that has a near-copy in a row that is not the signer's own, that row."""
    found = [np.zeros(0, np.int64)]
    for start in range(0, len(some), _AT_ONCE):
        likeness = bits[some[start : start + _AT_ONCE]] @ bits.T  # 64 less twice the bits that differ
        likeness[:, own] = -64
        nearest = likeness.argmax(axis=1)
        found.append(nearest[likeness.max(axis=1) >= 64 - 2 * MAX_DISTANCE])
    return np.concatenate(found)


def duplicate_signer_warnings(table: pa.Table) -> list[str]:
    """What is to be known of a dataset's rows, one or two sentences for each pair of signers.

    Args:
        table: with COLUMNS; varied copies, and rows that do not say who or have no hash, are passed over.
    """
    table = table.filter(pc.is_null(table.column("parent"))).select(["signer", "phash"]).drop_null()
    said: dict[frozenset[str], DuplicateSigners] = {}
    found = find_duplicate_signers(np.array(table.column("signer").to_pylist(), str), table.column("phash").to_numpy())
    for each in sorted(found, key=lambda each: -each.share):
        said.setdefault(frozenset((each.signer, each.other)), each)
    return [
        f"{each.share:.0%} of the frames of {each.signer} are near-copies of frames of {each.other}. If they are one "
        "person, what is measured on people not trained on flatters: give each person one name."
        for each in said.values()
    ]
