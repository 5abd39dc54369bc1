"""What can be told of a dataset before any training starts: what forbids it, and what its figures will not tell."""

from typing import Final

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.train.data.samples import Samples

MIN_FRAMES: Final = 10
"""Frames with a hand to train on, without which nothing is learned."""

FEW_FRAMES: Final = 5
"""Frames of a letter to train on; with fewer it is named."""

_NO_HANDS: Final = (
    "No hand was found in any of these images, and every feature is taken of the hand. Look at them: "
    "aslkit dataset show NAME"
)


def check_trainable(samples: Samples) -> None:
    """Refuse what cannot be trained on.

    Raises:
        AslkitError: no hand in any frame, fewer than two letters, or fewer than FEWEST frames to train on.
    """
    if not samples.found.any():
        raise AslkitError(_NO_HANDS)
    train = (samples.split == "train") & samples.found
    letters = np.unique(samples.label[train])
    if len(letters) < 2:
        other = next(letter for index, letter in enumerate(LETTERS) if index not in letters)
        raise AslkitError(
            f"Fewer than two letters have frames to train on. Record another: aslkit capture --letter {other}"
        )
    if train.sum() < MIN_FRAMES:
        raise AslkitError(
            f"Only {int(train.sum())} frames with a hand are there to train on; that teaches nothing. "
            f"Record at least {FEW_FRAMES} of each letter, better 40: aslkit capture --letters A-Y"
        )


def dataset_warnings(samples: Samples) -> list[str]:
    """What is to be known of a dataset that can be trained on: a sentence each."""
    train = (samples.split == "train") & samples.found
    test = samples.split == "test"
    counts = np.bincount(samples.label[train], minlength=len(LETTERS))
    trained, tested = np.flatnonzero(counts), np.unique(samples.label[test])
    found = []
    if len(np.unique(samples.signer)) == 1:
        found.append(
            f"There is only one signer ({samples.signer[0]}): the figure will say little about other people. "
            "Record one more: aslkit capture --letter A --signer NAME"
        )
    if not test.any():
        found.append("There is nothing to test on, so nothing will be known of how well it works.")
    elif untested := sorted(set(trained.tolist()) - set(tested.tolist())):
        found.append(f"The test has no {_named(untested)}: nothing will be known of how well these are recognised.")
    if unlearned := sorted(set(tested.tolist()) - set(trained.tolist())):
        found.append(f"There is no {_named(unlearned)} to train on: in the test they will all count as wrong.")
    if few := [letter for letter in trained.tolist() if counts[letter] < FEW_FRAMES]:
        found.append(f"Fewer than {FEW_FRAMES} frames to train on: {_named(few)}. Record more of them.")
    return found


def _named(letters: list[int]) -> str:
    return " ".join(LETTERS[letter] for letter in letters)
