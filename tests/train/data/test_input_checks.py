"""What cannot be trained on is refused in one line, and what a figure will not tell is said before training."""

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


def test_a_sound_dataset_is_not_talked_about(samples: data.Samples) -> None:
    check_trainable(samples)
    assert dataset_warnings(samples) == []


def test_too_little_to_learn_from(samples: data.Samples) -> None:
    few = np.isin(np.arange(len(samples)), np.flatnonzero(samples.split == "train")[[0, 1, 2, 30, 31]])
    with pytest.raises(AslkitError, match=r"Only . frames .*aslkit capture"):
        check_trainable(replace(samples, found=few, label=np.arange(len(samples)) // 30))


@pytest.mark.parametrize(
    ("split", "letter", "says"),
    [
        ("test", "L", "The test has no L"),
        ("train", "L", "no L to train on: in the test they will all count as wrong"),
    ],
)
def test_letters_that_are_missing_on_one_side(samples: data.Samples, split: str, letter: str, says: str) -> None:
    gone = (samples.split == split) & (samples.label == INDEX[letter])
    assert any(says in text for text in dataset_warnings(replace(samples, split=np.where(gone, "gap", samples.split))))


def test_one_signer_and_nothing_to_test_on(samples: data.Samples) -> None:
    alone = replace(samples, signer=np.full_like(samples.signer, "ada"), split=np.full_like(samples.split, "train"))
    text = " ".join(dataset_warnings(alone))
    assert "only one signer (ada)" in text
    assert "nothing to test on" in text


def test_all_is_said_before_any_training(
    dataset: Path, samples: data.Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load_settings("train", TrainConfig)
    monkeypatch.setattr(pipeline, "fit", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(pipeline, "cross_validate", lambda *_, **__: pytest.fail("trained"))
    monkeypatch.setattr(data, "load_samples", lambda *_: replace(samples, found=np.zeros_like(samples.found)))
    for cv in (None, "signer"):
        with pytest.raises(AslkitError, match="No hand was found"):
            pipeline.train(dataset, runs=tmp_path, config=config, cv=cv)
