"""The landmarks that come with aslkit are those of its synthetic signers, each letter of each of them."""

import numpy as np
import pytest

from aslkit.core.letters import INDEX, LETTERS
from aslkit.synthetic.landmark_dataset import FRAMES, FREER_FROM, NO_LETTER, SIGNERS, generate_landmarks, load_landmarks
from aslkit.synthetic.rest_poses import REST_POSES

_labels = load_landmarks().label
_signer = np.concatenate([[0], np.cumsum((_labels[:-1] == NO_LETTER) & (_labels[1:] == 0))])
"""Each begins with A and ends at rest."""


@pytest.mark.parametrize(("signers", "least"), [(range(FREER_FROM), 0.97), (range(FREER_FROM, SIGNERS), 0.93)])
def test_all_signers_and_letters_are_in_it(signers: range, least: float) -> None:
    """Of the usual ones hardly a hand is missed; some other forms are harder to find: Q, by 14 of 240."""
    assert set(_signer.tolist()) == set(range(SIGNERS))
    *counts, resting = np.bincount(_labels[np.isin(_signer, signers)], minlength=len(LETTERS) + 1)
    assert all(least * len(signers) * FRAMES < count <= len(signers) * FRAMES for count in counts)
    assert 0.97 * len(signers) * FRAMES * len(REST_POSES) < resting <= len(signers) * FRAMES * len(REST_POSES)
    assert np.isfinite(load_landmarks().points).all()


def test_they_can_be_made_again() -> None:
    again = generate_landmarks(range(1), ("L",), frames=2)
    rows = np.flatnonzero(load_landmarks().label == INDEX["L"])[:2]
    np.testing.assert_allclose(load_landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)
    np.testing.assert_array_equal(load_landmarks().left[rows], again.left)


def test_those_who_form_letters_more_freely_can_be_made_again() -> None:
    again = generate_landmarks(range(FREER_FROM, FREER_FROM + 1), ("R",), frames=2)
    rows = np.flatnonzero((_labels == INDEX["R"]) & (_signer == FREER_FROM))[:2]
    np.testing.assert_allclose(load_landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)


def test_hands_at_rest_can_be_made_again() -> None:
    again = generate_landmarks(range(1), tuple(REST_POSES)[:1], frames=2)
    assert set(again.label.tolist()) == {NO_LETTER}
    rows = np.flatnonzero(load_landmarks().label == NO_LETTER)[:2]
    np.testing.assert_allclose(load_landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)
