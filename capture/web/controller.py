"""Handles the requests of the recording page, without HTTP.

Methods take and return plain values. They raise `RequestRefused` with a message for the user if a request is invalid.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Lock
from typing import Any, Final

import numpy as np

from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.session.clip_files import ClipEntry
from aslkit.capture.session.decisions import GateDecision
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.stored_entries import Entry
from aslkit.capture.web.camera_info import client_camera_info
from aslkit.capture.web.clip_uploads import ClipUploads
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.capture.web.page_state import describe_state, describe_summary
from aslkit.capture.web.thumbnails import create_thumbnail, frame_not_found
from aslkit.core.errors import InputError
from aslkit.formats.captures import frame_timestamp
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.web.request_limits import FrameRateMeter, RequestRefused, decode_upload

MAX_REACHABLE_FRAMES: Final = 500
"""A page can request or delete this many of the newest frames, which is more than it ever shows."""

MAX_CAMERAS: Final = 20
"""Camera changes that are remembered."""

_TIME_TOLERANCE_S: Final = 0.0005
"""Browser clocks have a resolution of 1 ms at best."""


@dataclass(frozen=True, kw_only=True)
class UploadedFrame:
    """A frame sent by a page.

    Attributes:
        data: encoded image, JPEG or PNG.
        keep: whether to store the frame; otherwise it is only judged.
        revision: `Recording.revision` known to the page. If it is outdated because the letter changed or frames were
            undone, the frame is only judged.
        burst: number of the burst on the page. Frames of a burst are undone together.
        page: identifier of the page, which counts its bursts from 1.
        taken_s: time at which the frame was taken, seconds on the page's monotonic clock.
    """

    data: bytes
    keep: bool
    revision: int
    burst: int
    page: str
    taken_s: float


class RecordingController:
    """Connects a page to a recording. Thread-safe.

    Args:
        recording: judges and stores the frames. The caller closes it.
        analyze_frame: measures a frame.
        clips: takes the frames of clips; None finds the hand in them with `analyze_frame`.
        read_preview: returns what a model reads in a frame, as JSON; None if there is none.
        now: returns the current time.
        clock: returns monotonic time in seconds.

    Attributes:
        clips: takes the frames of clips.
        cameras: label and settings of each camera that a page has used, in order.
        frame_rate: measures the rate of incoming frames.
        failure: error of the disk; None if all frames could be written.
    """

    def __init__(
        self,
        recording: Recording,
        analyze_frame: FrameAnalyzer,
        *,
        clips: ClipUploads | None = None,
        read_preview: Callable[[Frame, Hand | None], dict[str, Any] | None] = lambda frame, hand: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recording, self._analyze_frame, self._now = recording, analyze_frame, now
        self._read_preview = read_preview
        self.clips = clips or ClipUploads(recording, lambda frame, time_s: analyze_frame(frame, time_s).hand)
        self.cameras: list[dict[str, Any]] = []
        self.frame_rate = FrameRateMeter(clock=clock)
        self.failure: OSError | None = None
        # Two locks, so that undo and other letters need not wait until a frame has been measured.
        self._analysis_lock, self._recording_lock = Lock(), Lock()
        self._burst: tuple[str, int] | None = None
        self._last_kept_s: float | None = None
        self._closed = False

    def state(self) -> dict[str, Any]:
        """Return all values that a page needs to start, also after a reload."""
        return describe_state(self.recording, self.failure)

    def process_frame(self, upload: UploadedFrame) -> dict[str, Any]:
        """Judge a frame, and store it if it is good, is to be kept, and the interval since the last one has passed.

        Raises:
            RequestRefused: the image cannot be decoded, or the recording is closed.
            OSError: the disk is full.
        """
        frame = self.recording.encode(decode_upload(upload.data))
        self.frame_rate.count()
        with self._analysis_lock:
            # Checked under the lock: after `close`, the landmarker is freed.
            if self._closed:
                raise recording_closed()
            metrics = self._analyze_frame(frame.pixels, upload.taken_s)
            preview = self._read_preview(frame.pixels, metrics.hand)
        with self._recording_lock:
            if self._closed:
                raise recording_closed()
            # Checked and stored under one lock, so that the letter cannot change in between.
            keep = upload.keep and upload.revision == self.recording.revision and self._is_due(upload.taken_s)
            if keep:
                self._last_kept_s = upload.taken_s
                self._start_burst_if_new((upload.page, upload.burst))
            now = self._now()
            decision = self.recording.process_frame(
                frame,
                metrics,
                name=frame_timestamp(now),
                captured_at=now,
                keep=keep,
                wait=True,  # the page waits for the response, so a slow disk slows it down and no frame is dropped
                revision=upload.revision,
            )
            return _decision_values(metrics, decision) | {
                "kept": keep,
                "letter": self.recording.letter,
                "revision": self.recording.revision,
                "count": self.recording.progress(self.recording.letter),
                "complete": self.recording.is_complete(self.recording.letter),
                "dropped": self.recording.dropped,
                "usual_hand": self.recording.handedness.usual,
                "preview": preview,
            }

    def _is_due(self, taken_s: float) -> bool:
        """Return whether the interval has passed. A time before the last one comes from another page's clock."""
        interval_s = self.recording.capture.interval_s - _TIME_TOLERANCE_S
        return self._last_kept_s is None or not 0 <= taken_s - self._last_kept_s < interval_s

    def _start_burst_if_new(self, burst: tuple[str, int]) -> None:
        if self._burst != burst:
            self._burst = burst
            self.recording.start_burst()

    def select_letter(self, letter: str) -> dict[str, Any]:
        """Switch to a letter, and return the state.

        Raises:
            RequestRefused: the letter is not being recorded.
        """
        try:
            with self._recording_lock:
                self.recording.select_letter(letter)
        except InputError as error:
            letters = " ".join(self.recording.letters)
            raise RequestRefused(422, f"This letter is not being recorded. Choose one of {letters}.") from error
        return self.state()

    def select_adjacent_letter(self, step: int) -> dict[str, Any]:
        """Switch to the next (`step` 1) or previous (-1) incomplete letter, and return the state."""
        with self._recording_lock:
            self.recording.select_adjacent_letter(step)
        return self.state()

    def finish_clip(self, page: str, clip: int) -> dict[str, Any]:
        """Judge a clip, store it if it is good, and return the state, its "stored" file and "messages" of rejection.

        Raises:
            RequestRefused: see `ClipUploads.finish`, or the recording is closed.
            OSError: the disk is full.
        """
        with self._analysis_lock:
            if self._closed:
                raise recording_closed()
            decision = self.clips.finish(page, clip, now=self._now())
        messages = [CLIP_REASON_MESSAGES[reason] for reason in decision.reasons]
        stored = None if decision.stored is None else decision.stored.file
        return {"stored": stored, "reasons": decision.reasons, "messages": messages} | self.state()

    def undo(self) -> dict[str, Any]:
        """Remove the last burst, or clip, and return the state and as "removed" and "removed_clips" how many."""
        removed = self.recording.undo()
        clips = sum(isinstance(entry, ClipEntry) for entry in removed)
        return {"removed": len(removed), "removed_clips": clips} | self.state()

    def put_back(self) -> dict[str, Any]:
        """Restore what was removed last, and return the state and as "restored" its number."""
        return {"restored": len(self.recording.put_back())} | self.state()

    def remove(self, file: str) -> dict[str, Any]:
        """Remove one frame or clip, and return the state.

        Raises:
            RequestRefused: there is no such frame.
        """
        if not self.recording.remove(self._find_entry(file).file):
            raise frame_not_found()
        return self.state()

    def answer_question(self, *, confirmed: bool) -> dict[str, Any]:
        """Set whether the signer really uses the other hand, and return the state."""
        self.recording.answer_question(confirmed=confirmed)
        return self.state()

    def thumbnail(self, file: str) -> bytes:
        """Return a reduced JPEG of a stored frame, or of the middle one of a clip, as read from disk.

        Raises:
            RequestRefused: there is no such frame.
            OSError: the frame could not be written.
        """
        entry = self._find_entry(file)
        name = f"{entry.file}/{entry.poster}" if isinstance(entry, ClipEntry) else entry.file
        path = self.recording.session.folder / name
        if not path.exists():  # still in the writer's queue
            self.recording.flush()
        return create_thumbnail(path)

    def _find_entry(self, file: str) -> Entry:
        """Look up a name sent by the page. The name itself is never used as a path."""
        entry = {entry.file: entry for entry in self.recording.recent(MAX_REACHABLE_FRAMES)}.get(file)
        if entry is None:
            raise frame_not_found()
        return entry

    def set_camera(self, label: object, settings: object) -> None:
        """Record which camera the page uses, if it has changed."""
        camera = client_camera_info(label, settings)
        if self.cameras[-1:] != [camera]:
            self.cameras = [*self.cameras[1 - MAX_CAMERAS :], camera]

    def close(self) -> None:
        """Wait until the current frame is measured and stored, and accept no further ones."""
        with self._analysis_lock, self._recording_lock:
            self._closed = True

    def summary(self) -> dict[str, Any]:
        """Wait until all frames are written, and return the summary of the recording."""
        try:
            self.recording.flush()
        except OSError as error:
            self.failure = error
        return describe_summary(self.recording, self.failure)


def recording_closed() -> RequestRefused:
    """Return the error for a request after the recording has been closed."""
    return RequestRefused(409, "This recording is finished. Choose who signs to record more.", why="unknown")


def _decision_values(metrics: FrameMetrics, decision: GateDecision) -> dict[str, Any]:
    hand = metrics.hand
    return {
        "reasons": decision.reasons,
        "messages": [REASON_MESSAGES[reason] for reason in decision.reasons],
        "landmarks": None if hand is None else np.round(hand.landmarks[:, :2].astype(float), 4).tolist(),
        "box": None if hand is None else np.round(hand.box.astype(float), 4).tolist(),
        "stored": None if decision.stored is None else decision.stored.file,
        "hint": decision.hint,
        "question": decision.question,
    }
