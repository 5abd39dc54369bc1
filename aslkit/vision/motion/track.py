"""The landmarks of a hand over time, from which the movement of the last moments is sampled."""

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import INDEX, MIDDLE, PINKY, WRIST, Hand

Array = npt.NDArray[np.float32]

OFFSETS_S: Final = np.concatenate([[-1.6, -1.4, -1.2], np.arange(-20, 1) / 20])
"""Times at which a movement is sampled, relative to the newest frame, seconds, float64 (24,): every 0.05 s during the
last second, and three times before it, so that a slow movement is seen from its start."""

TRACK_S: Final = 2.0
"""How long frames are stored, seconds: longer than `OFFSETS_S`, so that a frame before the first time is there."""

MAX_GAP_S: Final = 0.2
"""A sample is valid if a frame with a hand is at most this far away, seconds. At 8 frames per second, one frame may be
missing."""


class HandTrack:
    """The hands of the last frames. Frames without a hand are interpolated."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self._points: deque[Array] = deque()
        self._left: deque[bool] = deque()

    def __len__(self) -> int:
        """Number of stored hands."""
        return len(self._times)

    def add(self, time_s: float, hand: Hand | None, *, width: int, height: int) -> None:
        """Add a frame.

        Args:
            time_s: time of the frame, seconds; later than that of the frames before.
            hand: the hand; None if none was found.
            width: of the frame, pixels.
            height: of the frame, pixels.
        """
        while self._times and self._times[0] < time_s - TRACK_S:
            self._times.popleft()
            self._points.popleft()
            self._left.popleft()
        if hand is not None:
            self._times.append(time_s)
            self._points.append(hand.landmarks * np.array([width, height, width], np.float32))
            self._left.append(hand.handedness == "left")

    def clear(self) -> None:
        """Forget all frames."""
        self._times.clear()
        self._points.clear()
        self._left.clear()

    @property
    def left(self) -> bool:
        """Whether most of the hands are left hands."""
        return 2 * sum(self._left) > len(self._left)

    @property
    def duration_s(self) -> float:
        """Time between the first and the last stored hand, seconds; 0 without hands."""
        return self._times[-1] - self._times[0] if self._times else 0.0

    def newest_pose(self) -> Array:
        """Return the newest hand relative to its wrist, float32 (21, 2), in palm sizes."""
        points = self._points[-1][:, :2]
        return np.asarray((points - points[WRIST]) / _palm_size(self._points[-1]), np.float32)

    def speed(self, joint: int, duration_s: float) -> float:
        """Return the mean speed of a joint during the last `duration_s` seconds, palm sizes per second."""
        rows = [row for row, time_s in enumerate(self._times) if self._times[-1] - time_s <= duration_s + 1e-6]
        first = max(rows[0] - (len(rows) == 1), 0)  # a slow camera: compare with the frame before
        span_s = self._times[-1] - self._times[first]
        if span_s <= 0:
            return 0.0
        moved = float(np.linalg.norm(self._points[-1][joint, :2] - self._points[first][joint, :2]))
        return moved / _palm_size(self._points[-1]) / span_s

    def sample(self, now_s: float) -> tuple[Array, npt.NDArray[np.bool_]]:
        """Return the hand at `OFFSETS_S`; see `sample_track`.

        Raises:
            ValueError: there is no hand.
        """
        return sample_track(np.array(self._times), np.stack(self._points), now_s)


def sample_track(times_s: npt.NDArray[np.float64], points: Array, now_s: float) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Return the hand at `OFFSETS_S`, interpolated between frames; before the first and after the last one, it rests.

    Args:
        times_s: float64 (n,), increasing; times of the frames with a hand, seconds.
        points: float32 (n, 21, 3), their landmarks in pixels.
        now_s: time of the newest frame, seconds.

    Returns:
        float32 (24, 21, 3), and bool (24,): whether a frame is at most MAX_GAP_S away.
    """
    wanted = now_s + OFFSETS_S
    after = np.clip(np.searchsorted(times_s, wanted), 1, max(len(times_s) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(times_s) - 1)  # a single frame
    span = np.maximum(times_s[after] - times_s[before], 1e-6)
    share = np.clip((wanted - times_s[before]) / span, 0, 1).astype(np.float32)[:, None, None]
    sampled = points[before] * (1 - share) + points[after] * share
    distance = np.minimum(np.abs(wanted - times_s[before]), np.abs(wanted - times_s[after]))
    return sampled.astype(np.float32), distance <= MAX_GAP_S


def _palm_size(points: Array) -> float:
    """Return the distance from wrist to middle knuckle plus that between the outer knuckles, (21, 3), pixels."""
    along = np.linalg.norm(points[MIDDLE[0]] - points[WRIST])
    return float(along + np.linalg.norm(points[INDEX[0]] - points[PINKY[0]])) + 1e-6
