"""One training from beginning to end: a dataset in, a run folder out."""

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np
import tomli_w

from aslkit import __version__
from aslkit.files import replacing, write_text
from aslkit.letters import LETTERS
from aslkit.preprocess import CONTRACT_FILE, MODEL_FILE
from aslkit.train import data, report
from aslkit.train.architectures import architecture
from aslkit.train.config import TrainConfig
from aslkit.train.evaluate import Answers, answer, measure, mistakes
from aslkit.train.features import Feature, feature
from aslkit.train.fit import Fitted, fit
from aslkit.workspace import SYNTHETIC_PREFIX

SHOWN_MISTAKES: Final = 12


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A finished run: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


def train(dataset: Path, *, runs: Path, config: TrainConfig, hold_out: Sequence[str] = ()) -> Trained:
    """Train on a dataset's train split and measure on its test split; then the same with a random split beside it.

    Args:
        dataset: a dataset's folder.
        runs: where the new run's folder goes.
        config: the settings; an architecture "auto" becomes the feature's own.
        hold_out: signers to test on, in place of the dataset's own test.

    Raises:
        InputError: no such dataset, feature, architecture or signer.
        AslkitError: too little to train on, or TensorFlow is not installed.
    """
    chosen = feature(config.feature)
    if config.architecture == "auto":
        config = replace(config, architecture=chosen.architecture)
    architecture(config.architecture)
    samples = data.load(dataset, chosen.contract)
    if hold_out:
        samples = data.held_out(samples, hold_out, config)
    fitted = fit(samples, chosen, config, title="Training")
    answers = answer(fitted.model, samples, chosen, split="test")
    shuffled = data.at_random(samples, config)
    flattered = fit(shuffled, chosen, config, title="Training on a random split, for comparison")
    metrics = _metrics(dataset, config, samples, fitted, answers)
    metrics["random_split"] = _brief(measure(answer(flattered.model, shuffled, chosen, split="test")))
    metrics["validation"] = _brief(measure(answer(fitted.model, samples, chosen, split="validation")))
    folder = _new_folder(runs, f"{dataset.name}-{config.feature}-{config.architecture}")
    with replacing(folder) as partial:
        _write(partial, fitted, chosen, config, metrics, answers)
    return Trained(folder=folder, metrics=metrics)


def _metrics(
    dataset: Path, config: TrainConfig, samples: data.Samples, fitted: Fitted, answers: Answers
) -> dict[str, Any]:
    test = samples.split == "test"
    people = sorted(set(samples.signer[test].tolist()))
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
        "unseen": {"by": samples.by, "held_out": people, **measure(answers)},
        "mistakes": mistakes(answers, most=SHOWN_MISTAKES),
    }


def _brief(measured: dict[str, Any]) -> dict[str, Any]:
    return {name: measured[name] for name in ("accuracy", "accuracy_hand_found", "coverage", "macro_f1", "n")}


def _new_folder(runs: Path, name: str) -> Path:
    return next(folder for number in count(1) if not (folder := runs / f"{name}-{number}").exists())


def _write(
    folder: Path, fitted: Fitted, chosen: Feature, config: TrainConfig, metrics: dict[str, Any], answers: Answers
) -> None:
    (folder / "model").mkdir(parents=True)
    fitted.model.save(folder / "model" / MODEL_FILE)
    chosen.contract.save(folder / "model" / CONTRACT_FILE)
    write_text(folder / "config.toml", tomli_w.dumps({"train": asdict(config)}))
    write_text(folder / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(fitted.history[0]))
        writer.writeheader()
        writer.writerows(fitted.history)
    report.write(folder, metrics=metrics, history=fitted.history, answers=answers)
