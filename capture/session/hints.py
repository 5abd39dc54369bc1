"""Chooses the hint that is shown during a recording."""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final

from aslkit.capture.quality.diversity import MAX_FRAMES, diversity_hints
from aslkit.capture.quality.gate import Reason
from aslkit.capture.quality.letter_check import LetterCheck
from aslkit.core.letters import LETTERS
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics

_SIMILARITY_WINDOW: Final = 20
_MAX_SIMILAR_SHARE: Final = 0.6
"""A hint is shown if at least this share of the last frames in the window were near-duplicates."""

_HINT_EVERY_FRAMES: Final = 20
_HINT_FOR_FRAMES: Final = 10
"""If diversity is low, a hint is shown after every 20 stored frames, for the next 10."""


class RecordingHints:
    """Hints about a wrong letter and about low diversity."""

    def __init__(self) -> None:
        self._recent_similar: deque[bool] = deque(maxlen=_SIMILARITY_WINDOW)
        self._letter_check = LetterCheck()

    def start_letter(self) -> None:
        """Forget the near-duplicates of the previous letter."""
        self._recent_similar.clear()

    def observe_hand(self, metrics: FrameMetrics, letter: str) -> None:
        """Process a good frame. Frames without a letter are not compared with the letter."""
        if metrics.hand is not None and letter in LETTERS:
            self._letter_check.observe(metrics.hand, width=metrics.width, height=metrics.height, letter=letter)

    def observe_reasons(self, reasons: tuple[Reason, ...]) -> None:
        """Process the reasons for rejecting a frame that was to be stored."""
        self._recent_similar.append(reasons[:1] == ("too-alike",))

    @property
    def wrong_letter(self) -> str | None:
        """That the last frames show another letter than the one being recorded; None if they do not."""
        return self._letter_check.hint

    def choose(self, stored: int, newest_first: Iterable[IndexEntry]) -> str | None:
        """Return a hint about a wrong letter, or a diversity hint if one is due.

        Diversity hints are due regularly, and whenever most frames are near-duplicates.

        Args:
            stored: number of frames of the letter stored in this recording.
            newest_first: frames of the letter.
        """
        if (wrong_letter := self.wrong_letter) is not None:
            return wrong_letter
        max_similar = _MAX_SIMILAR_SHARE * _SIMILARITY_WINDOW
        stuck = len(self._recent_similar) == _SIMILARITY_WINDOW and sum(self._recent_similar) >= max_similar
        if not stuck and stored % _HINT_EVERY_FRAMES >= _HINT_FOR_FRAMES:
            return None
        hints = list(diversity_hints(list(islice(newest_first, MAX_FRAMES))[::-1]))
        return hints[stored // _HINT_EVERY_FRAMES % len(hints)] if hints else None
