"""Reject unreadable frames, exact duplicates, and equal pixels with different labels.

No file is deleted: each rejected frame is a row of rejected.parquet.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aslkit.formats.captures import CapturedFrame


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


def drop_exact_duplicates(
    frames: Sequence[CapturedFrame], errors: Sequence[str | None], pixel_hashes: Sequence[str | None]
) -> tuple[list[int], list[Rejection]]:
    """Return the indices of the frames to keep, and the rejected frames, both in the given order.

    Reasons are `unreadable` (the file cannot be decoded), `conflicting-label` (equal pixels with different letters;
    none of them is kept) and `duplicate` (equal pixels; the first frame is kept, whoever the signer is).

    Args:
        frames: n frames.
        errors: n reasons why a file cannot be decoded; empty or None if it can.
        pixel_hashes: n hashes of the pixels; ignored for frames with an error.
    """
    kept: list[int] = []
    rejected: list[Rejection] = []
    by_hash: dict[str | None, list[CapturedFrame]] = defaultdict(list)
    for frame, error, pixel_hash in zip(frames, errors, pixel_hashes, strict=True):
        if not error:
            by_hash[pixel_hash].append(frame)
    for index, (frame, error, pixel_hash) in enumerate(zip(frames, errors, pixel_hashes, strict=True)):
        if error:
            rejected.append(Rejection(frame=frame, reason="unreadable", detail=error))
        elif rejection := _reject_duplicate(frame, by_hash[pixel_hash]):
            rejected.append(rejection)
        else:
            kept.append(index)
    return kept, rejected


def _reject_duplicate(frame: CapturedFrame, duplicates: Sequence[CapturedFrame]) -> Rejection | None:
    """Return the rejection of a frame, given all frames with the same pixels; None to keep it."""
    conflicting = next((other for other in duplicates if other.letter != frame.letter), None)
    if conflicting:
        return Rejection(frame=frame, reason="conflicting-label", detail=f"same pixels as {conflicting.key}")
    if duplicates[0] is not frame:
        return Rejection(frame=frame, reason="duplicate", detail=f"same pixels as {duplicates[0].key}")
    return None
