"""What the page may ask of a sitting, without HTTP: values in, values out, `RequestRefused` with words where it cannot be."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

import numpy as np

from aslkit.capture.quality.gate import WORDS
from aslkit.capture.session.recording import GateDecision, Recording
from aslkit.capture.web.camera_info import client_camera_info
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.capture.web.thumbnails import frame_not_found, thumbnail
from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.formats.captures import frame_timestamp
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.web.active_page import ActivePage
from aslkit.web.rate_limit import FrameRateMeter
from aslkit.web.request_limits import RequestRefused, decode_upload, describe_disk_error

SHOWN: Final = 12
"""Frames that the page shows of those stored last."""

REACHABLE: Final = 500
"""Frames, counted from the newest, that a page may still name: more than any page has on the screen."""

CAMERAS: Final = 20

_HALF_A_TICK_S: Final = 0.0005
"""A page's clock tells milliseconds at best."""


@dataclass(frozen=True, kw_only=True)
class UploadedFrame:
    """One frame as a page sends it.

    Attributes:
        data: encoded, JPEG or PNG.
        keep: whether it is to be recorded; otherwise it is only judged.
        turn: the sitting's, as the page knew it: a frame of the letter before, or from before an undo, is only judged.
        burst: what is recorded under one number is undone together.
        taken_s: by the page's clock, seconds since any moment.
    """

    data: bytes
    keep: bool
    turn: int
    burst: int
    taken_s: float


class PageController:
    """Where a page records into a sitting. May be used from several threads.

    Args:
        sitting: where frames go. Its owner closes it.
        look: measures a frame.
        now: the time of day.
        clock: seconds since any moment.

    Attributes:
        cameras: label and settings of each camera that a page has used, in order.
        pace: how many frames came in, how fast.
        failure: why the disk took no more; None while it does.
        turns: whose turn it is; finished when the signer has said so.
    """

    def __init__(
        self,
        sitting: Recording,
        look: FrameAnalyzer,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.sitting, self._look, self._now = sitting, look, now
        self.cameras: list[dict[str, Any]] = []
        self.pace = FrameRateMeter(clock=clock)
        self.failure: OSError | None = None
        self.turns = ActivePage(
            sitting.capture.web_fps,
            elsewhere="This sitting goes on in another window. Take it back there, or close this one.",
            over="This sitting is finished. Start aslkit capture again to record more.",
            clock=clock,
        )
        self._eyes, self._lock = Lock(), Lock()
        self._burst: tuple[str | None, int] | None = None
        self._kept_s: float | None = None
        self._closed = False

    def state(self) -> dict[str, Any]:
        """All that a page needs to begin, or to go on after a reload."""
        sitting, capture = self.sitting, self.sitting.capture
        return {
            "signer": sitting.session.info.signer,
            "session": sitting.session.info.session,
            "alphabet": LETTERS,
            "letters": sitting.letters,
            "letter": sitting.letter,
            "turn": sitting.turn,
            "goal": capture.goal if sitting.count is None else sitting.count,
            "counts": {letter: self._count(letter) for letter in LETTERS},
            "complete": [letter for letter in LETTERS if sitting.complete(letter)],
            "interval_s": capture.interval_s,
            "countdown_s": capture.countdown_s,
            "burst_s": capture.burst_s,
            "fps": capture.web_fps,
            "camera": {"width": capture.camera_width, "height": capture.camera_height, "fps": capture.camera_fps},
            "recent": [entry.file for entry in sitting.recent(SHOWN)],
            "usual_hand": sitting.handedness.usual,
            "question": sitting.handedness.question,
            "words": WORDS,
            "failure": None if self.failure is None else describe_disk_error(self.failure),
        }

    def _count(self, letter: str) -> int:
        """Frames of a letter that count towards the goal: all there are, or those of now where so many are wanted."""
        return self.sitting.counts[letter] if self.sitting.count is None else self.sitting.stored[letter]

    def join(self) -> dict[str, Any]:
        """Take in a page: from now on, it is the one that records.

        Returns the state, and `page`, under which it has to send everything.

        Raises:
            Refusal: all is over.
        """
        page = self.turns.claim()
        return self.state() | {"page": page}

    def frame(self, sent: UploadedFrame) -> dict[str, Any]:
        """Judge a frame, and store it where it is good, to be kept, and not too soon after the last one.

        Raises:
            Refusal: it cannot be decoded.
            OSError: the disk took no more.
        """
        frame = decode_upload(sent.data)
        self.pace.count()
        with self._eyes:
            if self._closed:
                raise self.turns.release()
            seen = self._look(frame, sent.taken_s)
        with self._lock:
            keep = sent.keep and sent.turn == self.sitting.turn and self._due(sent.taken_s)
            if keep:
                self._begin(sent)
            at = self._now()
            # The page waits for the answer anyway, so a slow disk slows it down and costs no frame.
            verdict = self.sitting.offer(
                frame, seen, name=frame_timestamp(at), at=at, keep=keep, wait=True, turn=sent.turn
            )
            return _answer(seen, verdict) | {
                "kept": keep,
                "letter": self.sitting.letter,
                "turn": self.sitting.turn,
                "count": self._count(self.sitting.letter),
                "complete": self.sitting.complete(self.sitting.letter),
                "late": self.sitting.late,
                "usual_hand": self.sitting.handedness.usual,
            }

    def _due(self, taken_s: float) -> bool:
        """Whether a frame may be stored again; a page's clock that went back belongs to another page."""
        interval_s = self.sitting.capture.interval_s - _HALF_A_TICK_S
        return self._kept_s is None or not 0 <= taken_s - self._kept_s < interval_s

    def _begin(self, sent: UploadedFrame) -> None:
        self._kept_s = sent.taken_s
        if self._burst != (self.turns.page, sent.burst):
            self._burst = (self.turns.page, sent.burst)
            self.sitting.begin_burst()

    def choose(self, letter: str) -> dict[str, Any]:
        """Go to a letter.

        Raises:
            Refusal: it is not being recorded.
        """
        try:
            with self._lock:
                self.sitting.choose(letter)
        except InputError as error:
            letters = " ".join(self.sitting.letters)
            raise RequestRefused(422, f"This letter is not being recorded. Choose one of {letters}.") from error
        return self.state()

    def step(self, by: int) -> dict[str, Any]:
        """Go to the next letter that is not complete, or the one before."""
        with self._lock:
            self.sitting.step(by)
        return self.state()

    def undo(self) -> dict[str, Any]:
        """Take back the last burst; `removed` says how many frames that were."""
        return {"removed": len(self.sitting.undo())} | self.state()

    def remove(self, file: str) -> dict[str, Any]:
        """Take back one frame.

        Raises:
            Refusal: there is none of that name.
        """
        if not self.sitting.remove(self._entry(file).file):
            raise frame_not_found()
        return self.state()

    def answer(self, *, is_so: bool) -> dict[str, Any]:
        """Take in the answer to the question about the other hand."""
        self.sitting.resolve_warning(is_so=is_so)
        return self.state()

    def thumbnail(self, file: str) -> bytes:
        """A stored frame as it lies on the disk, small, JPEG.

        Raises:
            Refusal: there is none of that name.
            OSError: it could not be written.
        """
        path = self.sitting.session.path(self._entry(file))
        if not path.exists():
            self.sitting.flush()
        return thumbnail(path)

    def _entry(self, file: str) -> IndexEntry:
        """What a page names is looked up; it never becomes a path."""
        entry = {entry.file: entry for entry in self.sitting.recent(REACHABLE)}.get(file)
        if entry is None:
            raise frame_not_found()
        return entry

    def use_camera(self, label: object, settings: object) -> None:
        """Note which camera a page uses; only changes are kept, and not for ever."""
        camera = client_camera_info(label, settings)
        if self.cameras[-1:] != [camera]:
            self.cameras = [*self.cameras[1 - CAMERAS :], camera]

    def close(self) -> None:
        """Wait for the frame that is being looked at, and look at no more."""
        with self._eyes:
            self._closed = True

    def finish(self) -> dict[str, Any]:
        """End the sitting, and return its balance."""
        try:
            self.sitting.flush()
        except OSError as error:
            self.failure = error
        self.turns.finished = True
        sitting = self.sitting
        return {
            "stored": {letter: sitting.stored[letter] for letter in LETTERS if sitting.stored[letter]},
            "refused": {WORDS[reason].partition(".")[0]: number for reason, number in sitting.refused.most_common()},
            "undone": sitting.undone,
            "late": sitting.late,
            "failure": None if self.failure is None else describe_disk_error(self.failure),
        }


def _answer(seen: FrameMetrics, verdict: GateDecision) -> dict[str, Any]:
    hand = seen.hand
    return {
        "reasons": verdict.reasons,
        "words": [WORDS[reason] for reason in verdict.reasons],
        "landmarks": None if hand is None else np.round(hand.landmarks[:, :2].astype(float), 4).tolist(),
        "box": None if hand is None else np.round(hand.box.astype(float), 4).tolist(),
        "stored": None if verdict.stored is None else verdict.stored.file,
        "nudge": verdict.hint,
        "question": verdict.question,
    }
