"""How fast requests come: a limit, and a measure."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

PAUSE_S: Final = 1.0
"""A longer gap between two frames is a pause and tells nothing of how fast they come."""

_MEASURED: Final = 20_000


class TokenBucket:
    """Lets things through at a rate, and a few at once.

    Args:
        rate: a second.
        room: how many at once.
        clock: seconds since any moment.
    """

    def __init__(self, rate: float, room: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._room, self._clock = rate, room, clock
        self._left, self._at = room, clock()

    def take(self) -> bool:
        """Whether one more may pass."""
        now = self._clock()
        self._left = min(self._room, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class FrameRateMeter:
    """Measures how fast frames come in.

    Attributes:
        frames: how many there were.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.frames = 0
        self._clock = clock
        self._last_s: float | None = None
        self._gaps_s: deque[float] = deque(maxlen=_MEASURED)

    def count(self) -> None:
        """Take in that a frame is here."""
        now = self._clock()
        if self._last_s is not None and now - self._last_s < PAUSE_S:
            self._gaps_s.append(now - self._last_s)
        self._last_s = now
        self.frames += 1

    def fps(self, percentile: float) -> float | None:
        """Frames a second, at that percentile (0–100) of the gaps between them; None where there are none.

        The higher the percentile, the slower: at 95, all but one gap in twenty were shorter.
        """
        return 1 / max(float(np.percentile(self._gaps_s, percentile)), 1e-6) if self._gaps_s else None
