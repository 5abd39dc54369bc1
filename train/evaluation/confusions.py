"""Letters that are easily taken for one another, pair by pair, and the frames behind each mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from aslkit.core.letters import INDEX, LETTERS
from aslkit.formats.run_metrics import ConfusedPair, ConfusionGroup
from aslkit.train.evaluation.predictions import REFUSED, Predictions

GROUPS: Final = (
    ("fists, told apart by the thumb", "AEMNST"),
    ("pointing sideways or down", "GQ"),
    ("two fingers and the thumb between", "KPV"),
    ("two fingers up", "URV"),
    ("one finger up", "DGX"),
)
"""After the confusions of handshapes that signers themselves report; the last has D, which is taken for either."""

EXAMPLES: Final = 4
"""Frames shown of each direction of a pair."""


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """A frame that was taken for another letter.

    Attributes:
        key: SIGNER/SESSION/LETTER/NAME in the dataset.
        signer, session, signed: of the frame.
        predicted: the letter, or "no hand".
        confidence: probability of what was said, 0–1, before it is calibrated; 0 without a hand.
    """

    key: str
    signer: str
    session: str
    signed: str
    predicted: str
    confidence: float


def list_mistakes(answers: Predictions) -> list[Mistake]:
    """All frames that were not taken for their letter, in the order of the answers."""
    rows = np.flatnonzero(answers.truth != answers.predicted)
    return [
        Mistake(
            key=str(answers.key[row]),
            signer=str(answers.signer[row]),
            session=str(answers.session[row]),
            signed=LETTERS[answers.truth[row]],
            predicted="no hand" if answers.predicted[row] == REFUSED else LETTERS[answers.predicted[row]],
            confidence=round(float(answers.probabilities[row].max()), 4),
        )
        for row in rows
    ]


def confused_pairs(answers: Predictions, mistakes: Sequence[Mistake]) -> list[ConfusionGroup]:
    """The pairs of each of GROUPS in which anything was mistaken, worst first.

    Returns:
        for each group: name, letters, accuracy (of its letters' frames), and pairs: a, b, a_for_b and b_for_a (frames
        of a that were taken for b, and so on), share of both letters' frames, and examples (keys).
    """
    return [_group(answers, mistakes, name, letters) for name, letters in GROUPS if _signed(answers, letters)]


def example_keys(mistakes: Sequence[Mistake], signed: str, said: str) -> list[str]:
    """Keys of a few frames that show `signed` and were taken for `said`: of as many signers as there are."""
    found = [each for each in mistakes if (each.signed, each.predicted) == (signed, said)]
    by_signer = {signer: [each.key for each in found if each.signer == signer] for signer in {m.signer for m in found}}
    chosen: list[str] = []
    for place in np.linspace(0, 1, EXAMPLES):  # frames that follow each other are alike: take them from all over
        for keys in (by_signer[signer] for signer in sorted(by_signer)):
            chosen.append(keys[round(place * (len(keys) - 1))])
    return list(dict.fromkeys(chosen))[:EXAMPLES]


def _signed(answers: Predictions, letters: str) -> int:
    return int(np.isin(answers.truth, [INDEX[letter] for letter in letters]).sum())


def _group(answers: Predictions, mistakes: Sequence[Mistake], name: str, letters: str) -> ConfusionGroup:
    truth, said = answers.truth, answers.predicted
    rows = np.isin(truth, [INDEX[letter] for letter in letters])
    pairs: list[ConfusedPair] = []
    for a, b in combinations(letters, 2):
        a_for_b = int(((truth == INDEX[a]) & (said == INDEX[b])).sum())
        b_for_a = int(((truth == INDEX[b]) & (said == INDEX[a])).sum())
        if a_for_b + b_for_a:
            pairs.append(
                ConfusedPair(
                    a=a,
                    b=b,
                    a_for_b=a_for_b,
                    b_for_a=b_for_a,
                    share=(a_for_b + b_for_a) / _signed(answers, a + b),
                    examples=example_keys(mistakes, a, b) + example_keys(mistakes, b, a),
                )
            )
    pairs.sort(key=lambda pair: -pair.share)
    right = float((truth[rows] == said[rows]).mean())
    return ConfusionGroup(name=name, letters=letters, accuracy=right, pairs=pairs)
