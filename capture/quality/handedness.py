"""Which hand is signed with: noticed, and asked about once when it is not the usual one."""

from collections import Counter
from typing import Final

from aslkit.vision.hand_landmarker import Hand, Handedness

USUAL_FROM: Final = 20
USUAL_SHARE: Final = 0.9
"""After so many frames, of which so large a share shows one side, that is the signer's usual hand."""

SURPRISED_AFTER: Final = 8
"""Frames of the other hand in a row before it is asked about: a single one is a mistake of the landmarker."""


class HandednessTracker:
    """Notices the hand's side.

    Args:
        usual: the signer's usual hand, as far as it is known.
        ask: whether there is somebody to answer; otherwise a hand is taken as it is seen.

    Attributes:
        usual: likewise; learned when it is not known.
        question: the side that was seen, while it is not the usual one and nobody has said yet whether it is so.
        unusual: frames of the other hand that were stored as they were seen.
    """

    def __init__(self, usual: Handedness | None, *, ask: bool) -> None:
        self.usual = usual
        self.question: Handedness | None = None
        self.unusual = 0
        self._ask = ask
        self._always_usual = False
        self._in_a_row = 0
        self._seen: Counter[Handedness] = Counter()

    def observe(self, hand: Hand) -> None:
        """Take in the hand of a good frame."""
        side = hand.handedness
        if self.usual is None:
            self._learn(side)
            return
        self._in_a_row = self._in_a_row + 1 if side != self.usual else 0
        if self._ask and self._in_a_row >= SURPRISED_AFTER:
            self.question, self._ask = side, False

    def _learn(self, side: Handedness) -> None:
        self._seen[side] += 1
        often, times = self._seen.most_common(1)[0]
        total = self._seen.total()
        if total >= USUAL_FROM and times >= USUAL_SHARE * total:
            self.usual = often

    def resolve(self, *, is_so: bool) -> None:
        """Take in what the signer says to `question`: False means that the hand is the usual one after all."""
        self._always_usual = not is_so
        self.question = None

    def side_of(self, hand: Hand) -> Handedness:
        """The side under which a hand is stored."""
        if self._always_usual and self.usual is not None:
            return self.usual
        self.unusual += self.usual is not None and hand.handedness != self.usual
        return hand.handedness
