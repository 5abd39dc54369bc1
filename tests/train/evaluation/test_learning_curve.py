"""A learning curve never tests on whom it learned from, and says what it does not know."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.formats.run_metrics import CurvePoint, Extrapolation, LearningCurve
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.evaluation import learning_curve as module
from aslkit.train.evaluation.learning_curve import check_people, describe_curve, extrapolate_curve, learning_curve
from aslkit.train.fitting.fit import FitResult, fit
from aslkit.train.pipeline import train
from aslkit.vision.preprocess import PreprocessConfig

pytestmark = pytest.mark.usefixtures("uncompiled")

CONFIG = load_settings("train", TrainConfig, flags={"epochs": 1, "architecture": "mlp", "synthetic": False})


def test_fewer_people_and_fewer_images_are_learned_from(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    learned: list[tuple[int, int]] = []

    def noted(part: data.Samples, *arguments: Any, **named: Any) -> FitResult:
        train, test = (set(part.signer[part.split == name].tolist()) for name in ("train", "test"))
        assert len(test) == 1
        assert not test & train
        learned.append((len(train), int((part.split != "test").sum())))
        return fit(part, *arguments, **named)

    monkeypatch.setattr(module, "fit", noted)
    monkeypatch.setattr(module, "SHARES", (1 / 3,))
    full = dict.fromkeys(sorted(set(samples.signer.tolist())), 0.9)
    found = learning_curve(samples, get_feature("landmarks"), CONFIG, full=full)
    assert [point.n for point in found.signers] == [1, 2, 3]
    assert found.signers[-1].mean == pytest.approx(0.9)
    assert {people for people, _ in learned} == {1, 2, 3}
    assert [point.n for point in found.images] == [24, 72]
    assert sum(images == 24 for people, images in learned if people == 3) == 4


def test_errors_that_fall_by_a_power_are_carried_on() -> None:
    found = extrapolate_curve([(1, 0.6), (2, 0.8), (4, 0.9)])
    assert found is not None
    assert found.exponent == pytest.approx(-1)
    assert found.accuracy == pytest.approx(1 - 0.4 / 14)
    assert extrapolate_curve([(1, 0.8), (2, 0.7), (3, 0.6)]) is None
    assert extrapolate_curve([(1, 0.6), (2, 0.9)]) is None  # two points would promise anything


def test_what_is_not_known_is_said() -> None:
    signers = [CurvePoint(n=1, mean=0.6, accuracies=[0.6]), CurvePoint(n=2, mean=0.8, accuracies=[0.8])]
    images = [CurvePoint(n=100, mean=0.7, accuracies=[0.7]), CurvePoint(n=1600, mean=0.8, accuracies=[0.8])]
    curve = LearningCurve(signers=signers, images=images)
    assert "100 instead of 1,600 images give 70.0 %" in describe_curve(curve)
    assert "too little to estimate" in describe_curve(curve)
    curve.more = Extrapolation(n=12, accuracy=0.9, exponent=-1)
    assert "a rough estimate from 2 points" in describe_curve(curve)


def test_two_people_or_another_test_have_no_curve(dataset: Path, tmp_path: Path) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    check_people(samples)
    two = data.subset(samples, np.isin(samples.signer, ["synthetic-ada", "synthetic-ben"]))
    with pytest.raises(InputError, match="three signers"):
        check_people(two)
    with pytest.raises(InputError, match="--cv signer"):
        train(dataset, runs=tmp_path, config=CONFIG, curve=True)
