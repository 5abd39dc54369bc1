"""Calibration uses held-out signers if possible, and otherwise later frames of the training signers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX
from aslkit.train import baselines
from aslkit.train.baselines import (
    HELD_OUT_SIGNERS,
    LATER_FRAMES,
    VALIDATION_SIGNERS,
    TrainingContext,
    calibrate_model,
)
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.engine.train_network import ONE_PROCESS
from aslkit.train.fitting.fit import fit

pytestmark = pytest.mark.usefixtures("uncompiled")

CONFIG = load_settings("train", TrainConfig, flags={"epochs": 2, "architecture": "mlp", "synthetic": False})


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    return data.load_samples(dataset, get_feature("landmarks").contract)


def _chosen_on(samples: data.Samples) -> str:
    context = TrainingContext(samples=samples, feature=get_feature("landmarks"), config=CONFIG, resources=ONE_PROCESS)
    return calibrate_model(fit(samples, context.feature, CONFIG), context, {})[1]


def test_calibrate_model_uses_held_out_signers(samples: data.Samples) -> None:
    assert _chosen_on(samples) == HELD_OUT_SIGNERS


def test_calibrate_model_uses_enough_validation_signers_without_further_trainings(
    samples: data.Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "MIN_VALIDATION_SIGNERS", 1)
    monkeypatch.setattr(baselines, "cross_validate", None)  # calling it fails
    others = np.where(samples.split == "test", "test", "train")
    split = np.where(samples.signer == "synthetic-cleo", "validation", others)
    assert _chosen_on(replace(samples, split=split)) == VALIDATION_SIGNERS


def test_calibrate_model_uses_later_frames_if_only_one_signer_has_a_letter(samples: data.Samples) -> None:
    letters = {"synthetic-ada": "ABLY", "synthetic-ben": "A", "synthetic-cleo": "A", "synthetic-dan": "ABLY"}
    selected = [
        label in {INDEX[letter] for letter in letters[signer]}
        for signer, label in zip(samples.signer, samples.label, strict=True)
    ]
    assert _chosen_on(data.subset(samples, np.array(selected))) == LATER_FRAMES


def test_calibrate_model_uses_later_frames_of_a_single_signer(samples: data.Samples) -> None:
    signer = np.where(samples.split == "test", samples.signer, "synthetic-ada")
    assert _chosen_on(data.drop_test(replace(samples, signer=signer))) == LATER_FRAMES
