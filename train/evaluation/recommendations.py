"""What to record next, from what a run got wrong: a list that `aslkit capture --plan RUN` walks."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.formats.recording_plan import FRAMES_PER_LETTER, PlannedLetter
from aslkit.train.data.samples import Samples
from aslkit.train.evaluation.predictions import REFUSED, Predictions
from aslkit.train.evaluation.signer_outliers import SignerOutlier

ENOUGH: Final = 0.9
"""Share of a letter's frames right on unseen people, from which it is not asked for."""

MOST: Final = 12
"""Letters of a plan: as many as are recorded in one sitting."""

NARROW: Final = 0.5
"""Share of a signer's frames of a letter in one group of near-duplicates, from which they count as little varied."""

FEWEST: Final = 20
"""Frames of a letter of a signer; fewer are few."""


def make_plan(samples: Samples, answers: Predictions, forms: Sequence[SignerOutlier]) -> list[PlannedLetter]:
    """Letters to record, most useful first: those got wrong on unseen people, odd forms, and what varies too little.

    Args:
        samples: what there is.
        answers: on people not trained on.
        forms: that are far from everyone else's.
    """
    wanted = [*_wrong(answers), *_forms(forms), *_narrow(samples)]
    unique = {(each.letter, each.signer): each for each in reversed(wanted)}
    return [each for each in wanted if unique[each.letter, each.signer] is each][:MOST]


def plan_to_json(wanted: Sequence[PlannedLetter]) -> list[dict[str, Any]]:
    """As record_next.json and metrics.json have it."""
    return [asdict(each) for each in wanted]


def _wrong(answers: Predictions) -> list[PlannedLetter]:
    found = []
    for letter in np.unique(answers.truth):
        rows = answers.truth == letter
        right = float((answers.predicted[rows] == letter).mean())
        if right >= ENOUGH:
            continue
        said, counts = np.unique(answers.predicted[rows & (answers.predicted != letter)], return_counts=True)
        most = int(said[counts.argmax()])
        instead = "no hand was found" if most == REFUSED else f"mostly taken for {LETTERS[most]}"
        why = f"{right:.0%} right on unseen people, {instead}"
        found.append((right, PlannedLetter(letter=LETTERS[letter], signer="", frames=FRAMES_PER_LETTER, why=why)))
    return [each for _, each in sorted(found, key=lambda pair: pair[0])]


def _forms(forms: Sequence[SignerOutlier]) -> list[PlannedLetter]:
    return [
        PlannedLetter(
            letter=form.letter,
            signer="",
            frames=FRAMES_PER_LETTER,
            why=f"{form.signer} signs it unlike the others: other people's, to tell which forms there are",
        )
        for form in forms
    ]


def _narrow(samples: Samples) -> list[PlannedLetter]:
    found = []
    for signer in np.unique(samples.signer[~samples.copy]):
        for letter in np.unique(samples.label):
            group = samples.group[(samples.signer == signer) & (samples.label == letter) & ~samples.copy]
            if not len(group):
                why = f"{signer} has nothing of it"
            elif len(group) < FEWEST:
                why = f"{signer} has {len(group)} frames of it"
            elif np.unique(group, return_counts=True)[1].max() >= NARROW * len(group):
                why = f"most frames that {signer} has are near-copies of one another: other light, another distance"
            else:
                continue
            found.append(PlannedLetter(letter=LETTERS[letter], signer=str(signer), frames=FRAMES_PER_LETTER, why=why))
    return found
