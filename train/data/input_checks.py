"""Checks of a dataset before training: errors if it cannot be trained on, warnings about what it cannot measure."""

import shlex
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.datasets.summary import MIN_TRAINABLE_FRAMES
from aslkit.train.data.samples import Samples

MIN_FRAMES_PER_LETTER: Final = 5
"""Letters with fewer training frames cause a warning."""

_NO_HANDS: Final = (
    "No hand was found in any of these images, and every feature is computed from the hand. Check the images: "
    "aslkit dataset show NAME"
)


def check_trainable(samples: Samples) -> None:
    """Check that a dataset can be trained on.

    Raises:
        AslkitError: no frame has a hand, fewer than two letters have training frames, or there are fewer than
            MIN_TRAINABLE_FRAMES training frames.
    """
    if not samples.hand_found.any():
        raise AslkitError(_NO_HANDS)
    train = (samples.split == "train") & samples.hand_found
    letters = np.unique(samples.label[train])
    if len(letters) < 2:
        raise AslkitError(f"Fewer than two letters have training frames. {_suggest_letter(samples, letters)}")
    if train.sum() < MIN_TRAINABLE_FRAMES:
        raise AslkitError(
            f"Only {int(train.sum())} training frames show a hand, which is too few. "
            f"Record at least {MIN_FRAMES_PER_LETTER} frames of each letter, better 40: aslkit capture --letters A-Y"
        )


def _suggest_letter(samples: Samples, trained: npt.NDArray[np.int64]) -> str:
    """Say where a second letter for training can come from: other signers, or a recording."""
    elsewhere = samples.hand_found & (samples.split == "test") & ~np.isin(samples.label, trained)
    training_signers = np.unique(samples.signer[samples.split == "train"]).tolist()
    if elsewhere.any() and training_signers:
        letters = _join(np.unique(samples.label[elsewhere]).tolist())
        return (
            f"{' and '.join(np.unique(samples.signer[elsewhere]).tolist())} in the test set recorded {letters}. Hold "
            f"somebody else out: aslkit curate --hold-out {shlex.quote(training_signers[0])}"
        )
    other = next(letter for index, letter in enumerate(LETTERS) if index not in trained)
    return f"Record another one: aslkit capture --letter {other}"


def dataset_warnings(samples: Samples) -> list[str]:
    """Return warnings about a dataset that can be trained on, one sentence or two each."""
    train = (samples.split == "train") & samples.hand_found
    test = samples.split == "test"
    counts = np.bincount(samples.label[train], minlength=len(LETTERS))
    trained, tested = np.flatnonzero(counts), np.unique(samples.label[test])
    warnings = []
    if not test.any():
        warnings.append("The test set is empty, so the accuracy will be unknown.")
    elif untested := sorted(set(trained.tolist()) - set(tested.tolist())):
        warnings.append(f"The test set has no {_join(untested)}, so their accuracy will be unknown.")
    if untrained := sorted(set(tested.tolist()) - set(trained.tolist())):
        warnings.append(f"The training set has no {_join(untrained)}: all of them in the test set will count as wrong.")
    if few := [letter for letter in trained.tolist() if counts[letter] < MIN_FRAMES_PER_LETTER]:
        warnings.append(f"Fewer than {MIN_FRAMES_PER_LETTER} training frames: {_join(few)}. Record more of them.")
    return warnings


def _join(letters: list[int]) -> str:
    return " ".join(LETTERS[letter] for letter in letters)
