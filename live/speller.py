"""Turns the letters recognised in single frames into text: decides when a letter is accepted, and inserts spaces.

No camera, model or clock is involved, so that the rules can be tested and evaluated with any sequence of letters.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from aslkit.live.config import LiveConfig

Kind = Literal["letter", "space", "delete", "clear", "undo", "hand", "no hand"]

_TIME_TOLERANCE_S: Final = 1e-6
"""Tolerance when comparing times, because sums of frame intervals are not exact in floating point."""

MAX_OTHER_SHARE: Final = 0.2
"""Share of frames that may show another letter, because predictions flicker."""

MAX_TEXT_LENGTH: Final = 2000
"""Characters. If the text grows longer, its beginning is dropped."""


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
        probability: probability of the letter, 0–1.
    """

    time_s: float
    hand: bool
    letter: str | None = None
    probability: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change of the text, or a hand that appeared or disappeared.

    Attributes:
        kind: what happened.
        time_s: time of the event, seconds since the start.
        letter: character that was accepted or deleted, if any.
        probability: mean probability of the accepted letter over the frames that show it.
        text: complete text after the event.
    """

    kind: Kind
    time_s: float
    letter: str | None = None
    probability: float | None = None
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the values that are written as JSON, without those that are None."""
        values = {"event": self.kind, "time_s": round(self.time_s, 3), "letter": self.letter,
                  "probability": None if self.probability is None else round(self.probability, 3),
                  "text": self.text}  # fmt: skip
        return {key: value for key, value in values.items() if value is not None}


@dataclass(kw_only=True)
class Speller:
    """Accepts letters that are held, and keeps the text.

    A letter is accepted if a share of `agree` of the frames of the last `hold_s` seconds show it, including the newest
    one, and at most MAX_OTHER_SHARE show another letter. The remaining frames have no letter. The same letter is
    accepted again after it was released: during `release_s` seconds, at most MAX_OTHER_SHARE of the frames show it; or
    another letter was accepted. A held letter is thus typed once, at any frame rate from 5 to 120 per second.

    Args:
        config: settings of live recognition.

    Attributes:
        text: text spelled so far.
        hand: whether a hand is visible.
        held: letter that was accepted and not released yet; None if there is none.
        progress: how much of the required frames the current letter has, 0–1.
    """

    config: LiveConfig
    text: str = ""
    hand: bool = False
    held: str | None = None
    progress: float = 0.0
    _frames: deque[Observation] = field(default_factory=deque)
    _last_time_s: float | None = None
    _hand_lost_s: float | None = None
    _cleared: str = ""

    def observe(self, observation: Observation) -> list[Event]:
        """Process a frame and return the resulting events.

        If time runs backwards or the gap since the last frame exceeds `gap_s`, earlier frames are ignored.
        """
        time_s = observation.time_s
        if self._last_time_s is not None and not 0 <= time_s - self._last_time_s <= self.config.gap_s:
            self._reset_after_gap(time_s)
        self._last_time_s = time_s
        self._frames.append(observation)
        events = self._track_hand(observation)
        # Before looking for a letter, so that a letter can be released and accepted again by the same frame.
        if self._is_released(time_s):
            self.held = None
        letter, probability = self._agreed_letter(time_s)
        if letter is not None and letter != self.held:
            self.held = letter
            self._append(letter)
            events.append(self._event("letter", time_s, letter, probability))
        return events

    def space(self, time_s: float) -> list[Event]:
        """Append a space if the text ends with a letter."""
        if not self.text or self.text[-1] == " ":
            return []
        self._append(" ")
        return [self._event("space", time_s)]

    def delete(self, time_s: float) -> list[Event]:
        """Delete the last character. If its letter is still held, it is not accepted again until it was released."""
        if not self.text:
            return []
        deleted, self.text = self.text[-1], self.text[:-1]
        return [self._event("delete", time_s, deleted)]

    def clear(self, time_s: float) -> list[Event]:
        """Delete the whole text, which `undo_clear` puts back."""
        if not self.text:
            return []
        self._cleared, self.text = self.text, ""
        return [self._event("clear", time_s)]

    def undo_clear(self, time_s: float) -> list[Event]:
        """Put back the text that `clear` deleted last, before what was spelled since."""
        if not self._cleared:
            return []
        self.text, self._cleared = (self._cleared + self.text)[-MAX_TEXT_LENGTH:], ""
        return [self._event("undo", time_s)]

    def reset(self) -> None:
        """Ignore all earlier frames, so that a letter that is still held is accepted again. The text is kept."""
        self._frames.clear()
        self.held, self.progress = None, 0.0

    def _reset_after_gap(self, time_s: float) -> None:
        self.reset()
        # The time of the gap does not count: nobody knows what the hand did meanwhile.
        self._hand_lost_s = None if self.hand else time_s

    def _track_hand(self, observation: Observation) -> list[Event]:
        events = []
        if observation.hand:
            self._hand_lost_s = None
            if not self.hand:
                self.hand = True
                events.append(self._event("hand", observation.time_s))
            return events
        if self._hand_lost_s is None:
            self._hand_lost_s = observation.time_s
        away_s = observation.time_s - self._hand_lost_s
        # The landmarker misses a hand in single frames, so wait before reporting that it has disappeared.
        if self.hand and away_s >= self.config.release_s - _TIME_TOLERANCE_S:
            self.hand = False
            events.append(self._event("no hand", observation.time_s))
        if self.config.space_s and not self.hand and away_s >= self.config.space_s - _TIME_TOLERANCE_S:
            events += self.space(observation.time_s)
        return events

    def _recent_frames(self, now_s: float, duration_s: float) -> list[Observation]:
        return [frame for frame in self._frames if now_s - frame.time_s <= duration_s + _TIME_TOLERANCE_S]

    def _cover(self, frames: list[Observation], now_s: float, duration_s: float) -> bool:
        """Return whether the frames cover a duration, up to one frame interval."""
        # n frames have n - 1 intervals between them, but cover n.
        interval_s = (now_s - frames[0].time_s) / max(len(frames) - 1, 1)
        return now_s - frames[0].time_s + interval_s >= duration_s - _TIME_TOLERANCE_S and len(frames) > 1

    def _is_released(self, now_s: float) -> bool:
        """Return whether the held letter has been released."""
        if self.held is None:
            return False
        frames = self._recent_frames(now_s, self.config.release_s)
        still_held = sum(frame.letter == self.held for frame in frames)
        return self._cover(frames, now_s, self.config.release_s) and still_held <= MAX_OTHER_SHARE * len(frames)

    def _agreed_letter(self, now_s: float) -> tuple[str | None, float]:
        """Return the letter that enough recent frames show, and its mean probability; or None and 0. Set `progress`."""
        # Older frames are needed by neither of the two rules.
        max_age_s = max(self.config.hold_s, self.config.release_s) + 2 * _TIME_TOLERANCE_S
        while now_s - self._frames[0].time_s > max_age_s and len(self._frames) > self.config.least_frames:
            self._frames.popleft()
        frames = self._recent_frames(now_s, self.config.hold_s)
        if len(frames) < self.config.least_frames:  # a slow camera: use older frames as well
            frames = list(self._frames)[-self.config.least_frames :]
        letter = self._frames[-1].letter
        probabilities = [frame.probability for frame in frames if letter is not None and frame.letter == letter]
        others = sum(frame.letter not in (None, letter) for frame in frames)
        required = max(math.ceil(self.config.agree * len(frames) - _TIME_TOLERANCE_S), self.config.least_frames)
        self.progress = min(len(probabilities) / required, 1.0)
        if (
            len(probabilities) < required
            or others > MAX_OTHER_SHARE * len(frames)
            or not self._cover(frames, now_s, self.config.hold_s)
        ):
            return None, 0.0
        return letter, sum(probabilities) / len(probabilities)

    def _append(self, character: str) -> None:
        self.text = (self.text + character)[-MAX_TEXT_LENGTH:]

    def _event(self, kind: Kind, time_s: float, letter: str | None = None, probability: float | None = None) -> Event:
        return Event(kind=kind, time_s=time_s, letter=letter, probability=probability, text=self.text)
