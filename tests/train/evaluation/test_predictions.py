"""Metrics, compared with values computed by hand."""

import numpy as np
import pytest

from aslkit.formats.prediction_metrics import Confusion, LetterMetrics
from aslkit.train.evaluation.predictions import (
    NO_PREDICTION,
    Predictions,
    confusion_matrix,
    measure_predictions,
    top_confusions,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 2])
PREDICTED = np.array([0, 0, 1, NO_PREDICTION, 1, 1, 1, NO_PREDICTION])
PREDICTIONS = Predictions(truth=TRUTH, predicted=PREDICTED)


def test_measure_predictions() -> None:
    metrics = measure_predictions(PREDICTIONS)
    assert metrics.accuracy == 4 / 8
    assert metrics.accuracy_hand_found == 4 / 6
    assert metrics.coverage == 6 / 8
    # A: precision 2/2, recall 2/4; B: 2/4, 2/2; C: none correct
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert metrics.per_letter == {
        "A": LetterMetrics(accuracy=0.5, precision=1.0, f1=2 / 3, n=4),
        "B": LetterMetrics(accuracy=1.0, precision=0.5, f1=2 / 3, n=2),
        "C": LetterMetrics(accuracy=0.0, precision=None, f1=0.0, n=2),
    }
    assert metrics.n == 8


def test_metrics_of_no_predictions_are_none() -> None:
    metrics = measure_predictions(Predictions(truth=np.array([], np.int64), predicted=np.array([], np.int64)))
    assert metrics.accuracy is None
    assert metrics.n == 0


def test_frames_without_a_hand_count_as_wrong() -> None:
    metrics = measure_predictions(
        Predictions(truth=np.array([3, 4]), predicted=np.array([NO_PREDICTION, NO_PREDICTION]))
    )
    assert metrics.accuracy == 0
    assert metrics.accuracy_hand_found is None
    assert metrics.macro_f1 == 0


def test_confusion_matrix_counts_every_frame_once() -> None:
    table = confusion_matrix(PREDICTIONS)
    assert table.shape == (24, 25)
    assert table.sum() == 8
    assert table[0].tolist()[:2] == [2, 1]
    assert table[0, 24] == 1


def test_top_confusions_are_sorted_and_exclude_correct_predictions() -> None:
    confusions = top_confusions(
        Predictions(truth=np.array([0] * 4 + [1]), predicted=np.array([2, 2, NO_PREDICTION, 0, 0])), limit=5
    )
    assert confusions[0] == Confusion(signed="A", predicted="C", count=2, share=0.5)
    assert {(each.signed, each.predicted) for each in confusions[1:]} == {("A", "no hand"), ("B", "A")}
