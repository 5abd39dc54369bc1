"""Measures the frames that a page sends."""

from types import TracebackType
from typing import Protocol, Self

from aslkit.capture.quality.hand_speed import HandSpeedTracker
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame


class FrameAnalyzer(Protocol):
    """Measures a frame. Only one thread at a time calls it."""

    def __call__(self, frame: Frame, time_s: float) -> FrameMetrics:
        """Return the metrics of a frame.

        Args:
            frame: BGR, uint8 (height, width, 3), unmirrored.
            time_s: time at which the frame was taken, monotonic, seconds.
        """


class HandFrameAnalyzer:
    """A `FrameAnalyzer` based on MediaPipe. Detects up to two hands per frame, and measures the speed of the larger."""

    def __init__(self) -> None:
        self._landmarker, self._speed_tracker = HandLandmarker(max_hands=2, spread_retries=True), HandSpeedTracker()

    def __call__(self, frame: Frame, time_s: float) -> FrameMetrics:
        """See `FrameAnalyzer`."""
        hands = self._landmarker.find_all(frame)
        largest = max(hands, key=lambda hand: hand.extent, default=None)
        height, width = frame.shape[:2]
        speed = self._speed_tracker.speed(largest, width=width, height=height, time_s=time_s)
        return measure_frame(frame, hands, speed=speed, independent=self._landmarker.independent)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._landmarker.close()
