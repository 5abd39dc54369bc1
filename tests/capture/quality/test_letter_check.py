"""The hint that the hand shows another letter than the one being recorded."""

import numpy as np
import pytest

from aslkit.capture.quality import letter_check
from aslkit.capture.quality.letter_check import WINDOW, LetterCheck, recognise_letter
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import Hand, HandLandmarker


@pytest.fixture
def recognised(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """Letters that are recognised in the next frames, in order."""
    letters: list[str | None] = []
    monkeypatch.setattr(letter_check, "recognise_letter", lambda *_, **__: letters.pop(0))
    return letters


HAND = Hand(landmarks=np.zeros((21, 3), np.float32), handedness="right", score=1.0)


def observe(check: LetterCheck, letter: str, times: int = 1) -> None:
    for _ in range(times):
        check.observe(HAND, width=640, height=480, letter=letter)


def test_hint_names_both_letters(recognised: list[str | None]) -> None:
    check = LetterCheck()
    recognised += ["B"] * WINDOW
    observe(check, "A", WINDOW - 2)
    assert check.hint is None  # too few frames
    observe(check, "A", 2)
    assert check.hint == "This looks like B; you are recording A."


def test_no_hint_for_the_right_letter_or_unsure_frames(recognised: list[str | None]) -> None:
    check = LetterCheck()
    recognised += ["A"] * WINDOW + [None] * WINDOW + ["B", "A"] * WINDOW
    for _ in range(4 * WINDOW):
        observe(check, "A")
        assert check.hint is None


def test_another_letter_starts_again(recognised: list[str | None]) -> None:
    check = LetterCheck()
    recognised += ["B"] * (WINDOW + 1)
    observe(check, "A", WINDOW)
    observe(check, "B")
    assert check.hint is None


def test_starter_recognises_a_synthetic_hand() -> None:
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    stream = render_frames("B", signer=signer, session=session, width=640, height=480, fps=1.0)
    with HandLandmarker() as landmarker:
        hands = [landmarker.find(next(stream).image) for _ in range(5)]
    letters = [recognise_letter(hand, width=640, height=480) for hand in hands if hand is not None]
    assert letters.count("B") >= 4
