"""What a recording decides about frames and clips."""

from dataclasses import dataclass

from aslkit.capture.quality.clip_gate import ClipReason
from aslkit.capture.quality.gate import Reason
from aslkit.capture.session.clip_files import ClipEntry
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.hand_landmarker import Handedness


@dataclass(frozen=True, kw_only=True)
class GateDecision:
    """Decision about a frame.

    Attributes:
        reasons: reasons for rejecting it, in the order of `quality.gate.REASONS`; empty if it is good.
        stored: its index entry; None if it was not stored.
        hint: that the frames show another letter, or how to make them more diverse; None if no hint is due.
        question: the detected side, while it differs from the signer's usual hand and the signer has not confirmed it.
            Nothing is stored until `Recording.answer_question`.
    """

    reasons: tuple[Reason, ...]
    stored: IndexEntry | None = None
    hint: str | None = None
    question: Handedness | None = None


@dataclass(frozen=True, kw_only=True)
class ClipDecision:
    """Decision about a clip.

    Attributes:
        letter: letter that was being recorded.
        reasons: reasons for rejecting it, in the order of `quality.clip_gate.CLIP_REASONS`; empty if it is good.
        stored: its entry; None if it was not stored.
        question: as in `GateDecision`.
    """

    letter: str
    reasons: tuple[ClipReason, ...]
    stored: ClipEntry | None = None
    question: Handedness | None = None
