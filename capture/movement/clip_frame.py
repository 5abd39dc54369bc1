"""A frame of a clip that is being recorded, and what is measured in all of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from aslkit.capture.quality.clip_gate import ClipMeasurements
from aslkit.formats.clips import ClipFrame
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import Hand, Handedness
from aslkit.vision.images import Frame

_BRIGHTNESS_EVERY_S: Final = 0.2
"""The light does not change faster, and measuring each frame would slow down recording."""


@dataclass(frozen=True, kw_only=True)
class TrackedFrame:
    """A frame, and the hand that was tracked in it.

    Attributes:
        name: name of the frame, unique within its source.
        data: the encoded image.
        suffix: of its file: .jpg or .png.
        time_s: time at which it was taken, seconds.
        width, height: pixels.
        hand: the hand; None if none was found.
        brightness: see `FrameMetrics.brightness`; None if it was not measured.
    """

    name: str
    data: bytes
    suffix: str
    time_s: float
    width: int
    height: int
    hand: Hand | None
    brightness: float | None = None


class BrightnessMeter:
    """Measures the brightness of some of the frames of a source."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    def measure(self, frame: Frame, hand: Hand | None, time_s: float) -> float | None:
        """Return the brightness of a frame, 0–1; None if it is not due."""
        if self._last_s is not None and 0 <= time_s - self._last_s < _BRIGHTNESS_EVERY_S:
            return None
        self._last_s = time_s
        return measure_frame(frame, () if hand is None else (hand,)).brightness


def measure_clip(frames: Sequence[TrackedFrame]) -> ClipMeasurements:
    """Return what the quality gate needs to know about a clip of at least one frame."""
    landmarks = np.full((len(frames), 21, 3), np.nan, np.float32)
    for row, frame in enumerate(frames):
        if frame.hand is not None:
            landmarks[row] = frame.hand.landmarks
    brightness = [frame.brightness for frame in frames if frame.brightness is not None]
    return ClipMeasurements(
        time_s=np.array([frame.time_s for frame in frames]), landmarks=landmarks, width=frames[0].width,
        height=frames[0].height, brightness=float(np.median(brightness)) if brightness else 1.0,
    )  # fmt: skip


def main_hand(frames: Sequence[TrackedFrame]) -> Hand | None:
    """Return the hand of a clip with the side that most frames show; None if there is no hand.

    Single frames of a moving hand are often taken for the other hand.
    """
    sides = Counter(frame.hand.handedness for frame in frames if frame.hand is not None)
    if not sides:
        return None
    side = sides.most_common(1)[0][0]
    return next(frame.hand for frame in frames if frame.hand is not None and frame.hand.handedness == side)


def to_clip_lines(frames: Sequence[TrackedFrame], side: Handedness | None) -> list[tuple[ClipFrame, bytes]]:
    """Return the lines of frames.jsonl and the images of a clip, for `write_clip`.

    Args:
        frames: frames of the clip, in order. A frame less than a millisecond after the previous one is dropped.
        side: the hand that signs.
    """
    lines: list[tuple[ClipFrame, bytes]] = []
    for frame in frames:
        time_ms = round((frame.time_s - frames[0].time_s) * 1000)
        if lines and time_ms <= lines[-1][0].time_ms:
            continue
        hand = frame.hand
        if hand is not None and side is not None and hand.handedness != side:
            hand = Hand(landmarks=hand.landmarks, handedness=side, score=hand.score)
        name = f"{len(lines):04d}{frame.suffix}"
        line = ClipFrame.from_hand(hand, file=name, time_ms=time_ms, width=frame.width, height=frame.height)
        lines.append((line, frame.data))
    return lines
