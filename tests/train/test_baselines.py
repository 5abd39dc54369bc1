"""When to refuse is chosen on strangers where there are any, and never costs a training that was done."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX
from aslkit.train.baselines import LEFT_OUT, VALIDATION, TrainingContext, calibrate_model
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.fitting.fit import NO_FOLDERS, fit

pytestmark = pytest.mark.usefixtures("uncompiled")

CONFIG = load_settings("train", TrainConfig, flags={"epochs": 2, "architecture": "mlp", "synthetic": False})


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    return data.load_samples(dataset, get_feature("landmarks").contract)


def _chosen_on(samples: data.Samples) -> str:
    kept = TrainingContext(samples=samples, feature=get_feature("landmarks"), config=CONFIG, folders=NO_FOLDERS)
    return calibrate_model(fit(samples, kept.feature, CONFIG), kept, {})[1]


def test_on_people_left_out_where_the_others_show_their_letters(samples: data.Samples) -> None:
    assert _chosen_on(samples) == LEFT_OUT


def test_on_later_frames_where_nobody_else_shows_somebodys_letters(samples: data.Samples) -> None:
    shown = {"synthetic-ada": "ABLY", "synthetic-ben": "A", "synthetic-cleo": "A", "synthetic-dan": "ABLY"}
    kept = [
        letter in {INDEX[each] for each in shown[who]}
        for who, letter in zip(samples.signer, samples.label, strict=True)
    ]
    assert _chosen_on(data.subset(samples, np.array(kept))) == VALIDATION


def test_on_later_frames_of_the_only_one(samples: data.Samples) -> None:
    one = np.where(samples.split == "test", samples.signer, "synthetic-ada")
    assert _chosen_on(data.drop_test(replace(samples, signer=one))) == VALIDATION
