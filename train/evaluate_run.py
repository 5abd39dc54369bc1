"""Evaluate a trained run on another dataset."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write
from aslkit.core.letters import LETTERS
from aslkit.formats.prediction_metrics import AccuracyMetrics
from aslkit.formats.run_metrics import EvaluationOf, RunMetrics
from aslkit.inference import load_model
from aslkit.train.data import samples as data
from aslkit.train.data.features import FEATURES, Feature
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.confusions import confused_pairs, list_mistakes
from aslkit.train.evaluation.cross_validation import CrossValidation, summarise_folds
from aslkit.train.evaluation.predictions import (
    Predictions,
    are_synthetic,
    held_out_metrics,
    list_signers,
    predict,
    top_confusions,
)
from aslkit.train.evaluation.rejection import NegativePredictions, predict_negatives, rejection_metrics
from aslkit.train.reporting import report
from aslkit.train.reporting.environment import describe_environment, format_command
from aslkit.train.reporting.read_runs import CompleteRun, read_complete_run
from aslkit.train.reporting.write_run import write_metrics


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """A finished evaluation.

    Attributes:
        folder: folder in the run folder, with metrics.json and report.html.
        metrics: content of metrics.json.
    """

    folder: Path
    metrics: RunMetrics


def evaluate_run(run_folder: Path, dataset: Path, *, seed: int = 0, into: Path | None = None) -> EvaluationResult:
    """Measure a run on the signers of a dataset that it was not trained on; on all signers if there are no others.

    Args:
        run_folder: folder of the run.
        dataset: folder of the dataset.
        seed: random seed of the negative samples and of the bootstrap.
        into: folder in which evaluations/DATASET is written; None for the run.

    Raises:
        InputError: no such run or dataset.
        AslkitError: either is damaged, or the model and the dataset do not fit together.
    """
    run = read_complete_run(run_folder)
    model, contract = load_model.load_network(run_folder)
    if contract.letters != LETTERS:
        raise AslkitError(
            f"{run_folder} was trained on the letters {' '.join(contract.letters)}, but the dataset has the letters "
            f"{' '.join(LETTERS)}."
        )
    feature = replace(_get_run_feature(run, contract.kind), contract=contract)
    samples = data.load_samples(dataset, contract)
    training_signers = run.metrics.trained_on.all_signers
    unseen = ~np.isin(samples.signer, sorted(training_signers)) & ~samples.is_copy
    tested = unseen if unseen.any() else ~samples.is_copy
    # The dataset's own split does not matter here: all unseen signers are tested.
    samples = replace(samples, split=np.where(tested, "test", "train"), by="signer")
    predictions = predict(model, samples, feature, split="test")
    negatives = predict_negatives(model, samples, feature, split="test", seed=seed)
    calibration = Calibration(temperature=contract.temperature, threshold=contract.threshold)
    signers = list_signers(predictions)
    metrics = RunMetrics(
        dataset=dataset.name,
        feature=run.metrics.feature,
        architecture=run.metrics.architecture,
        seed=run.metrics.seed,
        trained_on=run.metrics.trained_on,
        environment=describe_environment(),
        synthetic=are_synthetic(signers),
        unseen=held_out_metrics(predictions, by="signer"),
        confusions=top_confusions(predictions),
        confusable=confused_pairs(predictions, list_mistakes(predictions)),
        rejection=rejection_metrics([(predictions, negatives, calibration)], calibration, chosen_on=""),
        random_split=AccuracyMetrics(),
        cv=summarise_folds(_fold_by_signer(predictions, negatives), seed=seed),
        evaluated=EvaluationOf(run=run.folder.name, training_signers=sorted(training_signers & set(signers))),
        command=_describe_command(run_folder, dataset, seed, into),
    )
    folder = (into or run_folder) / "evaluations" / dataset.name
    with atomic_write(folder) as partial:
        partial.mkdir(parents=True)
        write_metrics(partial, metrics, predictions)
        report.write_report(partial, metrics=metrics, history=[], predictions=predictions, dataset=dataset)
    return EvaluationResult(folder=folder, metrics=metrics)


def _describe_command(run: Path, dataset: Path, seed: int, into: Path | None) -> str:
    """Return the command that repeats the evaluation. The starter model is written into a folder of the workspace."""
    if into is not None and into != run:
        workspace: Path | None = into.parent
    else:
        workspace = run.parent.parent if run.parent.name == "runs" else None
    return format_command("evaluate", run.name, "--seed", str(seed), dataset=dataset, workspace=workspace)


def _fold_by_signer(predictions: Predictions, negatives: NegativePredictions) -> CrossValidation:
    """Return the predictions as if each signer had been held out in turn, for the mean over signers."""
    signers = list_signers(predictions)
    return CrossValidation(
        by="signer",
        note="",
        predictions=predictions,
        fold_names=tuple((name,) for name in signers),
        fold=np.searchsorted(np.array(signers), predictions.signer),
        negatives=(negatives,),
        seconds=0.0,
    )


def _get_run_feature(run: CompleteRun, kind: str) -> Feature:
    name = run.metrics.feature
    if name not in FEATURES or FEATURES[name].contract.kind != kind:
        raise AslkitError(
            f"{run.folder} uses the feature {name!r}, which this version of aslkit does not know. Train again."
        )
    return FEATURES[name]
