"""One training from beginning to end: a dataset in, a run folder out."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit import __version__
from aslkit.core.errors import InputError
from aslkit.core.files import atomic_write
from aslkit.core.letters import LETTERS
from aslkit.core.progress import OnMessage
from aslkit.datasets import duplicate_signers, parquet_store
from aslkit.datasets.split import By
from aslkit.synthetic.landmark_dataset import SIGNERS
from aslkit.train.baselines import TrainingContext, calibrate_model, random_split_baseline, scratch_baseline
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.input_checks import check_trainable, dataset_warnings
from aslkit.train.data.recorded_negatives import load_recorded_negatives
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.evaluation import learning_curve
from aslkit.train.evaluation.calibration import Calibration
from aslkit.train.evaluation.confusions import confused_pairs, list_mistakes
from aslkit.train.evaluation.cross_validation import CrossValidation, cross_validate, fold_metrics
from aslkit.train.evaluation.predictions import (
    NO_PREDICTIONS,
    Predictions,
    measure_predictions,
    predict,
    unseen_signer_metrics,
)
from aslkit.train.evaluation.recommendations import make_plan, plan_to_json
from aslkit.train.evaluation.rejection import predict_negatives, rejection_metrics
from aslkit.train.evaluation.signer_outliers import find_signer_outliers
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.fit import FitResult, TrainingFolders, fit
from aslkit.train.fitting.initial_weights import resolve_start, without_paths
from aslkit.train.reporting.environment import describe_environment, reproduce_command
from aslkit.train.reporting.resume import open_run_folder
from aslkit.train.reporting.write_run import FinishedRun, write_run
from aslkit.train.select_model import select_model
from aslkit.vision.preprocess import Array


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """A finished run: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """What is to be trained and measured, as `train` takes it; `run` is the name of the run it becomes."""

    run: str
    dataset: Path
    runs: Path
    hold_out: Sequence[str]
    cv: By | None
    curve: bool
    captures: Path | None
    note: Callable[[str], None]


def train(
    dataset: Path,
    *,
    runs: Path,
    config: TrainConfig,
    hold_out: Sequence[str] = (),
    cv: By | None = None,
    curve: bool = False,
    captures: Path | None = None,
    resume: Path | None = None,
    tensorboard: bool = False,
    on_message: OnMessage = lambda text: None,
) -> TrainResult:
    """Train on a dataset's train split and measure on its test split; then the same with a random split beside it.

    With `cv`, each signer (session, block) is left out in turn and measured by a model that never saw them; the model
    that is kept then learns from all.

    Args:
        dataset: a dataset's folder.
        runs: where the new run's folder goes, and where a benchmark is looked for to begin with.
        config: the settings; an architecture "auto" becomes the feature's own, a start "auto" the benchmark's best.
        hold_out: signers to test on, in place of the dataset's own test.
        cv: what to leave out in turn, "signer", "session" or "block"; None for one test.
        curve: train on fewer people and fewer images too; with `cv` "signer" only.
        captures: a workspace's, with frames recorded without a letter, if there are any.
        resume: the folder of an interrupted run to go on with; trainings that would be the same are taken up.
        tensorboard: write what TensorBoard shows of the model that is kept into the run's folder.
        on_message: told, before anything is trained, what the figures will not tell; and how an interrupted run goes on.

    Raises:
        InputError: no such dataset, feature, architecture or signer; too few people for a curve; nothing to resume.
        AslkitError: too little to train on, or TensorFlow is not installed.
    """
    _check(hold_out, cv, curve, config)
    if config.feature == AUTO:
        name = f"{dataset.name}-{AUTO}"
    else:
        config = resolve_start(config, get_feature(config.feature), runs, on_message)
        name = f"{dataset.name}-{config.feature}-{config.architecture}"
    with open_run_folder(runs, name, resume=resume, tensorboard=tensorboard, on_message=on_message) as (folder, watch):
        asked = _Asked(
            run=folder.name, dataset=dataset, runs=runs, hold_out=hold_out, cv=cv, curve=curve, captures=captures,
            note=on_message,
        )  # fmt: skip
        finished = _finished(asked, config, watch)
        with atomic_write(folder) as partial:
            write_run(partial, finished, dataset=dataset)
            if watch.logs is not None and watch.logs.is_dir():  # none, where all had been learned before
                shutil.copytree(watch.logs, partial / watch.logs.name)
    return TrainResult(folder=folder, metrics=finished.metrics)


def _check(hold_out: Sequence[str], cv: By | None, curve: bool, config: TrainConfig) -> None:
    """Raise InputError where what is asked for does not exist or does not go together."""
    if config.architecture != AUTO:
        get_architecture(config.architecture)
    if hold_out and cv:
        raise InputError("Give --cv, which leaves out everybody in turn, or --hold-out, not both.")
    if curve and cv != "signer":
        raise InputError("--curve goes with --cv signer: it leaves people out too.")
    if cv and config.feature == AUTO:
        raise InputError("Name the --feature with --cv: choosing one on those who are left out would flatter.")


def _finished(asked: _Asked, config: TrainConfig, watch: TrainingFolders) -> FinishedRun:
    """Train and measure all that was asked for."""
    tried: list[dict[str, Any]] = []
    if config.feature == AUTO:
        config, tried = select_model(
            asked.dataset, config, hold_out=asked.hold_out, runs=asked.runs, on_message=asked.note, watch=watch
        )
    chosen, cv = get_feature(config.feature), asked.cv
    whole = data.load_samples(asked.dataset, chosen.contract)
    if asked.curve:
        learning_curve.check_people(whole)
    samples = _samples(whole, config, asked.hold_out, cv)
    check_trainable(samples)
    recorded = load_recorded_negatives(asked.captures, chosen.contract) if asked.captures else {}
    alike = duplicate_signers.duplicate_signer_warnings(
        parquet_store.read_dataset(asked.dataset, duplicate_signers.COLUMNS)
    )
    for text in (*(dataset_warnings(samples) if not cv else ()), *alike):
        asked.note(text)
    kept = TrainingContext(samples=samples, feature=chosen, config=config, folders=watch)
    crossed = cross_validate(whole, chosen, config, cv, recorded=recorded, watch=watch) if cv else None
    fitted = fit(samples, chosen, config, title="Training", keep=True, watch=watch)
    answers = crossed.predictions if crossed else predict(fitted.model, samples, chosen, split="test")
    calibration, refused = _refused(fitted, kept, crossed, answers, recorded)
    metrics = (
        _about(asked.dataset, config, samples, fitted)
        | unseen_signer_metrics(answers, by=crossed.by if crossed else samples.by)
        | (_crossed(crossed, whole, kept, curve=asked.curve) if crossed else {})
        | _told(whole, samples, answers)
        | {"rejection": refused}
        | _beside(asked, whole, kept, fitted)
        | {
            "people_alike": alike,
            "validation": _brief(measure_predictions(predict(fitted.model, samples, chosen, split="validation"))),
            "tried": tried,
            "command": reproduce_command(
                asked.dataset.name, asked.run, hold_out=asked.hold_out, cv=cv, curve=asked.curve
            ),
        }
    )
    return FinishedRun(
        fitted=fitted,
        contract=replace(chosen.contract, **asdict(calibration)),
        config=without_paths(config, asked.runs),
        metrics=metrics,
        predictions=answers,
    )


def _samples(whole: data.Samples, config: TrainConfig, hold_out: Sequence[str], cv: By | None) -> data.Samples:
    """Split as the model that is kept learns."""
    if cv:
        return data.train_on_all(whole, config)
    return data.hold_out_signers(whole, hold_out, config) if hold_out else whole


def _refused(
    fitted: FitResult,
    kept: TrainingContext,
    crossed: CrossValidation | None,
    answers: Predictions,
    recorded: dict[str, Array],
) -> tuple[Calibration, dict[str, Any]]:
    """When to say nothing, and what comes of it on people who had no part in choosing that."""
    if crossed is not None:
        chosen, on, tests = crossed.calibration(), "people left out in turn", crossed.tests()
    else:
        chosen, on = calibrate_model(fitted, kept, recorded)
        silence = predict_negatives(
            fitted.model, kept.samples, kept.feature, split="test", seed=kept.config.seed, recorded=recorded
        )
        tests = [(answers, silence, chosen)]
    return chosen, rejection_metrics(tests) | asdict(chosen) | {"chosen_on": on}


def _beside(asked: _Asked, whole: data.Samples, kept: TrainingContext, fitted: FitResult) -> dict[str, Any]:
    """What a random split shows, and what training from scratch comes to; not where Ctrl-C asked to end."""
    random = random_split_baseline(whole, kept) if not fitted.stopped else NO_PREDICTIONS
    found: dict[str, Any] = {"random_split": _brief(measure_predictions(random))}
    if kept.config.start_model is not None:
        found["transfer"] = {
            "start": without_paths(kept.config, asked.runs).start,
            "epochs": None if asked.cv else len(fitted.history),
            "from_scratch": scratch_baseline(whole, kept, cv=asked.cv) if not fitted.stopped else None,
        }
    return found


def _crossed(crossed: CrossValidation, whole: data.Samples, kept: TrainingContext, *, curve: bool) -> dict[str, Any]:
    """Figures of those left out in turn, and the learning curve."""
    found = fold_metrics(crossed, seed=kept.config.seed)
    each = {one["name"]: one["accuracy"] for one in found["each"]}
    if not curve:
        return {"cv": found}
    return {
        "cv": found,
        "curve": learning_curve.learning_curve(whole, kept.feature, kept.config, full=each, watch=kept.folders),
    }


def _told(whole: data.Samples, samples: data.Samples, answers: Predictions) -> dict[str, Any]:
    """What the user is told to look at: odd forms, confusable pairs, what to record next."""
    found = find_signer_outliers(samples)
    return {
        "forms": [asdict(form) | {"text": form.text, "looks_like": list(form.looks_like)} for form in found],
        "record_next": plan_to_json(make_plan(whole, answers, found)),
        "confusable": confused_pairs(answers, list_mistakes(answers)),
    }


def _about(dataset: Path, config: TrainConfig, samples: data.Samples, fitted: FitResult) -> dict[str, Any]:
    """What was trained, on what, where."""
    return {
        "aslkit": __version__,
        "dataset": dataset.name,
        "feature": config.feature,
        "architecture": config.architecture,
        "seed": config.seed,
        "fit_s": round(fitted.fit_s, 3),
        "epoch_s": round(fitted.epoch_s, 3),
        "epochs": len(fitted.history),
        "stopped": fitted.stopped,
        "trained_on": {
            "signers": sorted(set(samples.signer[samples.split == "train"].tolist())),
            "letters": [LETTERS[index] for index in np.unique(samples.label[samples.split == "train"])],
            "n": int((samples.split == "train").sum()),
            "synthetic_signers": SIGNERS if uses_synthetic_signers(samples, get_feature(config.feature), config) else 0,
        },
        "environment": describe_environment(),
    }


def _brief(measured: dict[str, Any]) -> dict[str, Any]:
    return {name: measured[name] for name in ("accuracy", "accuracy_hand_found", "coverage", "macro_f1", "n")}
