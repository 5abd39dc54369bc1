"""Rejection: outcomes of letters and of negative samples at the confidence threshold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.formats.prediction_metrics import LetterOutcomes, NegativeOutcome, RejectionMetrics
from aslkit.train.data import synthetic_negatives
from aslkit.train.data.features import Feature
from aslkit.train.data.recorded_negatives import negatives_of_signers
from aslkit.train.data.samples import Samples
from aslkit.train.evaluation.calibration import Calibration, choose_threshold, fit_temperature, reliability_curve
from aslkit.train.evaluation.predictions import NO_PREDICTION, Predictions, predict_probabilities
from aslkit.vision.preprocess import Array, apply_temperature

NEGATIVES_PER_KIND: Final = 400
"""Synthetic negative samples of each kind, and transitions, per test set."""

MAX_NEGATIVE_SOURCES: Final = 20_000
"""Maximum number of frames from which synthetic negative samples are derived; bounds the memory."""


@dataclass(frozen=True, kw_only=True)
class NegativePredictions:
    """Predictions of a model on negative samples.

    Attributes:
        kind: one of `synthetic_negatives.KINDS`, or "recorded", str (n,).
        probabilities: of each letter, float32 (n, 24).
        transitions: probabilities in each frame of a transition, float32 (m, TRANSITION_FRAMES, 24).
        ends: first and last letter of each transition, int64 (m, 2).
    """

    kind: npt.NDArray[np.str_]
    probabilities: Array
    transitions: Array
    ends: npt.NDArray[np.int64]


def predict_negatives(
    model: Any,
    samples: Samples,
    feature: Feature,
    *,
    split: str,
    seed: int,
    recorded: Mapping[str, Array] | None = None,
) -> NegativePredictions:
    """Predict negative samples: synthetic ones derived from the frames of a split, and recorded ones of its signers.

    Args:
        model: keras.Model.
        samples: the dataset.
        feature: input of the model.
        split: "train", "validation" or "test".
        seed: random seed of the synthetic samples.
        recorded: frames recorded without a letter, by signer, as in `Samples.hands`.
    """
    rng = np.random.default_rng([seed, 7])
    rows = np.flatnonzero((samples.split == split) & samples.hand_found & ~samples.is_copy)
    if len(rows) > MAX_NEGATIVE_SOURCES:
        rows = np.sort(rng.choice(rows, MAX_NEGATIVE_SOURCES, replace=False))
    hands, label, signer = samples.read_hands(rows), samples.label[rows], samples.signer[rows]
    negatives = {
        kind: synthetic_negatives.make_negatives(hands, label, signer, kind, NEGATIVES_PER_KIND, rng)
        for kind in synthetic_negatives.KINDS
        if len(rows)
    }
    if (of_signers := negatives_of_signers(recorded or {}, set(signer.tolist()))) is not None:
        negatives["recorded"] = of_signers
    kind = np.repeat(list(negatives) or [""], [len(each) for each in negatives.values()] or [0])
    probabilities = [predict_probabilities(model, each, feature) for each in negatives.values()]
    moving, ends = synthetic_negatives.make_transitions(hands, label, signer, NEGATIVES_PER_KIND, rng)
    # (m, frames, …) as one batch of m * frames hands.
    transitions = predict_probabilities(model, moving.reshape(-1, *moving.shape[2:]), feature)
    return NegativePredictions(
        kind=kind,
        probabilities=np.concatenate(probabilities) if probabilities else np.zeros((0, len(LETTERS)), np.float32),
        transitions=transitions.reshape(len(ends), synthetic_negatives.TRANSITION_FRAMES, len(LETTERS)),
        ends=ends,
    )


def calibrate_rejection(predictions: Predictions, negatives: NegativePredictions) -> Calibration:
    """Choose temperature and threshold from predictions on frames that the model was not trained on."""
    found = predictions.predicted != NO_PREDICTION
    probabilities, truth = predictions.probabilities[found], predictions.truth[found]
    temperature = fit_temperature(probabilities, truth)
    # The temperature comes first, because the threshold is compared with calibrated probabilities.
    confidence = apply_temperature(probabilities, temperature).max(axis=1, initial=0)
    on_negatives = apply_temperature(negatives.probabilities, temperature).max(axis=1, initial=0)
    threshold = choose_threshold(confidence[predictions.predicted[found] == truth], on_negatives)
    return Calibration(temperature=temperature, threshold=threshold)


def concat_negatives(parts: Sequence[NegativePredictions]) -> NegativePredictions:
    """Concatenate predictions on negative samples."""
    return NegativePredictions(
        kind=np.concatenate([each.kind for each in parts]),
        probabilities=np.concatenate([each.probabilities for each in parts]),
        transitions=np.concatenate([each.transitions for each in parts]),
        ends=np.concatenate([each.ends for each in parts]),
    )


def rejection_metrics(
    tests: Sequence[tuple[Predictions, NegativePredictions, Calibration]], chosen: Calibration, *, chosen_on: str
) -> RejectionMetrics:
    """Compute what the threshold accepts and rejects, over one or more tests.

    Args:
        tests: predictions on letters and on negative samples, with a calibration that was chosen on other data.
        chosen: the calibration of the final model.
        chosen_on: the data on which it was chosen.
    """
    accepted = np.concatenate([_accepted_letters(letters.probabilities, c) for letters, _, c in tests])
    truth = np.concatenate([letters.truth for letters, _, _ in tests])
    found = np.concatenate([letters.predicted != NO_PREDICTION for letters, _, _ in tests])
    predicted = np.where(found, accepted, NO_PREDICTION)
    total = max(len(truth), 1)
    calibrated = np.concatenate(
        [
            apply_temperature(letters.probabilities[letters.predicted != NO_PREDICTION], c.temperature)
            for letters, _, c in tests
        ]
    )
    transitions = np.concatenate([_accepted_letters(negatives.transitions, c) for _, negatives, c in tests])
    return RejectionMetrics(
        letters=LetterOutcomes(
            correct=float((predicted == truth).sum() / total),
            wrong=float(((predicted != truth) & (predicted >= 0)).sum() / total),
            rejected=float(((predicted < 0) & found).sum() / total),
            no_hand=float((~found).sum() / total),
        ),
        negatives=_negative_outcomes([(negatives, c) for _, negatives, c in tests]),
        false_letters_a_minute=synthetic_negatives.false_letter_rate(
            transitions, np.concatenate([negatives.ends for _, negatives, _ in tests])
        ),
        reliability=reliability_curve(calibrated, truth[found]),
        temperature=chosen.temperature,
        threshold=chosen.threshold,
        chosen_on=chosen_on,
    )


def _negative_outcomes(tests: Sequence[tuple[NegativePredictions, Calibration]]) -> dict[str, NegativeOutcome]:
    accepted = np.concatenate([_accepted_letters(negatives.probabilities, c) for negatives, c in tests])
    kind = np.concatenate([negatives.kind for negatives, _ in tests])
    return {
        str(name): NegativeOutcome(rejected=float((accepted[kind == name] < 0).mean()), n=int((kind == name).sum()))
        for name in dict.fromkeys(kind.tolist())
    }


def _accepted_letters(probabilities: Array, calibration: Calibration) -> npt.NDArray[np.int64]:
    """Return the most likely letters, or NO_PREDICTION below the threshold: float32 (…, 24) to int64 (…)."""
    calibrated = apply_temperature(probabilities, calibration.temperature)
    accepted = calibrated.max(axis=-1) >= calibration.threshold
    return np.where(accepted, calibrated.argmax(axis=-1), NO_PREDICTION)
