"""Measuring a run that there is on a dataset that it may never have seen."""

import shlex
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write
from aslkit.core.letters import LETTERS
from aslkit.inference import load_model
from aslkit.train.data import samples as data
from aslkit.train.data.features import FEATURES, Feature
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.confusions import confused_pairs, list_mistakes
from aslkit.train.evaluation.cross_validation import CrossValidation, fold_metrics
from aslkit.train.evaluation.predictions import predict, unseen_signer_metrics
from aslkit.train.evaluation.rejection import predict_negatives, rejection_metrics
from aslkit.train.reporting import report
from aslkit.train.reporting.environment import describe_environment
from aslkit.train.reporting.read_runs import Run, read_complete_run
from aslkit.train.reporting.write_run import write_metrics


@dataclass(frozen=True, kw_only=True)
class EvaluationResult:
    """The outcome.

    Attributes:
        folder: in the run's, with a report.
        metrics: as its metrics.json has them.
    """

    folder: Path
    metrics: dict[str, Any]


def evaluate_run(run_folder: Path, dataset: Path, *, seed: int = 0) -> EvaluationResult:
    """Measure a run on all frames of a dataset; on those of people it was trained on only where there are no others.

    Args:
        run_folder: of the run.
        dataset: a dataset's folder.
        seed: of the frames without a letter that are made, and of the bootstrap.

    Raises:
        InputError: no run or no dataset there.
        AslkitError: either is damaged, or they do not fit.
    """
    run = read_complete_run(run_folder)
    model, contract = load_model.load_keras_model(run_folder)
    if contract.letters != LETTERS:
        raise AslkitError(
            f"{run_folder} knows the letters {' '.join(contract.letters)}, the dataset {' '.join(LETTERS)}."
        )
    feature = _feature(run, contract.kind)
    feature = replace(feature, contract=contract)
    samples = data.load_samples(dataset, contract)
    known = set(run.metrics.get("trained_on", {}).get("signers", []))
    strangers = ~np.isin(samples.signer, sorted(known)) & ~samples.copy
    tested = strangers if strangers.any() else ~samples.copy
    samples = replace(samples, split=np.where(tested, "test", "train"), by="signer")
    answers = predict(model, samples, feature, split="test")
    silence = predict_negatives(model, samples, feature, split="test", seed=seed)
    people = tuple(sorted(set(answers.signer.tolist())))
    crossed = CrossValidation(
        by="signer", note="", predictions=answers, turns=tuple((name,) for name in people),
        turn=np.searchsorted(np.array(people), answers.signer), negatives=(silence,), seconds=0.0,
    )  # fmt: skip
    calibration = Calibration(temperature=contract.temperature, threshold=contract.threshold)
    metrics = (
        _about(run, dataset, seed=seed, seen=sorted(known & set(people)))
        | unseen_signer_metrics(answers, by="signer")
        | {
            "cv": fold_metrics(crossed, seed=seed),
            "rejection": rejection_metrics([(answers, silence, calibration)]) | asdict(calibration) | {"chosen_on": ""},
            "confusable": confused_pairs(answers, list_mistakes(answers)),
        }
    )
    folder = run_folder / "evaluations" / dataset.name
    with atomic_write(folder) as partial:
        partial.mkdir(parents=True)
        write_metrics(partial, metrics, answers)
        report.write_report(partial, metrics=metrics, history=[], answers=answers, dataset=dataset)
    return EvaluationResult(folder=folder, metrics=metrics)


def _feature(run: Run, kind: str) -> Feature:
    name = run.metrics.get("feature")
    if name not in FEATURES or FEATURES[name].contract.kind != kind:
        raise AslkitError(f"{run.folder} has the feature {name!r}, which this aslkit does not know. Train again.")
    return FEATURES[name]


def _about(run: Run, dataset: Path, *, seed: int, seen: list[str]) -> dict[str, Any]:
    return {
        "dataset": dataset.name,
        "feature": run.metrics["feature"],
        "architecture": run.metrics["architecture"],
        "seed": run.metrics.get("seed"),
        "evaluated": {"run": run.folder.name, "trained_on_too": seen},
        "trained_on": run.metrics["trained_on"],
        "random_split": {"accuracy": None},
        "forms": [],
        "record_next": [],
        "environment": describe_environment(),
        "command": shlex.join(["aslkit", "evaluate", run.folder.name, "--dataset", dataset.name, "--seed", str(seed)]),
    }
