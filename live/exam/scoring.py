"""An exam: letters asked for in random order, what the model said of them, and how often it spoke at rest.

Pure: who shows the letters and where frames come from is `aslkit.live.exam.run`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from aslkit.core.letters import NO_LETTER

READY_S: Final = 3.0
"""To get the hand ready."""

SIGN_S: Final = 3.0
"""To sign the letter, at most."""

REST_S: Final = 30.0
LETTERS_A_WORD: Final = 5
"""As typists count."""

Phase = Literal["ready", "sign", "rest", "done"]


@dataclass(frozen=True, kw_only=True)
class ExamAnswer:
    """One letter that was asked for.

    Attributes:
        asked: which.
        said: what the model said; None where it said nothing in time, or refused.
        hand: whether a hand was found.
        took_s: from "now" to the letter, seconds; None where there is no time, as in a photograph.
    """

    asked: str
    said: str | None
    hand: bool = True
    took_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class ExamScore:
    """How it went.

    Attributes:
        answers: all of them, in order.
        false_letters: letters said at rest; None where rest was not measured.
        rest_s: how long, seconds; None where what was shown had no time.
        rests: frames of rest, where it had none.
    """

    answers: tuple[ExamAnswer, ...]
    false_letters: int | None = None
    rest_s: float | None = None
    rests: int | None = None

    @property
    def accuracy(self) -> float:
        """Share of letters that were said as asked, 0–1. Nothing said is not right."""
        return sum(each.asked == each.said for each in self.answers) / max(len(self.answers), 1)

    @property
    def words_a_minute(self) -> float | None:
        """Right letters, five a word, over the time from each "now" to its end; None where there is no time."""
        times = [each.took_s for each in self.answers if each.took_s is not None]
        if not times:
            return None
        right = sum(each.asked == each.said for each in self.answers)
        return right / LETTERS_A_WORD / (max(sum(times), 1e-6) / 60)

    def table(self) -> list[dict[str, Any]]:
        """A row for each letter: asked, right, refused (or nothing said in time), no hand, and taken for which."""
        rows = []
        for letter in sorted({each.asked for each in self.answers}):
            own = [each for each in self.answers if each.asked == letter]
            wrong = sorted(each.said for each in own if each.said not in (None, letter))
            rows.append({
                "letter": letter, "asked": len(own), "right": sum(each.said == letter for each in own),
                "refused": sum(each.said is None and each.hand for each in own),
                "no_hand": sum(each.said is None and not each.hand for each in own), "taken_for": wrong,
            })  # fmt: skip
        return rows

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        speed = self.words_a_minute
        return {
            "accuracy": round(self.accuracy, 4), "asked": len(self.answers),
            "words_a_minute": None if speed is None else round(speed, 2),
            "false_letters": self.false_letters, "rest_s": self.rest_s, "rest_frames": self.rests,
            "letters": self.table(),
        }  # fmt: skip


def letter_order(letters: Sequence[str], times: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Each letter so many times, in random order, none twice in a row where that can be helped."""
    asked = [letter for _ in range(times) for letter in rng.permutation(list(letters)).tolist()]
    for place in range(1, len(asked)):
        if asked[place] == asked[place - 1] and place + 1 < len(asked):
            asked[place], asked[place + 1] = asked[place + 1], asked[place]
    return tuple(asked)


@dataclass(kw_only=True)
class Exam:
    """Asks, waits, takes the answer, and rests at the end. Told of each frame, it says what is to be shown.

    Args:
        asked: letters, in order.
        rest_s: how long to rest at the end, seconds.

    Attributes:
        phase: what happens now.
        answers: so far.
        false_letters: at rest, so far.
    """

    asked: tuple[str, ...]
    rest_s: float = REST_S
    phase: Phase = "ready"
    answers: list[ExamAnswer] = field(default_factory=list)
    false_letters: int = 0
    _since_s: float | None = None
    _hand: bool = False

    @property
    def letter(self) -> str:
        """Which is asked for; NOTHING at rest. May be asked from any thread, between an answer and what follows too."""
        left = self.asked[len(self.answers) :]
        return left[0] if left and self.phase in ("ready", "sign") else NO_LETTER

    def left_s(self, now_s: float) -> float:
        """Seconds until the phase is over."""
        lasts = {"ready": READY_S, "sign": SIGN_S, "rest": self.rest_s, "done": 0.0}[self.phase]
        return max(lasts - (now_s - self._since_s), 0.0) if self._since_s is not None else lasts

    def see(self, now_s: float, *, said: Sequence[str], hand: bool) -> None:
        """Take in a frame.

        Args:
            now_s: when, seconds since any moment.
            said: letters that the rule has just taken.
            hand: whether there is a hand.
        """
        if self._since_s is None:
            self._since_s = now_s
        if self.phase == "sign":
            self._hand |= hand
            if said or self.left_s(now_s) <= 0:
                self._answer(said[0] if said else None, now_s)
        elif self.phase == "rest":
            self.false_letters += len(said)
            if self.left_s(now_s) <= 0:
                self._go("done", now_s)
        elif self.phase == "ready" and self.left_s(now_s) <= 0:
            self._hand = hand
            self._go("sign", now_s)

    def score(self) -> ExamScore:
        """How it went, also of one that was ended early."""
        rested = self.phase == "done" and self.rest_s > 0
        return ExamScore(
            answers=tuple(self.answers), false_letters=self.false_letters if rested else None,
            rest_s=self.rest_s if rested else None,
        )  # fmt: skip

    def _answer(self, said: str | None, now_s: float) -> None:
        took_s = now_s - (self._since_s or now_s)
        answer = ExamAnswer(asked=self.letter, said=said, hand=self._hand, took_s=took_s)
        over = len(self.answers) + 1 == len(self.asked)
        self._go(("rest" if self.rest_s > 0 else "done") if over else "ready", now_s)
        self.answers.append(answer)  # after that, so that a window, in its own thread, never sees the next one as "now"

    def _go(self, phase: Phase, now_s: float) -> None:
        self.phase, self._since_s = phase, now_s
