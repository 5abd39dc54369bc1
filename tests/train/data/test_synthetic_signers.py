"""Synthetic signers are learned from beside real ones, as one person, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX
from aslkit.core.native_libraries import import_keras
from aslkit.formats.run_metrics import HeldOutMetrics, RunMetrics, TrainingData
from aslkit.synthetic.landmark_dataset import NO_LETTER
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.synthetic_signers import synthetic_samples as synthetic
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.train.fitting.epoch_batches import balanced_epoch, member_targets
from aslkit.train.reporting.summary_text import describe_synthetic as said

CONFIG = load_settings("train", TrainConfig, flags={"batch_size": 65_536, "architecture": "mlp"})


@pytest.fixture
def real(dataset: Path) -> data.Samples:
    """The dataset, as if its people were real."""
    samples = data.load_samples(dataset, get_feature("landmarks").contract)
    return replace(samples, signer=np.char.replace(samples.signer, "synthetic-", ""))


def test_they_weigh_as_one_more_person_and_sign_no_other_letters(real: data.Samples) -> None:
    chosen = replace(get_feature("landmarks"), copies=0)
    train = np.flatnonzero((real.split == "train") & real.found)
    _, wanted, weight = balanced_epoch(import_keras(), real, train, chosen, CONFIG)[0]
    people = len(np.unique(real.signer[train]))
    rest = wanted[:, 0, NO_LETTER] == 1
    assert (~rest).sum() > len(train) + 1_800  # four letters of forty signers, twelve of each
    assert rest.sum() > 5_000  # eleven ways to rest
    assert set(wanted[~rest, 0].argmax(axis=1).tolist()) == {INDEX[letter] for letter in "ABLY"}
    alone = balanced_epoch(import_keras(), real, train, chosen, replace(CONFIG, synthetic=False))[0]
    assert len(alone[0]) == len(train)
    # A real person's share of all weights is 1/(people + 1): so the added ones' is, signing and at rest together.
    added = np.isclose(weight, weight.min())
    assert added[rest].all()
    assert weight[added].sum() == pytest.approx(weight.sum() / (people + 1), rel=1e-4)


def test_rest_is_a_class_of_its_own_in_training_and_raises_no_letter_above_another_in_use() -> None:
    assert member_targets(np.array([0, NO_LETTER]), 2, rests=True).shape == (2, 2, NO_LETTER + 1)
    assert member_targets(np.array([0]), 2, rests=False).shape == (1, 2, NO_LETTER)
    learning, model = build_ensemble("mlp", (5,), NO_LETTER, members=2, rests=True)
    inputs = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
    learned, used = np.asarray(learning(inputs)).mean(axis=1), np.asarray(model(inputs))
    np.testing.assert_allclose(used.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(used, learned[:, :NO_LETTER] + learned[:, NO_LETTER:] / NO_LETTER, atol=1e-6)
    assert (used.argmax(axis=1) == learned[:, :NO_LETTER].argmax(axis=1)).all()


def test_not_beside_synthetic_people_nor_pixels_nor_unasked(real: data.Samples, dataset: Path) -> None:
    landmarks = get_feature("landmarks")
    assert uses_synthetic_signers(real, landmarks, CONFIG)
    assert not uses_synthetic_signers(real, landmarks, replace(CONFIG, synthetic=False))
    assert not uses_synthetic_signers(real, get_feature("hand28"), CONFIG)
    assert not uses_synthetic_signers(data.load_samples(dataset, landmarks.contract), landmarks, CONFIG)


def _metrics_of(training_data: TrainingData) -> RunMetrics:
    return RunMetrics(unseen=HeldOutMetrics(), trained_on=training_data)


def test_the_model_card_says_so() -> None:
    assert "40 synthetic signers" in said(_metrics_of(TrainingData(synthetic_signers=40)))
    assert said(_metrics_of(TrainingData())) == ""


def test_hands_are_canonical(real: data.Samples) -> None:
    points, label = synthetic(np.array([INDEX["L"]]), get_feature("landmarks").contract)
    assert set(label.tolist()) == {INDEX["L"], NO_LETTER}
    np.testing.assert_allclose(points[:, 0], 0, atol=1e-6)
    ours = real.raw[(real.label == INDEX["L"]) & real.found]
    assert np.linalg.norm(points[:, 8] - points[:, 0], axis=1).mean() == pytest.approx(
        np.linalg.norm(ours[:, 8] - ours[:, 0], axis=1).mean(), rel=0.2
    )
