"""Recognisers of the part Try that read what a test says, and frames for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.letters import LETTERS, MOTION_LETTERS
from aslkit.live.recogniser import Recognition
from aslkit.studio.parts import reading
from aslkit.studio.studio import Studio
from aslkit.vision.images import encode_jpeg
from aslkit.vision.motion.reader import RESTING, MotionLetter, MotionReading
from aslkit.vision.preprocess import PreprocessConfig
from tests.studio.clients import open_hand

IMAGE = encode_jpeg(np.full((48, 64, 3), 90, np.uint8))

Letters = dict[str, str | None]
"""What each run reads, by its name; None for no hand. J or Z is read once, as at the end of a movement."""


class FakeRecogniser:
    """Reads the letter that is set for its run, or finds no hand."""

    letters: Letters

    def __init__(self, run: Path, **_: Any) -> None:
        self.run, self.contract = run.name, PreprocessConfig(kind="landmarks")

    def recognise(self, frame: Any) -> Recognition:
        letter = self.letters.get(self.run)
        probabilities = np.zeros(24, np.float32)
        if letter is None:
            return Recognition(hand=None, letter=None, probabilities=probabilities, rejected=True)
        if letter in MOTION_LETTERS:
            return Recognition(hand=open_hand(), letter=None, probabilities=probabilities, rejected=True, is_rest=True)
        probabilities[LETTERS.index(letter)] = 1
        return Recognition(hand=open_hand(), letter=letter, probabilities=probabilities, rejected=False)

    def create_motion_reader(self) -> "FakeMotionReader":
        return FakeMotionReader(self.letters, self.run)

    def __enter__(self) -> "FakeRecogniser":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class FakeMotionReader:
    """Reads J or Z in one frame if it is set for its run; the hand is then gone."""

    def __init__(self, letters: Letters, run: str) -> None:
        self._letters, self._run = letters, run

    def observe(self, *_: object, **__: object) -> MotionReading:
        letter = self._letters.get(self._run)
        if letter is None or letter not in MOTION_LETTERS:
            return RESTING
        self._letters[self._run] = None
        return MotionReading(letter=MotionLetter(letter=letter, probability=0.9))

    def reset(self) -> None:
        pass


class NoFinder:
    """Finds no hands; the recognisers need none."""

    def close(self) -> None:
        pass


def use_fake_recognisers(monkeypatch: pytest.MonkeyPatch) -> Letters:
    """Let the part Try use `FakeRecogniser`, and return what each run reads, to be changed by the test."""
    letters: Letters = {}
    monkeypatch.setattr(FakeRecogniser, "letters", letters, raising=False)
    monkeypatch.setattr(reading, "Recogniser", FakeRecogniser)
    monkeypatch.setattr(reading, "SharedHandFinder", NoFinder)
    return letters


def send_frames(studio: Studio, seconds: float) -> dict[str, Any]:
    """Send frames, 20 per second on the clock of the controller, and return the last response."""
    controller = studio.reading.controller
    response: dict[str, Any] = {}
    for _ in range(int(seconds * 20)):
        controller._start_s -= 0.05
        response = controller.process_frame(IMAGE)
    return response


def spell(studio: Studio, letters: Letters, text: str, *runs: str) -> dict[str, Any]:
    """Hold each letter of a text long enough for each run, and return the last response."""
    response: dict[str, Any] = {}
    for letter in text:
        letters.update(dict.fromkeys(runs or ("starter",), letter))
        response = send_frames(studio, 0.8)
    return response
