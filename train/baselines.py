"""What is trained beside the model that is context: on a random split, from scratch, and without some, to calibrate."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from aslkit.datasets.split import By
from aslkit.formats.run_metrics import ScratchMetrics
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.data.input_checks import MIN_FRAMES
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.cross_validation import MAX_FOLDS, cross_validate, summarise_folds
from aslkit.train.evaluation.predictions import NO_PREDICTIONS, Predictions, measure_predictions, predict
from aslkit.train.evaluation.rejection import calibrate_rejection, predict_negatives
from aslkit.train.fitting.fit import FitResult, TrainingFolders, fit
from aslkit.vision.preprocess import Array

LEFT_OUT: Final = "people left out of those it learned from"
VALIDATION: Final = "later frames of the people it learned from"


@dataclass(frozen=True, kw_only=True)
class TrainingContext:
    """What the model that is context was trained with.

    Attributes:
        samples: split as it learned.
        feature: what it sees.
        config: its settings.
        folders: where trainings can be gone on with.
    """

    samples: data.Samples
    feature: Feature
    config: TrainConfig
    folders: TrainingFolders


def random_split_baseline(whole: data.Samples, context: TrainingContext) -> Predictions:
    """What a model says that learned from a random split; nothing, where Ctrl-C ends the comparison."""
    shuffled = data.random_split(whole, context.config)
    try:
        fitted = _fit(shuffled, context, context.config, title="Training on a random split, for comparison")
    except KeyboardInterrupt:
        return NO_PREDICTIONS
    return predict(fitted.model, shuffled, context.feature, split="test")


def scratch_baseline(whole: data.Samples, context: TrainingContext, *, cv: By | None) -> ScratchMetrics | None:
    """Repeat the training from random initial weights, and measure it on the same signers.

    Returns:
        None if Ctrl-C ends the comparison.
    """
    config = replace(context.config, start="")
    try:
        if cv is not None:
            result = cross_validate(whole, context.feature, config, cv, watch=context.folders)
            return ScratchMetrics(accuracy=summarise_folds(result, seed=config.seed).mean)
        fitted = _fit(context.samples, context, config, title="Training from scratch, for comparison")
    except KeyboardInterrupt:
        return None
    metrics = measure_predictions(predict(fitted.model, context.samples, context.feature, split="test"))
    return ScratchMetrics(accuracy=metrics.accuracy, epochs=len(fitted.history))


def calibrate_model(
    fitted: FitResult, context: TrainingContext, recorded: Mapping[str, Array]
) -> tuple[Calibration, str]:
    """Choose temperature and threshold on strangers, where there are any, without the test.

    On later frames of the same people a model is surer than on anybody else, and a threshold chosen there refuses a
    third of what strangers sign. So each of those it learned from is left out in turn by models of the same settings;
    these learned from fewer, and are a little less sure than the one that is context. Where somebody shows a letter that
    nobody else does, or only one person is there, later frames have to do.

    Returns:
        the calibration, and on what it was chosen.
    """
    learned = data.drop_test(context.samples)
    if not fitted.stopped and _judged_by_others(learned, context.config):
        try:
            crossed = cross_validate(
                learned,
                context.feature,
                context.config,
                "signer",
                recorded=recorded,
                watch=context.folders,
                why="To calibrate, ",
            )
            return crossed.calibration(), LEFT_OUT
        except KeyboardInterrupt:
            pass  # validation will have to do
    silence = predict_negatives(
        fitted.model, context.samples, context.feature, split="validation", seed=context.config.seed, recorded=recorded
    )
    return calibrate_rejection(
        predict(fitted.model, context.samples, context.feature, split="validation"), silence
    ), VALIDATION


def _fit(samples: data.Samples, context: TrainingContext, config: TrainConfig, *, title: str) -> FitResult:
    return fit(samples, context.feature, config, title=title, watch=TrainingFolders(kept=context.folders.kept))


def _judged_by_others(learned: data.Samples, config: TrainConfig) -> bool:
    """Whether, whoever is left out, the others show enough to learn from, and every letter of theirs."""
    if len(np.unique(learned.signer)) < 2:
        return False
    for part in data.leave_out_splits(learned, "signer", config, most=MAX_FOLDS):
        train, test = (part.label[(part.split == name) & part.found] for name in ("train", "test"))
        if len(train) < MIN_FRAMES or len(np.unique(train)) < 2 or not np.isin(test, train).all():
            return False
    return True
