"""Measuring a model: on people not trained on, an image without a found hand counting as wrong."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.letters import LETTERS
from aslkit.train.data import Samples
from aslkit.train.features import Feature

REFUSED: Final = -1
"""The answer where no hand was found."""

_AT_ONCE: Final = 1024
"""Frames shown to the model at once: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What a model said of n frames.

    Attributes:
        truth: int64 (n,), index of the letter signed.
        said: int64 (n,), index of the letter said, or REFUSED.
    """

    truth: npt.NDArray[np.int64]
    said: npt.NDArray[np.int64]


def answer(model: Any, samples: Samples, feature: Feature, *, split: str) -> Answers:
    """Ask `model` (a keras.Model) about the rows of a split."""
    rows = np.flatnonzero(samples.split == split)
    said = np.full(len(rows), REFUSED, np.int64)
    seen = samples.found[rows]
    if seen.any():
        inputs = feature.finish(samples.raw[rows[seen]])
        parts = [inputs[start : start + _AT_ONCE] for start in range(0, len(inputs), _AT_ONCE)]
        said[seen] = np.concatenate([np.asarray(model(part, training=False)).argmax(axis=1) for part in parts])
    return Answers(truth=samples.label[rows], said=said)


def measure(answers: Answers) -> dict[str, Any]:
    """Figures of a set of answers, ready for JSON.

    Returns:
        accuracy: share right of all frames; a frame without a found hand is wrong.
        accuracy_hand_found: share right of the frames with a hand; null without any.
        coverage: share of frames with a hand.
        macro_f1: mean F1 over the letters that were signed, a refusal being no letter's.
        n: number of frames.
        per_letter: for each letter signed, accuracy and n.
    """
    from sklearn.metrics import f1_score

    truth, said = answers.truth, answers.said
    if not len(truth):
        return {
            "accuracy": None,
            "accuracy_hand_found": None,
            "coverage": None,
            "macro_f1": None,
            "n": 0,
            "per_letter": {},
        }
    right, found = truth == said, said != REFUSED
    signed = np.unique(truth)
    return {
        "accuracy": float(right.mean()),
        "accuracy_hand_found": float(right[found].mean()) if found.any() else None,
        "coverage": float(found.mean()),
        "macro_f1": float(f1_score(truth, said, labels=signed, average="macro", zero_division=0.0)),
        "n": len(truth),
        "per_letter": {
            LETTERS[letter]: {"accuracy": float(right[truth == letter].mean()), "n": int((truth == letter).sum())}
            for letter in signed
        },
    }


def confusion(answers: Answers) -> npt.NDArray[np.int64]:
    """Count what was said for what was signed: int64 (24, 25), rows signed, columns said, the last one refused."""
    table = np.zeros((len(LETTERS), len(LETTERS) + 1), np.int64)
    np.add.at(table, (answers.truth, np.where(answers.said == REFUSED, len(LETTERS), answers.said)), 1)
    return table


def mistakes(answers: Answers, *, most: int) -> list[dict[str, Any]]:
    """The commonest wrong answers: letter signed, letter said ("no hand" for none), count, share of that letter."""
    table = confusion(answers)
    signed = table.sum(axis=1)
    table[np.arange(len(LETTERS)), np.arange(len(LETTERS))] = 0
    ranked = np.argsort(table, axis=None, kind="stable")[::-1][:most]
    pairs = zip(*np.unravel_index(ranked, table.shape), strict=True)
    named = (*LETTERS, "no hand")
    return [
        {"signed": LETTERS[i], "said": named[j], "count": int(table[i, j]), "share": float(table[i, j] / signed[i])}
        for i, j in pairs
        if table[i, j]
    ]
