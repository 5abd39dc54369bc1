"""Cross-validation by signer, session and block; the confidence interval over signers."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.evaluation import cross_validation
from aslkit.train.evaluation.cross_validation import confidence_interval, cross_validate, summarise_folds
from aslkit.train.fitting.fit import FitResult, fit
from aslkit.train.pipeline import train
from aslkit.vision.preprocess import PreprocessConfig

pytestmark = pytest.mark.usefixtures("uncompiled")

CONFIG = load_settings("train", TrainConfig, flags={"epochs": 1, "architecture": "mlp", "synthetic": False})


@pytest.fixture
def trained_on(monkeypatch: pytest.MonkeyPatch) -> list[data.Samples]:
    """Record the samples of each training."""
    recorded: list[data.Samples] = []

    def record_and_fit(samples: data.Samples, *arguments: Any, **named: Any) -> FitResult:
        recorded.append(samples)
        return fit(samples, *arguments, **named)

    monkeypatch.setattr(cross_validation, "fit", record_and_fit)
    return recorded


def test_cross_validate_holds_out_each_signer(dataset: Path, trained_on: list[data.Samples]) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    result = cross_validate(samples, get_feature("landmarks"), CONFIG, "signer")
    assert sorted(result.predictions.key.tolist()) == sorted(samples.key.tolist())  # each frame once
    for part in trained_on:
        tested = set(part.signer[part.split == "test"].tolist())
        assert len(tested) == 1
        assert not tested & set(part.signer[part.split != "test"].tolist())
    metrics = summarise_folds(result, seed=0)
    assert [fold.name for fold in metrics.folds] == sorted(set(samples.signer.tolist()))
    assert metrics.mean == pytest.approx(np.mean([fold.accuracy or 0 for fold in metrics.folds]))
    assert metrics.interval is not None
    assert metrics.mean is not None
    assert metrics.interval[0] <= metrics.mean <= metrics.interval[1]


def test_cross_validate_holds_out_blocks_of_a_single_session(dataset: Path, trained_on: list[data.Samples]) -> None:
    samples = data.load_samples(dataset, PreprocessConfig(kind="landmarks"))
    single = replace(samples, signer=np.full_like(samples.signer, "ada"), session=np.full_like(samples.session, "one"))
    result = cross_validate(single, get_feature("landmarks"), CONFIG, "signer")
    assert result.by == "block"
    assert "only one signer (ada)" in result.note
    for part in trained_on:
        test = part.split == "test"
        assert not set(part.group[test].tolist()) & set(part.group[~test].tolist())


def test_confidence_interval_depends_on_signers_not_images() -> None:
    few = [[(90, 100)], [(70, 100)], [(80, 100)]]
    many = [[(correct * 100, n * 100) for correct, n in sessions] for sessions in few]
    rng = np.random.default_rng(0)
    assert confidence_interval(few, rng=rng) == pytest.approx(confidence_interval(many, rng=rng), abs=0.01)
    low, high = confidence_interval(few, rng=rng) or (0, 0)
    assert 0.699 < low < 0.75
    assert 0.85 < high < 0.901
    assert confidence_interval(few * 9, rng=rng)[0] > low + 0.03  # type: ignore[index]
    assert confidence_interval([[(9, 10)]], rng=rng) is None


def test_confidence_interval_includes_variance_between_sessions() -> None:
    same = [[(80, 100)] * 4] * 2
    different = [[(60, 100), (100, 100)] * 2] * 2
    assert confidence_interval(same, rng=np.random.default_rng(0)) == pytest.approx([0.8, 0.8])
    low, high = confidence_interval(different, rng=np.random.default_rng(0)) or (0, 0)
    assert high - low > 0.15


def test_train_with_cv_trains_the_final_model_on_all_signers(dataset: Path, tmp_path: Path) -> None:
    done = train(dataset, runs=tmp_path, config=CONFIG, cv="signer")
    metrics = done.metrics
    assert len(metrics.trained_on.signers) == 4
    assert metrics.unseen.n == 96
    assert metrics.cv is not None
    assert metrics.cv.by == "signer"
    page = (done.folder / "report.html").read_text()
    assert "each held out in turn" in page
    assert "not frames" in page
    with pytest.raises(InputError, match="not both"):
        train(dataset, runs=tmp_path, config=CONFIG, cv="signer", hold_out=["synthetic-dan"])
