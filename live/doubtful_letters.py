"""Finds letters that are held, but that the model is not sure enough of to accept. They can still be part of a word."""

from collections import deque
from typing import Final

import numpy as np

from aslkit.live.observation import Observation
from aslkit.live.words.correction import ReadLetter

HOLD_S: Final = 0.35
"""Duration in which the same letter must be the most probable one, seconds: longer than a transition."""

_AGREE: Final = 0.7
"""Share of these frames that must agree."""

_RELEASED: Final = 0.3
"""Share of these frames that may still show a letter when another hold of it begins."""

_TIME_TOLERANCE_S: Final = 1e-6


class DoubtfulLetters:
    """Watches the most probable letter of each frame, whether it is accepted or not."""

    def __init__(self) -> None:
        self._frames: deque[Observation] = deque()
        self._held: str | None = None

    def reset(self) -> None:
        """Ignore all earlier frames."""
        self._frames.clear()
        self._held = None

    def observe(self, observation: Observation) -> ReadLetter | None:
        """Process a frame, and return a letter that begins to be held; None in all other frames."""
        frames = self._frames
        frames.append(observation)
        # The frame before HOLD_S is needed, so that the frames cover it.
        while len(frames) > 1 and frames[1].time_s <= observation.time_s - HOLD_S + _TIME_TOLERANCE_S:
            frames.popleft()
        guess = observation.static_guess
        if self._held is not None:
            still = sum(frame.static_guess == self._held for frame in frames)
            self._held = self._held if still > _RELEASED * len(frames) else None
        agreeing = [frame.probabilities for frame in frames if guess is not None and frame.static_guess == guess]
        known = [each for each in agreeing if each is not None]
        covered = observation.time_s - frames[0].time_s >= HOLD_S - _TIME_TOLERANCE_S
        if guess in (None, self._held) or not covered or len(agreeing) < _AGREE * len(frames) or not known:
            return None
        self._held = guess
        return ReadLetter(letter=guess, probabilities=np.mean(known, axis=0), doubtful=True)
