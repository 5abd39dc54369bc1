"""Looking at a stream's frames: the hand is followed through all of them, and those that may be stored are judged.

Two threads: one follows the hand quickly, for the picture and its speed; the other looks at a frame each interval as
carefully as curation does, and hands it to the sitting. No frame is stored without landmarks of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Event, Thread
from typing import Final

import cv2
import numpy as np

from aslkit.capture.quality.hand_speed import FORGOTTEN_S, HandSpeedTracker
from aslkit.capture.session.recording import GateDecision, Recording
from aslkit.video.handoff import LatestFrameSlot
from aslkit.video.sources import SourceFrame
from aslkit.video.stream import Stream
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import Hand, HandLandmarker, create_landmarker
from aslkit.vision.images import Frame

_HALF_A_TICK_S: Final = 0.002
"""Frames come at multiples of 1/fps, which do not add up exactly in binary."""

_FOLLOWED_SIDE: Final = 640
"""Pixels. MediaPipe takes half as long again for a frame of 1280×720, and sees no more of the hand."""

Keep = Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class ProcessedFrame:
    """The newest frame, and the hand that was followed into it."""

    frame: Frame
    hand: Hand | None


def _reduced(frame: Frame) -> Frame:
    """A frame to follow a hand in; landmarks are shares of it, so that its size does not matter to them."""
    height, width = frame.shape[:2]
    shrink = _FOLLOWED_SIDE / max(height, width)
    if shrink >= 1:
        return frame
    return np.asarray(cv2.resize(frame, (round(width * shrink), round(height * shrink))), np.uint8)


@dataclass(frozen=True, kw_only=True)
class _Due:
    """A frame to be judged, how fast the hand moved in it, and `Sitting.turn` when it came."""

    frame: SourceFrame
    speed: float | None
    turn: int


class FramePipeline:
    """Follows and judges the frames of one stream after another.

    Args:
        sitting: stores what is good.
        keep: whether a frame that comes now is to be recorded.
        wait: for a disk that is behind, rather than lose a frame: right for files, wrong for cameras.

    Attributes:
        newest: the newest frame; None before there is one.
        decision: the newest; None before there is one.
        finished: set when the stream's last frame was judged, or an error ended it.
        dropped: frames that were due and nobody had time for.
    """

    def __init__(self, sitting: Recording, *, keep: Keep, wait: bool) -> None:
        self.newest: ProcessedFrame | None = None
        self.decision: GateDecision | None = None
        self.finished = Event()
        self.dropped = 0
        self._sitting, self._keep, self._wait = sitting, keep, wait
        self._error: BaseException | None = None
        self._threads: list[Thread] = []
        self._quick: HandLandmarker | None = None
        self._careful = create_landmarker()

    def start(self, stream: Stream) -> None:
        """Watch a stream; the one before must have been stopped."""
        due: LatestFrameSlot[_Due] = LatestFrameSlot(newest_wins=not self._wait)
        self._error, self.decision = None, None
        self.finished.clear()
        steps = (partial(self._follow, stream, due), partial(self._judge, due))
        self._threads = []
        for step in steps:
            thread = Thread(target=self._guarded, args=(step, stream, due), daemon=True)
            thread.start()
            self._threads.append(thread)  # only once it runs: Ctrl-C may come here

    def check(self) -> None:
        """Raise what went wrong, if something did: the disk is full, say."""
        if self._error is not None:
            raise self._error

    def stop(self, stream: Stream) -> None:
        """Stop watching."""
        stream.close()
        for thread in self._threads:
            thread.join()

    def close(self) -> None:
        """Free the landmarkers."""
        self._careful.close()
        if self._quick is not None:
            self._quick.close()

    def _guarded(self, step: Callable[[], None], stream: Stream, due: LatestFrameSlot[_Due]) -> None:
        try:
            step()
        except BaseException as error:  # reaches the one who calls check
            self._error = error
            stream.frames.close(empty=True)
            due.close(empty=True)
            self.finished.set()

    def _follow(self, stream: Stream, due: LatestFrameSlot[_Due]) -> None:
        motion, due_s, last_s = HandSpeedTracker(), -float("inf"), None
        while (frame := stream.frames.get()) is not None:
            hand, speed, turn = None, None, self._sitting.turn
            # Where frames are far apart, as some sources draw them, there is nothing to follow.
            if frame.time_s is not None and (last_s is None or frame.time_s - last_s <= FORGOTTEN_S):
                hand = self._follower().find(_reduced(frame.image))
                height, width = frame.image.shape[:2]
                speed = motion.speed(hand, width=width, height=height, time_s=frame.time_s)
            if frame.time_s is not None and last_s is not None and frame.time_s < last_s:  # the source began anew
                due_s = -float("inf")
            last_s = frame.time_s
            self.newest = ProcessedFrame(frame=frame.image, hand=hand)
            if frame.time_s is None or frame.time_s >= due_s:
                due.put(_Due(frame=frame, speed=speed, turn=turn))
                due_s = (frame.time_s or 0.0) + self._sitting.capture.interval_s - _HALF_A_TICK_S
        due.close()

    def _follower(self) -> HandLandmarker:
        if self._quick is None:
            self._quick = HandLandmarker(tracking=True, second_try=False)
        return self._quick

    def _judge(self, due: LatestFrameSlot[_Due]) -> None:
        while (item := due.get()) is not None:
            frame = item.frame
            seen: FrameMetrics = measure_frame(frame.image, self._careful.find_all(frame.image), speed=item.speed)
            keep = self._keep()
            self.decision = self._sitting.offer(
                frame.image, seen, name=frame.name, at=frame.captured_at, keep=keep, wait=self._wait, turn=item.turn
            )
        self.dropped += due.lost
        self.finished.set()
