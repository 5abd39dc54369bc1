"""Recommendations of what to record next, the plan for `aslkit capture --plan RUN`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.formats.recording_plan import FRAMES_PER_LETTER, MAX_GROUP_SHARE, MIN_FRAMES, PlannedLetter
from aslkit.train.data.samples import Samples
from aslkit.train.evaluation.predictions import NO_PREDICTION, Predictions
from aslkit.train.evaluation.signer_outliers import SignerOutlier

SUFFICIENT_ACCURACY: Final = 0.9
"""Letters with at least this accuracy on the test set are not planned."""

MAX_PLANNED_LETTERS: Final = 12
"""Maximum number of letters in a plan: as many as one recording session can cover."""


def make_plan(samples: Samples, predictions: Predictions, outliers: Sequence[SignerOutlier]) -> list[PlannedLetter]:
    """Return the letters to record, most useful first.

    First come letters of low accuracy on the test set, then signer outliers, then letters of which a signer has too
    few frames or too many near-duplicates.

    Args:
        samples: the dataset.
        predictions: on the test set.
        outliers: letters that a signer forms unlike the others.
    """
    planned = [*_plan_confused(predictions), *_plan_outliers(outliers), *_plan_sparse(samples)]
    # In reverse order, so that the most useful reason for a letter is the one that remains.
    first = {(each.letter, each.signer): each for each in reversed(planned)}
    return [each for each in planned if first[each.letter, each.signer] is each]


def plan_to_json(plan: Sequence[PlannedLetter]) -> list[dict[str, Any]]:
    """Return the content of record_next.json, at most MAX_PLANNED_LETTERS entries."""
    return [asdict(each) for each in plan[:MAX_PLANNED_LETTERS]]


def _plan_confused(predictions: Predictions) -> list[PlannedLetter]:
    found = []
    for letter in np.unique(predictions.truth):
        rows = predictions.truth == letter
        accuracy = float((predictions.predicted[rows] == letter).mean())
        if accuracy >= SUFFICIENT_ACCURACY:
            continue
        wrong, counts = np.unique(predictions.predicted[rows & (predictions.predicted != letter)], return_counts=True)
        most_frequent = int(wrong[counts.argmax()])
        if most_frequent == NO_PREDICTION:
            reason = "mostly because no hand was found"
        else:
            reason = f"most often predicted as {LETTERS[most_frequent]}"
        why = f"{accuracy:.0%} accuracy on the test set, {reason}"
        found.append((accuracy, PlannedLetter(letter=LETTERS[letter], signer="", frames=FRAMES_PER_LETTER, why=why)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _plan_outliers(outliers: Sequence[SignerOutlier]) -> list[PlannedLetter]:
    return [
        PlannedLetter(
            letter=outlier.letter,
            signer="",
            frames=FRAMES_PER_LETTER,
            why=f"{outlier.signer} signs it unlike the others; more signers show which variants exist",
        )
        for outlier in outliers
    ]


def _plan_sparse(samples: Samples) -> list[PlannedLetter]:
    found = []
    originals = np.flatnonzero(~samples.is_copy)
    names, owner = np.unique(samples.signer[originals], return_inverse=True)
    order = np.argsort(owner, kind="stable")
    by_signer = np.split(originals[order], np.cumsum(np.bincount(owner))[:-1])
    for signer, rows in zip(names, by_signer, strict=True):
        for letter in np.unique(samples.label):
            group = samples.group[rows[samples.label[rows] == letter]]
            if not len(group):
                why = f"{signer} has no frames of it"
            elif len(group) < MIN_FRAMES:
                why = f"{signer} has only {len(group)} frames of it"
            elif np.unique(group, return_counts=True)[1].max() >= MAX_GROUP_SHARE * len(group):
                why = f"most of {signer}'s frames are near-duplicates; vary lighting and distance"
            else:
                continue
            found.append(PlannedLetter(letter=LETTERS[letter], signer=str(signer), frames=FRAMES_PER_LETTER, why=why))
    return found
