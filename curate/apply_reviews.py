"""Apply the decisions of people about captured frames, before anything else is done with the frames."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.core.letters import NO_LETTER
from aslkit.core.sanitize import format_count
from aslkit.curate.filter.exact_duplicates import REVIEWED, Rejection
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.reviews import Decision


@dataclass(frozen=True, kw_only=True)
class ReviewedFrames:
    """The captured frames after the decisions about them.

    Attributes:
        frames: the frames that people did not reject, with their new letters, in the order of `walk_captures`.
        rejected: the frames that people rejected.
        decisions: one entry per decision that was applied, with its action as the reason: rows of reviewed.parquet.
        kept: keys of the frames that are good and whose letter is right.
        relabelled: keys of the frames with a new letter.
        missing: number of decisions about frames that no longer exist.
    """

    frames: list[CapturedFrame]
    rejected: list[Rejection]
    decisions: list[Rejection]
    kept: frozenset[str]
    relabelled: frozenset[str]
    missing: int

    def notes(self) -> list[str]:
        """Return a note about decisions that could not be applied."""
        # Without names: nobody of these signers need be in the dataset, so pseudonyms would not replace them.
        count = format_count(self.missing, "decision")
        return [f"reviews.jsonl has {count} about frames that no longer exist."] if self.missing else []


def apply_reviews(
    frames: Sequence[CapturedFrame], decisions: Mapping[str, Decision], left_out: Sequence[str] = ()
) -> ReviewedFrames:
    """Give frames their new letters, and reject those that people dropped or that show no letter.

    Args:
        frames: the captured frames.
        decisions: current decisions by key of the frame.
        left_out: signers whose frames are not in `frames` although they exist.

    Raises:
        AslkitError: people rejected all frames.
    """
    by_key = {frame.key: frame for frame in frames} if decisions else {}
    found = [(by_key[key], decision) for key, decision in decisions.items() if key in by_key]
    letters = {decision.frame: decision.letter for _, decision in found if decision.letter not in (None, NO_LETTER)}
    rejected = [
        Rejection(frame=frame, reason=REVIEWED, detail=detail)
        for frame, decision in found
        if (detail := _describe_rejection(decision))
    ]
    gone = {rejection.frame.key for rejection in rejected}
    remaining = [_relabel(frame, letters.get(frame.key)) for frame in frames if not gone or frame.key not in gone]
    if frames and not remaining:
        raise AslkitError(
            f"All {format_count(len(frames), 'frame')} were dropped in review. `aslkit review --undo` undoes the last "
            "decisions."
        )
    return ReviewedFrames(
        frames=sorted(remaining, key=_capture_order) if letters else remaining,
        rejected=rejected,
        decisions=[_describe_decision(_relabel(frame, letters.get(frame.key)), each) for frame, each in found],
        kept=frozenset(decision.frame for _, decision in found if decision.action == "keep"),
        relabelled=frozenset(letters),
        missing=sum(key not in by_key and key.partition("/")[0] not in left_out for key in decisions),
    )


def _describe_rejection(decision: Decision) -> str:
    """Return why a frame is rejected; empty if it is not."""
    if decision.action == "drop":
        return "dropped in review"
    return "not a letter" if decision.letter == NO_LETTER else ""


def _describe_decision(frame: CapturedFrame, decision: Decision) -> Rejection:
    details = {"keep": "kept in review", "drop": "dropped in review"}
    moved = f"from {frame.folder_letter or frame.letter} to {decision.letter}"
    return Rejection(frame=frame, reason=decision.action, detail=details.get(decision.action, moved))


def _relabel(frame: CapturedFrame, letter: str | None) -> CapturedFrame:
    return frame if letter is None else replace(frame, letter=letter, folder_letter=frame.letter)


def _capture_order(frame: CapturedFrame) -> tuple[Path, str, list[tuple[int, int, str]]]:
    """Return a sort key as of `walk_captures`: the split of one signer needs the frames of a letter in this order."""
    return frame.path.parents[1], frame.letter, natural_key(frame.path.name)
