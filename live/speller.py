"""Turns the letters recognised in single frames into text: decides when a letter is accepted, and inserts spaces.

No camera, model or clock is involved, so that the rules can be tested and evaluated with any sequence of letters.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from aslkit.live.config import LiveConfig
from aslkit.live.doubtful_letters import DoubtfulLetters
from aslkit.live.observation import SHAPES, Observation
from aslkit.live.spelled_text import Correction, SpelledText
from aslkit.live.words.correction import ReadLetter, certain_letter
from aslkit.live.words.lexicon import Lexicon
from aslkit.vision.motion.reader import MotionLetter

Kind = Literal["letter", "correct", "space", "delete", "clear", "undo", "hand", "no hand"]

_TIME_TOLERANCE_S: Final = 1e-6
"""Tolerance when comparing times, because sums of frame intervals are not exact in floating point."""

MAX_OTHER_SHARE: Final = 0.2
"""Share of frames that may show another letter, because predictions flicker."""

HELD_BEFORE_S: Final = 1.0
"""A static letter that was accepted at most this long before its hand began to draw was the beginning of the drawing,
seconds. Letters that are spelled take longer from there to the next movement."""

_DRAWING_S: Final = 2.0
"""Maximum duration of a movement, seconds, from the last frame in which the hand was held to its recognition."""

_READ_WHILE_DRAWING_S: Final = 0.45
"""A static letter accepted this shortly before a drawn one was read while the hand was drawing, seconds: a letter
before it needs a transition and the movement in between."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change of the text, or a hand that appeared or disappeared.

    Attributes:
        kind: what happened.
        time_s: time of the event, seconds since the start.
        letter: character that was accepted or deleted, if any.
        probability: mean probability of the accepted letter over the frames that show it.
        replaces: static letters that were read before a drawn letter and are part of its movement, if any.
        read, word: the letters as they were read, and the word that replaced them, of a correction.
        text: complete text after the event.
    """

    kind: Kind
    time_s: float
    letter: str | None = None
    probability: float | None = None
    replaces: str | None = None
    read: str | None = None
    word: str | None = None
    text: str

    def to_dict(self) -> dict[str, Any]:
        """Return the values that are written as JSON, without those that are None."""
        values = {"event": self.kind, "time_s": round(self.time_s, 3), "letter": self.letter,
                  "probability": None if self.probability is None else round(self.probability, 3),
                  "replaces": self.replaces, "read": self.read, "word": self.word, "text": self.text}  # fmt: skip
        return {key: value for key, value in values.items() if value is not None}


@dataclass(kw_only=True)
class Speller:
    """Accepts letters that are held, and keeps the text.

    A letter is accepted if a share of `agree` of the frames of the last `hold_s` seconds show it, including the newest
    one, and at most MAX_OTHER_SHARE show another letter. The remaining frames have no letter. The same letter is
    accepted again after it was released: during `release_s` seconds, at most MAX_OTHER_SHARE of the frames show it; or
    another letter was accepted. A held letter is thus typed once, at any frame rate from 5 to 120 per second.

    A drawn letter, J or Z, is accepted when its movement is recognised. It replaces the static letter that its hand
    shape was read as before the movement. While the hand moves, no static letter is accepted, and a held one is not
    released.

    Args:
        config: settings of live recognition.
        lexicon: words for suggestions and corrections; None for neither.

    Attributes:
        content: text spelled so far, with suggestion and correction.
        hand: whether a hand is visible.
        held: letter that was accepted and not released yet; None if there is none.
        progress: how much of the required frames the current letter has, 0–1.
    """

    config: LiveConfig
    lexicon: Lexicon | None = None
    hand: bool = False
    held: str | None = None
    progress: float = 0.0
    _frames: deque[Observation] = field(default_factory=deque)
    _last_time_s: float | None = None
    _hand_lost_s: float | None = None
    _accepted: deque["_AcceptedLetter"] = field(default_factory=lambda: deque(maxlen=3))
    _doubtful: DoubtfulLetters = field(default_factory=DoubtfulLetters)
    _doubtful_s: float = -math.inf

    def __post_init__(self) -> None:
        self.content = SpelledText(lexicon=self.lexicon)

    @property
    def text(self) -> str:
        """Text spelled so far."""
        return str(self.content)

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
        if self._accepted:
            self._accepted[-1].see(observation)
        if observation.motion.letter is not None:
            return [*events, self._accept_drawn(observation.motion.letter, time_s)]
        doubtful = self._doubtful.observe(observation)
        letter, frames = self._agreed_letter(time_s)
        if letter is not None and letter != self.held:
            events.append(self._accept(letter, frames, time_s))
        elif doubtful is not None and doubtful.letter != self.held:
            self.content.append_doubtful(doubtful)
            self._doubtful_s = time_s
        return events

    def _accept(self, letter: str, frames: list[Observation], time_s: float) -> Event:
        """Append a static letter that frames agree on."""
        self.held = letter
        if time_s - self._doubtful_s <= self.config.hold_s:
            self.content.drop_doubtful(1)  # the same hold, before the model was sure
        probability = sum(frame.probability for frame in frames) / len(frames)
        known = [frame.probabilities for frame in frames if frame.probabilities is not None]
        read = ReadLetter(letter=letter, probabilities=np.mean(known, axis=0)) if known else None
        self.content.append(letter, read)
        self._accepted.append(_AcceptedLetter(letter=letter, time_s=time_s, last_seen_s=time_s))
        return self._event("letter", time_s, letter, probability)

    def _accept_drawn(self, drawn: MotionLetter, time_s: float) -> Event:
        """Append a drawn letter instead of the static letters that were read of its hand shape."""
        replaced = ""
        while self._accepted and self._belongs_to(self._accepted[-1], drawn.letter, time_s):
            replaced = self._accepted.pop().letter + replaced
            self.content.drop_last()
        self.content.drop_doubtful()
        self.content.append(drawn.letter, certain_letter(drawn.letter, drawn.probability))
        self._accepted.clear()
        self._frames.clear()
        self._doubtful.reset()
        self.held, self.progress = None, 0.0
        return self._event("letter", time_s, drawn.letter, drawn.probability, replaces=replaced or None)

    def _belongs_to(self, accepted: "_AcceptedLetter", drawn: str, time_s: float) -> bool:
        """Return whether an accepted static letter was the hand shape of a drawn letter, before or in its movement."""
        if not self.content.word.endswith(accepted.letter):  # deleted, or followed by a space
            return False
        if time_s - accepted.time_s <= _READ_WHILE_DRAWING_S:
            return True
        held_s = accepted.last_seen_s - accepted.time_s
        return (
            accepted.letter in SHAPES[drawn]
            and held_s <= HELD_BEFORE_S
            and time_s - accepted.last_seen_s <= _DRAWING_S
        )  # fmt: skip

    def space(self, time_s: float) -> list[Event]:
        """Append a space if the text ends with a letter. The word before it is corrected if it needs to be."""
        ended, correction = self.content.end_word()
        if not ended:
            return []
        self._accepted.clear()
        return [*self._correction_events(correction, time_s), self._event("space", time_s)]

    def take_suggestion(self, time_s: float) -> list[Event]:
        """Replace the word by the suggested one, and append a space."""
        correction = self.content.take_suggestion()
        if correction is None:
            return []
        self._accepted.clear()
        return [*self._correction_events(correction, time_s), self._event("space", time_s)]

    def _correction_events(self, correction: Correction | None, time_s: float) -> list[Event]:
        if correction is None:
            return []
        return [self._event("correct", time_s, read=correction.read, word=correction.word)]

    def delete(self, time_s: float) -> list[Event]:
        """Delete the last character. If its letter is still held, it is not accepted again until it was released."""
        deleted = self.content.drop_last()
        self._accepted.clear()
        return [] if deleted is None else [self._event("delete", time_s, deleted)]

    def clear(self, time_s: float) -> list[Event]:
        """Delete the whole text, which `undo` puts back."""
        self._accepted.clear()
        return [self._event("clear", time_s)] if self.content.clear() else []

    def undo(self, time_s: float) -> list[Event]:
        """Put back the letters of the word that was corrected last, or else the text that `clear` deleted."""
        return [self._event("undo", time_s)] if self.content.undo() else []

    def reset(self) -> None:
        """Ignore all earlier frames, so that a letter that is still held is accepted again. The text is kept."""
        self._frames.clear()
        self._doubtful.reset()
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
        # Also while the hand moves: a letter that is carried is still held.
        still_held = sum(frame.letter == self.held for frame in frames)
        return self._cover(frames, now_s, self.config.release_s) and still_held <= MAX_OTHER_SHARE * len(frames)

    def _agreed_letter(self, now_s: float) -> tuple[str | None, list[Observation]]:
        """Return the letter that enough recent frames show, and these frames; or None. Set `progress`."""
        # Older frames are needed by neither of the two rules.
        max_age_s = max(self.config.hold_s, self.config.release_s) + 2 * _TIME_TOLERANCE_S
        while now_s - self._frames[0].time_s > max_age_s and len(self._frames) > self.config.least_frames:
            self._frames.popleft()
        frames = self._recent_frames(now_s, self.config.hold_s)
        if len(frames) < self.config.least_frames:  # a slow camera: use older frames as well
            frames = list(self._frames)[-self.config.least_frames :]
        letter = self._frames[-1].static_letter
        agreeing = [frame for frame in frames if letter is not None and frame.static_letter == letter]
        others = sum(frame.static_letter not in (None, letter) for frame in frames)
        required = max(math.ceil(self.config.agree * len(frames) - _TIME_TOLERANCE_S), self.config.least_frames)
        self.progress = min(len(agreeing) / required, 1.0)
        if (
            len(agreeing) < required
            or others > MAX_OTHER_SHARE * len(frames)
            or not self._cover(frames, now_s, self.config.hold_s)
        ):
            return None, []
        return letter, agreeing

    def _event(
        self,
        kind: Kind,
        time_s: float,
        letter: str | None = None,
        probability: float | None = None,
        **other: str | None,
    ) -> Event:
        return Event(kind=kind, time_s=time_s, letter=letter, probability=probability, text=self.text, **other)


@dataclass(kw_only=True)
class _AcceptedLetter:
    """A static letter that was accepted, and until when it was seen before the hand moved."""

    letter: str
    time_s: float
    last_seen_s: float
    moved: bool = False

    def see(self, observation: Observation) -> None:
        """Process a later frame."""
        self.moved = self.moved or not observation.motion.steady
        if not self.moved and observation.letter == self.letter:
            self.last_seen_s = observation.time_s
