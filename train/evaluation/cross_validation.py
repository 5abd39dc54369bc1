"""Cross-validation: each signer, session or block is held out in turn and measured by a model trained on the others."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from aslkit.datasets.split import By
from aslkit.formats.run_metrics import CrossValidationMetrics, FoldMetrics
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import Feature
from aslkit.train.engine.train_network import ONE_PROCESS, TrainingResources
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.predictions import Predictions, concat_predictions, measure_predictions, predict
from aslkit.train.evaluation.rejection import (
    NegativePredictions,
    calibrate_rejection,
    concat_negatives,
    predict_negatives,
)
from aslkit.train.fitting.fit import fit
from aslkit.vision.preprocess import Array

MAX_FOLDS: Final = 10
"""Maximum number of folds by signer or session; with more signers or sessions, several share a fold."""

BLOCKS: Final = 5
"""Number of folds by block: consecutive frames of each letter in each session."""

CONFIDENCE_LEVEL: Final = 0.95
"""Level of the bootstrap interval."""

_BOOTSTRAP_SAMPLES: Final = 10_000

_UNIT_NAMES: Final = {"signer": "signer", "session": "session", "block": "block of time"}

Counts = Sequence[tuple[int, int]]


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """Predictions of a cross-validation.

    Attributes:
        by: the unit that was held out: "signer", "session" or "block".
        note: why `by` differs from the requested unit; empty if it does not.
        predictions: on the test frames of all folds.
        fold_names: signers, sessions ("signer/session") or blocks ("block 1") that were held out in each fold.
        fold: fold of each prediction, int64 (n,).
        negatives: predictions on the negative samples of each fold.
        seconds: duration of training and prediction.
    """

    by: By
    note: str
    predictions: Predictions
    fold_names: tuple[tuple[str, ...], ...]
    fold: npt.NDArray[np.int64]
    negatives: tuple[NegativePredictions, ...]
    seconds: float

    def calibrated_tests(self) -> list[tuple[Predictions, NegativePredictions, Calibration]]:
        """Return the predictions of each fold, with a calibration chosen on the other folds."""
        return [
            (
                self.predictions.select(self.fold == number),
                negatives,
                calibrate_rejection(
                    # On the other folds only: a threshold chosen on the tested frames would be optimistic.
                    self.predictions.select(self.fold != number),
                    concat_negatives([each for other, each in enumerate(self.negatives) if other != number]),
                ),
            )
            for number, negatives in enumerate(self.negatives)
        ]

    def calibrate(self) -> Calibration:
        """Return the calibration chosen on all folds, for a model that is trained on all data."""
        return calibrate_rejection(self.predictions, concat_negatives(self.negatives))


def cross_validate(
    samples: data.Samples,
    feature: Feature,
    config: TrainConfig,
    by: By,
    *,
    recorded: Mapping[str, Array] | None = None,
    resources: TrainingResources = ONE_PROCESS,
    title_prefix: str = "",
) -> CrossValidation:
    """Hold out each signer (session, block) in turn, train on the others, and predict the held-out frames.

    With a single signer, sessions are held out instead; with a single session, blocks.

    Args:
        samples: the dataset; its own split is ignored.
        feature: input of the models.
        config: the settings.
        by: unit to hold out.
        recorded: frames recorded without a letter, by signer.
        resources: checkpoints and number of processes. Nothing is logged for TensorBoard.
        title_prefix: start of the progress bars' titles.

    Raises:
        AslkitError: too few frames are left for training in a fold.
    """
    started = time.perf_counter()
    by, note = _resolve_unit(samples, by)
    splits = data.cross_validation_splits(samples, by, config, max_folds=BLOCKS if by == "block" else MAX_FOLDS)
    predictions, fold_names, negatives = [], [], []
    for number, part in enumerate(splits, 1):
        names = _held_out_names(part, by, number)
        title = f"{title_prefix}{', '.join(names)} held out ({number} of {len(splits)})"
        model = fit(part, feature, config, title=title, resources=resources.without_logs()).model
        predictions.append(predict(model, part, feature, split="test"))
        negatives.append(predict_negatives(model, part, feature, split="test", seed=config.seed, recorded=recorded))
        fold_names.append(names)
    return CrossValidation(
        by=by,
        note=note,
        predictions=concat_predictions(predictions),
        fold_names=tuple(fold_names),
        fold=np.repeat(np.arange(len(predictions)), [len(each) for each in predictions]),
        negatives=tuple(negatives),
        seconds=time.perf_counter() - started,
    )


def summarise_folds(result: CrossValidation, *, seed: int) -> CrossValidationMetrics:
    """Compute the metrics of each held-out signer (session, block), their mean and its confidence interval.

    Args:
        result: of `cross_validate`.
        seed: random seed of the bootstrap.
    """
    predictions = [(name, result.predictions.select(rows)) for name, rows in _rows_by_unit(result)]
    folds = [FoldMetrics(name=name, **_summarise(each)) for name, each in predictions]
    return CrossValidationMetrics(
        by=result.by,
        note=result.note,
        mean=float(np.mean([fold.accuracy for fold in folds if fold.accuracy is not None])),
        interval=confidence_interval(
            [_session_counts(each) for _, each in predictions], rng=np.random.default_rng(seed)
        ),
        level=CONFIDENCE_LEVEL,
        folds=folds,
        seconds=round(result.seconds, 1),
    )


def confidence_interval(counts: Sequence[Counts], *, rng: np.random.Generator) -> tuple[float, float] | None:
    """Bootstrap a confidence interval of the mean accuracy over signers.

    Signers are resampled with replacement, then the sessions of each: the images of a session are not independent.
    Source: two-stage bootstrap with percentile interval; Davison and Hinkley, Bootstrap Methods and their Application,
    1997, section 3.8.

    Args:
        counts: for each session of each signer, the number of correct frames and of all frames.
        rng: random number generator.

    Returns:
        Lower and upper bound, 0–1; None for fewer than two signers.
    """
    if len(counts) < 2:
        return None
    accuracies = np.empty((_BOOTSTRAP_SAMPLES, len(counts)))
    by_signer = []
    for sessions in counts:
        correct, n = np.array(sessions, np.float64).T
        # (samples, slots, sessions): a signer who is drawn into two slots gets different sessions in each.
        picks = rng.integers(len(sessions), size=(_BOOTSTRAP_SAMPLES, len(counts), len(sessions)))
        by_signer.append(correct[picks].sum(axis=2) / n[picks].sum(axis=2))
    signer = rng.integers(len(counts), size=accuracies.shape)
    # Fill each slot of each sample with the accuracy of the signer that was drawn for it.
    for index, of_signer in enumerate(by_signer):
        accuracies = np.where(signer == index, of_signer, accuracies)
    tail = (1 - CONFIDENCE_LEVEL) / 2
    low, high = np.quantile(accuracies.mean(axis=1), [tail, (1 + CONFIDENCE_LEVEL) / 2])
    return float(low), float(high)


def _resolve_unit(samples: data.Samples, by: By) -> tuple[By, str]:
    """Return a unit that can be held out, and a note if it is not the requested one."""
    signers = np.unique(samples.signer)
    sessions = np.unique(samples.signer + "/" + samples.session)
    if by == "signer" and len(signers) < 2:
        finer: By = "session" if len(sessions) > 1 else "block"
        return finer, f"There is only one signer ({signers[0]}), so each {_UNIT_NAMES[finer]} was held out in turn."
    if by == "session" and len(sessions) < 2:
        return "block", f"There is only one session, so each {_UNIT_NAMES['block']} was held out in turn."
    return by, ""


def _held_out_names(part: data.Samples, by: By, number: int) -> tuple[str, ...]:
    test = part.split == "test"
    if by == "block":
        return (f"block {number}",)
    names = part.signer if by == "signer" else part.signer + "/" + part.session
    return tuple(np.unique(names[test]).tolist())


def _rows_by_unit(result: CrossValidation) -> list[tuple[str, npt.NDArray[np.bool_]]]:
    """Return the name and the mask of the predictions of each signer, session or block."""
    predictions = result.predictions
    if result.by == "block":
        return [(names[0], result.fold == number) for number, names in enumerate(result.fold_names)]
    names = predictions.signer
    if result.by == "session":
        names = predictions.signer + "/" + predictions.session
    return [(str(name), names == name) for name in np.unique(names)]


def _session_counts(predictions: Predictions) -> list[tuple[int, int]]:
    correct = predictions.truth == predictions.predicted
    masks = [predictions.session == name for name in np.unique(predictions.session)]
    return [(int(correct[rows].sum()), int(rows.sum())) for rows in masks]


def _summarise(predictions: Predictions) -> dict[str, Any]:
    return msgspec.structs.asdict(measure_predictions(predictions).summary())
