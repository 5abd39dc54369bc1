"""Learns which hand the signer uses, and asks once if the other hand appears."""

from collections import Counter
from typing import Final

from aslkit.vision.hand_landmarker import Hand, Handedness

MIN_FRAMES_TO_LEARN: Final = 20
MIN_SHARE_TO_LEARN: Final = 0.9
"""After this many frames, a hand that makes up at least this share of them is learned as the usual hand."""

FRAMES_BEFORE_QUESTION: Final = 8
"""Consecutive frames with the other hand before asking. Single frames are errors of the landmarker."""


class HandednessTracker:
    """Tracks whether the detected hand is the signer's usual one.

    Args:
        usual: the signer's usual hand; None if unknown.
        can_ask: whether the signer can answer a question. Otherwise the detected handedness is stored.

    Attributes:
        usual: the signer's usual hand; learned if unknown.
        question: the detected side, while it differs from the usual hand and the signer has not confirmed it yet.
        unusual: number of frames stored with the other hand.
        confirmed: whether the signer has confirmed that it is the other hand.
    """

    def __init__(self, usual: Handedness | None, *, can_ask: bool) -> None:
        self.usual = usual
        self.question: Handedness | None = None
        self.unusual = 0
        self.confirmed = False
        self._can_ask = can_ask
        self._always_usual = False
        self._consecutive_other = 0
        self._counts: Counter[Handedness] = Counter()

    def observe(self, hand: Hand) -> None:
        """Process the hand of a good frame."""
        side = hand.handedness
        if self.usual is None:
            self._learn(side)
            return
        self._consecutive_other = self._consecutive_other + 1 if side != self.usual else 0
        if self._can_ask and self._consecutive_other >= FRAMES_BEFORE_QUESTION:
            # Ask only once per recording.
            self.question, self._can_ask = side, False

    def _learn(self, side: Handedness) -> None:
        self._counts[side] += 1
        most_frequent, count = self._counts.most_common(1)[0]
        total = self._counts.total()
        if total >= MIN_FRAMES_TO_LEARN and count >= MIN_SHARE_TO_LEARN * total:
            self.usual = most_frequent

    def resolve(self, *, confirmed: bool) -> None:
        """Answer `question`. If not confirmed, all hands are stored as the usual one from now on."""
        self._always_usual, self.confirmed = not confirmed, confirmed
        self.question = None

    def side_of(self, hand: Hand) -> Handedness:
        """Return the side to store for a hand, and count it if it is unusual."""
        if self._always_usual and self.usual is not None:
            return self.usual
        self.unusual += self.usual is not None and hand.handedness != self.usual
        return hand.handedness

    def mirrored_note(self, stored: int) -> str | None:
        """Return that a recording is probably mirrored: nearly all frames show the hand that the signer does not use.

        Args:
            stored: number of frames stored in the recording.
        """
        if self.confirmed or self.unusual < max(FRAMES_BEFORE_QUESTION, MIN_SHARE_TO_LEARN * stored):
            return None
        other = "left" if self.usual == "right" else "right"
        return (
            f"{self.unusual:,} of {stored:,} frames show a {other} hand, but earlier recordings of this signer a "
            f"{self.usual} hand. If this recording is mirrored, as selfies often are, delete its folder and record it "
            "again with --mirrored."
        )
