"""Notices when the signer shows another letter than the one being recorded. Only a hint: the frame is stored anyway."""

from collections import deque
from typing import Final

import numpy as np

from aslkit.inference.starter import load_landmark_starter
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.preprocess import apply_temperature, canonical_points, landmark_features

WINDOW: Final = 10
MIN_SAME: Final = 9
"""A hint is given if at least MIN_SAME of the last WINDOW frames look like one other letter: single predictions on
an unseen signer are wrong too often."""

MIN_CONFIDENCE: Final = 0.9
"""Minimum confidence of the starter model in the other letter, calibrated on unseen signers."""


class LetterCheck:
    """Compares the hands of a recording with the letter being recorded, using the starter model."""

    def __init__(self) -> None:
        self._letter = ""
        self._recent: deque[str | None] = deque(maxlen=WINDOW)

    def observe(self, hand: Hand, *, width: int, height: int, letter: str) -> None:
        """Process the hand of a good frame.

        Args:
            hand: the hand.
            width: of the frame, pixels.
            height: of the frame, pixels.
            letter: letter that is being recorded.
        """
        if letter != self._letter:
            self._recent.clear()
            self._letter = letter
        self._recent.append(recognise_letter(hand, width=width, height=height))

    @property
    def hint(self) -> str | None:
        """What the signer should check; None if nothing is wrong."""
        other = max(set(self._recent), key=self._recent.count, default=None)
        if other in (None, self._letter) or self._recent.count(other) < MIN_SAME:
            return None
        return f"This looks like {other}; you are recording {self._letter}."


def recognise_letter(hand: Hand, *, width: int, height: int) -> str | None:
    """Return the letter that the starter model recognises with at least MIN_CONFIDENCE; None if it is less sure."""
    network, contract = load_landmark_starter()
    points = canonical_points(
        hand.landmarks[None], widths=np.array([width]), heights=np.array([height]),
        left=np.array([hand.handedness == "left"]), mirror_left=contract.mirror_left,
    )  # fmt: skip
    probabilities = apply_temperature(network(landmark_features(points))[0], contract.temperature)
    best = int(probabilities.argmax())
    return contract.letters[best] if probabilities[best] >= MIN_CONFIDENCE else None
