"""The landmarks that come with aslkit are those of its synthetic signers, each letter of each of them."""

import numpy as np

from aslkit.letters import INDEX, LETTERS
from aslkit.synthetic.landmarks import FRAMES, SIGNERS, found, landmarks


def test_all_signers_and_letters_are_in_it() -> None:
    counts = np.bincount(landmarks().label, minlength=len(LETTERS))
    assert (counts > 0.97 * SIGNERS * FRAMES).all()
    assert (counts <= SIGNERS * FRAMES).all()
    assert np.isfinite(landmarks().points).all()


def test_they_can_be_made_again() -> None:
    again = found(range(1), ("L",), frames=2)
    rows = np.flatnonzero(landmarks().label == INDEX["L"])[:2]
    np.testing.assert_allclose(landmarks().points[rows][..., :2], again.points[..., :2], atol=0.01)
    np.testing.assert_array_equal(landmarks().left[rows], again.left)
