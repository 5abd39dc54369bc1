"""What was recognised in one frame: the letter, the probabilities of all letters, and the movement of the hand."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LABEL_INDEX, LABELS
from aslkit.vision.motion.reader import RESTING, MotionReading

SHAPES: Final = {"J": frozenset("IY"), "Z": frozenset("DGLX")}
"""Static letters with the hand shape that draws a letter: what a model reads before the movement."""

MISSED_MOVEMENT: Final = 0.1
"""Share of the drawn letters of which the movement is not recognised, so that the hand shape is read instead."""


def letter_threshold(threshold: float, strictness: float) -> float:
    """Return the minimum probability, 0–1, of a letter in a frame if several frames must agree.

    A model's threshold is set for frames that are judged alone. The log odds of the result are `strictness` times the
    log odds of the threshold: 1 gives the threshold itself, 0 gives 0.5. A threshold of 0 stays 0, so that all
    letters are accepted.
    """
    if not 0 < threshold < 1:
        return threshold
    odds = math.exp(strictness * math.log(threshold / (1 - threshold)))
    return odds / (1 + odds)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was recognised in one frame.

    Attributes:
        time_s: time of the frame, seconds from any origin.
        hand: whether a hand was found.
        letter: recognised letter; None if there is no hand, or its probability is below the `letter_threshold`.
        probability: probability of the most probable letter, 0–1.
        guess: most probable letter, also if its probability is too low; None if there is no hand, or it rests.
        probabilities: float32 (26,), probability of each letter of `letters.LABELS`; None if unknown.
        motion: movement of the hand.
    """

    time_s: float
    hand: bool
    letter: str | None = None
    probability: float = 0.0
    guess: str | None = None
    probabilities: npt.NDArray[np.float32] | None = None
    motion: MotionReading = RESTING

    @property
    def static_letter(self) -> str | None:
        """The static letter that the frame shows; None also while the hand moves or has just drawn a letter."""
        return None if self.motion.moving or self.motion.ended else self.letter

    @property
    def static_guess(self) -> str | None:
        """The same for `guess`."""
        return None if self.motion.moving or self.motion.ended else self.guess


def label_probabilities(probabilities: npt.NDArray[np.float32], letters: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the probability of each letter of `letters.LABELS`, float32 (26,).

    A model of static letters reads a J as I if its movement is not recognised, so a part of the probability of I
    belongs to J, and of those of the shapes of Z to Z.

    Args:
        probabilities: float32 (n,), of the letters of a model.
        letters: these n letters.
    """
    values = np.zeros(len(LABELS), np.float32)
    values[[LABEL_INDEX[letter] for letter in letters]] = probabilities
    for drawn, shapes in SHAPES.items():
        rows = [LABEL_INDEX[letter] for letter in sorted(shapes)]
        values[LABEL_INDEX[drawn]] += MISSED_MOVEMENT * values[rows].sum()
        values[rows] *= np.float32(1 - MISSED_MOVEMENT)
    return values
