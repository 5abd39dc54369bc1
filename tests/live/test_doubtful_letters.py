"""Letters that the model is not sure enough of: in words, not in the text."""

from dataclasses import replace

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.letters import LABEL_INDEX, LETTERS
from aslkit.live.config import LiveConfig
from aslkit.live.doubtful_letters import DoubtfulLetters
from aslkit.live.observation import Observation, label_probabilities
from aslkit.live.speller import Speller
from aslkit.live.words.lexicon import load_lexicon
from aslkit.vision.motion.reader import MotionReading


def make_frames(script: str, *, fps: float = 30, each_s: float = 0.6) -> list[Observation]:
    """Return frames of letters that last `each_s`. Lower case is too doubtful to be accepted; '.' is a transition."""
    frames = []
    for index in range(round(len(script) * each_s * fps)):
        sign = script[min(int(index / fps / each_s + 1e-9), len(script) - 1)]
        shown = LETTERS[index * 7 % 24] if sign == "." else sign.upper()
        probabilities = np.full(24, 0.4 / 23, np.float32)
        probabilities[LETTERS.index(shown)] = 0.6
        frames.append(
            Observation(
                time_s=index / fps, hand=True, letter=sign if sign.isupper() else None, probability=0.6,
                guess=shown, probabilities=label_probabilities(probabilities, LETTERS),
            )
        )  # fmt: skip
    return frames


def spell(script: str, *, fps: float = 30) -> Speller:
    speller = Speller(config=load_settings("live", LiveConfig), lexicon=load_lexicon())
    for frame in make_frames(script, fps=fps):
        speller.observe(frame)
    return speller


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
def test_a_held_letter_is_found_once(fps: int) -> None:
    doubtful = DoubtfulLetters()
    found = [read.letter for frame in make_frames("e.e.a", fps=fps) if (read := doubtful.observe(frame))]
    assert found == ["E", "E", "A"]


def test_transitions_and_moving_hands_are_no_letters() -> None:
    doubtful = DoubtfulLetters()
    moving = [replace(frame, motion=MotionReading(moving=True)) for frame in make_frames("e")]
    assert [doubtful.observe(frame) for frame in [*make_frames("..."), *moving] if frame] == [None] * (54 + 18)


@pytest.mark.parametrize("fps", [10, 30])
def test_words_are_completed_by_doubtful_letters(fps: int) -> None:
    speller = spell("R.e.M.e.M.B.e.R", fps=fps)
    assert speller.text == "RMMBR"
    assert speller.content.suggestion == "REMEMBER"
    correct, space = speller.space(99.0)
    assert (correct.kind, correct.read, correct.word) == ("correct", "RMMBR", "REMEMBER")
    assert (space.kind, space.text) == ("space", "REMEMBER ")
    assert speller.undo(100.0)[0].text == "RMMBR "


def test_an_accepted_letter_replaces_its_own_doubt() -> None:
    speller = spell("hH.i")
    assert speller.text == "H"
    speller.space(99.0)
    assert speller.text == "H "  # too short to be corrected


def test_a_part_of_the_probability_of_a_shape_belongs_to_the_drawn_letter() -> None:
    probabilities = np.zeros(24, np.float32)
    probabilities[LETTERS.index("I")] = 1
    values = label_probabilities(probabilities, LETTERS)
    assert values.sum() == pytest.approx(1)
    assert values[LABEL_INDEX["I"]] > values[LABEL_INDEX["J"]] > 0
    assert values[LABEL_INDEX["Z"]] == 0
