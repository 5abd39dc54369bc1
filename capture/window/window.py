"""The recorder's window: what the camera sees, as in a mirror, what is wrong with it, and the keys."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from aslkit.capture.quality.gate import WORDS
from aslkit.capture.record import COMPLETE, SOURCE_ENDED, SourceRecording
from aslkit.capture.session.lifecycle import CTRL_C
from aslkit.capture.window.shutter import Shutter
from aslkit.capture.window.view import RecordingView, draw_view
from aslkit.core.errors import AslkitError
from aslkit.gui.drawing import BAD, GOOD, HINT, WARN, Banner
from aslkit.gui.window import display_works, run_window
from aslkit.vision.images import Frame

TITLE: Final = "aslkit capture"
STOPPED: Final = "stopped with q"

_RATE_EVERY_S: Final = 0.5
_NOTE_S: Final = 2.5


def record_in_window(recording: SourceRecording) -> str:
    """Show the recording in a window until all letters are complete, or q ends it; return why it ended.

    Raises:
        AslkitError: there is no display; or something went wrong in the recording.
    """
    if not display_works():
        raise AslkitError(
            "There is no display for the window. "
            "Add --no-preview to record without one, or --web to record in a browser."
        )
    desk = WindowController(recording)
    try:
        run_window(TITLE, desk)
    except KeyboardInterrupt:
        return CTRL_C
    finally:
        recording.keep = False
    assert desk.ended is not None
    return desk.ended


@dataclass(kw_only=True)
class _Note:
    """A line that stays for a while."""

    banner: Banner | None = None
    until: float = 0.0


class WindowController:
    """What the keys do and what the window shows.

    Args:
        recording: what runs.
        clock: tells the time in seconds since any moment.

    Attributes:
        ended: why the recording is over; None while it is not.
    """

    def __init__(self, recording: SourceRecording, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.ended: str | None = None
        self._recording, self._sitting, self._clock = recording, recording.recording, clock
        capture = self._sitting.capture
        self._shutter = Shutter(countdown_s=capture.countdown_s, burst_s=capture.burst_s)
        self._shutter.prepare(clock())
        self._note = _Note()
        self._rate, self._rate_at = "", -_RATE_EVERY_S
        self._keys: dict[str, Callable[[], None]] = {
            " ": self._hold,
            "b": self._burst,
            "u": self._undo,
            "n": lambda: self._step(1),
            "p": lambda: self._step(-1),
            "q": self._quit,
        }

    def press(self, key: int) -> None:
        """Do what a key means; -1 is none. While a question stands, y and n answer it and other keys but q wait."""
        code = key & 0xFFFF  # above are modifiers; arrows and the like have codes whose last byte is some letter's
        letter = chr(code).lower() if key >= 0 and code < 0x80 else ""
        if self._sitting.handedness.question is not None and letter != "q":
            if letter in ("y", "n"):
                self._sitting.resolve_warning(is_so=letter == "y")
        elif letter in self._keys:
            self._keys[letter]()

    def follow(self) -> None:
        """Take note of what happened since the last time: a letter is complete, the source ended, a disk is full."""
        recording, sitting = self._recording, self._sitting
        recording.check()
        recording.keep = self._shutter.recording(self._clock())
        if sitting.complete(sitting.letter):
            done = sitting.letter
            if all(sitting.complete(letter) for letter in sitting.letters):
                self.ended = COMPLETE
                return
            self._step(1)
            self._say(f"{done} is complete. Now {sitting.letter}.", GOOD)
        elif recording.pipeline.finished.is_set():
            recording.check()  # again: an error may have ended it since
            self.ended = SOURCE_ENDED

    def picture(self) -> Frame:
        """What to show now, BGR, uint8."""
        return draw_view(self.view())

    def view(self) -> RecordingView:
        """What to show now, as values."""
        recording, sitting, now = self._recording, self._sitting, self._clock()
        shown, verdict = recording.pipeline.newest, recording.pipeline.decision
        return RecordingView(
            frame=None if shown is None else shown.frame,
            hand=None if shown is None else shown.hand,
            good=verdict is not None and not verdict.reasons,
            recording=self._shutter.recording(now) and sitting.handedness.question is None,
            countdown=self._shutter.countdown(now),
            letter=sitting.letter,
            left=sitting.handedness.usual == "left",
            counts=sitting.counts if sitting.count is None else sitting.stored,
            goal=sitting.count or sitting.capture.goal,
            walked=sitting.letters,
            refused=Counter(sitting.refused),
            about=self._about(now),
            banners=tuple(self._banners(now)),
        )

    def _about(self, now: float) -> tuple[str, ...]:
        if now - self._rate_at >= _RATE_EVERY_S:
            rates = self._recording.stream.rates()
            self._rate, self._rate_at = f"{rates[0]:.0f} frames a second" if rates else "", now
        info = self._sitting.session.info
        return (info.signer, info.session, info.camera, self._rate)

    def _banners(self, now: float) -> list[Banner]:
        """The most important line first; at most two are shown."""
        sitting, verdict = self._sitting, self._recording.pipeline.decision
        if trouble := self._recording.stream.trouble:
            return [Banner(text=trouble, colour=BAD)]
        if side := sitting.handedness.question:
            question = f"This looks like your {side} hand. Is it?    y  yes      n  no, it is the {sitting.handedness.usual} one"
            return [Banner(text=question, colour=HINT)]
        lines = [self._note.banner] if self._note.banner and now < self._note.until else []
        if verdict is not None:
            if verdict.reasons:
                lines.append(Banner(text=WORDS[verdict.reasons[0]], colour=WARN))
            elif not self._shutter.recording(now):
                lines.append(Banner(text="Good. Hold space to record.", colour=GOOD))
            if verdict.hint:
                lines.append(Banner(text=verdict.hint, colour=HINT))
        return lines

    def _hold(self) -> None:
        if self._shutter.press(self._clock()):
            self._sitting.begin_burst()

    def _burst(self) -> None:
        self._sitting.begin_burst()
        self._shutter.burst(self._clock())

    def _undo(self) -> None:
        self._shutter.stop()
        self._recording.keep = False
        gone = self._sitting.undo()
        self._say(f"Undone: {len(gone)} frames of {gone[0].letter}." if gone else "Nothing to undo.", HINT)

    def _step(self, by: int) -> None:
        self._recording.keep = False
        self._recording.choose(self._sitting.neighbour_letter(by))
        self._shutter.prepare(self._clock())

    def _quit(self) -> None:
        self.ended = STOPPED

    def _say(self, text: str, colour: tuple[int, int, int]) -> None:
        self._note = _Note(banner=Banner(text=text, colour=colour), until=self._clock() + _NOTE_S)
