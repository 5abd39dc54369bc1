"""Sureness that can be believed, and silence where there is no letter."""

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.letters import LETTERS
from aslkit.formats.run_metrics import LetterOutcomes, NegativeOutcome, RejectionMetrics
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data import synthetic_negatives
from aslkit.train.evaluation.calibration import Calibration, choose_threshold, fit_temperature, reliability_curve
from aslkit.train.evaluation.predictions import REFUSED, Predictions
from aslkit.train.evaluation.rejection import NegativePredictions, calibrate_rejection, rejection_metrics
from aslkit.train.reporting.summary_text import describe_false_letters
from aslkit.vision.preprocess import Array, apply_temperature


def said(sure: list[float], letters: list[int]) -> Array:
    """Probabilities: so sure of a letter, the rest shared out."""
    table = np.repeat((1 - np.array(sure, np.float32))[:, None] / 23, 24, axis=1)
    table[np.arange(len(sure)), letters] = sure
    return table.astype(np.float32)


def silence(sure: list[float], kind: str = "at rest") -> NegativePredictions:
    return NegativePredictions(
        kind=np.full(len(sure), kind),
        probabilities=said(sure, [0] * len(sure)),
        transitions=np.zeros((0, synthetic_negatives.STEPS, 24), np.float32),
        ends=np.zeros((0, 2), np.int64),
    )


def test_temperature_makes_a_model_as_sure_as_it_is_right(rng: np.random.Generator) -> None:
    truth = rng.integers(0, 24, 4000)
    wrong = rng.random(4000) < 0.2
    answers = np.where(wrong, (truth + 1) % 24, truth)
    overconfident = said([0.99] * 4000, answers.tolist())
    by = fit_temperature(overconfident, truth)
    assert by > 1.5
    assert (reliability_curve(apply_temperature(overconfident, by), truth).error or 1) < 0.02
    assert reliability_curve(overconfident, truth).error == pytest.approx(0.19, abs=0.02)
    timid = said([0.4] * 4000, truth.tolist())
    assert fit_temperature(timid, truth) < 0.7


def test_tempering_keeps_the_order_and_sums_to_one() -> None:
    probabilities = said([0.9, 0.5], [3, 7])
    for by in (0.1, 1.0, 9.0):
        hot = apply_temperature(probabilities, by)
        np.testing.assert_allclose(hot.sum(axis=1), 1, atol=1e-5)
        assert hot.argmax(axis=1).tolist() == [3, 7]
    np.testing.assert_allclose(apply_temperature(probabilities, 1.0), probabilities, atol=1e-6)


def test_threshold_refuses_most_of_nothing_but_few_right_letters() -> None:
    right = np.linspace(0.8, 1, 100, dtype=np.float32)
    assert 0.7 < choose_threshold(right, np.linspace(0, 0.8, 100, dtype=np.float32)) < 0.8
    assert choose_threshold(right, np.full(100, 0.95, np.float32)) == pytest.approx(np.quantile(right, 0.05))
    assert choose_threshold(right, np.zeros(0, np.float32)) == 0


def test_what_is_likelier_wrong_than_right_is_never_said() -> None:
    unsure = np.linspace(0.1, 0.9, 100, dtype=np.float32)
    assert choose_threshold(unsure, unsure) == 0.5


def test_shares_of_letters_sum_to_one_and_silence_counts() -> None:
    answers = Predictions(
        truth=np.array([0, 1, 2, 3]),
        predicted=np.array([0, 2, 2, REFUSED]),
        probabilities=np.concatenate([said([0.9, 0.9, 0.3], [0, 2, 2]), np.zeros((1, 24), np.float32)]),
    )
    chosen = Calibration(threshold=0.5)
    metrics = rejection_metrics([(answers, silence([0.2, 0.2, 0.95]), chosen)], chosen, chosen_on="validation")
    assert metrics.letters == LetterOutcomes(correct=0.25, wrong=0.25, rejected=0.25, no_hand=0.25)
    assert metrics.negatives["at rest"] == NegativeOutcome(rejected=2 / 3, n=3)
    assert (metrics.threshold, metrics.chosen_on) == (0.5, "validation")


def test_calibration_is_chosen_so_that_nothing_is_refused() -> None:
    truth = np.arange(200) % 24
    answers = Predictions(truth=truth, predicted=truth, probabilities=said([0.9] * 200, truth.tolist()))
    found = calibrate_rejection(answers, silence([0.3] * 50))
    hot = apply_temperature(said([0.9, 0.3], [0, 0]), found.temperature).max(axis=1)
    assert hot[1] <= found.threshold <= hot[0]


def test_false_letters_are_held_and_no_end_of_the_way() -> None:
    ends = np.array([[0, 1]] * 5)
    ways = np.array(
        [
            [0, 0, 0, 1, 1],  # early and late, but letters that are signed
            [0, 5, 5, 5, 1],  # a letter that is not
            [0, 5, 5, 1, 1],  # too short to be said
            [5, 5, -1, 5, 5],  # interrupted
            [-1, -1, -1, -1, -1],
        ]
    )
    assert synthetic_negatives.false_letter_rate(ways, ends) == synthetic_negatives.A_MINUTE / 5


def test_what_was_not_measured_is_not_called_none() -> None:
    nowhere = synthetic_negatives.false_letter_rate(
        np.zeros((0, synthetic_negatives.STEPS), np.int64), np.zeros((0, 2), np.int64)
    )
    assert nowhere is None
    outcomes = LetterOutcomes(correct=1, wrong=0, rejected=0, no_hand=0)
    metrics = RejectionMetrics(letters=outcomes, false_letters_a_minute=nowhere)
    assert describe_false_letters(metrics) == "not measured"
    metrics.false_letters_a_minute = 0.0
    assert describe_false_letters(metrics) == "0.0 per minute"


def _hands() -> tuple[Array, npt.NDArray[np.int64], npt.NDArray[np.str_]]:
    who = Signer.draw("synthetic-ada")
    rows = []
    for letter in "BLY":
        stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), width=128, height=96)
        rows += [next(stream).joints for _ in range(4)]
    points = np.stack(rows).astype(np.float32)
    return points - points[:, :1], np.repeat([LETTERS.index(x) for x in "BLY"], 4), np.full(12, "ada")


@pytest.mark.parametrize("kind", synthetic_negatives.KINDS)
@pytest.mark.parametrize("pixels", [False, True])
def test_made_frames_differ_from_all_that_show_a_letter(kind: str, pixels: bool, rng: np.random.Generator) -> None:
    raw, label, signer = _hands()
    if pixels:
        raw = rng.random((12, 28, 28, 1)).astype(np.float32)
    made = synthetic_negatives.make_negatives(raw, label, signer, kind, 50, rng)
    assert made.shape[1:] == raw.shape[1:]
    assert 20 < len(made) <= 50
    assert made.dtype == np.float32
    apart = np.abs(made[:, None] - raw[None]).reshape(len(made), len(raw), -1).mean(axis=-1).min(axis=1)
    assert (apart > 0.003).all()


def test_a_way_leads_from_one_letter_to_another(rng: np.random.Generator) -> None:
    raw, label, signer = _hands()
    ways, ends = synthetic_negatives.make_transitions(raw, label, signer, 30, rng)
    assert ways.shape == (len(ends), synthetic_negatives.STEPS, 21, 3)
    assert (ends[:, 0] != ends[:, 1]).all()
    steps = np.abs(np.diff(ways, axis=1)).mean(axis=(2, 3))
    assert (steps > 0).all()
