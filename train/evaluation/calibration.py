"""Calibration of confidence (temperature scaling), and the threshold below which a prediction is rejected."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.formats.prediction_metrics import Reliability, ReliabilityBin
from aslkit.vision.preprocess import Array, apply_temperature

BINS: Final = 10
"""Bins of equal width of the reliability curve, between confidence 0 and 1."""

_MIN_TEMPERATURE, _MAX_TEMPERATURE = 0.05, 20.0
"""Bounds of the search for the temperature."""

MIN_NEGATIVES_REJECTED: Final = 0.9
"""Share of the negative samples that the threshold should reject,"""

MAX_CORRECT_REJECTED: Final = 0.05
"""unless it would reject more than this share of the correct predictions: a recogniser must recognise letters."""

MIN_THRESHOLD: Final = 0.5
"""Minimum threshold: below a calibrated confidence of 0.5, a prediction is more likely wrong than correct."""

MAX_THRESHOLD: Final = 0.95
"""Maximum threshold. Held-out frames that resemble the training frames can all have a confidence of almost 1; a
threshold chosen on them would reject every letter of a new signer."""


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Turns a model's probabilities into a letter or a rejection. Stored in the model's preprocessing config.

    Attributes:
        temperature: divisor of the log probabilities; above 1 it lowers the confidence.
        threshold: minimum confidence, 0–1. Predictions below it are rejected.
    """

    temperature: float = 1.0
    threshold: float = 0.0


def fit_temperature(probabilities: Array, truth: npt.NDArray[np.int64]) -> float:
    """Return the temperature that minimises the negative log-likelihood.

    Source: Guo et al., On Calibration of Modern Neural Networks, 2017.

    Args:
        probabilities: of frames that the model was not trained on, float32 (n, 24).
        truth: index of the signed letter, int64 (n,).

    Returns:
        0.05–20; 1.0 without frames.
    """
    from scipy.optimize import minimize_scalar

    if not len(truth):
        return 1.0

    def negative_log_likelihood(log_temperature: float) -> float:
        scaled = apply_temperature(probabilities, float(np.exp(log_temperature)))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(scaled, 1e-12)).mean())

    # Searched on a log scale, because a temperature is a factor: 0.5 and 2 are equally far from 1.
    bounds = (np.log(_MIN_TEMPERATURE), np.log(_MAX_TEMPERATURE))
    return float(np.exp(minimize_scalar(negative_log_likelihood, bounds=bounds, method="bounded").x))


def choose_threshold(correct: Array, negatives: Array) -> float:
    """Choose the confidence below which predictions are rejected.

    Args:
        correct: confidence of correct predictions, float32 (n,).
        negatives: confidence on negative samples, float32 (m,).

    Returns:
        MIN_THRESHOLD to MAX_THRESHOLD; 0 if either is empty.
    """
    if not len(correct) or not len(negatives):
        return 0.0
    # The thresholds that reject 90 % of the negative samples, and 5 % of the correct predictions.
    rejects_negatives = float(np.quantile(negatives, MIN_NEGATIVES_REJECTED))
    keeps_correct = float(np.quantile(correct, MAX_CORRECT_REJECTED))
    return max(MIN_THRESHOLD, min(rejects_negatives, keeps_correct, MAX_THRESHOLD))


def reliability_curve(probabilities: Array, truth: npt.NDArray[np.int64]) -> Reliability:
    """Compare confidence with accuracy.

    Args:
        probabilities: float32 (n, 24).
        truth: index of the signed letter, int64 (n,).

    Returns:
        The expected calibration error: the mean difference between confidence and accuracy over the bins, weighted by
        frames. And the bins that have frames.
    """
    if not len(truth):
        return Reliability()
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    # A confidence of exactly 1 belongs to the last bin.
    bin_index = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = [
        ReliabilityBin(
            confidence=float(confidence[rows].mean()), accuracy=float(correct[rows].mean()), n=int(rows.sum())
        )
        for number in range(BINS)
        if (rows := bin_index == number).any()
    ]
    error = sum(each.n * abs(each.confidence - each.accuracy) for each in bins) / len(truth)
    return Reliability(error=float(error), bins=bins)
