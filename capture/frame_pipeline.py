"""Processes the frames of a stream: tracks the hand in all of them, and judges those that may be stored.

Three threads share the work. The collecting thread takes each frame as it arrives, so that none is lost while a clip is
recorded. The tracking thread follows the hand in every frame, for display, to measure its speed, and for clips. The
judging thread encodes one frame per interval, measures the decoded pixels as `aslkit curate` does, and passes both to
the `Recording`. Every stored frame therefore has landmarks of its own, and curation need not measure it again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Final

from aslkit.capture.clip_collector import ClipCollector, ClipEnd, ClipStart
from aslkit.capture.movement.hand_tracker import HandTracker
from aslkit.capture.quality.hand_speed import MAX_GAP_S, HandSpeedTracker
from aslkit.capture.session.decisions import GateDecision
from aslkit.capture.session.recording import Recording
from aslkit.video.handoff import FrameBuffer
from aslkit.video.source_frame import SourceFrame
from aslkit.video.stream import Stream
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import Hand, create_landmarker
from aslkit.vision.images import Frame

_TIME_TOLERANCE_S: Final = 0.002
"""Tolerance when comparing frame times, because multiples of 1/fps are not exact in floating point."""

ShouldKeep = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class ProcessedFrame:
    """A frame and the hand tracked in it."""

    frame: Frame
    hand: Hand | None


@dataclass(frozen=True, kw_only=True)
class _ArrivedFrame:
    """A frame, when it arrived, `Recording.revision` at that time, and the clip that was being recorded."""

    frame: SourceFrame
    arrived_s: float
    revision: int
    clip: int | None


_Item = _ArrivedFrame | ClipStart | ClipEnd


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
        clock: returns monotonic time in seconds.

    Attributes:
        newest: newest frame with the tracked hand; None before the first frame.
        decision: newest decision; None before the first one.
        finished: set after the last frame of the stream has been judged, or after an error.
        dropped: number of frames that were replaced by newer ones before they could be tracked or judged.
        untracked: number of those among them that were not even tracked.
        clips: collects the frames of clips.
    """

    def __init__(
        self,
        recording: Recording,
        *,
        should_keep: ShouldKeep,
        wait: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.newest: ProcessedFrame | None = None
        self.decision: GateDecision | None = None
        self.finished = Event()
        self.dropped = self.untracked = 0
        self._recording, self._should_keep, self._wait = recording, should_keep, wait
        self._error: BaseException | None = None
        self._threads: list[Thread] = []
        self._tracker: HandTracker | None = None
        self._judging_landmarker = create_landmarker()
        self.clips = ClipCollector(recording, live=not wait)
        self._clock = clock
        self._clip: int | None = None  # number of the clip that is being recorded
        self._clip_count = 0
        self._buffer: FrameBuffer[_Item] = FrameBuffer(newest_wins=not wait)

    def start(self, stream: Stream) -> None:
        """Start processing a stream. The previous one must have been stopped."""
        # Holds one frame. If judging is slower than the camera, the frame that is judged next is always a recent one.
        due: FrameBuffer[_DueFrame] = FrameBuffer(newest_wins=not self._wait)
        self._buffer = FrameBuffer(newest_wins=not self._wait)
        self._error, self.decision, self._clip = None, None, None
        self.finished.clear()
        self.clips.restart()
        loops = (partial(self._collect, stream), partial(self._track, due), partial(self._judge, due))
        self._threads = []
        for loop in loops:
            thread = Thread(target=self._run, args=(loop, stream, due), daemon=True)
            thread.start()
            self._threads.append(thread)  # after start, because stop joins the list even if Ctrl-C arrives here

    def start_clip(self) -> None:
        """Begin a clip: all following frames belong to it."""
        self._clip_count += 1
        start = ClipStart(number=self._clip_count, letter=self._recording.letter, revision=self._recording.revision)
        self._buffer.put(start, keep=True)
        self._clip = self._clip_count

    def end_clip(self, end_s: float | None) -> None:
        """End the clip that is being recorded, if any.

        Args:
            end_s: frames that arrived later do not belong to it, on the clock; None drops the clip.
        """
        number, self._clip = self._clip, None
        if number is not None:
            self._buffer.put(ClipEnd(number=number, end_s=end_s), keep=True)

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
        if self._tracker is not None:
            self._tracker.close()

    def _run(self, loop: Callable[[], None], stream: Stream, due: FrameBuffer[_DueFrame]) -> None:
        try:
            loop()
        except BaseException as error:  # check raises it in the caller's thread
            self._error = error
            stream.frames.close(discard=True)  # ends the other threads as well
            self._buffer.close(discard=True)
            due.close(discard=True)
            self.finished.set()

    def _collect(self, stream: Stream) -> None:
        buffer = self._buffer
        while (frame := stream.frames.get()) is not None:
            clip = self._clip
            # The revision before tracking: a frame taken before an undo must not count as one taken after it.
            arrived = _ArrivedFrame(frame=frame, arrived_s=self._clock(), revision=self._recording.revision, clip=clip)
            is_cut = self.clips.cuts and self._recording.records_clips(self._recording.letter)
            buffer.put(arrived, keep=clip is not None or is_cut)
        self.untracked += buffer.dropped
        self.dropped += buffer.dropped
        buffer.close()

    def _track(self, due: FrameBuffer[_DueFrame]) -> None:
        speed_tracker, next_due_s, last_s = HandSpeedTracker(), -float("inf"), None
        while (item := self._buffer.get()) is not None:
            if not isinstance(item, _ArrivedFrame):
                self._mark_clip(item)
                continue
            frame, hand, speed = item.frame, None, None
            follows = frame.time_s is not None and (last_s is None or frame.time_s - last_s <= MAX_GAP_S)
            # If frames are far apart, as from the synthetic signer, there is no motion to track.
            if follows or self._recording.records_clips(self._recording.letter):
                hand = self._get_tracker().find(frame.image)
                height, width = frame.image.shape[:2]
                speed = speed_tracker.speed(hand, width=width, height=height, time_s=frame.time_s)
            if frame.time_s is not None and last_s is not None and frame.time_s < last_s:  # the source was reopened
                next_due_s = -float("inf")
            last_s = frame.time_s
            # Replaced as one object, so that the window never shows a frame with the hand of another one.
            self.newest = ProcessedFrame(frame=frame.image, hand=hand)
            self.clips.add(frame, hand, clip=item.clip, arrived_s=item.arrived_s)
            # While a clip is recorded, nothing is judged, so that tracking has the time that it needs.
            if item.clip is None and (frame.time_s is None or frame.time_s >= next_due_s):
                due.put(_DueFrame(frame=frame, speed=speed, revision=item.revision))
                next_due_s = (frame.time_s or 0.0) + self._recording.capture.interval_s - _TIME_TOLERANCE_S
        self.clips.finish()
        due.close()

    def _mark_clip(self, item: ClipStart | ClipEnd) -> None:
        if isinstance(item, ClipEnd):
            self.clips.end(item)
            return
        # The landmarks of a clip depend on its own frames only.
        self._get_tracker().forget()
        self.clips.start(item)

    def _get_tracker(self) -> HandTracker:
        if self._tracker is None:
            # A second landmarker, because tracking makes a result depend on earlier frames, and stored ones must not.
            self._tracker = HandTracker()
        return self._tracker

    def _judge(self, due: FrameBuffer[_DueFrame]) -> None:
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
