"""A training that ends before its time keeps its best epoch and says why."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature, get_feature
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.early_stopping import explain_stop
from aslkit.train.fitting.fit import fit
from aslkit.train.fitting.training_loop import TrainingState
from aslkit.vision.preprocess import Array

CONFIG = load_settings("train", TrainConfig, flags={"architecture": "mlp", "epochs": 8, "members": 1})


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    return data.load_samples(dataset, get_feature("landmarks").contract)


def _from_epoch(number: int, happens: str) -> Feature:
    """Landmarks as ever until about some epoch; then Ctrl-C is pressed, or inputs are beyond all numbers."""
    usual = get_feature("landmarks")
    epochs = 0

    def vary(points: Array, mirrored: float, rng: np.random.Generator) -> Array:
        nonlocal epochs
        epochs += 1
        if happens == "Ctrl-C" and epochs >= number:
            raise KeyboardInterrupt
        return usual.vary(points, mirrored, rng)

    def finish(points: Array) -> Array:
        return usual.finish(points) * np.float32(1e37 if happens == "overflow" and epochs >= number else 1)

    return replace(usual, vary=vary, finish=finish, copies=1)


def test_ctrl_c_keeps_the_best_so_far(samples: data.Samples) -> None:
    chosen = _from_epoch(5, "Ctrl-C")
    fitted = fit(samples, chosen, CONFIG, keep=True)
    done = len(fitted.history)
    assert 2 <= done < 8
    assert fitted.stopped.startswith(f"Stopped by hand after {done} of 8 epochs")
    best = min(row["val_loss"] for row in fitted.history)
    validation = predict(fitted.model, samples, chosen, split="validation")
    row = next(row for row in fitted.history if row["val_loss"] == best)
    assert measure_predictions(validation).accuracy_hand_found == pytest.approx(row["val_accuracy"])


def test_ctrl_c_in_a_comparison_or_before_the_first_epoch_ends_all(samples: data.Samples) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(samples, _from_epoch(5, "Ctrl-C"), CONFIG)
    with pytest.raises(KeyboardInterrupt):
        fit(samples, _from_epoch(1, "Ctrl-C"), replace(CONFIG, epochs=1), keep=True)


def test_a_loss_that_is_no_number_keeps_the_last_good_weights_and_names_the_cause(samples: data.Samples) -> None:
    fitted = fit(samples, _from_epoch(4, "overflow"), CONFIG)
    assert 2 <= len(fitted.history) < 8
    # The next epoch is drawn meanwhile, so that it strikes in a batch, where the loss tells, or between two.
    when = rf" became (nan|inf|no numbers) in epoch {len(fitted.history) + 1}; likely the learning rate \(0\.001\)"
    assert re.search(when, fitted.stopped)
    assert all(np.isfinite(weights).all() for weights in fitted.model.get_weights())


@pytest.mark.parametrize(("finite", "cause"), [(True, "learning rate .0.5. is too high"), (False, "dataset verify")])
def test_in_the_first_epoch_nothing_is_worth_keeping(finite: bool, cause: str) -> None:
    watched = SimpleNamespace(stopped="The loss became nan in epoch 1")
    with pytest.raises(AslkitError, match=rf"nan in epoch 1; .*{cause}.* Nothing was learned"):
        explain_stop(watched, TrainingState(), finite=finite, learning_rate=0.5)
