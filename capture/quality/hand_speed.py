"""How fast a hand moves, from one frame to the next."""

from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

FORGOTTEN_S: Final = 0.5
"""After so long, the last place of the hand tells nothing of its speed."""


class HandSpeedTracker:
    """Follows one hand through frames in the order of their time."""

    def __init__(self) -> None:
        self._joints: npt.NDArray[np.float32] | None = None
        self._time_s = 0.0

    def speed(self, hand: Hand | None, *, width: int, height: int, time_s: float | None) -> float | None:
        """Return how fast the hand moved since the last call, on average over its joints, in palm lengths a second.

        Args:
            hand: as found; None where there is none.
            width: of the frame, pixels.
            height: likewise.
            time_s: of the frame, in seconds since any moment; None where frames have no time, as in a folder.

        Returns:
            None where it cannot be told: no hand, no time, none just before.
        """
        before, since = self._joints, None if time_s is None else time_s - self._time_s
        self._joints = None if hand is None else joints_in_pixels(hand.landmarks, width, height)
        self._time_s = time_s or 0.0
        if before is None or self._joints is None or since is None or not 0 < since <= FORGOTTEN_S:
            return None
        way = float(np.linalg.norm(self._joints - before, axis=1).mean())
        return way / max(float(palm_lengths(self._joints[None])[0]), 1e-6) / since
