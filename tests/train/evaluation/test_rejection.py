"""Calibration, rejection of negative samples, and synthetic negatives."""

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.letters import LETTERS
from aslkit.formats.prediction_metrics import LetterOutcomes, NegativeOutcome, RejectionMetrics
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data import synthetic_negatives
from aslkit.train.evaluation.calibration import (
    MAX_THRESHOLD,
    Calibration,
    choose_threshold,
    fit_temperature,
    reliability_curve,
)
from aslkit.train.evaluation.predictions import NO_PREDICTION, Predictions
from aslkit.train.evaluation.rejection import NegativePredictions, calibrate_rejection, rejection_metrics
from aslkit.train.reporting.summary_text import describe_false_letters
from aslkit.vision.preprocess import Array, apply_temperature


def make_probabilities(confidence: list[float], letters: list[int]) -> Array:
    """Return probabilities with the given confidence in the given letters; the rest is distributed evenly."""
    table = np.repeat((1 - np.array(confidence, np.float32))[:, None] / 23, 24, axis=1)
    table[np.arange(len(confidence)), letters] = confidence
    return table.astype(np.float32)


def make_negative_predictions(confidence: list[float], kind: str = "at rest") -> NegativePredictions:
    return NegativePredictions(
        kind=np.full(len(confidence), kind),
        probabilities=make_probabilities(confidence, [0] * len(confidence)),
        transitions=np.zeros((0, synthetic_negatives.TRANSITION_FRAMES, 24), np.float32),
        ends=np.zeros((0, 2), np.int64),
    )


def test_fit_temperature_calibrates_confidence(rng: np.random.Generator) -> None:
    truth = rng.integers(0, 24, 4000)
    wrong = rng.random(4000) < 0.2
    predicted = np.where(wrong, (truth + 1) % 24, truth)
    overconfident = make_probabilities([0.99] * 4000, predicted.tolist())
    temperature = fit_temperature(overconfident, truth)
    assert temperature > 1.5
    assert (reliability_curve(apply_temperature(overconfident, temperature), truth).error or 1) < 0.02
    assert reliability_curve(overconfident, truth).error == pytest.approx(0.19, abs=0.02)
    underconfident = make_probabilities([0.4] * 4000, truth.tolist())
    assert fit_temperature(underconfident, truth) < 0.7


def test_apply_temperature_keeps_ranking_and_sum() -> None:
    probabilities = make_probabilities([0.9, 0.5], [3, 7])
    for temperature in (0.1, 1.0, 9.0):
        scaled = apply_temperature(probabilities, temperature)
        np.testing.assert_allclose(scaled.sum(axis=1), 1, atol=1e-5)
        assert scaled.argmax(axis=1).tolist() == [3, 7]
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities, atol=1e-6)


def test_choose_threshold_rejects_negatives_but_few_correct_letters() -> None:
    correct = np.linspace(0.8, 1, 100, dtype=np.float32)
    assert 0.7 < choose_threshold(correct, np.linspace(0, 0.8, 100, dtype=np.float32)) < 0.8
    assert choose_threshold(correct, np.full(100, 0.95, np.float32)) == pytest.approx(np.quantile(correct, 0.05))
    assert choose_threshold(correct, np.zeros(0, np.float32)) == 0


def test_choose_threshold_does_not_reject_every_new_signer() -> None:
    overconfident = np.full(100, 0.9999, np.float32)
    assert choose_threshold(overconfident, overconfident) == MAX_THRESHOLD


def test_choose_threshold_is_at_least_one_half() -> None:
    confidence = np.linspace(0.1, 0.9, 100, dtype=np.float32)
    assert choose_threshold(confidence, confidence) == 0.5


def test_rejection_metrics_of_letters_and_negatives() -> None:
    predictions = Predictions(
        truth=np.array([0, 1, 2, 3]),
        predicted=np.array([0, 2, 2, NO_PREDICTION]),
        probabilities=np.concatenate([make_probabilities([0.9, 0.9, 0.3], [0, 2, 2]), np.zeros((1, 24), np.float32)]),
    )
    chosen = Calibration(threshold=0.5)
    metrics = rejection_metrics(
        [(predictions, make_negative_predictions([0.2, 0.2, 0.95]), chosen)], chosen, chosen_on="validation"
    )
    assert metrics.letters == LetterOutcomes(correct=0.25, wrong=0.25, rejected=0.25, no_hand=0.25)
    assert metrics.negatives["at rest"] == NegativeOutcome(rejected=2 / 3, n=3)
    assert (metrics.threshold, metrics.chosen_on) == (0.5, "validation")


def test_calibrate_rejection_separates_letters_from_negatives() -> None:
    truth = np.arange(200) % 24
    predictions = Predictions(
        truth=truth, predicted=truth, probabilities=make_probabilities([0.9] * 200, truth.tolist())
    )
    calibration = calibrate_rejection(predictions, make_negative_predictions([0.1] * 50))
    scaled = apply_temperature(make_probabilities([0.9, 0.1], [0, 0]), calibration.temperature).max(axis=1)
    assert scaled[1] <= calibration.threshold <= scaled[0]


def test_false_letter_rate_counts_held_letters_other_than_the_ends() -> None:
    ends = np.array([[0, 1]] * 5)
    predicted = np.array(
        [
            [0, 0, 0, 1, 1],  # early and late, but both letters are signed
            [0, 5, 5, 5, 1],  # a letter that is not signed, held for three frames
            [0, 5, 5, 1, 1],  # held for two frames only
            [5, 5, -1, 5, 5],  # interrupted
            [-1, -1, -1, -1, -1],
        ]
    )
    assert synthetic_negatives.false_letter_rate(predicted, ends) == synthetic_negatives.TRANSITIONS_PER_MINUTE / 5


def test_false_letter_rate_without_transitions_is_not_measured() -> None:
    rate = synthetic_negatives.false_letter_rate(
        np.zeros((0, synthetic_negatives.TRANSITION_FRAMES), np.int64), np.zeros((0, 2), np.int64)
    )
    assert rate is None
    outcomes = LetterOutcomes(correct=1, wrong=0, rejected=0, no_hand=0)
    metrics = RejectionMetrics(letters=outcomes, false_letters_a_minute=rate)
    assert describe_false_letters(metrics) == "not measured"
    metrics.false_letters_a_minute = 0.0
    assert describe_false_letters(metrics) == "0.0 per minute"


def _hands() -> tuple[Array, npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    rows = []
    for letter in "BLY":
        stream = render_frames(letter, signer=signer, session=session, width=128, height=96)
        rows += [next(stream).joints for _ in range(4)]
    points = np.stack(rows).astype(np.float32)
    return points - points[:, :1], np.repeat([LETTERS.index(x) for x in "BLY"], 4), np.full(12, "ada")


@pytest.mark.parametrize("kind", synthetic_negatives.KINDS)
@pytest.mark.parametrize("pixels", [False, True])
def test_make_negatives_differ_from_all_letters(kind: str, pixels: bool, rng: np.random.Generator) -> None:
    hands, label, signer = _hands()
    if pixels:
        hands = rng.random((12, 28, 28, 1)).astype(np.float32)
    negatives = synthetic_negatives.make_negatives(hands, label, signer, kind, 50, rng)
    assert negatives.shape[1:] == hands.shape[1:]
    assert 20 < len(negatives) <= 50
    assert negatives.dtype == np.float32
    distance = (
        np.abs(negatives[:, None] - hands[None]).reshape(len(negatives), len(hands), -1).mean(axis=-1).min(axis=1)
    )
    assert (distance > 0.003).all()


def test_make_transitions_moves_between_two_letters(rng: np.random.Generator) -> None:
    hands, label, signer = _hands()
    transitions, ends = synthetic_negatives.make_transitions(hands, label, signer, 30, rng)
    assert transitions.shape == (len(ends), synthetic_negatives.TRANSITION_FRAMES, 21, 3)
    assert (ends[:, 0] != ends[:, 1]).all()
    steps = np.abs(np.diff(transitions, axis=1)).mean(axis=(2, 3))
    assert (steps > 0).all()
