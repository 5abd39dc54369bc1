"""Measures the speed of the hand between frames."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

MAX_GAP_S: Final = 0.5
"""Maximum time between two frames for measuring a speed."""


class HandSpeedTracker:
    """Measures the speed of one hand in consecutive frames."""

    def __init__(self) -> None:
        self._joints: npt.NDArray[np.float32] | None = None
        self._time_s = 0.0

    def speed(self, hand: Hand | None, *, width: int, height: int, time_s: float | None) -> float | None:
        """Return the speed of the hand since the previous frame, averaged over its joints.

        Args:
            hand: hand detected in the frame; None if there is none.
            width: width of the frame, pixels.
            height: height of the frame, pixels.
            time_s: time of the frame, seconds; None for images of a folder.

        Returns:
            Palm lengths per second; None if there is no hand, no time, or no recent previous frame with a hand.
        """
        previous, elapsed_s = self._joints, None if time_s is None else time_s - self._time_s
        self._joints = None if hand is None else joints_in_pixels(hand.landmarks, width, height)
        self._time_s = time_s or 0.0
        if previous is None or self._joints is None or elapsed_s is None or not 0 < elapsed_s <= MAX_GAP_S:
            return None
        # In palm lengths, so that near and far hands and all cameras have the same limit.
        distance = float(np.linalg.norm(self._joints - previous, axis=1).mean())
        return distance / max(float(palm_lengths(self._joints[None])[0]), 1e-6) / elapsed_s
