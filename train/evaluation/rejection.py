"""Letters right, wrong and refused, and what a model says where there is no letter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.formats.run_metrics import LetterOutcomes, NegativeOutcome, RejectionMetrics
from aslkit.train.data import synthetic_negatives
from aslkit.train.data.features import Feature
from aslkit.train.data.recorded_negatives import negatives_of_signers
from aslkit.train.data.samples import Samples
from aslkit.train.evaluation.calibration import Calibration, choose_threshold, fit_temperature, reliability_curve
from aslkit.train.evaluation.predictions import REFUSED, Predictions, predict_probabilities
from aslkit.vision.preprocess import Array, apply_temperature

MADE: Final = 400
"""Frames without a letter of each kind, and ways from letter to letter, for each test."""


@dataclass(frozen=True, kw_only=True)
class NegativePredictions:
    """What a model said where there was no letter.

    Attributes:
        kind: str (n,), of `nothing.KINDS`, or "recorded".
        probabilities: float32 (n, 24).
        transitions: float32 (m, STEPS, 24), of whole ways from letter to letter.
        ends: int64 (m, 2), those letters.
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
    """Ask `model` (a keras.Model) about frames without a letter, made from those of a split, and about recorded ones.

    Args:
        model: whom to ask.
        samples: what to make them from.
        feature: of the model.
        split: whose frames.
        seed: of chance.
        recorded: frames without a letter that were recorded, by signer, raw as `samples.raw`; those of the signers of
            the split are asked about.
    """
    rng = np.random.default_rng([seed, 7])
    rows = np.flatnonzero((samples.split == split) & samples.found & ~samples.copy)
    raw, label, signer = samples.raw[rows], samples.label[rows], samples.signer[rows]
    parts = {
        kind: synthetic_negatives.make_negatives(raw, label, signer, kind, MADE, rng)
        for kind in synthetic_negatives.KINDS
        if len(rows)
    }
    if (frames := negatives_of_signers(recorded or {}, set(signer.tolist()))) is not None:
        parts["recorded"] = frames
    kinds = np.repeat(list(parts) or [""], [len(each) for each in parts.values()] or [0])
    said = [predict_probabilities(model, each, feature) for each in parts.values()]
    hands, ends = synthetic_negatives.make_transitions(raw, label, signer, MADE, rng)
    ways = predict_probabilities(model, hands.reshape(-1, *samples.raw.shape[1:]), feature)
    return NegativePredictions(
        kind=kinds,
        probabilities=np.concatenate(said) if said else np.zeros((0, len(LETTERS)), np.float32),
        transitions=ways.reshape(len(ends), synthetic_negatives.STEPS, len(LETTERS)),
        ends=ends,
    )


def calibrate_rejection(answers: Predictions, silence: NegativePredictions) -> Calibration:
    """Choose temperature and threshold from frames that the model did not learn from."""
    found = answers.predicted != REFUSED
    probabilities, truth = answers.probabilities[found], answers.truth[found]
    by = fit_temperature(probabilities, truth)
    sure = apply_temperature(probabilities, by).max(axis=1, initial=0)
    silent = apply_temperature(silence.probabilities, by).max(axis=1, initial=0)
    return Calibration(temperature=by, threshold=choose_threshold(sure[answers.predicted[found] == truth], silent))


def concat_negatives(parts: Sequence[NegativePredictions]) -> NegativePredictions:
    """All of several, one after the other."""
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
        chosen: the calibration that the model keeps.
        chosen_on: the data on which it was chosen.
    """
    accepted = np.concatenate([_accepted_letters(letters.probabilities, c) for letters, _, c in tests])
    truth = np.concatenate([letters.truth for letters, _, _ in tests])
    found = np.concatenate([letters.predicted != REFUSED for letters, _, _ in tests])
    predicted = np.where(found, accepted, REFUSED)
    total = max(len(truth), 1)
    calibrated = np.concatenate(
        [
            apply_temperature(letters.probabilities[letters.predicted != REFUSED], c.temperature)
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
    """Return the most likely letters, or REFUSED below the threshold: float32 (…, 24) to int64 (…)."""
    hot = apply_temperature(probabilities, calibration.temperature)
    return np.where(hot.max(axis=-1) >= calibration.threshold, hot.argmax(axis=-1), REFUSED)
