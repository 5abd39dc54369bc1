"""What curation does not take, and why. Nothing is deleted: each refused frame is a row of rejected.parquet."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aslkit.captures import CapturedFrame


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A captured frame, the SHA-256 of its file and its description (a row of `describe.DESCRIBED`)."""

    frame: CapturedFrame
    content: str
    seen: dict[str, Any]


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


def clean(judged: Sequence[Judged]) -> tuple[list[Judged], list[Rejection]]:
    """Part the frames to keep from those to refuse; both in the order given.

    Refused are: `unreadable`, what cannot be decoded; `conflicting-label`, equal pixels under two letters, of which
    nobody knows the right one; `duplicate`, equal pixels again, of which the first stays, whoever is said to be seen.
    """
    kept: list[Judged] = []
    refused: list[Rejection] = []
    same: dict[str, list[Judged]] = defaultdict(list)
    for each in judged:
        if not each.seen["error"]:
            same[each.seen["sha256"]].append(each)
    for each in judged:
        rejection = _judge(each, same)
        if rejection:
            refused.append(rejection)
        else:
            kept.append(each)
    return kept, refused


def _judge(each: Judged, same: dict[str, list[Judged]]) -> Rejection | None:
    if each.seen["error"]:
        return Rejection(frame=each.frame, reason="unreadable", detail=each.seen["error"])
    twins = same[each.seen["sha256"]]
    letters = sorted({twin.frame.letter for twin in twins})
    if len(letters) > 1:
        other = next(twin for twin in twins if twin.frame.letter != each.frame.letter)
        return Rejection(frame=each.frame, reason="conflicting-label", detail=f"same pixels as {other.frame.key}")
    if twins[0] is not each:
        return Rejection(frame=each.frame, reason="duplicate", detail=f"same pixels as {twins[0].frame.key}")
    return None
