"""Errors and warnings about a dataset before training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.letters import INDEX
from aslkit.train import pipeline
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.input_checks import check_trainable, dataset_warnings
from aslkit.vision.preprocess import PreprocessConfig


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    return data.load_samples(dataset, PreprocessConfig(kind="landmarks"))


def test_valid_dataset_has_no_warnings(samples: data.Samples) -> None:
    check_trainable(samples)
    assert dataset_warnings(samples) == []


def test_too_few_training_frames_are_rejected(samples: data.Samples) -> None:
    few = np.isin(np.arange(len(samples)), np.flatnonzero(samples.split == "train")[[0, 1, 2, 30, 31]])
    with pytest.raises(AslkitError, match=r"Only . training frames .*aslkit capture"):
        check_trainable(replace(samples, hand_found=few, label=np.arange(len(samples)) // 30))


@pytest.mark.parametrize(
    ("split", "letter", "warning"),
    [
        ("test", "L", "The test set has no L"),
        ("train", "L", "The training set has no L: all of them in the test set will count as wrong"),
    ],
)
def test_letters_missing_in_one_split_cause_a_warning(
    samples: data.Samples, split: str, letter: str, warning: str
) -> None:
    missing = (samples.split == split) & (samples.label == INDEX[letter])
    assert any(
        warning in text for text in dataset_warnings(replace(samples, split=np.where(missing, "gap", samples.split)))
    )


def test_empty_test_set_causes_a_warning(samples: data.Samples) -> None:
    untested = replace(samples, split=np.full_like(samples.split, "train"))
    assert "The test set is empty" in " ".join(dataset_warnings(untested))


def test_dataset_is_checked_before_any_training(
    dataset: Path, samples: data.Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_settings("train", TrainConfig, flags={"feature": "landmarks"})
    monkeypatch.setattr(pipeline, "fit", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(pipeline, "cross_validate", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(
        data, "load_samples", lambda *_, **__: replace(samples, hand_found=np.zeros_like(samples.hand_found))
    )
    for cv in (None, "signer"):
        with pytest.raises(AslkitError, match="No hand was found"):
            pipeline.train(dataset, runs=tmp_path, config=config, cv=cv)


def test_other_signers_letters_are_suggested_for_training(samples: data.Samples) -> None:
    """The held-out signer has all letters, the training signer only one."""
    tested = samples.signer == "synthetic-dan"
    split = np.where(tested, "test", np.where(samples.label == INDEX["A"], "train", "gap"))
    signer = np.where(tested, "synthetic-dan", "ada")
    with pytest.raises(AslkitError, match=r"dan in the test set recorded B L Y\. Hold .* curate --hold-out ada$"):
        check_trainable(replace(samples, split=split, signer=signer))
