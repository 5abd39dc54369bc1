"""Accuracy after a few frames of one's own hand: the starter model, adapted, and trained from scratch.

    ./run bench own_hand DATASET [--frames 5] [--only NAME …] [--methods starter adapted scratch]

DATASET is a curated dataset of people that the starter model was not trained on. For each of them, the first frames of
each letter train a model, which is measured on their later frames, and on the frames of all others.
"""

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aslkit.core.config import load_settings
from aslkit.inference.starter import STARTER_NAME, load_starter
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.evaluation.predictions import measure_predictions, predict
from aslkit.train.fitting.fit import fit

METHODS = ("starter", "adapted", "scratch")
FEATURE = get_feature("both")


def split_first(samples: data.Samples, person: str, frames: int) -> data.Samples:
    """Train on the person's first frames of each letter, and test on the later ones."""
    own = data.subset(samples, (samples.signer == person) & samples.hand_found)
    first = np.zeros(len(own), bool)
    for label in np.unique(own.label):
        first[np.flatnonzero(own.label == label)[:frames]] = True
    return replace(own, split=np.where(first, "train", "test"))


def train_model(method: str, own: data.Samples) -> Any:
    """Return the model of a method."""
    if method == "starter":
        return load_starter()[0]
    start = STARTER_NAME if method == "adapted" else ""
    return fit(own, FEATURE, load_settings("train", TrainConfig, flags={"start": start, "architecture": "mlp"})).model


def accuracy(model: Any, samples: data.Samples) -> float:
    """Return the accuracy on the test frames."""
    return measure_predictions(predict(model, samples, FEATURE, split="test")).accuracy or 0.0


def mean_accuracy(model: Any, samples: data.Samples, person: str) -> float:
    """Return the mean accuracy over all people except one."""
    others = sorted(set(samples.signer.tolist()) - {person})
    tested = replace(samples, split=np.full(len(samples), "test"))
    return float(np.mean([accuracy(model, data.subset(tested, tested.signer == other)) for other in others]))


def main(arguments: list[str]) -> None:
    """Print a row per person and method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--frames", type=int, default=5)
    parser.add_argument("--only", nargs="*", metavar="NAME")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    asked = parser.parse_args(arguments)
    samples = data.load_samples(asked.dataset, FEATURE.contract, views=FEATURE.views)
    people = asked.only or sorted(set(samples.signer.tolist()))
    results: dict[str, list[tuple[float, float, float]]] = {method: [] for method in asked.methods}
    print(f"{'person':12} " + "  ".join(f"{method + ': later, others, seconds':>34}" for method in asked.methods))
    for person in people:
        own = split_first(samples, person, asked.frames)
        cells = []
        for method in asked.methods:
            started = time.perf_counter()
            model = train_model(method, own)
            seconds = time.perf_counter() - started
            results[method].append((accuracy(model, own), mean_accuracy(model, samples, person), seconds))
            later, others, _ = results[method][-1]
            cells.append(f"{later:>18.1%} {others:>6.1%} {seconds:>5.0f} s")
        print(f"{person:12} " + "  ".join(f"{cell:>34}" for cell in cells), flush=True)
    for method, rows in results.items():
        later, others, seconds = np.mean(rows, axis=0)
        print(f"{method}: later frames {later:.1%}, others {others:.1%}, {seconds:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
