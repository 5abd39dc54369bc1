"""The learning curve and its extrapolation."""

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
from aslkit.train.evaluation.learning_curve import (
    check_enough_signers,
    describe_curve,
    extrapolate_curve,
    learning_curve,
)
from aslkit.train.fitting.fit import FitResult
from aslkit.train.pipeline import train
from aslkit.vision.preprocess import PreprocessConfig

pytestmark = pytest.mark.usefixtures("uncompiled")

CONFIG = load_settings("train", TrainConfig, flags={"epochs": 1, "architecture": "mlp", "synthetic": False})


def test_learning_curve_trains_on_fewer_signers_and_images(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    trainings: list[tuple[int, int]] = []  # signers and images of each

    def record(part: data.Samples, *_: Any, **__: Any) -> FitResult:
        train, test = (set(part.signer[part.split == name].tolist()) for name in ("train", "test"))
        assert len(test) == 1
        assert not test & train
        trainings.append((len(train), int((part.split != "test").sum())))
        return FitResult(model=predict_a, history=[], fit_s=0, epoch_s=0, stopped="")

    def predict_a(inputs: Any) -> Any:
        return np.eye(24)[np.zeros(len(inputs), int)]

    monkeypatch.setattr(module, "fit", record)
    monkeypatch.setattr(module, "IMAGE_SHARES", (1 / 3,))
    full = dict.fromkeys(sorted(set(samples.signer.tolist())), 0.9)
    curve = learning_curve(samples, get_feature("landmarks"), CONFIG, full=full)
    assert [point.n for point in curve.signers] == [1, 2, 3]
    assert curve.signers[-1].mean == pytest.approx(0.9)
    assert {signers for signers, _ in trainings} == {1, 2, 3}
    assert [point.n for point in curve.images] == [24, 72]
    assert sum(images == 24 for signers, images in trainings if signers == 3) == 4


def test_extrapolate_curve_fits_a_power_law() -> None:
    more = extrapolate_curve([(1, 0.6), (2, 0.8), (4, 0.9)])
    assert more is not None
    assert more.exponent == pytest.approx(-1)
    assert more.accuracy == pytest.approx(1 - 0.4 / 14)
    assert extrapolate_curve([(1, 0.8), (2, 0.7), (3, 0.6)]) is None
    assert extrapolate_curve([(1, 0.6), (2, 0.9)]) is None  # too few points


def test_describe_curve_states_what_is_unknown() -> None:
    signers = [CurvePoint(n=1, mean=0.6, accuracies=[0.6]), CurvePoint(n=2, mean=0.8, accuracies=[0.8])]
    images = [CurvePoint(n=100, mean=0.7, accuracies=[0.7]), CurvePoint(n=1600, mean=0.8, accuracies=[0.8])]
    curve = LearningCurve(signers=signers, images=images)
    assert "100 instead of 1,600 images give 70.0 %" in describe_curve(curve)
    assert "too little to estimate" in describe_curve(curve)
    curve.more = Extrapolation(n=12, accuracy=0.9, exponent=-1)
    assert "a rough estimate from 2 points" in describe_curve(curve)


def test_learning_curve_needs_three_signers_and_cv_by_signer(dataset: Path, tmp_path: Path) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    check_enough_signers(samples)
    two_signers = data.subset(samples, np.isin(samples.signer, ["synthetic-ada", "synthetic-ben"]))
    with pytest.raises(InputError, match="three signers"):
        check_enough_signers(two_signers)
    with pytest.raises(InputError, match="--cv signer"):
        train(dataset, runs=tmp_path, config=CONFIG, curve=True)
