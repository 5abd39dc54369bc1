"""The sequence of prompts of an exam, and its score. Contains no display and no camera, see `aslkit.live.exam.run`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np

from aslkit.core.letters import NO_LETTER
from aslkit.live.observation import SHAPES

READY_S: Final = 3.0
"""Time before each letter to get the hand ready."""

SIGN_S: Final = 3.0
"""Time limit for signing a letter."""

REST_S: Final = 30.0
LETTERS_PER_WORD: Final = 5
"""Standard length of a word when typing speed is measured."""

Phase = Literal["ready", "sign", "rest", "done"]


@dataclass(frozen=True, kw_only=True)
class LetterResult:
    """The result of one prompt.

    Attributes:
        letter: letter that the signer was asked for.
        predicted: predicted letter; None if no letter was accepted within the time limit.
        hand_found: whether a hand was found.
        duration_s: time from the prompt to the prediction, seconds; None for images, which have no time.
        image: path of the image in the exam's folder, of several the last one; empty if none was stored.
    """

    letter: str
    predicted: str | None
    hand_found: bool = True
    duration_s: float | None = None
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class ExamScore:
    """The score of an exam.

    Attributes:
        results: result of each prompt, in order.
        false_letters: number of letters predicted during the rest; None if the rest was not measured.
        rest_s: duration of the rest, seconds; None if it was not measured, or for images.
        rest_frames: number of images without a letter; None for a camera.
    """

    results: tuple[LetterResult, ...]
    false_letters: int | None = None
    rest_s: float | None = None
    rest_frames: int | None = None

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0–1. A missing prediction counts as wrong."""
        return sum(result.letter == result.predicted for result in self.results) / max(len(self.results), 1)

    @property
    def words_per_minute(self) -> float | None:
        """Correct letters, divided by LETTERS_PER_WORD, per minute of signing; None if no times were measured."""
        durations = [result.duration_s for result in self.results if result.duration_s is not None]
        if not durations:
            return None
        correct = sum(result.letter == result.predicted for result in self.results)
        return correct / LETTERS_PER_WORD / (max(sum(durations), 1e-6) / 60)

    def letter_table(self) -> list[dict[str, Any]]:
        """Return one row per letter, with the keys of result.json.

        "refused" counts prompts with a hand but without an accepted letter, "taken_for" lists wrong predictions.
        """
        rows = []
        for letter in sorted({result.letter for result in self.results}):
            own = [result for result in self.results if result.letter == letter]
            wrong = sorted(result.predicted for result in own if result.predicted not in (None, letter))
            rows.append({
                "letter": letter, "asked": len(own), "right": sum(result.predicted == letter for result in own),
                "refused": sum(result.predicted is None and result.hand_found for result in own),
                "no_hand": sum(result.predicted is None and not result.hand_found for result in own),
                "taken_for": wrong,
            })  # fmt: skip
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return the values that are written to result.json."""
        speed = self.words_per_minute
        return {
            "accuracy": round(self.accuracy, 4), "asked": len(self.results),
            "words_a_minute": None if speed is None else round(speed, 2),
            "false_letters": self.false_letters, "rest_s": self.rest_s, "rest_frames": self.rest_frames,
            "letters": self.letter_table(),
        }  # fmt: skip


def shuffle_letters(letters: Sequence[str], times: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return each letter `times` times in random order, if possible without immediate repetitions."""
    shuffled = [letter for _ in range(times) for letter in rng.permutation(list(letters)).tolist()]
    for i in range(1, len(shuffled)):
        if shuffled[i] == shuffled[i - 1] and i + 1 < len(shuffled):
            shuffled[i], shuffled[i + 1] = shuffled[i + 1], shuffled[i]
    return tuple(shuffled)


@dataclass(kw_only=True)
class Exam:
    """Prompts for letters, records the predictions, and counts false detections during a rest at the end.

    One thread passes frames. Other threads may read `phase` and `letter` at any time.

    Args:
        prompts: letters, in order.
        rest_s: duration of the rest at the end, seconds.

    Attributes:
        phase: current phase.
        results: results so far.
        false_letters: number of letters predicted during the rest so far.
    """

    prompts: tuple[str, ...]
    rest_s: float = REST_S
    phase: Phase = "ready"
    results: list[LetterResult] = field(default_factory=list)
    false_letters: int = 0
    _phase_start_s: float | None = None
    _hand_found: bool = False
    _shape: str | None = None

    @property
    def letter(self) -> str:
        """Letter that the signer should show; NO_LETTER during the rest, and after the last letter."""
        remaining = self.prompts[len(self.results) :]
        return remaining[0] if remaining and self.phase in ("ready", "sign") else NO_LETTER

    def remaining_s(self, now_s: float) -> float:
        """Return the seconds until the current phase ends."""
        duration_s = {"ready": READY_S, "sign": SIGN_S, "rest": self.rest_s, "done": 0.0}[self.phase]
        return max(duration_s - (now_s - self._phase_start_s), 0.0) if self._phase_start_s is not None else duration_s

    def process_frame(self, now_s: float, *, letters: Sequence[str], hand: bool, image: str = "") -> None:
        """Process the result of a frame.

        Args:
            now_s: time of the frame, seconds from any origin.
            letters: letters that were accepted with this frame.
            hand: whether a hand was found.
            image: path of the last image that was stored for this prompt; empty if there is none.
        """
        if self._phase_start_s is None:
            self._phase_start_s = now_s
        if self.phase == "sign":
            self._hand_found |= hand
            # The hand shape that draws a letter may be read before its movement.
            shapes = SHAPES.get(self.letter, frozenset())
            self._shape = next((letter for letter in letters if letter in shapes), self._shape)
            counted = [letter for letter in letters if letter not in shapes]
            if counted or self.remaining_s(now_s) <= 0:
                # The first letter counts. Waiting for a correct one would hide mistakes.
                self._record_result(counted[0] if counted else self._shape, now_s, image)
        elif self.phase == "rest":
            self.false_letters += len(letters)
            if self.remaining_s(now_s) <= 0:
                self._start_phase("done", now_s)
        elif self.phase == "ready" and self.remaining_s(now_s) <= 0:
            # Only frames of the prompt count, not those of the preparation.
            self._hand_found, self._shape = hand, None
            self._start_phase("sign", now_s)

    def score(self) -> ExamScore:
        """Return the score of the results so far. The rest only counts if it was completed."""
        rest_completed = self.phase == "done" and self.rest_s > 0
        return ExamScore(
            results=tuple(self.results), false_letters=self.false_letters if rest_completed else None,
            rest_s=self.rest_s if rest_completed else None,
        )  # fmt: skip

    def _record_result(self, predicted: str | None, now_s: float, image: str) -> None:
        duration_s = now_s - (self._phase_start_s or now_s)
        result = LetterResult(
            letter=self.letter, predicted=predicted, hand_found=self._hand_found, duration_s=duration_s, image=image
        )
        is_last = len(self.results) + 1 == len(self.prompts)
        # Change the phase before the result: a window in another thread must never combine "sign" with the next letter.
        self._start_phase(("rest" if self.rest_s > 0 else "done") if is_last else "ready", now_s)
        self.results.append(result)

    def _start_phase(self, phase: Phase, now_s: float) -> None:
        self.phase, self._phase_start_s = phase, now_s


def prompt_text(exam: Exam) -> str:
    """Return the instruction for the signer."""
    if exam.phase == "ready":
        return f"{len(exam.results) + 1} of {len(exam.prompts)}: get ready for {exam.letter}"
    if exam.phase == "sign":
        return f"Sign {exam.letter} now"
    if exam.phase == "rest":
        return f"Rest for {exam.rest_s:g} s. Move your hands as you like, but do not sign letters."
    return "Done"
