"""Accuracy on people that a model was not trained on, for each person.

    ./run bench unseen_people TEST --train DATASET [DATASET …] [--seed N …] [--set NAME=VALUE …] [--json]
    ./run bench unseen_people TEST --model RUN [--part landmarks|embedding]

TEST and DATASET are folders of curated datasets. With `--train`, a model is trained on all signers of these datasets
with the settings of `aslkit train`, once for each `--seed`, and the accuracies of a person are averaged. With
`--model`, a trained run is measured; `starter` is the model that aslkit ships. `--part` measures one network of a model
for landmarks and embeddings. A frame in which no hand was found counts as wrong.
"""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX, LETTERS
from aslkit.inference.convert_keras import convert_network
from aslkit.inference.load_model import load_network
from aslkit.inference.network import Network
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.evaluation.cross_validation import confidence_interval
from aslkit.train.evaluation.predictions import Predictions, measure_predictions, predict
from aslkit.train.fitting.fit import fit
from aslkit.train.reporting.read_runs import read_complete_run

WORST_SHARE = 0.1
"""Share of the people whose mean accuracy is reported as that of the worst tenth; at least one person."""

FISTS = "AEMNST"
"""Letters that differ in small details of a fist."""


def train_model(datasets: list[Path], flags: dict[str, Any]) -> tuple[Any, str]:
    """Train on all signers of the datasets; return the model and its feature."""
    config = load_settings("train", TrainConfig, flags={"start": "", **flags})
    feature = get_feature(config.feature)
    config = load_settings("train", TrainConfig, flags={"start": "", "architecture": feature.architecture, **flags})
    parts = [data.load_samples(folder, feature.contract, views=feature.views) for folder in datasets]
    whole = data.concat_samples(parts)
    return fit(data.train_on_all(whole, config), feature, config).model, config.feature


def load_run(run: Path) -> tuple[Any, str]:
    """Load a trained run, or the starter model; return its network and its feature."""
    folder = STARTER_RUN if str(run) == STARTER_NAME else run
    metrics = read_complete_run(folder).metrics
    return load_network(folder)[0], str(metrics.feature)


def take_part(model: Any, name: str) -> tuple[Network, str]:
    """Return the network for landmarks or embeddings of a model for both, and the feature of this name."""
    network = model if isinstance(model, Network) else convert_network(model)
    part = get_feature("both").parts[("landmarks", "embedding").index(name)]
    return network.part(part.start, part.stop), name


def measure_person(predictions: Predictions) -> dict[str, Any]:
    """Return accuracy, hand found, accuracy where a hand was found, and the letter of the lowest recall."""
    metrics = measure_predictions(predictions)
    worst, of_worst = min(metrics.per_letter.items(), key=lambda item: item[1].accuracy or 0)
    return {
        "accuracy": metrics.accuracy,
        "hand_found": metrics.coverage,
        "accuracy_hand_found": metrics.accuracy_hand_found,
        "worst_letter": worst,
        "worst_letter_accuracy": of_worst.accuracy,
        "n": metrics.n,
    }


def summarise(accuracies: np.ndarray[Any, Any], counts: list[list[tuple[int, int]]]) -> dict[str, Any]:
    """Return mean, its confidence interval over people, median, and the mean of the worst tenth."""
    worst = np.sort(accuracies)[: max(1, round(WORST_SHARE * len(accuracies)))]
    return {
        "mean": float(accuracies.mean()),
        "interval": confidence_interval(counts, rng=np.random.default_rng(0)),
        "median": float(np.median(accuracies)),
        "worst_tenth": float(worst.mean()),
        "people": len(accuracies),
    }


def measure(models: list[tuple[Any, str]], test: Path) -> dict[str, Any]:
    """Measure each person with each model, and average."""
    rows: dict[str, list[dict[str, Any]]] = {}
    counts: dict[str, list[tuple[int, int]]] = {}
    letters: dict[str, list[float]] = {letter: [] for letter in LETTERS}
    fists: list[float] = []
    for model, name in models:
        feature = get_feature(name)
        samples = data.load_samples(test, feature.contract)
        samples = replace(samples, split=np.full(len(samples), "test"))
        predictions = predict(model, samples, feature, split="test")
        for person in sorted(set(predictions.signer.tolist())):
            own = predictions.select(predictions.signer == person)
            rows.setdefault(person, []).append(measure_person(own))
            counts[person] = [(int((own.truth == own.predicted).sum()), len(own))]
            for letter, each in measure_predictions(own).per_letter.items():
                letters[letter].append(each.accuracy or 0.0)
            is_fist = np.isin(own.truth, [INDEX[letter] for letter in FISTS])
            if is_fist.any():
                fists.append(float((own.truth == own.predicted)[is_fist].mean()))
    accuracies = np.array([np.mean([row["accuracy"] for row in each]) for each in rows.values()])
    people = {person: each[-1] | {"accuracy": float(accuracy)} for (person, each), accuracy in
              zip(rows.items(), accuracies, strict=True)}  # fmt: skip
    by_letter = {letter: float(np.mean(values)) for letter, values in letters.items() if values}
    summary = summarise(accuracies, list(counts.values())) | {"fists": float(np.mean(fists))}
    return summary | {"by_person": people, "by_letter": by_letter}


def print_table(result: dict[str, Any]) -> None:
    """Print a row per person, worst first, the letters, and the summary."""
    print(f"{'person':12} {'accuracy':>8} {'hand found':>10} {'where found':>11} {'worst letter':>13} {'frames':>7}")
    for person, row in sorted(result["by_person"].items(), key=lambda item: item[1]["accuracy"]):
        worst = f"{row['worst_letter']} {row['worst_letter_accuracy']:.0%}"
        print(f"{person:12} {row['accuracy']:>8.1%} {row['hand_found']:>10.1%} {row['accuracy_hand_found']:>11.1%} "
              f"{worst:>13} {row['n']:>7,}")  # fmt: skip
    letters = sorted(result["by_letter"].items(), key=lambda item: item[1])
    print("letters, worst first: " + ", ".join(f"{letter} {share:.0%}" for letter, share in letters))
    low, high = result["interval"] or (float("nan"), float("nan"))
    print(f"mean over {result['people']} people {result['mean']:.1%} (95% confidence interval {low:.1%} to {high:.1%})")
    print(f"median {result['median']:.1%}, worst tenth {result['worst_tenth']:.1%}")
    print(f"letters {' '.join(FISTS)}: {result['fists']:.1%}")


def main(arguments: list[str]) -> None:
    """Train or load, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("test", type=Path)
    parser.add_argument("--train", type=Path, nargs="+", metavar="DATASET", default=[])
    parser.add_argument("--model", type=Path, metavar="RUN")
    parser.add_argument("--seed", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--set", nargs="*", metavar="NAME=VALUE", default=[], help="settings of [train], as JSON values"
    )
    parser.add_argument("--part", choices=("landmarks", "embedding"))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if bool(asked.train) == bool(asked.model):
        parser.error("give either --train or --model")
    flags = {name: json.loads(value) for name, _, value in (each.partition("=") for each in asked.set)}
    if asked.model:
        models = [load_run(asked.model)]
    else:
        models = [train_model(asked.train, {**flags, "seed": seed}) for seed in asked.seed]
    if asked.part:
        models = [take_part(model, asked.part) for model, _ in models]
    result = measure(models, asked.test)
    print(json.dumps(result, indent=2)) if asked.json else print_table(result)


if __name__ == "__main__":
    main(sys.argv[1:])
