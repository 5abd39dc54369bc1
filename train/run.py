"""One training from beginning to end: a dataset in, a run folder out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit import __version__
from aslkit.datasets.split import By
from aslkit.errors import InputError
from aslkit.files import replacing
from aslkit.letters import LETTERS
from aslkit.preprocess import Array
from aslkit.train import curve as learning_curve
from aslkit.train import data
from aslkit.train.architectures import architecture
from aslkit.train.calibrate import Calibration
from aslkit.train.choosing import AUTO, choose
from aslkit.train.config import TrainConfig
from aslkit.train.confusable import confusable, wrong
from aslkit.train.crossval import Crossed, cross_validate, figures
from aslkit.train.environment import command, environment
from aslkit.train.evaluate import NO_ANSWERS, Answers, answer, measure, on_unseen
from aslkit.train.features import Feature, feature
from aslkit.train.fit import Fitted, fit
from aslkit.train.folder import Finished, new_folder, write
from aslkit.train.forms import forms
from aslkit.train.inputs import check_trainable, notes
from aslkit.train.plan import as_json, plan
from aslkit.train.recorded import without_letter
from aslkit.train.rejection import Silence, ask_silence, calibrated, rejection


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


def train(
    dataset: Path,
    *,
    runs: Path,
    config: TrainConfig,
    hold_out: Sequence[str] = (),
    cv: By | None = None,
    curve: bool = False,
    captures: Path | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Trained:
    """Train on a dataset's train split and measure on its test split; then the same with a random split beside it.

    With `cv`, each signer (session, block) is left out in turn and measured by a model that never saw them; the model
    that is kept then learns from all.

    Args:
        dataset: a dataset's folder.
        runs: where the new run's folder goes.
        config: the settings; an architecture "auto" becomes the feature's own.
        hold_out: signers to test on, in place of the dataset's own test.
        cv: what to leave out in turn, "signer", "session" or "block"; None for one test.
        curve: train on fewer people and fewer images too; with `cv` "signer" only.
        captures: a workspace's, with frames recorded without a letter, if there are any.
        note: told, before anything is trained, what the figures will not tell.

    Raises:
        InputError: no such dataset, feature, architecture or signer.
        AslkitError: too little to train on, or TensorFlow is not installed.
    """
    _check(hold_out, cv, curve, config)
    config, tried = _settled(dataset, config, hold_out)
    chosen = feature(config.feature)
    whole = data.load(dataset, chosen.contract)
    samples = _samples(whole, config, hold_out, cv)
    check_trainable(samples)
    recorded = without_letter(captures, chosen.contract) if captures else {}
    for text in notes(samples) if not cv else ():
        note(text)
    crossed = cross_validate(whole, chosen, config, cv, recorded=recorded) if cv else None
    fitted = fit(samples, chosen, config, title="Training", keep=True)
    answers = crossed.answers if crossed else answer(fitted.model, samples, chosen, split="test")
    calibration, tests = (
        (crossed.calibration(), crossed.tests())
        if crossed
        else _calibration(fitted, samples, chosen, answers, config, recorded)
    )
    flattered = _flattered(whole, chosen, config) if not fitted.stopped else NO_ANSWERS
    metrics = (
        _about(dataset, config, samples, fitted)
        | on_unseen(answers, by=crossed.by if crossed else samples.by)
        | (_crossed(crossed, whole, chosen, config, curve=curve) if crossed else {})
        | _told(whole, samples, answers)
        | {
            "rejection": rejection(tests) | asdict(calibration),
            "random_split": _brief(measure(flattered)),
            "validation": _brief(measure(answer(fitted.model, samples, chosen, split="validation"))),
            "tried": tried,
            "command": command(dataset.name, hold_out=hold_out, cv=cv, curve=curve),
        }
    )
    contract = replace(chosen.contract, **asdict(calibration))
    finished = Finished(fitted=fitted, contract=contract, config=config, metrics=metrics, answers=answers)
    folder = new_folder(runs, f"{dataset.name}-{config.feature}-{config.architecture}")
    with replacing(folder) as partial:
        write(partial, finished, dataset=dataset)
    return Trained(folder=folder, metrics=metrics)


def _check(hold_out: Sequence[str], cv: By | None, curve: bool, config: TrainConfig) -> None:
    """Raise InputError where what is asked for does not go together."""
    if hold_out and cv:
        raise InputError("Give --cv, which leaves out everybody in turn, or --hold-out, not both.")
    if curve and cv != "signer":
        raise InputError("--curve goes with --cv signer: it leaves people out too.")
    if cv and config.feature == AUTO:
        raise InputError("Name the --feature with --cv: choosing one on those who are left out would flatter.")


def _settled(dataset: Path, config: TrainConfig, hold_out: Sequence[str]) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """The settings with feature and architecture named, and what was tried to choose them."""
    tried: list[dict[str, Any]] = []
    if config.feature == AUTO:
        config, tried = choose(dataset, config, hold_out=hold_out)
    if config.architecture == AUTO:
        config = replace(config, architecture=feature(config.feature).architecture)
    architecture(config.architecture)
    return config, tried


def _samples(whole: data.Samples, config: TrainConfig, hold_out: Sequence[str], cv: By | None) -> data.Samples:
    """Split as the model that is kept learns."""
    if cv:
        return data.all_trained(whole, config)
    return data.held_out(whole, hold_out, config) if hold_out else whole


def _crossed(
    crossed: Crossed, whole: data.Samples, chosen: Feature, config: TrainConfig, *, curve: bool
) -> dict[str, Any]:
    """Figures of those left out in turn, and the learning curve."""
    found = figures(crossed, seed=config.seed)
    each = {one["name"]: one["accuracy"] for one in found["each"]}
    return {"cv": found} | ({"curve": learning_curve.curve(whole, chosen, config, full=each)} if curve else {})


def _told(whole: data.Samples, samples: data.Samples, answers: Answers) -> dict[str, Any]:
    """What the user is told to look at: odd forms, confusable pairs, what to record next."""
    found = forms(samples)
    return {
        "forms": [asdict(form) | {"text": form.text, "looks_like": list(form.looks_like)} for form in found],
        "record_next": as_json(plan(whole, answers, found)),
        "confusable": confusable(answers, wrong(answers)),
    }


def _flattered(samples: data.Samples, chosen: Feature, config: TrainConfig) -> Answers:
    """What a model says that learned from a random split; nothing, where Ctrl-C ends the comparison."""
    shuffled = data.at_random(samples, config)
    try:
        fitted = fit(shuffled, chosen, config, title="Training on a random split, for comparison")
    except KeyboardInterrupt:
        return NO_ANSWERS
    return answer(fitted.model, shuffled, chosen, split="test")


def _calibration(
    fitted: Fitted,
    samples: data.Samples,
    chosen: Feature,
    answers: Answers,
    config: TrainConfig,
    recorded: dict[str, Array],
) -> tuple[Calibration, list[tuple[Answers, Silence, Calibration]]]:
    """Chosen on validation, tried on the test."""
    silences = [
        ask_silence(fitted.model, samples, chosen, split=name, seed=config.seed, recorded=recorded)
        for name in ("validation", "test")
    ]
    calibration = calibrated(answer(fitted.model, samples, chosen, split="validation"), silences[0])
    return calibration, [(answers, silences[1], calibration)]


def _about(dataset: Path, config: TrainConfig, samples: data.Samples, fitted: Fitted) -> dict[str, Any]:
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
        },
        "environment": environment(),
    }


def _brief(measured: dict[str, Any]) -> dict[str, Any]:
    return {name: measured[name] for name in ("accuracy", "accuracy_hand_found", "coverage", "macro_f1", "n")}
