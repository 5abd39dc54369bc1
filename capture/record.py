"""Records from a camera, stream, video, image folder or the synthetic signer."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict
from functools import partial
from typing import Any, Final

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.frame_pipeline import FramePipeline
from aslkit.capture.session.lifecycle import RecordingLifecycle, RecordingResult
from aslkit.capture.session.recording import Recording
from aslkit.core.letters import MOTION_LETTERS
from aslkit.core.sanitize import format_count
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.video.cameras import camera_label
from aslkit.video.source_frame import SourceFrame
from aslkit.video.source_kind import LIVE_KINDS, source_kind
from aslkit.video.sources import WHOLE_SOURCE, CameraRequest, ReadOptions, open_source
from aslkit.video.stream import Stream

COMPLETE: Final = "all recorded"
SOURCE_ENDED: Final = "the source ended"

_MANY_FRAMES: Final = 30
_MIN_JUDGED: Final = 5
"""If fewer frames than this were judged of many, the user is told."""


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

    def few_frames_notes(self) -> list[str]:
        """Return that hardly any frame of a source that has ended was considered, if so: its times may be wrong."""
        if self.recording.records_clips(self.recording.letter):
            return self._no_movement_notes()
        judged, read = sum(self.recording.stored.values()) + self.recording.rejected.total(), self.stream.frame_count
        if self.live or judged >= _MIN_JUDGED or read < _MANY_FRAMES:
            return []
        interval_s = self.recording.capture.interval_s
        return [f"Only {judged} of {read} frames were considered, at most one per {interval_s:g} s (--interval-s)."]

    def _no_movement_notes(self) -> list[str]:
        if self.live or self.recording.stored.total() or self.recording.rejected_clips:
            return []
        return [
            f"No movement was found in {format_count(self.stream.frame_count, 'frame')}. Rest for half a second before "
            "and after each movement, or record each in a video of its own."
        ]

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
    options: ReadOptions = WHOLE_SOURCE,
    can_ask: bool = False,
    ask_licence: AskLicence | None = None,
    clip_letters: Collection[str] = MOTION_LETTERS,
) -> RecordingResult:
    """Record letters from a source. If the user presses Ctrl-C or the source ends early, stored frames are kept.

    Args:
        letters: letters to record. Those with the fewest frames come first; complete ones are skipped.
        source: see `aslkit.video.sources.open_source`.
        workspace: workspace to record into.
        info: signer, session and camera, or a function that asks for them. It is called when the source works.
        capture: configuration of the recording.
        gate: configuration of the quality gate.
        screen: user interface: `aslkit.capture.terminal.record_in_terminal` or
            `aslkit.capture.window.window.record_in_window`.
        count: number of frames or clips of each letter to store; None records until the goal is reached.
        paced: deliver the frames of a video at its frame rate.
        options: which part of a video to record, and whether the source is mirrored.
        can_ask: whether `screen` can ask the signer a question.
        ask_licence: asks a new signer for the licence, if `screen` cannot; None if nobody can be asked.
        clip_letters: letters that are recorded as clips.

    Raises:
        AslkitError: the source cannot be read, another process is recording into the session, or there is no display.
        OSError: the disk is full. Frames stored before are complete.
    """
    create_lifecycle = partial(
        RecordingLifecycle, workspace=workspace, capture=capture, gate=gate, count=count, can_ask=can_ask,
        ask_licence=can_ask or ask_licence is not None, clip_letters=clip_letters,
    )  # fmt: skip
    lifecycle, incomplete = None if callable(info) else create_lifecycle(info=info), letters
    if lifecycle is not None and not (incomplete := lifecycle.incomplete_letters(letters)):
        return lifecycle.empty_result()
    notes: list[str] = []
    open_frames = partial(open_source, source, options=options, on_note=notes.append)
    open_stream = partial(
        _open_stream, open_frames=open_frames, source=source, lifecycle=lifecycle, capture=capture, paced=paced,
        clip_letters=clip_letters,
        wait_forever=can_ask,  # a window shows that the camera is disconnected, and the user can end the recording
    )  # fmt: skip
    with ExitStack() as stack:
        # The source comes first: if it cannot be opened, nobody is asked, and no session folder is created.
        stream = stack.enter_context(_wait_for_frames(open_stream(incomplete[0])))
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
            summary |= _source_info(source, capture, options)
            summary["notes"] = notes
            summary["ended_by"] = screen(source_recording)
            if summary["ended_by"] == SOURCE_ENDED:
                notes.extend(source_recording.few_frames_notes())
    return lifecycle.result(recording, summary)


@contextmanager
def _wait_for_frames(stream: Stream) -> Iterator[Stream]:
    """Wait for the first frame, and close the stream at the end, also if the recording does not start."""
    try:
        stream.wait_for_first_frame()
        yield stream
    finally:
        stream.close()  # closing twice is harmless


def _source_info(source: str, capture: CaptureConfig, options: ReadOptions) -> dict[str, Any]:
    """Return how the source was read, for session.json: camera, and options that are not the default."""
    info: dict[str, Any] = {name: value for name, value in asdict(options).items() if value}
    if source_kind(source) == "camera":
        requested = f"{capture.camera_width}×{capture.camera_height}, {capture.camera_fps} fps"
        info["camera"] = {"name": camera_label(int(source)), "asked": requested}
    return info


def _open_stream(
    letter: str,
    *,
    open_frames: Callable[..., AbstractContextManager[Iterator[SourceFrame]]],
    source: str,
    lifecycle: RecordingLifecycle | None,
    capture: CaptureConfig,
    paced: bool,
    clip_letters: Collection[str],
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
        open_frames,
        letter=letter,
        signer=signer,
        session=session,
        seed=seed,
        interval_s=0.0 if paced or letter in clip_letters else capture.interval_s,
        camera_request=camera_request,
    )
    live = source_kind(source) in LIVE_KINDS
    timeout_s = None if wait_forever else capture.reconnect_s
    return Stream(reopen, live=live, paced=paced, reconnect_timeout_s=timeout_s)
