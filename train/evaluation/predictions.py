"""Measuring a model: on people not trained on, an image without a found hand counting as wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.formats.run_metrics import Confusion, HeldOutMetrics, LetterMetrics, PredictionMetrics
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.vision.preprocess import Array

REFUSED: Final = -1
"""The answer where no hand was found."""

MAX_CONFUSIONS: Final = 12
"""Confusions listed in a report."""

_AT_ONCE: Final = 1024
"""Frames shown to the model at once: bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """What a model said of n frames.

    Attributes:
        truth: int64 (n,), index of the letter signed.
        predicted: int64 (n,), index of the letter said, or REFUSED.
        probabilities: float32 (n, 24), of each letter; zeros where no hand was found. (0, 24) where they are not kept.
        key, signer, session: str (n,), of the frames; (0,) where they are not kept.
    """

    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probabilities: Array = field(default_factory=lambda: np.zeros((0, len(LETTERS)), np.float32))
    key: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, str))
    signer: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, str))
    session: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, str))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.truth)

    def select(self, taken: npt.NDArray[np.bool_]) -> "Predictions":
        """Those of some of the frames, which must be kept with key and probabilities."""
        return Predictions(**{each.name: getattr(self, each.name)[taken] for each in fields(self)})


NO_PREDICTIONS: Final = Predictions(truth=np.zeros(0, np.int64), predicted=np.zeros(0, np.int64))
"""Where nothing was asked."""


def concat_predictions(parts: Sequence[Predictions]) -> Predictions:
    """All answers of several, one after the other."""
    return Predictions(
        **{each.name: np.concatenate([getattr(p, each.name) for p in parts]) for each in fields(Predictions)}
    )


def predict(model: Any, samples: Samples, feature: Feature, *, split: str) -> Predictions:
    """Ask `model` (a keras.Model) about the rows of a split."""
    rows = np.flatnonzero(samples.split == split)
    seen = samples.found[rows]
    probabilities = np.zeros((len(rows), len(LETTERS)), np.float32)
    probabilities[seen] = predict_probabilities(model, samples.raw[rows[seen]], feature)
    return Predictions(
        truth=samples.label[rows],
        predicted=np.where(seen, probabilities.argmax(axis=1), REFUSED),
        probabilities=probabilities,
        key=samples.key[rows],
        signer=samples.signer[rows],
        session=samples.session[rows],
    )


def predict_probabilities(model: Any, raw: Array, feature: Feature) -> Array:
    """What `model` (a keras.Model) says of raw samples: probabilities, float32 (n, 24)."""
    parts = [raw[start : start + _AT_ONCE] for start in range(0, len(raw), _AT_ONCE)]
    said = [np.asarray(model(feature.finish(part), training=False), np.float32) for part in parts]
    return np.concatenate(said) if said else np.zeros((0, len(LETTERS)), np.float32)


def held_out_metrics(predictions: Predictions, *, by: str) -> HeldOutMetrics:
    """Compute the metrics of a test set that shares no signer, session or block with the training set."""
    metrics = measure_predictions(predictions)
    return HeldOutMetrics(by=by, held_out=list_signers(predictions), **msgspec.structs.asdict(metrics))


def list_signers(predictions: Predictions) -> list[str]:
    """Return the names of the signers in the test set, sorted."""
    return sorted(set(predictions.signer.tolist()))


def are_synthetic(signers: Sequence[str]) -> bool:
    """Return whether all signers are synthetic; False if there are none."""
    return bool(signers) and all(name.startswith(SYNTHETIC_PREFIX) for name in signers)


def measure_predictions(predictions: Predictions) -> PredictionMetrics:
    """Compute accuracy, coverage and F1, overall and for each letter that was signed.

    A frame in which no hand was found counts as wrong, and as no letter's prediction.
    """
    from sklearn.metrics import f1_score

    truth, predicted = predictions.truth, predictions.predicted
    if not len(truth):
        return PredictionMetrics(n=0)
    correct, found = truth == predicted, predicted != REFUSED
    signed = np.unique(truth)
    return PredictionMetrics(
        accuracy=float(correct.mean()),
        accuracy_hand_found=float(correct[found].mean()) if found.any() else None,
        coverage=float(found.mean()),
        macro_f1=float(f1_score(truth, predicted, labels=signed, average="macro", zero_division=0.0)),
        n=len(truth),
        per_letter={LETTERS[letter]: _measure_letter(truth == letter, predicted == letter) for letter in signed},
    )


def _measure_letter(signed: npt.NDArray[np.bool_], predicted: npt.NDArray[np.bool_]) -> LetterMetrics:
    correct = int((signed & predicted).sum())
    return LetterMetrics(
        accuracy=float(correct / signed.sum()),
        precision=float(correct / predicted.sum()) if predicted.any() else None,
        f1=float(2 * correct / (signed.sum() + predicted.sum())),
        n=int(signed.sum()),
    )


def confusion_matrix(answers: Predictions) -> npt.NDArray[np.int64]:
    """Count what was said for what was signed: int64 (24, 25), rows signed, columns said, the last one refused."""
    table = np.zeros((len(LETTERS), len(LETTERS) + 1), np.int64)
    np.add.at(table, (answers.truth, np.where(answers.predicted == REFUSED, len(LETTERS), answers.predicted)), 1)
    return table


def top_confusions(predictions: Predictions, *, limit: int = MAX_CONFUSIONS) -> list[Confusion]:
    """Return the most frequent confusions, most frequent first; a missed hand is predicted as "no hand"."""
    table = confusion_matrix(predictions)
    signed = table.sum(axis=1)
    table[np.arange(len(LETTERS)), np.arange(len(LETTERS))] = 0
    ranked = np.argsort(table, axis=None, kind="stable")[::-1][:limit]
    pairs = zip(*np.unravel_index(ranked, table.shape), strict=True)
    names = (*LETTERS, "no hand")
    return [
        Confusion(signed=LETTERS[i], predicted=names[j], count=int(table[i, j]), share=float(table[i, j] / signed[i]))
        for i, j in pairs
        if table[i, j]
    ]
