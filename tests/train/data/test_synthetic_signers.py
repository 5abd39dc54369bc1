"""Synthetic signers are added to the training data with the weight of one signer."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX
from aslkit.formats.prediction_metrics import HeldOutMetrics
from aslkit.formats.run_metrics import RunMetrics, TrainingData
from aslkit.synthetic.landmark_dataset import NO_LETTER
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.synthetic_signers import synthetic_samples, uses_synthetic_signers
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.train.fitting.balanced_data import balanced_rows
from aslkit.train.reporting.summary_text import describe_synthetic

CONFIG = load_settings("train", TrainConfig, flags={"batch_size": 65_536, "architecture": "mlp"})


@pytest.fixture
def real(dataset: Path) -> data.Samples:
    """The dataset with names of real signers."""
    samples = data.load_samples(dataset, get_feature("landmarks").contract)
    return replace(samples, signer=np.char.replace(samples.signer.astype(str), "synthetic-", "").astype(object))


def test_synthetic_signers_weigh_as_one_signer_and_have_no_other_letters(real: data.Samples) -> None:
    chosen = get_feature("landmarks")
    made = balanced_rows(real, chosen, CONFIG).train.load()
    train = real.label[(real.split == "train") & real.hand_found]
    signers = len(np.unique(real.signer[real.split == "train"]))
    is_rest, weight = made.label == NO_LETTER, made.weight
    assert weight is not None
    assert (~is_rest).sum() > len(train) + 1_800  # 40 signers, 4 letters, 12 frames each
    assert is_rest.sum() > 5_000  # 11 rest poses
    assert set(made.label[~is_rest].tolist()) == {INDEX[letter] for letter in "ABLY"}
    assert balanced_rows(real, chosen, replace(CONFIG, synthetic=False)).train.count == len(train)
    # Each real signer, and all synthetic ones together, have a share of 1/(signers + 1) of the total weight.
    is_synthetic = np.isclose(weight, weight.min())
    assert is_synthetic[is_rest].all()
    assert weight[is_synthetic].sum() == pytest.approx(weight.sum() / (signers + 1), rel=1e-4)


def test_rest_class_is_distributed_evenly_over_the_letters() -> None:
    network, model = build_ensemble("mlp", (5,), NO_LETTER, members=2, rest_class=True)
    inputs = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    trained, inferred = np.asarray(network(inputs)).mean(axis=1), np.asarray(model(inputs))
    np.testing.assert_allclose(inferred.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(inferred, trained[:, :NO_LETTER] + trained[:, NO_LETTER:] / NO_LETTER, atol=1e-6)
    assert (inferred.argmax(axis=1) == trained[:, :NO_LETTER].argmax(axis=1)).all()


def test_synthetic_signers_are_not_added_to_synthetic_datasets_or_pixels(real: data.Samples, dataset: Path) -> None:
    landmarks = get_feature("landmarks")
    assert uses_synthetic_signers(real, landmarks, CONFIG)
    assert not uses_synthetic_signers(real, landmarks, replace(CONFIG, synthetic=False))
    assert not uses_synthetic_signers(real, get_feature("hand28"), CONFIG)
    assert not uses_synthetic_signers(data.load_samples(dataset, landmarks.contract), landmarks, CONFIG)


def _metrics_of(training_data: TrainingData) -> RunMetrics:
    return RunMetrics(unseen=HeldOutMetrics(), trained_on=training_data)


def test_describe_synthetic() -> None:
    assert "40 synthetic signers" in describe_synthetic(_metrics_of(TrainingData(synthetic_signers=40)))
    assert describe_synthetic(_metrics_of(TrainingData())) == ""


def test_synthetic_samples_are_canonical_points(real: data.Samples) -> None:
    synthetic = synthetic_samples(np.array([INDEX["L"]]), get_feature("landmarks").contract)
    points, label = synthetic.points, synthetic.label
    assert set(label.tolist()) == {INDEX["L"], NO_LETTER}
    np.testing.assert_allclose(points[:, 0], 0, atol=1e-6)
    hands = real.hands[(real.label == INDEX["L"]) & real.hand_found]
    assert np.linalg.norm(points[:, 8] - points[:, 0], axis=1).mean() == pytest.approx(
        np.linalg.norm(hands[:, 8] - hands[:, 0], axis=1).mean(), rel=0.2
    )
