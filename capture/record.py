"""A recording from its beginning to its end: the source, the sitting before it, and who shows it."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.frame_pipeline import FramePipeline
from aslkit.capture.quality.gate import WORDS
from aslkit.capture.session.lifecycle import CTRL_C, RecordingLifecycle, RecordingResult
from aslkit.capture.session.recording import Recording
from aslkit.core.errors import AslkitError
from aslkit.core.progress import Advance, OnMessage, progress_bar
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.video.cameras import camera_label
from aslkit.video.sources import LIVE, SourceRequest, open_source, source_kind
from aslkit.video.stream import Stream

COMPLETE: Final = "all recorded"
SOURCE_ENDED: Final = "the source ended"

_GLANCE_S: Final = 0.05
_ADVISE_EVERY_S: Final = 2.0


class SourceRecording:
    """A sitting before a source.

    Args:
        recording: stores what is good.
        open_stream: opens the source for a letter; a synthetic signer has to know which.
        stream: the source, open already for the sitting's first letter.
        by_letter: the source is to be opened anew for each letter.
        live: its frames do not wait.

    Attributes:
        keep: whether frames are recorded at the moment. Of a source that waits, all are from the beginning.
    """

    def __init__(
        self, recording: Recording, *, open_stream: Callable[[str], Stream], stream: Stream, by_letter: bool, live: bool
    ) -> None:
        self.recording, self.stream, self.keep, self.live = recording, stream, not live, live
        self.pipeline = FramePipeline(recording, keep=lambda: self.keep, wait=not live)
        self._open_stream, self._by_letter = open_stream, by_letter
        self._seen = self._lost = 0
        self.pipeline.start(stream)

    def choose(self, letter: str) -> None:
        """Go to a letter."""
        if letter != self.recording.letter and self._by_letter:
            self._leave()
            self.recording.choose(letter)
            self.stream = self._open_stream(letter)
            self.pipeline.start(self.stream)
        else:
            self.recording.choose(letter)

    def check(self) -> None:
        """Raise what went wrong in one of the threads."""
        self.pipeline.check()
        self.stream.check()

    def frames(self) -> dict[str, Any]:
        """How many frames the source gave and how many nobody had time for, and how many came a second."""
        rates = self.stream.rates()
        lost = self._lost + self.stream.frames.lost + self.pipeline.dropped + self.recording.late
        shown = self.pipeline.newest
        size = {} if shown is None else {"height": shown.frame.shape[0], "width": shown.frame.shape[1]}
        fps = None if rates is None else {"p50": round(rates[0], 1), "p95": round(rates[1], 1)}
        return {"seen": self._seen + self.stream.seen, "dropped": lost, "fps": fps, **size}

    def _leave(self) -> None:
        self.pipeline.stop(self.stream)
        self._seen += self.stream.seen
        self._lost += self.stream.frames.lost

    def close(self) -> None:
        """Stop the source, write what is left, free everything."""
        self.pipeline.stop(self.stream)
        self.recording.close()
        self.pipeline.close()


Screen = Callable[[SourceRecording], str]
"""Shows a recording while it runs, says through `keep` what is recorded, and returns why it ended."""


def record(
    letters: Sequence[str],
    *,
    source: str,
    workspace: Workspace,
    info: SessionInfo,
    capture: CaptureConfig,
    gate: GateConfig,
    screen: Screen,
    count: int | None = None,
    paced: bool = False,
    ask: bool = False,
) -> RecordingResult:
    """Record letters; Ctrl-C or a source that ends sooner keeps what is stored.

    Args:
        letters: which; those that lack most come first, those that are complete are left out.
        source: as `aslkit.video.sources.open_source` takes it.
        workspace: where to.
        info: who is recorded, when, with what.
        capture: how to record.
        gate: what frames must be like.
        screen: what the user sees meanwhile: `record_in_terminal`, or `aslkit.capture.window.window.record_in_window`.
        count: frames of each letter to store now; None for as many as the goal wants.
        paced: give a video's frames in their own time.
        ask: whether `screen` can put a question to the signer.

    Raises:
        AslkitError: the source cannot be read; another process records into the session; no display.
        OSError: the disk is full. What was stored before is whole.
    """
    seat = RecordingLifecycle(workspace=workspace, info=info, capture=capture, gate=gate, count=count, ask=ask)
    lacking = seat.missing_letters(letters)
    if not lacking:
        return seat.empty_result()
    open_stream = partial(_stream, source=source, info=info, capture=capture, paced=paced, folder=seat.folder, ask=ask)
    with ExitStack() as stack:
        stream = open_stream(lacking[0])
        stack.callback(stream.close)
        stream.first()
        if not stream.seen:
            raise AslkitError(f"{source} gave no frames. Try it in a player, or give another source.")
        sitting = stack.enter_context(seat.open_recording(lacking))
        live = paced or source_kind(source) in LIVE
        by_letter = source_kind(source) == "synthetic"
        recording = SourceRecording(sitting, open_stream=open_stream, stream=stream, by_letter=by_letter, live=live)
        with seat.write_session_record(sitting, close=recording.close, frames=recording.frames) as outcome:
            outcome |= _device(source, capture)
            outcome["ended_by"] = screen(recording)
    return seat.result(sitting, outcome)


def _device(source: str, capture: CaptureConfig) -> dict[str, Any]:
    """What is known of a camera besides its frames."""
    if source_kind(source) != "camera":
        return {}
    asked = f"{capture.camera_width}×{capture.camera_height}, {capture.camera_fps} fps"
    return {"camera": {"name": camera_label(int(source)), "asked": asked}}


def _stream(
    letter: str,
    *,
    source: str,
    info: SessionInfo,
    capture: CaptureConfig,
    paced: bool,
    folder: Path,
    ask: bool,
) -> Stream:
    # A second recording of the synthetic signer goes on with other frames than the first.
    seed = len(list((folder / letter).iterdir())) if (folder / letter).is_dir() else 0
    wanted = SourceRequest(width=capture.camera_width, height=capture.camera_height, fps=capture.camera_fps)
    reopen = partial(
        open_source,
        source,
        letter=letter,
        signer=info.signer,
        session=info.session,
        seed=seed,
        interval_s=0.0 if paced else capture.interval_s,
        wanted=wanted,
    )
    live = source_kind(source) in LIVE
    return Stream(reopen, live=live, paced=paced, patience_s=None if ask else capture.reconnect_s)


def record_in_terminal(
    recording: SourceRecording,
    *,
    on_message: OnMessage,
    show: Callable[[str, int], AbstractContextManager[Advance]] = progress_bar,
) -> str:
    """Record all that comes, letter after letter.

    Args:
        recording: what runs.
        on_message: called with each line the user should read.
        show: given a title and a number of frames, shows how far it is.
    """
    sitting, ended = recording.recording, COMPLETE
    try:
        for letter in sitting.letters:
            recording.choose(letter)
            sitting.begin_burst()
            recording.keep = True
            goal = sitting.count or sitting.capture.goal - sitting.counts[letter]
            with show(f"Recording {letter}", goal) as advance:
                ended = _until_complete(recording, letter, advance, on_message)
            recording.check()
            if ended != COMPLETE:
                break
    except KeyboardInterrupt:
        return CTRL_C
    return ended


def _until_complete(recording: SourceRecording, letter: str, advance: Advance, on_message: OnMessage) -> str:
    sitting, shown, trouble = recording.recording, 0, None
    said = ("", 0.0)
    while not sitting.complete(letter):
        over = recording.pipeline.finished.wait(_GLANCE_S)
        advance(sitting.stored[letter] - shown)
        shown = sitting.stored[letter]
        if over:
            return COMPLETE if sitting.complete(letter) else SOURCE_ENDED
        before, trouble = trouble, recording.stream.trouble
        if bool(trouble) != bool(before):
            on_message(trouble or "It is back.")
        said = _advise(recording, said, on_message)
    return COMPLETE


def _advise(recording: SourceRecording, said: tuple[str, float], on_message: OnMessage) -> tuple[str, float]:
    """Tell somebody before a camera and a terminal what is wrong, when that changes and not all the time.

    Args:
        recording: what runs.
        said: the last message and when it was given, in seconds since any moment.
        on_message: called with each line the user should read.
    """
    verdict, now = recording.pipeline.decision, time.monotonic()
    if verdict is None or now - said[1] < _ADVISE_EVERY_S or not (recording.live and sys.stderr.isatty()):
        return said
    words = WORDS[verdict.reasons[0]] if verdict.reasons else ""
    if words and words != said[0]:
        on_message(words)
    return words, now
