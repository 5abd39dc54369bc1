"""Follows the hand through consecutive frames."""

from types import TracebackType
from typing import Final, Self

import cv2
import numpy as np

from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame

_MAX_SIDE: Final = 640
"""Pixels. MediaPipe takes 50 % longer for 1280×720, without finding more hands."""


class HandTracker:
    """A landmarker that searches near the previous position. Not thread-safe."""

    def __init__(self) -> None:
        self._landmarker = HandLandmarker(tracking=True, second_try=False)

    def find(self, frame: Frame) -> Hand | None:
        """Return the largest hand in an unmirrored BGR frame, uint8 (height, width, 3); None without a hand."""
        # Landmarks are relative to the frame size, so they stay valid.
        return self._landmarker.find(_shrink(frame))

    def forget(self) -> None:
        """Forget the previous frames, so that a clip does not depend on what was recorded before it."""
        self._landmarker.find(np.zeros((64, 64, 3), np.uint8))  # no hand, so the next one is searched everywhere

    def close(self) -> None:
        """Free MediaPipe's graph."""
        self._landmarker.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _shrink(frame: Frame) -> Frame:
    height, width = frame.shape[:2]
    scale = _MAX_SIDE / max(height, width)
    if scale >= 1:
        return frame
    return np.asarray(cv2.resize(frame, (round(width * scale), round(height * scale))), np.uint8)
