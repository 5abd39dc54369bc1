"""One training from beginning to end: a dataset in, a run folder out."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

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
from aslkit.train.crossval import cross_validate, figures
from aslkit.train.environment import command, environment
from aslkit.train.evaluate import NO_ANSWERS, Answers, answer, measure, mistakes
from aslkit.train.features import Feature, feature
from aslkit.train.fit import Fitted, fit
from aslkit.train.folder import Finished, new_folder, write
from aslkit.train.forms import forms
from aslkit.train.inputs import check_trainable, notes
from aslkit.train.plan import as_json, plan
from aslkit.train.recorded import without_letter
from aslkit.train.rejection import Silence, ask_silence, calibrated, rejection
from aslkit.workspace import SYNTHETIC_PREFIX

SHOWN_MISTAKES: Final = 12

_MEASURED: Final = ("validation", "test")


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
    if hold_out and cv:
        raise InputError("Give --cv, which leaves out everybody in turn, or --hold-out, not both.")
    if curve and cv != "signer":
        raise InputError("--curve goes with --cv signer: it leaves people out too.")
    tried: list[dict[str, Any]] = []
    if config.feature == AUTO:
        if cv:
            raise InputError("Name the --feature with --cv: choosing one on those who are left out would flatter.")
        config, tried = choose(dataset, config, hold_out=hold_out)
    chosen = feature(config.feature)
    if config.architecture == AUTO:
        config = replace(config, architecture=chosen.architecture)
    architecture(config.architecture)
    whole = samples = data.load(dataset, chosen.contract)
    if cv:
        samples = data.all_trained(whole, config)
    elif hold_out:
        samples = data.held_out(whole, hold_out, config)
    check_trainable(samples)
    recorded = without_letter(captures, chosen.contract) if captures else {}
    for text in notes(samples) if not cv else ():
        note(text)
    crossed = cross_validate(whole, chosen, config, cv, recorded=recorded) if cv else None
    fitted = fit(samples, chosen, config, title="Training", keep=True)
    answers = crossed.answers if crossed else answer(fitted.model, samples, chosen, split="test")
    metrics = _metrics(dataset, config, samples, fitted, answers, by=crossed.by if crossed else samples.by)
    if crossed:
        metrics["cv"] = figures(crossed, seed=config.seed)
        calibration, tests = crossed.calibration(), crossed.tests()
        if curve:
            each = {one["name"]: one["accuracy"] for one in metrics["cv"]["each"]}
            metrics["curve"] = learning_curve.curve(whole, chosen, config, full=each)
    else:
        calibration, tests = _calibration(fitted, samples, chosen, answers, config, recorded)
    metrics["rejection"] = rejection(tests) | asdict(calibration)
    chosen = replace(chosen, contract=replace(chosen.contract, **asdict(calibration)))
    metrics["random_split"] = _brief(measure(_flattered(whole, chosen, config) if not fitted.stopped else NO_ANSWERS))
    metrics["stopped"] = fitted.stopped
    metrics["tried"] = tried
    found = forms(samples)
    metrics["forms"] = [asdict(form) | {"text": form.text, "looks_like": list(form.looks_like)} for form in found]
    metrics["record_next"] = as_json(plan(whole, answers, found))
    metrics["confusable"] = confusable(answers, wrong(answers))
    metrics["environment"] = environment()
    metrics["command"] = command(dataset.name, hold_out=hold_out, cv=cv, curve=curve)
    metrics["validation"] = _brief(measure(answer(fitted.model, samples, chosen, split="validation")))
    folder = new_folder(runs, f"{dataset.name}-{config.feature}-{config.architecture}")
    with replacing(folder) as partial:
        write(
            partial,
            Finished(fitted=fitted, contract=chosen.contract, config=config, metrics=metrics, answers=answers),
            dataset=dataset,
        )
    return Trained(folder=folder, metrics=metrics)


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
        for name in _MEASURED
    ]
    calibration = calibrated(answer(fitted.model, samples, chosen, split="validation"), silences[0])
    return calibration, [(answers, silences[1], calibration)]


def _metrics(
    dataset: Path, config: TrainConfig, samples: data.Samples, fitted: Fitted, answers: Answers, *, by: str
) -> dict[str, Any]:
    people = sorted(set(answers.signer.tolist()))
    return {
        "aslkit": __version__,
        "dataset": dataset.name,
        "feature": config.feature,
        "architecture": config.architecture,
        "seed": config.seed,
        "fit_s": round(fitted.fit_s, 3),
        "epoch_s": round(fitted.epoch_s, 3),
        "epochs": len(fitted.history),
        "trained_on": {
            "signers": sorted(set(samples.signer[samples.split == "train"].tolist())),
            "letters": [LETTERS[index] for index in np.unique(samples.label[samples.split == "train"])],
            "n": int((samples.split == "train").sum()),
        },
        "synthetic": all(name.startswith(SYNTHETIC_PREFIX) for name in people) and bool(people),
        "unseen": {"by": by, "held_out": people, **measure(answers)},
        "mistakes": mistakes(answers, most=SHOWN_MISTAKES),
    }


def _brief(measured: dict[str, Any]) -> dict[str, Any]:
    return {name: measured[name] for name in ("accuracy", "accuracy_hand_found", "coverage", "macro_f1", "n")}
