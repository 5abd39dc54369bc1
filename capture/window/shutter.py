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


class ClipShutter(Shutter):
    """Decides when a clip begins and ends: it is as long as space is held, but no longer than a burst.

    Args:
        countdown_s: countdown before a letter and before a burst.
        longest_s: duration after which a clip ends by itself, also that of a burst.

    Attributes:
        started_s: when the clip that is being recorded began; None if none is.
    """

    def __init__(self, *, countdown_s: float, longest_s: float) -> None:
        super().__init__(countdown_s=countdown_s, burst_s=longest_s)
        self.started_s: float | None = None
        self._longest_s = longest_s
        self._repeated_at: float | None = None  # last repeat of the key; None after a single press, and in a burst
        self._spent = False  # whether a clip ended by itself while the key was held

    def press(self, now: float) -> bool:
        """See `Shutter.press`. A key that is still held after the end of a clip starts no other one."""
        is_repeat = now - self._pressed_at < FIRST_HOLD_S
        self._spent = self._spent and is_repeat
        if self._spent:
            self._pressed_at = now
            return False
        self._repeated_at = now if is_repeat else None
        return super().press(now)

    def burst(self, now: float) -> None:
        """Start the countdown, then record a clip of the longest duration."""
        super().burst(now)
        self._repeated_at = None

    def update(self, now: float) -> tuple[bool, float | None]:
        """Return whether a clip begins now, and when the clip that was being recorded ended; None if it did not."""
        if self.started_s is None:
            if not self.is_recording(now):
                return False, None
            self.started_s = now
            return True, None
        limit_s = self.started_s + self._longest_s
        if self.is_recording(now) and now < limit_s:
            return False, None
        # The key was released after its last repeat. Without a repeat, the movement may have taken all the time.
        end_s = min(self._until if self._repeated_at is None else self._repeated_at, limit_s)
        self._spent = self._repeated_at is not None and now >= limit_s
        self.stop()
        return False, end_s

    def stop(self) -> None:
        """Stop recording, and forget the clip."""
        super().stop()
        self.started_s = None
