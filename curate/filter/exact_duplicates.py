"""What curation does not take, and why. Nothing is deleted: each refused frame is a row of rejected.parquet."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aslkit.formats.captures import CapturedFrame


@dataclass(frozen=True, kw_only=True)
class Rejection:
    """Why a frame was not taken: a reason to count by, and the particulars."""

    frame: CapturedFrame
    reason: str
    detail: str

    def row(self) -> dict[str, str]:
        """A row of `aslkit.datasets.schema.REJECTED`."""
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
    frames: Sequence[CapturedFrame], errors: Sequence[str | None], pixels: Sequence[str | None]
) -> tuple[list[int], list[Rejection]]:
    """Part the frames to keep, by their index, from those to refuse; both in the order given.

    Refused are: `unreadable`, what cannot be decoded; `conflicting-label`, equal pixels under two letters, of which
    nobody knows the right one; `duplicate`, equal pixels again, of which the first stays, whoever is said to be seen.

    Args:
        frames: all of them.
        errors: why each could not be decoded; empty or None where it could.
        pixels: the hash of each one's pixels, where it could.
    """
    kept: list[int] = []
    refused: list[Rejection] = []
    same: dict[str | None, list[CapturedFrame]] = defaultdict(list)
    for frame, error, content in zip(frames, errors, pixels, strict=True):
        if not error:
            same[content].append(frame)
    for index, (frame, error, content) in enumerate(zip(frames, errors, pixels, strict=True)):
        if error:
            refused.append(Rejection(frame=frame, reason="unreadable", detail=error))
        elif rejection := _against(frame, same[content]):
            refused.append(rejection)
        else:
            kept.append(index)
    return kept, refused


def _against(frame: CapturedFrame, twins: Sequence[CapturedFrame]) -> Rejection | None:
    """Why a frame is refused for others of the same pixels, if it is."""
    other = next((twin for twin in twins if twin.letter != frame.letter), None)
    if other:
        return Rejection(frame=frame, reason="conflicting-label", detail=f"same pixels as {other.key}")
    if twins[0] is not frame:
        return Rejection(frame=frame, reason="duplicate", detail=f"same pixels as {twins[0].key}")
    return None
