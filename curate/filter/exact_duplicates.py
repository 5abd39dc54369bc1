"""Reject unreadable frames, exact duplicates, and equal pixels with different labels.

No file is deleted: each rejected frame is a row of rejected.parquet.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from aslkit.formats.captures import CapturedFrame

REVIEWED: Final = "reviewed"
"""Reason code in rejected.parquet of the frames that people rejected."""


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """A rejected or flagged frame.

    Attributes:
        frame: the frame.
        reason: reason code, such as "blurred".
        detail: particulars of this frame.
    """

    frame: CapturedFrame
    reason: str
    detail: str

    def row(self) -> dict[str, str]:
        """Return a row of `aslkit.datasets.schema.REJECTED`."""
        frame = self.frame
        return {
            "path": frame.key,
            "letter": frame.letter,
            "signer": frame.signer,
            "session": frame.session,
            "reason": self.reason,
            "detail": self.detail,
        }


@dataclass(kw_only=True)
class _EqualFrames:
    """Frames with equal pixels.

    Attributes:
        originals: the frame to keep of each letter: the first one that people confirmed, or else the first one.
        confirmed: the letters that people confirmed.
    """

    originals: dict[str, CapturedFrame] = field(default_factory=dict)
    confirmed: set[str] = field(default_factory=set)

    def add(self, frame: CapturedFrame, *, confirmed: bool) -> None:
        """Add a frame."""
        if confirmed and frame.letter not in self.confirmed:
            self.confirmed.add(frame.letter)
            self.originals[frame.letter] = frame
        self.originals.setdefault(frame.letter, frame)

    def reject(self, frame: CapturedFrame) -> Rejection | None:
        """Return the rejection of one of the frames; None to keep it."""
        # If people confirmed one letter, only the other letters are wrong.
        letters = self.confirmed if len(self.confirmed) == 1 else self.originals
        if conflicting := next((letter for letter in letters if letter != frame.letter), None):
            original = self.originals[conflicting]
            return Rejection(frame=frame, reason="conflicting-label", detail=f"same pixels as {original.key}")
        if (original := self.originals[frame.letter]) is not frame:
            return Rejection(frame=frame, reason="duplicate", detail=f"same pixels as {original.key}")
        return None


def drop_exact_duplicates(
    frames: Sequence[CapturedFrame],
    errors: Sequence[str | None],
    pixel_hashes: Sequence[str | None],
    confirmed: Collection[str] = (),
) -> tuple[list[int], list[Rejection]]:
    """Return the indices of the frames to keep, and the rejected frames, both in the given order.

    Reasons are `unreadable` (the file cannot be decoded), `conflicting-label` (equal pixels with different letters;
    none of them is kept, except those of the only letter that people confirmed) and `duplicate` (equal pixels; the
    first confirmed frame is kept, or else the first one, whoever the signer is).

    Args:
        frames: n frames.
        errors: n reasons why a file cannot be decoded; empty or None if it can.
        pixel_hashes: n hashes of the pixels; ignored for frames with an error.
        confirmed: keys of the frames whose letter people confirmed.
    """
    kept: list[int] = []
    rejected: list[Rejection] = []
    by_hash: dict[str | None, _EqualFrames] = {}
    for frame, error, pixel_hash in zip(frames, errors, pixel_hashes, strict=True):
        if not error:
            equal = by_hash.setdefault(pixel_hash, _EqualFrames())
            equal.add(frame, confirmed=bool(confirmed) and frame.key in confirmed)
    for index, (frame, error, pixel_hash) in enumerate(zip(frames, errors, pixel_hashes, strict=True)):
        if error:
            rejected.append(Rejection(frame=frame, reason="unreadable", detail=error))
        elif rejection := by_hash[pixel_hash].reject(frame):
            rejected.append(rejection)
        else:
            kept.append(index)
    return kept, rejected
