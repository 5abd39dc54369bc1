"""The recording window: handles keys, and combines camera image, hints and counts into the view."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.record import COMPLETE, SOURCE_ENDED, SourceRecording
from aslkit.capture.session.clip_files import ClipEntry
from aslkit.capture.session.lifecycle import CTRL_C
from aslkit.capture.session.stored_entries import Entry
from aslkit.capture.window.clip_keys import ClipKeys
from aslkit.capture.window.licence_question import LICENCE_KEYS
from aslkit.capture.window.shutter import Shutter
from aslkit.capture.window.view import RecordingView, draw_view
from aslkit.core.errors import AslkitError
from aslkit.core.letters import ALPHABET, NO_LETTER
from aslkit.core.sanitize import format_count
from aslkit.gui.drawing import BAD, GOOD, HINT, WARN, Banner
from aslkit.gui.window import display_works, run_window
from aslkit.vision.images import Frame

TITLE: Final = "aslkit capture"
STOPPED: Final = "stopped with q"

_FPS_UPDATE_INTERVAL_S: Final = 0.5
_NOTE_DURATION_S: Final = 2.5


def record_in_window(source_recording: SourceRecording) -> str:
    """Record in a window until all letters are complete or the user quits; return why the recording ended.

    Raises:
        AslkitError: there is no display, or the source failed.
        OSError: the disk is full.
    """
    if not display_works():
        raise AslkitError(
            "No display found for the window. "
            "Add --no-preview to record without a window, or --web to record in a browser."
        )
    controller = WindowController(source_recording)
    try:
        run_window(TITLE, controller)
    except KeyboardInterrupt:
        return CTRL_C
    finally:
        source_recording.keep = False
    assert controller.end_reason is not None
    return controller.end_reason


@dataclass(kw_only=True)
class _Note:
    """A message that is shown for a limited time."""

    banner: Banner | None = None
    until: float = 0.0


class WindowController:
    """Handles the keys of the recording window, and builds its view.

    Args:
        source_recording: the running recording.
        clock: returns monotonic time in seconds.

    Attributes:
        end_reason: why the recording has ended; None while it is running.
    """

    def __init__(self, source_recording: SourceRecording, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.end_reason: str | None = None
        self._source, self._recording, self._clock = source_recording, source_recording.recording, clock
        capture = self._recording.capture
        self._frame_shutter = Shutter(countdown_s=capture.countdown_s, burst_s=capture.burst_s)
        self._clip_keys = ClipKeys(source_recording)
        self._shutter.prepare(clock())
        self._note = _Note()
        self._fps_text, self._fps_updated_at = "", -_FPS_UPDATE_INTERVAL_S
        self._keys: dict[str, Callable[[], None]] = {
            " ": self._hold,
            "b": self._burst,
            "u": self._undo,
            "n": lambda: self._select_adjacent_letter(1),
            "p": lambda: self._select_adjacent_letter(-1),
            "q": self._quit,
        }

    @property
    def _records_clips(self) -> bool:
        return self._recording.records_clips(self._recording.letter)

    @property
    def _shutter(self) -> Shutter:
        """The shutter of the current letter."""
        return self._clip_keys.shutter if self._records_clips else self._frame_shutter

    def handle_key(self, key: int) -> None:
        """Handle a key code; -1 means no key. While a question is open, only its answers and q work."""
        # The upper bits are modifiers. Without the check for 0x80, the last byte of an arrow key would be a letter.
        code = key & 0xFFFF
        character = chr(code).lower() if key >= 0 and code < 0x80 else ""
        if self._recording.asks_licence and character != "q":
            if character in LICENCE_KEYS:
                self._recording.choose_licence(LICENCE_KEYS[character].licence)
                self._shutter.prepare(self._clock())
        elif self._recording.handedness.question is not None and character != "q":
            if character in ("y", "n"):
                self._recording.answer_question(confirmed=character == "y")
        elif character in self._keys:
            self._keys[character]()

    def update(self) -> None:
        """Switch to the next letter if the current one is complete, and end if the source has ended.

        Raises:
            AslkitError, OSError: the source or the disk failed.
        """
        source, recording = self._source, self._recording
        source.check()
        now = self._clock()
        source.keep = self._shutter.is_recording(now)
        if self._records_clips and (note := self._clip_keys.update(now)) is not None:
            self._note = _Note(banner=note, until=now + _NOTE_DURATION_S)
        if self._shutter.released_early(now):
            self._show_note("Too short: keep space held until the countdown has ended.", WARN)
        if recording.is_complete(recording.letter):
            completed = recording.letter
            if all(recording.is_complete(letter) for letter in recording.letters):
                self.end_reason = COMPLETE
                return
            self._select_adjacent_letter(1)
            self._show_note(f"{completed} is complete. Now {recording.letter}.", GOOD)
        elif source.pipeline.finished.is_set():
            source.check()  # an error since the first check also sets finished
            self.end_reason = SOURCE_ENDED

    def render(self) -> Frame:
        """Return the current image of the window, BGR, uint8 (height, width, 3)."""
        return draw_view(self.view())

    def view(self) -> RecordingView:
        """Return the current content of the window."""
        recording, now = self._recording, self._clock()
        newest, decision = self._source.pipeline.newest, self._source.pipeline.decision
        return RecordingView(
            frame=None if newest is None else newest.frame,
            hand=None if newest is None else newest.hand,
            good=decision is not None and not decision.reasons,
            recording=self._shutter.is_recording(now) and recording.handedness.question is None,
            countdown=None if recording.asks_licence else self._shutter.countdown(now),
            letter=recording.letter,
            left_handed=recording.handedness.usual == "left",
            counts=recording.counts if recording.count is None else recording.stored,
            goals={letter: recording.goal(letter) for letter in (*ALPHABET, NO_LETTER)},
            records_clips=self._records_clips,
            letters=recording.letters,
            # A copy: the judging thread changes the counter while the window is drawn.
            rejected=Counter(recording.rejected),
            info=self._info(now),
            banners=() if recording.asks_licence else tuple(self._banners(now)),
            asks_licence=recording.asks_licence,
        )

    def _info(self, now: float) -> tuple[str, ...]:
        if now - self._fps_updated_at >= _FPS_UPDATE_INTERVAL_S:
            rates = self._source.stream.frame_rates()
            self._fps_text, self._fps_updated_at = f"{rates[0]:.0f} frames per second" if rates else "", now
        info = self._recording.session.info
        return (info.signer, info.session, info.camera, self._fps_text)

    def _banners(self, now: float) -> list[Banner]:
        """Return the banners, most important first; the window shows the first two."""
        handedness, decision = self._recording.handedness, self._source.pipeline.decision
        # A camera without image makes all other messages outdated.
        if problem := self._source.stream.problem:
            return [Banner(text=problem, colour=BAD)]
        if side := handedness.question:
            question = (
                f"This looks like your {side} hand. Correct?    y  yes      n  no, it is my {handedness.usual} hand"
            )
            return [Banner(text=question, colour=HINT)]
        banners = [self._note.banner] if self._note.banner and now < self._note.until else []
        if decision is not None:
            if decision.reasons:
                banners.append(Banner(text=REASON_MESSAGES[decision.reasons[0]], colour=WARN))
            elif not self._shutter.is_recording(now):
                banners.append(Banner(text=f"Good. {self._instruction()}", colour=GOOD))
            if decision.hint:
                banners.append(Banner(text=decision.hint, colour=HINT))
        return banners

    def _instruction(self) -> str:
        return self._clip_keys.instruction() if self._records_clips else "Hold space to record."

    def _hold(self) -> None:
        if self._shutter.press(self._clock()) and not self._records_clips:
            self._recording.start_burst()

    def _burst(self) -> None:
        if not self._records_clips:
            self._recording.start_burst()
        self._shutter.burst(self._clock())

    def _undo(self) -> None:
        self._shutter.stop()
        self._clip_keys.drop()
        self._source.keep = False
        removed = self._recording.undo()
        self._show_note(_describe_removed(removed), HINT)

    def _select_adjacent_letter(self, step: int) -> None:
        self._clip_keys.drop()
        self._source.keep = False
        self._source.select_letter(self._recording.adjacent_letter(step))
        self._shutter.prepare(self._clock())

    def _quit(self) -> None:
        self.end_reason = STOPPED

    def _show_note(self, text: str, colour: tuple[int, int, int]) -> None:
        self._note = _Note(banner=Banner(text=text, colour=colour), until=self._clock() + _NOTE_DURATION_S)


def _describe_removed(removed: Sequence[Entry]) -> str:
    if not removed:
        return "Nothing to undo."
    kind = "clip" if isinstance(removed[0], ClipEntry) else "frame"
    return f"Removed {format_count(len(removed), kind)} of {removed[0].letter}."
