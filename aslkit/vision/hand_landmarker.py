"""Find hands in a frame with MediaPipe's hand landmarker. All stages use this module.

The wheel of mediapipe 0.10.21 contains the models, so nothing is downloaded at run time.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Literal, Self

import numpy as np
import numpy.typing as npt

from aslkit.core.native_libraries import suppress_native_log
from aslkit.vision.detection_retries import DetectionRetries

Handedness = Literal["left", "right"]

MIN_CONFIDENCE: Final = 0.3
"""Palm detection confidence, 0–1. At 0.3, one try misses 0.7–8.4 % of a person's frames; at the default 0.5, more."""

PAD_FRACTION: Final = 0.5
"""Padding of each side in the second try, relative to the frame: the palm detector misses hands that fill the frame."""

WRIST: Final = 0
THUMB: Final = (1, 2, 3, 4)
INDEX: Final = (5, 6, 7, 8)
MIDDLE: Final = (9, 10, 11, 12)
RING: Final = (13, 14, 15, 16)
PINKY: Final = (17, 18, 19, 20)
FINGERS: Final = (THUMB, INDEX, MIDDLE, RING, PINKY)

PARENT: Final = np.array([0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19])
"""Parent of joint i + 1: the wrist, or the next joint towards it."""


@dataclass(frozen=True, kw_only=True)
class Hand:
    """One hand found in a frame.

    Attributes:
        landmarks: float32 (21, 3), in MediaPipe's order. x and y relative to the frame's width and height (0–1 inside
            the frame); z relative to its width, measured from the wrist, smaller is nearer to the camera.
        handedness: the person's hand, given that the frame is not mirrored.
        score: confidence in the handedness, 0.5–1.
    """

    landmarks: npt.NDArray[np.float32]
    handedness: Handedness
    score: float

    @property
    def box(self) -> npt.NDArray[np.float32]:
        """Bounding box of the landmarks, float32 (4,): left, top, right, bottom relative to the frame."""
        xy = self.landmarks[:, :2]
        return np.asarray(np.concatenate([xy.min(axis=0), xy.max(axis=0)]), np.float32)

    @property
    def extent(self) -> float:
        """Area of the box relative to the frame."""
        left, top, right, bottom = self.box.tolist()
        return float((right - left) * (bottom - top))


@contextmanager
def hide_tensorflow() -> Iterator[None]:
    """Import mediapipe without TensorFlow: it only uses a decorator for documentation, which costs 10 s per process."""
    if "tensorflow" in sys.modules:
        yield
        return
    # With None, the import raises ModuleNotFoundError, which mediapipe 0.10.21 expects and handles.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["tensorflow"]


class HandLandmarker:
    """MediaPipe Hands. Not thread-safe.

    Args:
        min_confidence: palm detection confidence, 0–1.
        second_try: if no hand is found, search again in the frame padded with its own border, and then as described in
            `detection_retries`. Frames in which a hand is found at first are not affected.
        max_hands: maximum number of hands, 1 or 2.
        tracking: frames are consecutive, so search near the previous position. This is faster and steadier, but the
            result depends on the previous frames. Without it, each frame is processed independently.
        spread_retries: frames are consecutive, so spread the second try over them: one step per frame, first where the
            hand was in the previous frame. This limits the time of a frame without a hand. The padded frame is not
            searched, because the other retries include it.

    Attributes:
        independent: whether the last result depends on its frame only, so that it is the same for the frame alone.
    """

    def __init__(
        self,
        *,
        min_confidence: float = MIN_CONFIDENCE,
        second_try: bool = True,
        max_hands: int = 1,
        tracking: bool = False,
        spread_retries: bool = False,
    ) -> None:
        with hide_tensorflow():
            from mediapipe.python.solutions.hands import Hands

        def graph(*, static: bool) -> Any:
            with suppress_native_log():
                hands = Hands(
                    static_image_mode=static,
                    max_num_hands=max_hands,
                    model_complexity=1,
                    min_detection_confidence=min_confidence,
                )
                # MediaPipe 0.10.21 logs during its first frame, so process an empty one while the log is suppressed.
                hands.process(np.zeros((64, 64, 3), np.uint8))
            return hands

        self._found_before = False
        self.independent = not tracking
        self._graph = graph(static=not tracking)
        # A padded frame does not continue the tracked sequence, so it needs a graph of its own.
        padded = second_try and not spread_retries
        self._padded_graph = (graph(static=True) if tracking else self._graph) if padded else None
        self._retries = DetectionRetries() if second_try else None
        self._spread_retries = spread_retries
        self._tracking = tracking

    def find(self, frame: npt.NDArray[np.uint8]) -> Hand | None:
        """Return the largest hand in an unmirrored BGR frame, uint8 (height, width, 3); None without a hand."""
        return max(self.find_all(frame), key=lambda hand: hand.extent, default=None)

    def find_all(self, frame: npt.NDArray[np.uint8]) -> tuple[Hand, ...]:
        """Return the hands in an unmirrored BGR frame, uint8 (height, width, 3), in MediaPipe's order."""
        hands = self._detect(self._graph, frame)
        self.independent = not self._tracking and (bool(hands) or not self._spread_retries)
        if not hands and self._padded_graph is not None:
            hands = self._detect_padded(frame)
        if self._retries is not None and not hands:
            return self._retry(self._retries, frame)
        if self._retries is not None and self._spread_retries:
            self._retries.remember(frame, max(hands, key=lambda hand: hand.extent).landmarks)
        return hands

    def _retry(self, retries: DetectionRetries, frame: npt.NDArray[np.uint8]) -> tuple[Hand, ...]:
        find = retries.find_next if self._spread_retries else retries.find
        found = find(np.ascontiguousarray(frame[:, :, ::-1]))
        return () if found is None else (_to_hand(found.landmarks, found.handedness),)

    def _detect(self, graph: Any, frame: npt.NDArray[np.uint8]) -> tuple[Hand, ...]:
        # The first detection logs another warning, which users cannot act on.
        with nullcontext() if self._found_before else suppress_native_log():
            # MediaPipe expects RGB in contiguous memory.
            result = graph.process(np.ascontiguousarray(frame[:, :, ::-1]))
        if not result.multi_hand_landmarks:
            return ()
        self._found_before = True
        sides = [handedness.classification[0] for handedness in result.multi_handedness]
        return tuple(
            _to_hand(np.array([(p.x, p.y, p.z) for p in found.landmark], np.float32), side)
            for found, side in zip(result.multi_hand_landmarks, sides, strict=True)
        )

    def _detect_padded(self, frame: npt.NDArray[np.uint8]) -> tuple[Hand, ...]:
        import cv2

        height, width = frame.shape[:2]
        top, left = round(height * PAD_FRACTION), round(width * PAD_FRACTION)
        padded = cv2.copyMakeBorder(frame, top, top, left, left, cv2.BORDER_REPLICATE)
        # From units of the padded frame to those of the frame. z is relative to the width and has no offset.
        scale = np.array([1 + 2 * left / width, 1 + 2 * top / height, 1 + 2 * left / width])
        offset = np.array([left / width, top / height, 0])
        return tuple(
            replace(hand, landmarks=(hand.landmarks * scale - offset).astype(np.float32))
            for hand in self._detect(self._padded_graph, np.asarray(padded, np.uint8))
        )

    def close(self) -> None:
        """Free MediaPipe's graphs."""
        self._graph.close()
        # Without tracking, both names refer to one graph, which must be closed only once.
        if self._padded_graph not in (None, self._graph):
            self._padded_graph.close()
        if self._retries is not None:
            self._retries.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _to_hand(landmarks: npt.NDArray[np.float32], side: Any) -> Hand:
    """Return a hand, given MediaPipe's landmarks and classification."""
    # MediaPipe assumes mirrored frames; ours are not mirrored.
    handedness: Handedness = "right" if side.label == "Left" else "left"
    return Hand(landmarks=landmarks, handedness=handedness, score=float(side.score))


def create_landmarker() -> HandLandmarker:
    """Return the landmarker that curation uses: independent frames, up to two hands."""
    return HandLandmarker(max_hands=2)
