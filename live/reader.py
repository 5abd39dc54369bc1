"""Reading a hand: the recogniser and the speller before a source of frames, for whoever shows it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, Protocol

from aslkit.live.config import LiveConfig
from aslkit.live.recogniser import Recognised
from aslkit.live.speller import Event, Observation, Speller, letter_threshold
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import PreprocessConfig

BEST: Final = 3
"""Letters that are shown as the likeliest."""


class RecogniserProtocol(Protocol):
    """What sees letters: `Recogniser`, or a stand-in."""

    def recognise(self, frame: Frame) -> Recognised:
        """See `Recogniser.recognise`."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What is to be shown after a frame.

    Attributes:
        frame: which was looked at, BGR, uint8 (height, width, 3); None before there is one.
        seen: what was recognised in it.
        letter: what it says; None where it is refused, or there is no hand.
        best: the likeliest letters and their probabilities, best first; empty without a hand.
        share: how far the letter is towards being taken, 0–1.
        text: what was spelled.
        latency_s: from taking the frame over to having the letter, seconds.
    """

    frame: Frame | None = None
    seen: Recognised | None = None
    letter: str | None = None
    best: tuple[tuple[str, float], ...] = ()
    share: float = 0.0
    text: str = ""
    latency_s: float = 0.0


OnEvent = Callable[[Event], None]


@dataclass(kw_only=True)
class Reader:
    """Frames in, readings and events out. One thread gives frames; any may press keys.

    Args:
        recogniser: what sees letters.
        contract: its own: letters in order, and the threshold.
        config: the rule.
        on_event: is told each event, in order.

    Attributes:
        reading: of the last frame.
        frames: how many were read.
        now_s: when the last one was taken, seconds.
    """

    recogniser: RecogniserProtocol
    contract: PreprocessConfig
    config: LiveConfig
    on_event: OnEvent = lambda event: None
    reading: Reading = field(default_factory=Reading)
    frames: int = 0
    now_s: float = 0.0

    def __post_init__(self) -> None:
        self._speller, self._lock = Speller(config=self.config), Lock()
        self._bar = letter_threshold(self.contract.threshold, self.config.strictness)

    @property
    def text(self) -> str:
        """What was spelled so far."""
        return self._speller.text

    def read(self, frame: Frame, time_s: float) -> Reading:
        """Recognise a frame, BGR, uint8 (height, width, 3), unmirrored, taken at that time, and let the rule see it."""
        began = time.perf_counter()
        seen = self.recogniser.recognise(frame)
        order = seen.probabilities.argsort()[::-1][:BEST] if seen.hand is not None else ()
        best = tuple((self.contract.letters[int(i)], float(seen.probabilities[i])) for i in order)
        probability = best[0][1] if best else 0.0
        letter = seen.letter if best and probability >= self._bar and not seen.is_rest else None
        glimpse = Observation(time_s=time_s, hand=seen.hand is not None, letter=letter, probability=probability)
        with self._lock:
            self.now_s = time_s
            self._tell(self._speller.see(glimpse))
            self.frames += 1
            self.reading = Reading(
                frame=frame, seen=seen, letter=letter, best=best, share=self._speller.share,
                text=self._speller.text, latency_s=time.perf_counter() - began,
            )  # fmt: skip
            return self.reading

    def reset(self) -> None:
        """Carry nothing over from the frames until now; the text stays."""
        with self._lock:
            self._speller.reset()

    def space(self) -> None:
        """Put a space."""
        with self._lock:
            self._tell(self._speller.space(self.now_s))

    def delete(self) -> None:
        """Take the last sign away."""
        with self._lock:
            self._tell(self._speller.delete(self.now_s))

    def clear(self) -> None:
        """Take all away."""
        with self._lock:
            self._tell(self._speller.clear(self.now_s))

    def _tell(self, events: Iterable[Event]) -> None:
        for event in events:
            self.on_event(event)
