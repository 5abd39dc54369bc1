"""Decides when frames are stored: after a countdown, while space is held, or for the duration of a burst."""

import math
from typing import Final

FIRST_HOLD_S: Final = 0.75
"""Recording time after the first press of a key. Key repeat starts about 0.66 s after it (default of X11)."""

HOLD_S: Final = 0.2
"""Recording time after each repeat. Repeats arrive every 0.04 s or so; without one, the key has been released."""


class Shutter:
    """Tracks countdown, held key and burst. All times are monotonic, in seconds.

    OpenCV reports no key releases, so a release is recognised by missing key repeats.

    Args:
        countdown_s: countdown before a letter and before a burst.
        burst_s: duration of a burst.
    """

    def __init__(self, *, countdown_s: float, burst_s: float) -> None:
        self._countdown_s, self._burst_s = countdown_s, burst_s
        self._ready_at = 0.0
        self._until = self._pressed_at = -float("inf")
        self._new_press = False  # false for a key that is still held from the previous letter

    def prepare(self, now: float) -> None:
        """Start the countdown for a new letter, and stop recording."""
        self.stop()
        self._ready_at = now + self._countdown_s

    def press(self, now: float) -> bool:
        """Handle a press or repeat of the space bar; return whether it starts a new recording."""
        starts, is_repeat = now >= self._until, now - self._pressed_at < FIRST_HOLD_S
        self._until = max(self._until, now + (HOLD_S if is_repeat and not starts else FIRST_HOLD_S))
        self._new_press = self._new_press or not is_repeat
        self._pressed_at = now
        return starts

    def burst(self, now: float) -> None:
        """Start the countdown, then record a burst."""
        self._ready_at = now + self._countdown_s
        self._until = self._ready_at + self._burst_s
        self._new_press = False

    def released_early(self, now: float) -> bool:
        """Return once, after a press has ended before the end of the countdown, that it recorded nothing."""
        early = self._new_press and self._until <= min(self._ready_at, now)
        self._new_press = self._new_press and not early
        return early

    def stop(self) -> None:
        """Stop recording."""
        self._until, self._new_press = -float("inf"), False

    def is_recording(self, now: float) -> bool:
        """Return whether frames are stored."""
        return self._ready_at <= now < self._until

    def countdown(self, now: float) -> int | None:
        """Return the remaining seconds of the countdown, rounded up; None if it is over."""
        remaining_s = self._ready_at - now
        return math.ceil(remaining_s) if remaining_s > 0 else None
