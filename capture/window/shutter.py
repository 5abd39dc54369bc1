"""When frames are recorded: after a countdown, while space is held, or for a burst."""

import math
from typing import Final

FIRST_HOLD_S: Final = 0.75
"""A held key comes once, and again and again only after about 0.66 s (X11's default): so long, one press holds."""

HOLD_S: Final = 0.2
"""Once the key repeats, every 0.04 s or so, it counts as released after so long without."""


class Shutter:
    """Follows the keys. All times are in seconds since any moment.

    Args:
        countdown_s: before a letter, and before a burst.
        burst_s: how long a burst records.
    """

    def __init__(self, *, countdown_s: float, burst_s: float) -> None:
        self._countdown_s, self._burst_s = countdown_s, burst_s
        self._ready_at = 0.0
        self._until = self._pressed_at = -float("inf")

    def prepare(self, now: float) -> None:
        """Begin a letter: nothing is recorded until the countdown is over."""
        self._ready_at, self._until = now + self._countdown_s, -float("inf")

    def press(self, now: float) -> bool:
        """Space came; return whether recording begins with it."""
        begins = now >= self._until
        repeats = now - self._pressed_at < FIRST_HOLD_S and not begins
        self._until = max(self._until, now + (HOLD_S if repeats else FIRST_HOLD_S))
        self._pressed_at = now
        return begins

    def burst(self, now: float) -> None:
        """Count down, then record for a while."""
        self._ready_at = now + self._countdown_s
        self._until = self._ready_at + self._burst_s

    def stop(self) -> None:
        """Record no longer."""
        self._until = -float("inf")

    def recording(self, now: float) -> bool:
        """Whether frames are recorded."""
        return self._ready_at <= now < self._until

    def countdown(self, now: float) -> int | None:
        """The number to show before recording may begin; None when it may."""
        left = self._ready_at - now
        return math.ceil(left) if left > 0 else None
