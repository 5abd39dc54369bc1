"""From letters, frame by frame, to text: when a letter is taken, when it may be taken again, and what is a space.

Pure: no camera, no model and no clock, so that the rule can be tested and measured on whatever says letters.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aslkit.live.config import LiveConfig

Kind = Literal["letter", "space", "delete", "clear", "hand", "no hand"]

_TICK_S: Final = 1e-6
"""Sums of frame intervals are not exact."""

STRAY: Final = 0.2
"""So large a share of frames may say something else: a model flickers."""

LONGEST: Final = 2000
"""Characters of text that are kept; older ones are let go."""


def letter_threshold(threshold: float, strictness: float) -> float:
    """How likely a letter must be in a frame, 0–1, where several frames must agree.

    A model's threshold is set for frames that are judged alone. The bar is as far up as `strictness` says, 0 (an even
    chance) to 1 (the threshold itself), in logarithms of the odds; a threshold of 0 refuses nothing.
    """
    if not 0 < threshold < 1:
        return threshold
    odds = math.exp(strictness * math.log(threshold / (1 - threshold)))
    return odds / (1 + odds)


@dataclass(frozen=True, kw_only=True)
class Observation:
    """What was seen in one frame.

    Attributes:
        time_s: when, seconds since any moment.
        hand: whether there is a hand.
        letter: what it says above the bar; None where it is refused, or without a hand.
        probability: of that letter, 0–1.
    """

    time_s: float
    hand: bool
    letter: str | None = None
    probability: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something happened that another program may want to know.

    Attributes:
        kind: what.
        time_s: when, seconds since the beginning.
        letter: which was taken or deleted; None where that is nothing.
        probability: of the letter, the mean over the frames that said it.
        text: all there is now.
    """

    kind: Kind
    time_s: float
    letter: str | None = None
    probability: float | None = None
    text: str

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON, without what is not known."""
        values = {"event": self.kind, "time_s": round(self.time_s, 3), "letter": self.letter,
                  "probability": None if self.probability is None else round(self.probability, 3),
                  "text": self.text}  # fmt: skip
        return {key: value for key, value in values.items() if value is not None}


@dataclass(kw_only=True)
class Speller:
    """Takes letters that are held, and keeps the text.

    A letter is taken when `agree` of the frames of the last `hold_s` seconds say it above the `letter_threshold`, the
    newest among them, and hardly one (STRAY) says another: the others are refused. Then it must be released before it
    is taken again: over `release_s` seconds hardly a frame says it; or another letter is taken. So a held letter comes
    once, at 5 frames a second and at 120.

    Args:
        config: the settings.

    Attributes:
        text: what was spelled.
        hand: whether there is a hand.
        held: the letter that was taken and not released; None when there is none.
        share: how far the likeliest letter of now is towards being taken, 0–1.
    """

    config: LiveConfig
    text: str = ""
    hand: bool = False
    held: str | None = None
    share: float = 0.0
    _frames: deque[Observation] = field(default_factory=deque)
    _last_s: float | None = None
    _away_s: float | None = None

    def see(self, seen: Observation) -> list[Event]:
        """Take in a frame, and return what happened. A clock that went back, or a long gap, carries nothing over."""
        if self._last_s is not None and not 0 <= seen.time_s - self._last_s <= self.config.gap_s:
            self._forget(seen.time_s)
        self._last_s = seen.time_s
        self._frames.append(seen)
        events = self._follow_hand(seen)
        if self._held_back(seen.time_s):
            self.held = None
        letter, probability = self._agreed(seen.time_s)
        if letter is not None and letter != self.held:
            self.held = letter
            self._add(letter)
            events.append(self._event("letter", seen.time_s, letter, probability))
        return events

    def space(self, time_s: float) -> list[Event]:
        """Put a space, where there is a letter to put it after."""
        if not self.text or self.text[-1] == " ":
            return []
        self._add(" ")
        return [self._event("space", time_s)]

    def delete(self, time_s: float) -> list[Event]:
        """Take the last sign away. The letter still held is not taken again until it is released."""
        if not self.text:
            return []
        gone, self.text = self.text[-1], self.text[:-1]
        return [self._event("delete", time_s, gone)]

    def clear(self, time_s: float) -> list[Event]:
        """Take all away."""
        if not self.text:
            return []
        self.text = ""
        return [self._event("clear", time_s)]

    def reset(self) -> None:
        """Carry nothing over from the frames until now: what is still held is taken again."""
        self._frames.clear()
        self.held, self.share = None, 0.0

    def _forget(self, time_s: float) -> None:
        self.reset()
        self._away_s = None if self.hand else time_s

    def _follow_hand(self, seen: Observation) -> list[Event]:
        events = []
        if seen.hand:
            self._away_s = None
            if not self.hand:
                self.hand = True
                events.append(self._event("hand", seen.time_s))
            return events
        if self._away_s is None:
            self._away_s = seen.time_s
        away_s = seen.time_s - self._away_s
        if self.hand and away_s >= self.config.release_s - _TICK_S:  # one missed frame is no hand that left
            self.hand = False
            events.append(self._event("no hand", seen.time_s))
        if self.config.space_s and not self.hand and away_s >= self.config.space_s - _TICK_S:
            events += self.space(seen.time_s)
        return events

    def _within(self, now_s: float, back_s: float) -> list[Observation]:
        return [each for each in self._frames if now_s - each.time_s <= back_s + _TICK_S]

    def _covers(self, frames: list[Observation], now_s: float, back_s: float) -> bool:
        """Whether the frames reach back so far, give or take one of them."""
        spacing_s = (now_s - frames[0].time_s) / max(len(frames) - 1, 1)
        return now_s - frames[0].time_s + spacing_s >= back_s - _TICK_S and len(frames) > 1

    def _held_back(self, now_s: float) -> bool:
        """Whether the letter that was taken has been let go."""
        if self.held is None:
            return False
        frames = self._within(now_s, self.config.release_s)
        still = sum(each.letter == self.held for each in frames)
        return self._covers(frames, now_s, self.config.release_s) and still <= STRAY * len(frames)

    def _agreed(self, now_s: float) -> tuple[str | None, float]:
        """The letter that most recent frames say, and its mean probability, where enough of them do."""
        reach_s = max(self.config.hold_s, self.config.release_s)
        while now_s - self._frames[0].time_s > reach_s + 2 * _TICK_S and len(self._frames) > self.config.least_frames:
            self._frames.popleft()
        frames = self._within(now_s, self.config.hold_s)
        if len(frames) < self.config.least_frames:  # a slow camera: look further back
            frames = list(self._frames)[-self.config.least_frames :]
        letter = self._frames[-1].letter
        said = [each.probability for each in frames if letter is not None and each.letter == letter]
        others = sum(each.letter not in (None, letter) for each in frames)
        needed = max(math.ceil(self.config.agree * len(frames) - _TICK_S), self.config.least_frames)
        self.share = min(len(said) / needed, 1.0)
        if len(said) < needed or others > STRAY * len(frames) or not self._covers(frames, now_s, self.config.hold_s):
            return None, 0.0
        return letter, sum(said) / len(said)

    def _add(self, sign: str) -> None:
        self.text = (self.text + sign)[-LONGEST:]

    def _event(self, kind: Kind, time_s: float, letter: str | None = None, probability: float | None = None) -> Event:
        return Event(kind=kind, time_s=time_s, letter=letter, probability=probability, text=self.text)
