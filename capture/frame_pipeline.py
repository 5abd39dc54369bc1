"""Processes the frames of a stream: tracks the hand in all of them, and judges those that may be stored.

Two threads share the work. The tracking thread follows the hand in every frame, for display and to measure its speed.
The judging thread encodes one frame per interval, measures the decoded pixels as `aslkit curate` does, and passes both
to the `Recording`. Every stored frame therefore has landmarks of its own, and curation need not measure it again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Final

import cv2
import numpy as np

from aslkit.capture.quality.hand_speed import MAX_GAP_S, HandSpeedTracker
from aslkit.capture.session.recording import GateDecision, Recording
from aslkit.video.handoff import LatestFrameSlot
from aslkit.video.source_frame import SourceFrame
from aslkit.video.stream import Stream
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import Hand, HandLandmarker, create_landmarker
from aslkit.vision.images import Frame

_TIME_TOLERANCE_S: Final = 0.002
"""Tolerance when comparing frame times, because multiples of 1/fps are not exact in floating point."""

_MAX_TRACKING_SIDE: Final = 640
"""Pixels. MediaPipe takes 50 % longer for 1280×720, without finding more hands."""

ShouldKeep = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class ProcessedFrame:
    """A frame and the hand tracked in it."""

    frame: Frame
    hand: Hand | None


def _shrink(frame: Frame) -> Frame:
    """Reduce a frame for tracking. Landmarks are relative to the frame size, so they stay valid."""
    height, width = frame.shape[:2]
    scale = _MAX_TRACKING_SIDE / max(height, width)
    if scale >= 1:
        return frame
    return np.asarray(cv2.resize(frame, (round(width * scale), round(height * scale))), np.uint8)


@dataclass(frozen=True, kw_only=True)
class _DueFrame:
    """A frame to judge, the speed of the hand in it, and `Recording.revision` when it arrived."""

    frame: SourceFrame
    speed: float | None
    revision: int


class FramePipeline:
    """Tracks and judges the frames of one stream after another.

    Args:
        recording: judges and stores the frames.
        should_keep: returns whether the current frame is to be stored.
        wait: whether to wait for slow processing and a slow disk, as for files. Otherwise frames are dropped, as for
            cameras.

    Attributes:
        newest: newest frame with the tracked hand; None before the first frame.
        decision: newest decision; None before the first one.
        finished: set after the last frame of the stream has been judged, or after an error.
        dropped: number of frames that were due, but were replaced by newer ones before they could be judged.
    """

    def __init__(self, recording: Recording, *, should_keep: ShouldKeep, wait: bool) -> None:
        self.newest: ProcessedFrame | None = None
        self.decision: GateDecision | None = None
        self.finished = Event()
        self.dropped = 0
        self._recording, self._should_keep, self._wait = recording, should_keep, wait
        self._error: BaseException | None = None
        self._threads: list[Thread] = []
        self._tracking_landmarker: HandLandmarker | None = None
        self._judging_landmarker = create_landmarker()

    def start(self, stream: Stream) -> None:
        """Start processing a stream. The previous one must have been stopped."""
        # Holds one frame. If judging is slower than the camera, the frame that is judged next is always a recent one.
        due: LatestFrameSlot[_DueFrame] = LatestFrameSlot(newest_wins=not self._wait)
        self._error, self.decision = None, None
        self.finished.clear()
        loops = (partial(self._track, stream, due), partial(self._judge, due))
        self._threads = []
        for loop in loops:
            thread = Thread(target=self._run, args=(loop, stream, due), daemon=True)
            thread.start()
            self._threads.append(thread)  # after start, because stop joins the list even if Ctrl-C arrives here

    def check(self) -> None:
        """Raise the error that ended one of the threads, if any, such as a full disk."""
        if self._error is not None:
            raise self._error

    def stop(self, stream: Stream) -> None:
        """Close the stream and wait until its frames are processed."""
        # First the source, whose end makes both threads return; only then can they be joined.
        stream.close()
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Free the landmarkers."""
        # Only after `stop`, because a landmarker must not be closed while its thread uses it.
        self._judging_landmarker.close()
        if self._tracking_landmarker is not None:
            self._tracking_landmarker.close()

    def _run(self, loop: Callable[[], None], stream: Stream, due: LatestFrameSlot[_DueFrame]) -> None:
        try:
            loop()
        except BaseException as error:  # check raises it in the caller's thread
            self._error = error
            stream.frames.close(discard=True)  # ends the other thread as well
            due.close(discard=True)
            self.finished.set()

    def _track(self, stream: Stream, due: LatestFrameSlot[_DueFrame]) -> None:
        speed_tracker, next_due_s, last_s = HandSpeedTracker(), -float("inf"), None
        while (frame := stream.frames.get()) is not None:
            # Read before tracking: a frame taken before an undo must not count as one taken after it.
            hand, speed, revision = None, None, self._recording.revision
            # If frames are far apart, as from the synthetic signer, there is no motion to track.
            if frame.time_s is not None and (last_s is None or frame.time_s - last_s <= MAX_GAP_S):
                hand = self._get_tracking_landmarker().find(_shrink(frame.image))
                height, width = frame.image.shape[:2]
                speed = speed_tracker.speed(hand, width=width, height=height, time_s=frame.time_s)
            if frame.time_s is not None and last_s is not None and frame.time_s < last_s:  # the source was reopened
                next_due_s = -float("inf")
            last_s = frame.time_s
            # Replaced as one object, so that the window never shows a frame with the hand of another one.
            self.newest = ProcessedFrame(frame=frame.image, hand=hand)
            if frame.time_s is None or frame.time_s >= next_due_s:
                due.put(_DueFrame(frame=frame, speed=speed, revision=revision))
                next_due_s = (frame.time_s or 0.0) + self._recording.capture.interval_s - _TIME_TOLERANCE_S
        due.close()

    def _get_tracking_landmarker(self) -> HandLandmarker:
        if self._tracking_landmarker is None:
            # A second landmarker, because tracking makes a result depend on earlier frames, and stored ones must not.
            self._tracking_landmarker = HandLandmarker(tracking=True, second_try=False)
        return self._tracking_landmarker

    def _judge(self, due: LatestFrameSlot[_DueFrame]) -> None:
        while (item := due.get()) is not None:
            frame = item.frame
            encoded = self._recording.encode(frame.image)
            hands = self._judging_landmarker.find_all(encoded.pixels)
            metrics = measure_frame(encoded.pixels, hands, speed=item.speed)
            self.decision = self._recording.process_frame(
                encoded,
                metrics,
                name=frame.name,
                captured_at=frame.captured_at,
                keep=self._should_keep(),
                wait=self._wait,
                revision=item.revision,
            )
        # Before `finished` is set, after which other threads read it.
        self.dropped += due.dropped
        self.finished.set()
