"""Predictions of a model, and their metrics: accuracy, coverage, F1, confusion matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.formats.prediction_metrics import (
    Confusion,
    HeldOutMetrics,
    LetterMetrics,
    PredictionMetrics,
)
from aslkit.train.data.features import Feature
from aslkit.train.data.samples import Samples
from aslkit.vision.preprocess import Array

NO_PREDICTION: Final = -1
"""Stands for "no letter": no hand was found, or the confidence is below the threshold."""

MAX_CONFUSIONS: Final = 12
"""Maximum number of confusions in a report."""

_BATCH_SIZE: Final = 1024
"""Frames per forward pass; bounds the memory."""

_READ_SIZE: Final = 16 * _BATCH_SIZE
"""Frames that are read at once."""


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Predictions of a model on n frames.

    Attributes:
        truth: index of the signed letter, int64 (n,).
        predicted: index of the predicted letter, int64 (n,); NO_PREDICTION if no hand was found.
        probabilities: of each letter, float32 (n, 24); zeros if no hand was found. (0, 24) if they are not stored.
        key, signer, session: of each frame, object (n,) of str; (0,) if they are not stored.
    """

    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    probabilities: Array = field(default_factory=lambda: np.zeros((0, len(LETTERS)), np.float32))
    key: npt.NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    signer: npt.NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))
    session: npt.NDArray[np.object_] = field(default_factory=lambda: np.zeros(0, object))

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.truth)

    def select(self, selected: npt.NDArray[np.bool_]) -> "Predictions":
        """Return the predictions selected by a mask, bool (n,). Probabilities and keys must be stored."""
        return Predictions(**{each.name: getattr(self, each.name)[selected] for each in fields(self)})


EMPTY_PREDICTIONS: Final = Predictions(truth=np.zeros(0, np.int64), predicted=np.zeros(0, np.int64))
"""Predictions on no frames, if nothing was measured."""


def concat_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Concatenate predictions."""
    return Predictions(
        **{each.name: np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Predictions)}
    )


def predict(model: Any, samples: Samples, feature: Feature, *, split: str) -> Predictions:
    """Predict the frames of a split.

    Args:
        model: keras.Model.
        samples: the dataset.
        feature: input of the model.
        split: "train", "validation" or "test".
    """
    rows = np.flatnonzero(samples.split == split)
    hand_found = samples.hand_found[rows]
    probabilities = np.zeros((len(rows), len(LETTERS)), np.float32)
    with_hand = np.flatnonzero(hand_found)
    for start in range(0, len(with_hand), _READ_SIZE):
        part = with_hand[start : start + _READ_SIZE]
        probabilities[part] = predict_probabilities(model, samples.read_hands(rows[part]), feature)
    return Predictions(
        truth=samples.label[rows],
        predicted=np.where(hand_found, probabilities.argmax(axis=1), NO_PREDICTION),
        probabilities=probabilities,
        key=samples.key[rows],
        signer=samples.signer[rows],
        session=samples.session[rows],
    )


def predict_probabilities(model: Any, hands: Array, feature: Feature) -> Array:
    """Return the probability of each letter, float32 (n, 24).

    Args:
        model: keras.Model or `Network`.
        hands: as in `Samples.hands`, float32 (n, …).
        feature: input of the model.
    """
    batches = [hands[start : start + _BATCH_SIZE] for start in range(0, len(hands), _BATCH_SIZE)]
    # Keras models are in inference mode outside fit.
    outputs = [np.asarray(model(feature.to_inputs(batch)), np.float32) for batch in batches]
    return np.concatenate(outputs) if outputs else np.zeros((0, len(LETTERS)), np.float32)


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
    correct, found = truth == predicted, predicted != NO_PREDICTION
    signed = np.unique(truth)
    return PredictionMetrics(
        accuracy=float(correct.mean()),
        accuracy_hand_found=float(correct[found].mean()) if found.any() else None,
        coverage=float(found.mean()),
        # Only letters that were signed: a letter without test frames would count as 0.
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


def confusion_matrix(predictions: Predictions) -> npt.NDArray[np.int64]:
    """Count frames by signed letter (row) and predicted letter (column), int64 (24, 25); last column: no hand found."""
    matrix = np.zeros((len(LETTERS), len(LETTERS) + 1), np.int64)
    columns = np.where(predictions.predicted == NO_PREDICTION, len(LETTERS), predictions.predicted)
    # Not matrix[...] += 1, which would count a repeated pair of letters only once.
    np.add.at(matrix, (predictions.truth, columns), 1)
    return matrix


def top_confusions(predictions: Predictions, *, limit: int = MAX_CONFUSIONS) -> list[Confusion]:
    """Return the most frequent confusions, most frequent first; a missed hand is predicted as "no hand"."""
    matrix = confusion_matrix(predictions)
    signed = matrix.sum(axis=1)
    matrix[np.arange(len(LETTERS)), np.arange(len(LETTERS))] = 0
    ranked = np.argsort(matrix, axis=None, kind="stable")[::-1][:limit]
    pairs = zip(*np.unravel_index(ranked, matrix.shape), strict=True)
    names = (*LETTERS, "no hand")
    return [
        Confusion(signed=LETTERS[i], predicted=names[j], count=int(matrix[i, j]), share=float(matrix[i, j] / signed[i]))
        for i, j in pairs
        if matrix[i, j]
    ]
