"""Further trainings: on a random split and from scratch, for comparison, and with held-out signers, to calibrate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.datasets.split import By
from aslkit.datasets.summary import MIN_TRAINABLE_FRAMES
from aslkit.formats.run_metrics import ScratchMetrics, TransferMetrics
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.engine.train_network import TrainingResources
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.cross_validation import MAX_FOLDS, cross_validate, summarise_folds
from aslkit.train.evaluation.predictions import EMPTY_PREDICTIONS, Predictions, measure_predictions, predict
from aslkit.train.evaluation.rejection import calibrate_rejection, predict_negatives
from aslkit.train.fitting.fit import FitResult, fit
from aslkit.train.fitting.initial_weights import without_paths
from aslkit.vision.preprocess import Array

HELD_OUT_SIGNERS: Final = "training signers, each held out in turn"
VALIDATION_SIGNERS: Final = "validation signers"
LATER_FRAMES: Final = "later frames of the training signers"

MIN_VALIDATION_SIGNERS: Final = 10
"""Minimum number of signers who are only in the validation set for calibrating the model on them, which saves up to ten
trainings. An assumption: not compared with holding out training signers."""


@dataclass(frozen=True, kw_only=True)
class TrainingContext:
    """Data and settings of the final model.

    Attributes:
        samples: the dataset, with the split of the final model.
        feature: input of the model.
        config: the settings.
        resources: checkpoints, TensorBoard logs and number of processes.
    """

    samples: data.Samples
    feature: Feature
    config: TrainConfig
    resources: TrainingResources


def random_split_baseline(whole: data.Samples, context: TrainingContext) -> Predictions:
    """Train on a random split, and predict its test set.

    Args:
        whole: the whole dataset; its own split is ignored.
        context: feature and settings of the final model.

    Returns:
        No predictions if Ctrl-C interrupts the training.
    """
    shuffled = data.random_split(whole, context.config)
    try:
        fitted = _fit(shuffled, context, context.config, title="Training on a random split, for comparison")
    except KeyboardInterrupt:
        return EMPTY_PREDICTIONS
    return predict(fitted.model, shuffled, context.feature, split="test")


def scratch_baseline(whole: data.Samples, context: TrainingContext, *, cv: By | None) -> ScratchMetrics | None:
    """Repeat the training from random initial weights, and measure it on the same signers.

    Args:
        whole: the whole dataset, for the cross-validation.
        context: data and settings of the final model.
        cv: unit of the cross-validation; None for a single test.

    Returns:
        None if Ctrl-C interrupts the training.
    """
    config = replace(context.config, start="")
    try:
        if cv is not None:
            result = cross_validate(whole, context.feature, config, cv, resources=context.resources)
            return ScratchMetrics(accuracy=summarise_folds(result, seed=config.seed).mean)
        fitted = _fit(context.samples, context, config, title="Training from scratch, for comparison")
    # The final model is already trained: stopping a comparison must not lose it.
    except KeyboardInterrupt:
        return None
    metrics = measure_predictions(predict(fitted.model, context.samples, context.feature, split="test"))
    return ScratchMetrics(accuracy=metrics.accuracy, epochs=len(fitted.history))


def transfer_metrics(
    whole: data.Samples, context: TrainingContext, fitted: FitResult, *, runs: Path, cv: By | None, compare: bool
) -> TransferMetrics | None:
    """Describe the initial weights of the final model, and compare them with random ones.

    Args:
        whole: the whole dataset, for the cross-validation.
        context: data and settings of the final model.
        fitted: the final model.
        runs: runs folder of a workspace.
        cv: unit of the cross-validation; None for a single test.
        compare: also train from random initial weights. Omitted for the starter, because that would take longer than
            adapting it.

    Returns:
        None if the model was trained from scratch.
    """
    if not context.config.start:
        return None
    return TransferMetrics(
        start=without_paths(context.config, runs).start,
        epochs=None if cv else len(fitted.history),
        from_scratch=scratch_baseline(whole, context, cv=cv) if compare and context.config.start_model else None,
    )


def calibrate_model(
    fitted: FitResult, context: TrainingContext, recorded: Mapping[str, Array]
) -> tuple[Calibration, str]:
    """Choose temperature and threshold without the test set, on held-out training signers if possible.

    On later frames of its training signers a model is more confident than on unseen signers, and a threshold chosen on
    them rejects a third of the letters of unseen signers. So each training signer is held out in turn, and predicted by
    a model trained on the others with the same settings. These models have less training data and are slightly less
    confident than the final one. If there is only one training signer, or a letter of only one signer, later frames are
    used instead. With MIN_VALIDATION_SIGNERS, the validation set is used; its frames only chose the best epoch.

    Args:
        fitted: the final model.
        context: data and settings of the final model.
        recorded: frames recorded without a letter, by signer.

    Returns:
        The calibration, and a description of the data on which it was chosen.
    """
    without_test = data.drop_test(context.samples)
    enough = _count_validation_signers(without_test) >= MIN_VALIDATION_SIGNERS
    if not enough and not fitted.stopped and _can_hold_out(without_test, context.config):
        try:
            result = cross_validate(
                without_test,
                context.feature,
                context.config,
                "signer",
                recorded=recorded,
                resources=context.resources,
                title_prefix="Calibration: ",
            )
            return result.calibrate(), HELD_OUT_SIGNERS
        except KeyboardInterrupt:
            pass  # the final model is trained: calibrate it on later frames
    negatives = predict_negatives(
        fitted.model, context.samples, context.feature, split="validation", seed=context.config.seed, recorded=recorded
    )
    predictions = predict(fitted.model, context.samples, context.feature, split="validation")
    return calibrate_rejection(predictions, negatives), VALIDATION_SIGNERS if enough else LATER_FRAMES


def _count_validation_signers(samples: data.Samples) -> int:
    """Return the number of signers with all their frames in the validation set."""
    train, validation = (set(samples.signer[samples.split == name].tolist()) for name in ("train", "validation"))
    return len(validation - train)


def _fit(samples: data.Samples, context: TrainingContext, config: TrainConfig, *, title: str) -> FitResult:
    """Train without TensorBoard logs, which are for the final model."""
    return fit(samples, context.feature, config, title=title, resources=context.resources.without_logs())


def _can_hold_out(samples: data.Samples, config: TrainConfig) -> bool:
    """Return whether in each fold there are enough training frames, and all letters of the held-out signers."""
    if len(np.unique(samples.signer)) < 2:
        return False
    for part in data.cross_validation_splits(samples, "signer", config, max_folds=MAX_FOLDS):
        train, test = (part.label[(part.split == name) & part.hand_found] for name in ("train", "test"))
        if len(train) < MIN_TRAINABLE_FRAMES or len(np.unique(train)) < 2 or not np.isin(test, train).all():
            return False
    return True
