"""Figures by hand: a frame without a hand is wrong."""

import numpy as np
import pytest

from aslkit.formats.run_metrics import Confusion, LetterMetrics
from aslkit.train.evaluation.predictions import (
    REFUSED,
    Predictions,
    confusion_matrix,
    measure_predictions,
    top_confusions,
)

TRUTH = np.array([0, 0, 0, 0, 1, 1, 2, 2])
SAID = np.array([0, 0, 1, REFUSED, 1, 1, 1, REFUSED])
ANSWERS = Predictions(truth=TRUTH, predicted=SAID)


def test_measures() -> None:
    measured = measure_predictions(ANSWERS)
    assert measured.accuracy == 4 / 8
    assert measured.accuracy_hand_found == 4 / 6
    assert measured.coverage == 6 / 8
    # A: precision 2/2, recall 2/4; B: 2/4, 2/2; C: none right
    assert measured.macro_f1 == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert measured.per_letter == {
        "A": LetterMetrics(accuracy=0.5, precision=1.0, f1=2 / 3, n=4),
        "B": LetterMetrics(accuracy=1.0, precision=0.5, f1=2 / 3, n=2),
        "C": LetterMetrics(accuracy=0.0, precision=None, f1=0.0, n=2),
    }
    assert measured.n == 8


def test_nothing_tested_is_not_a_figure() -> None:
    measured = measure_predictions(Predictions(truth=np.array([], np.int64), predicted=np.array([], np.int64)))
    assert measured.accuracy is None
    assert measured.n == 0


def test_nobody_found_is_all_wrong() -> None:
    measured = measure_predictions(Predictions(truth=np.array([3, 4]), predicted=np.array([REFUSED, REFUSED])))
    assert measured.accuracy == 0
    assert measured.accuracy_hand_found is None
    assert measured.macro_f1 == 0


def test_confusion_counts_every_frame_once() -> None:
    table = confusion_matrix(ANSWERS)
    assert table.shape == (24, 25)
    assert table.sum() == 8
    assert table[0].tolist()[:2] == [2, 1]
    assert table[0, 24] == 1


def test_mistakes_commonest_first_and_no_right_answers() -> None:
    worst = top_confusions(
        Predictions(truth=np.array([0] * 4 + [1]), predicted=np.array([2, 2, REFUSED, 0, 0])), limit=5
    )
    assert worst[0] == Confusion(signed="A", predicted="C", count=2, share=0.5)
    assert {(each.signed, each.predicted) for each in worst[1:]} == {("A", "no hand"), ("B", "A")}
