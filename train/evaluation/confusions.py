"""Wrong predictions, and confusions between letters of similar handshape."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from aslkit.core.letters import INDEX, LETTERS
from aslkit.formats.prediction_metrics import ConfusedPair, ConfusionGroup
from aslkit.train.evaluation.predictions import NO_PREDICTION, Predictions

GROUPS: Final = (
    ("fists, told apart by the thumb", "AEMNST"),
    ("pointing sideways or down", "GQ"),
    ("two fingers and the thumb between", "KPV"),
    ("two fingers up", "URV"),
    ("one finger up", "DGX"),
)
"""Letters of similar handshape that signers report to confuse."""

MAX_EXAMPLES: Final = 4
"""Maximum number of example frames for each direction of a confusion."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A frame with a wrong prediction, a row of mistakes.csv.

    Attributes:
        key: SIGNER/SESSION/LETTER/NAME in the dataset.
        signer, session: of the frame.
        signed: the signed letter.
        predicted: the predicted letter, or "no hand".
        confidence: probability of the prediction before calibration, 0–1; 0 without a hand.
    """

    key: str
    signer: str
    session: str
    signed: str
    predicted: str
    confidence: float


def list_mistakes(predictions: Predictions) -> list[Mistake]:
    """Return all wrong predictions, in the order of the predictions."""
    rows = np.flatnonzero(predictions.truth != predictions.predicted)
    return [
        Mistake(
            key=str(predictions.key[row]),
            signer=str(predictions.signer[row]),
            session=str(predictions.session[row]),
            signed=LETTERS[predictions.truth[row]],
            predicted=_name(int(predictions.predicted[row])),
            confidence=round(float(predictions.probabilities[row].max()), 4),
        )
        for row in rows
    ]


def confused_pairs(predictions: Predictions, mistakes: Sequence[Mistake]) -> list[ConfusionGroup]:
    """Return the confusions within each of GROUPS, most frequent pair first. Groups without frames are skipped.

    Args:
        predictions: on the test set.
        mistakes: result of `list_mistakes` for the same predictions.
    """
    return [
        _measure_group(predictions, mistakes, name, letters)
        for name, letters in GROUPS
        if _count_frames(predictions, letters)
    ]


def example_keys(mistakes: Sequence[Mistake], signed: str, predicted: str) -> list[str]:
    """Return the keys of at most MAX_EXAMPLES frames of `signed` predicted as `predicted`, of different signers."""
    matching = [each for each in mistakes if (each.signed, each.predicted) == (signed, predicted)]
    by_signer = {
        signer: [each.key for each in matching if each.signer == signer]
        for signer in {mistake.signer for mistake in matching}
    }
    keys: list[str] = []
    for position in np.linspace(0, 1, MAX_EXAMPLES):  # consecutive frames are similar, so spread the examples
        for of_signer in (by_signer[signer] for signer in sorted(by_signer)):
            keys.append(of_signer[round(position * (len(of_signer) - 1))])
    return list(dict.fromkeys(keys))[:MAX_EXAMPLES]


def _name(predicted: int) -> str:
    return "no hand" if predicted == NO_PREDICTION else LETTERS[predicted]


def _count_frames(predictions: Predictions, letters: str) -> int:
    return int(np.isin(predictions.truth, [INDEX[letter] for letter in letters]).sum())


def _measure_group(predictions: Predictions, mistakes: Sequence[Mistake], name: str, letters: str) -> ConfusionGroup:
    truth, predicted = predictions.truth, predictions.predicted
    rows = np.isin(truth, [INDEX[letter] for letter in letters])
    pairs: list[ConfusedPair] = []
    for a, b in combinations(letters, 2):
        a_for_b = int(((truth == INDEX[a]) & (predicted == INDEX[b])).sum())
        b_for_a = int(((truth == INDEX[b]) & (predicted == INDEX[a])).sum())
        if a_for_b + b_for_a:
            pairs.append(
                ConfusedPair(
                    a=a,
                    b=b,
                    a_for_b=a_for_b,
                    b_for_a=b_for_a,
                    share=(a_for_b + b_for_a) / _count_frames(predictions, a + b),
                    examples=example_keys(mistakes, a, b) + example_keys(mistakes, b, a),
                )
            )
    pairs.sort(key=lambda pair: -pair.share)
    accuracy = float((truth[rows] == predicted[rows]).mean())
    return ConfusionGroup(name=name, letters=letters, accuracy=accuracy, pairs=pairs)
