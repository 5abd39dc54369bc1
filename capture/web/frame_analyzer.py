"""Looking at one frame after the other: what `aslkit.capture.web.serve` does with frames unless told otherwise."""

from types import TracebackType
from typing import Protocol, Self

from aslkit.capture.quality.hand_speed import HandSpeedTracker
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame


class FrameAnalyzer(Protocol):
    """Measures a frame. It is called by one thread at a time."""

    def __call__(self, frame: Frame, time_s: float) -> FrameMetrics:
        """Return what is seen.

        Args:
            frame: BGR, uint8 (height, width, 3), unmirrored.
            time_s: when it was taken, seconds since any moment.
        """


class HandFrameAnalyzer:
    """A `FrameAnalyzer` with MediaPipe's eyes: each frame on its own, two hands at most, and how fast the hand moves."""

    def __init__(self) -> None:
        self._landmarker, self._motion = HandLandmarker(max_hands=2), HandSpeedTracker()

    def __call__(self, frame: Frame, time_s: float) -> FrameMetrics:
        """See `FrameAnalyzer`."""
        hands = self._landmarker.find_all(frame)
        hand = max(hands, key=lambda each: each.extent, default=None)
        height, width = frame.shape[:2]
        speed = self._motion.speed(hand, width=width, height=height, time_s=time_s)
        return measure_frame(frame, hands, speed=speed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._landmarker.close()
