"""The landmarks that come with aslkit are those of its synthetic signers, each letter of each of them."""

import numpy as np

from aslkit.letters import INDEX, LETTERS
from aslkit.synthetic.landmarks import FRAMES, FREER_FROM, NO_LETTER, SIGNERS, found, landmarks
from aslkit.synthetic.rests import RESTS


def test_all_signers_and_letters_are_in_it() -> None:
    *counts, resting = np.bincount(landmarks().label, minlength=len(LETTERS) + 1)
    assert all(0.95 * SIGNERS * FRAMES < count <= SIGNERS * FRAMES for count in counts)
    assert 0.97 * SIGNERS * FRAMES * len(RESTS) < resting <= SIGNERS * FRAMES * len(RESTS)
    assert np.isfinite(landmarks().points).all()


def test_they_can_be_made_again() -> None:
    again = found(range(1), ("L",), frames=2)
    rows = np.flatnonzero(landmarks().label == INDEX["L"])[:2]
    np.testing.assert_allclose(landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)
    np.testing.assert_array_equal(landmarks().left[rows], again.left)


def test_those_who_form_letters_more_freely_can_be_made_again() -> None:
    again = found(range(FREER_FROM, FREER_FROM + 1), ("R",), frames=2)
    usual = FRAMES * (len(LETTERS) + len(RESTS)) * FREER_FROM
    rows = np.flatnonzero(landmarks().label == INDEX["R"])
    rows = rows[rows > usual][:2]
    np.testing.assert_allclose(landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)


def test_hands_at_rest_can_be_made_again() -> None:
    again = found(range(1), tuple(RESTS)[:1], frames=2)
    assert set(again.label.tolist()) == {NO_LETTER}
    rows = np.flatnonzero(landmarks().label == NO_LETTER)[:2]
    np.testing.assert_allclose(landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)
