"""Records from a camera, stream, video, image folder or the synthetic signer."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.frame_pipeline import FramePipeline
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.session.lifecycle import CTRL_C, RecordingLifecycle, RecordingResult
from aslkit.capture.session.recording import Recording
from aslkit.core.errors import AslkitError
from aslkit.core.progress import Advance, OnMessage, progress_bar
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.video.cameras import camera_label
from aslkit.video.sources import LIVE_KINDS, CameraRequest, open_source, source_kind
from aslkit.video.stream import Stream

COMPLETE: Final = "all recorded"
SOURCE_ENDED: Final = "the source ended"

_POLL_INTERVAL_S: Final = 0.05
_ADVICE_INTERVAL_S: Final = 2.0


class SourceRecording:
    """A recording that reads its frames from a source.

    Args:
        recording: judges and stores the frames.
        open_stream: opens the source for a letter, which the synthetic signer needs to know.
        stream: the source, already open for the first letter.
        reopen_per_letter: whether the source must be reopened for every letter.
        live: whether frames arrive in real time.

    Attributes:
        keep: whether frames are stored at the moment. True from the start for a source that is not live, because it
            waits for its consumer.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        open_stream: Callable[[str], Stream],
        stream: Stream,
        reopen_per_letter: bool,
        live: bool,
    ) -> None:
        self.recording, self.stream, self.keep, self.live = recording, stream, not live, live
        self.pipeline = FramePipeline(recording, should_keep=lambda: self.keep, wait=not live)
        self._open_stream, self._reopen_per_letter = open_stream, reopen_per_letter
        self._previous_frames = self._previous_dropped = 0  # of streams that were closed before
        self.pipeline.start(stream)

    def select_letter(self, letter: str) -> None:
        """Switch to another letter."""
        if letter != self.recording.letter and self._reopen_per_letter:
            # Close first: frames that show the previous letter must not be stored as the next one.
            self._close_stream()
            self.recording.select_letter(letter)
            self.stream = self._open_stream(letter)
            self.pipeline.start(self.stream)
        else:
            self.recording.select_letter(letter)

    def check(self) -> None:
        """Raise the error that ended one of the threads, if any."""
        self.pipeline.check()
        self.stream.check()

    def frame_statistics(self) -> dict[str, Any]:
        """Return the number of frames read and dropped, the frame rate and the frame size, for session.json."""
        rates = self.stream.frame_rates()
        dropped = self._previous_dropped + self.stream.frames.dropped + self.pipeline.dropped + self.recording.dropped
        newest = self.pipeline.newest
        size = {} if newest is None else {"height": newest.frame.shape[0], "width": newest.frame.shape[1]}
        fps = None if rates is None else {"p50": round(rates[0], 1), "p95": round(rates[1], 1)}
        return {"seen": self._previous_frames + self.stream.frame_count, "dropped": dropped, "fps": fps, **size}

    def _close_stream(self) -> None:
        self.pipeline.stop(self.stream)
        self._previous_frames += self.stream.frame_count
        self._previous_dropped += self.stream.frames.dropped

    def close(self) -> None:
        """Stop the source, write the remaining frame and free all resources."""
        # In this order: the pipeline's threads pass frames to the recording until they have stopped.
        self.pipeline.stop(self.stream)
        self.recording.close()
        self.pipeline.close()


AskLicence = Callable[[str], str]
"""Asks a signer, given by name, for the licence, and returns it."""

Screen = Callable[[SourceRecording], str]
"""Runs the user interface of a recording, sets `SourceRecording.keep`, and returns why the recording ended."""


def record(
    letters: Sequence[str],
    *,
    source: str,
    workspace: Workspace,
    info: SessionInfo | Callable[[], SessionInfo],
    capture: CaptureConfig,
    gate: GateConfig,
    screen: Screen,
    count: int | None = None,
    paced: bool = False,
    can_ask: bool = False,
    ask_licence: AskLicence | None = None,
) -> RecordingResult:
    """Record letters from a source. If the user presses Ctrl-C or the source ends early, stored frames are kept.

    Args:
        letters: letters to record. Those with the fewest frames come first; complete ones are skipped.
        source: see `aslkit.video.sources.open_source`.
        workspace: workspace to record into.
        info: signer, session and camera, or a function that asks for them. It is called when the source works.
        capture: configuration of the recording.
        gate: configuration of the quality gate.
        screen: user interface: `record_in_terminal` or `aslkit.capture.window.window.record_in_window`.
        count: number of frames of each letter to store; None records until the goal is reached.
        paced: deliver the frames of a video at its frame rate.
        can_ask: whether `screen` can ask the signer a question.
        ask_licence: asks a new signer for the licence, if `screen` cannot; None if nobody can be asked.

    Raises:
        AslkitError: the source cannot be read, another process is recording into the session, or there is no display.
        OSError: the disk is full. Frames stored before are complete.
    """
    create_lifecycle = partial(
        RecordingLifecycle, workspace=workspace, capture=capture, gate=gate, count=count, can_ask=can_ask,
        ask_licence=can_ask or ask_licence is not None,
    )  # fmt: skip
    lifecycle, incomplete = None if callable(info) else create_lifecycle(info=info), letters
    if lifecycle is not None and not (incomplete := lifecycle.incomplete_letters(letters)):
        return lifecycle.empty_result()
    open_stream = partial(
        _open_stream, source=source, lifecycle=lifecycle, capture=capture, paced=paced,
        wait_forever=can_ask,  # a window shows that the camera is disconnected, and the user can end the recording
    )  # fmt: skip
    with ExitStack() as stack:
        # The source comes first: if it cannot be opened, nobody is asked, and no session folder is created.
        stream = stack.enter_context(_wait_for_frames(open_stream(incomplete[0]), source))
        if callable(info):
            lifecycle = create_lifecycle(info=info())
            if not (incomplete := lifecycle.incomplete_letters(letters)):
                return lifecycle.empty_result()
        assert lifecycle is not None
        recording = stack.enter_context(lifecycle.open_recording(incomplete))
        if recording.asks_licence and ask_licence is not None:
            # Before the frames of a file are read, because they would be lost.
            recording.choose_licence(ask_licence(lifecycle.info.signer))
        source_recording = SourceRecording(
            recording, open_stream=open_stream, stream=stream, reopen_per_letter=source_kind(source) == "synthetic",
            live=paced or source_kind(source) in LIVE_KINDS,
        )  # fmt: skip
        with lifecycle.write_session_summary(
            recording, close=source_recording.close, frame_statistics=source_recording.frame_statistics
        ) as summary:
            summary |= _camera_info(source, capture)
            summary["ended_by"] = screen(source_recording)
    return lifecycle.result(recording, summary)


@contextmanager
def _wait_for_frames(stream: Stream, source: str) -> Iterator[Stream]:
    """Wait for the first frame, and close the stream at the end, also if the recording does not start."""
    try:
        stream.wait_for_first_frame()
        if not stream.frame_count:
            raise AslkitError(f"{source} contains no frames. Try it in a video player, or give another source.")
        yield stream
    finally:
        stream.close()  # closing twice is harmless


def _camera_info(source: str, capture: CaptureConfig) -> dict[str, Any]:
    """Return the name of a camera and what was requested from it, for session.json."""
    if source_kind(source) != "camera":
        return {}
    requested = f"{capture.camera_width}×{capture.camera_height}, {capture.camera_fps} fps"
    return {"camera": {"name": camera_label(int(source)), "asked": requested}}


def _open_stream(
    letter: str,
    *,
    source: str,
    lifecycle: RecordingLifecycle | None,
    capture: CaptureConfig,
    paced: bool,
    wait_forever: bool,
) -> Stream:
    """Open the source. Signer and session only matter to the synthetic signer, who need not be asked for a name."""
    signer, session, seed = "", "", 0
    if lifecycle is not None:
        signer, session, folder = lifecycle.info.signer, lifecycle.info.session, lifecycle.folder / letter
        # The seed differs from that of earlier recordings, so that the synthetic signer shows new frames.
        seed = len(list(folder.iterdir())) if folder.is_dir() else 0
    camera_request = CameraRequest(width=capture.camera_width, height=capture.camera_height, fps=capture.camera_fps)
    reopen = partial(
        open_source,
        source,
        letter=letter,
        signer=signer,
        session=session,
        seed=seed,
        interval_s=0.0 if paced else capture.interval_s,
        camera_request=camera_request,
    )
    live = source_kind(source) in LIVE_KINDS
    timeout_s = None if wait_forever else capture.reconnect_s
    return Stream(reopen, live=live, paced=paced, reconnect_timeout_s=timeout_s)


def record_in_terminal(
    source_recording: SourceRecording,
    *,
    on_message: OnMessage,
    show: Callable[[str, int], AbstractContextManager[Advance]] = progress_bar,
) -> str:
    """Record all letters one after another, and return why the recording ended.

    Args:
        source_recording: the running recording.
        on_message: called with each line that the user should read.
        show: shows the progress of a letter. Arguments: title, number of frames.
    """
    recording, end_reason = source_recording.recording, COMPLETE
    try:
        for letter in recording.letters:
            source_recording.select_letter(letter)
            recording.start_burst()
            source_recording.keep = True
            goal = recording.count or recording.capture.goal - recording.counts[letter]
            with show(f"Recording {letter}", goal) as advance:
                end_reason = _wait_until_complete(source_recording, letter, advance, on_message)
            # An error of a thread also sets `finished`, and must not look like the end of the source.
            source_recording.check()
            if end_reason != COMPLETE:
                break
    except KeyboardInterrupt:
        return CTRL_C
    return end_reason


def _wait_until_complete(
    source_recording: SourceRecording, letter: str, advance: Advance, on_message: OnMessage
) -> str:
    recording, shown, problem = source_recording.recording, 0, None
    last_advice, finished = ("", 0.0), False
    wrong_letter: str | None = None
    while True:
        # Before the loop ends, because a short video can be complete before the first look. Once per letter.
        if wrong_letter is None and (wrong_letter := recording.wrong_letter_hint) is not None:
            on_message(wrong_letter)
        if recording.is_complete(letter):
            return COMPLETE
        if finished:
            return SOURCE_ENDED
        # With a timeout, because progress, camera problems and advice are shown while waiting.
        finished = source_recording.pipeline.finished.wait(_POLL_INTERVAL_S)
        advance(recording.stored[letter] - shown)
        shown = recording.stored[letter]
        previous_problem, problem = problem, source_recording.stream.problem
        if bool(problem) != bool(previous_problem):
            on_message(problem or "The camera works again.")
        last_advice = _advise(source_recording, last_advice, on_message)


def _advise(
    source_recording: SourceRecording, last_advice: tuple[str, float], on_message: OnMessage
) -> tuple[str, float]:
    """Report why frames are rejected, when the reason changes and not too often. Only for a live source in a terminal.

    Args:
        source_recording: the running recording.
        last_advice: last message and the monotonic time at which it was checked, seconds.
        on_message: called with each line that the user should read.

    Returns:
        The new value for `last_advice`.
    """
    decision, now = source_recording.pipeline.decision, time.monotonic()
    is_due = now - last_advice[1] >= _ADVICE_INTERVAL_S
    if decision is None or not is_due or not (source_recording.live and sys.stderr.isatty()):
        return last_advice
    message = REASON_MESSAGES[decision.reasons[0]] if decision.reasons else ""
    if message and message != last_advice[0]:
        on_message(message)
    return message, now
