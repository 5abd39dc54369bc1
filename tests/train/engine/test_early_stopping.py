"""Trainings that end early keep their best epoch and state the reason."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature, get_feature
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.fit import fit
from aslkit.vision.preprocess import Array

CONFIG = load_settings("train", TrainConfig, flags={"architecture": "mlp", "epochs": 8, "members": 1})


@pytest.fixture
def samples(dataset: Path) -> data.Samples:
    return data.load_samples(dataset, get_feature("landmarks").contract)


def _failing_feature(epoch: int, failure: str) -> Feature:
    """Return the landmarks feature, with a simulated Ctrl-C or overflowing inputs from about the given epoch on."""
    landmarks = get_feature("landmarks")
    epochs = 0

    def augment(points: Array, mirrored_share: float, rng: np.random.Generator) -> Array:
        nonlocal epochs
        epochs += 1
        if failure == "Ctrl-C" and epochs >= epoch:
            raise KeyboardInterrupt
        return landmarks.augment(points, mirrored_share, rng)

    def to_inputs(points: Array) -> Array:
        return landmarks.to_inputs(points) * np.float32(1e37 if failure == "overflow" and epochs >= epoch else 1)

    return replace(landmarks, augment=augment, to_inputs=to_inputs, copies=1)


def test_ctrl_c_keeps_the_best_epoch(samples: data.Samples) -> None:
    feature = _failing_feature(5, "Ctrl-C")
    fitted = fit(samples, feature, CONFIG, keep_on_interrupt=True)
    done = len(fitted.history)
    assert 2 <= done < 8
    assert fitted.stopped.startswith(f"Interrupted after {done} of 8 epochs")
    best = min(row["val_loss"] for row in fitted.history)
    validation = predict(fitted.model, samples, feature, split="validation")
    row = next(row for row in fitted.history if row["val_loss"] == best)
    assert measure_predictions(validation).accuracy_hand_found == pytest.approx(row["val_accuracy"])


def test_ctrl_c_is_raised_without_keep_on_interrupt_or_before_the_first_epoch(samples: data.Samples) -> None:
    with pytest.raises(KeyboardInterrupt):
        fit(samples, _failing_feature(5, "Ctrl-C"), CONFIG)
    with pytest.raises(KeyboardInterrupt):
        fit(samples, _failing_feature(1, "Ctrl-C"), replace(CONFIG, epochs=1), keep_on_interrupt=True)


def test_non_finite_loss_keeps_the_last_finite_weights_and_states_the_cause(samples: data.Samples) -> None:
    fitted = fit(samples, _failing_feature(4, "overflow"), CONFIG)
    assert 2 <= len(fitted.history) < 8
    expected = rf" became NaN or infinite in epoch {len(fitted.history) + 1}; the learning rate \(0\.001\)"
    assert re.search(expected, fitted.stopped)
    assert all(np.isfinite(weights).all() for weights in fitted.model.get_weights())
