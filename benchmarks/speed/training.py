"""Time of `aslkit train`, and of one training relative to its matrix products in NumPy, its lower bound.

Usage: ./run bench training DATASET [--quick] [--rounds N]    DATASET: folder of a curated dataset

Prints wall time, CPU time and voluntary context switches of the whole command; then, measured alternately in this
process, the time of training the landmark network from the starter model, and that of the same matrix products.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aslkit.core.config import load_settings
from aslkit.inference.starter import STARTER_NAME
from aslkit.train.config import TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.engine.devices import limit_threads
from aslkit.train.fitting.balanced_data import balanced_rows, list_variants
from aslkit.train.fitting.fit import FitResult, fit

FEATURE = get_feature("landmarks")
UNITS = (FEATURE.contract.shape[0], 256, 128, 25)
"""Inputs and outputs of the layers of `mlp`, with rest poses."""


class Cost(NamedTuple):
    """Seconds, and voluntary context switches."""

    wall_s: float
    cpu_s: float
    switches: int


def measure(work: Callable[[], object], who: int) -> Cost:
    """Return the cost of a call. `who`: resource.RUSAGE_SELF or RUSAGE_CHILDREN."""
    before, start = resource.getrusage(who), time.perf_counter()
    work()
    wall_s, after = time.perf_counter() - start, resource.getrusage(who)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall_s, cpu_s, after.ru_nvcsw - before.ru_nvcsw)


def run_command(dataset: Path, *options: str) -> Cost:
    """Run `aslkit train` in a new workspace."""
    with tempfile.TemporaryDirectory() as workspace:
        command = [sys.executable, "-m", "aslkit", "train", "--dataset", str(dataset), "--workspace", workspace]
        return measure(
            lambda: subprocess.run([*command, *options], check=True, capture_output=True), resource.RUSAGE_CHILDREN
        )


def matrix_products(rows: int, batch: int) -> None:
    """Compute the matrix products of training on `rows` rows: outputs, gradients of weights and of hidden units."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(batch, UNITS[0])).astype(np.float32)
    weights = [rng.normal(size=shape).astype(np.float32) for shape in pairwise(UNITS)]
    for _ in range(rows // batch):
        layers = [inputs]
        for weight in weights:
            layers.append(layers[-1] @ weight)
        gradient = layers[-1]
        for number in (2, 1, 0):
            _ = layers[number].T @ gradient
            if number:
                gradient = gradient @ weights[number].T


def main() -> None:
    """Time the command, then training and products alternately, so that other load affects both equally."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--quick", action="store_true", help="run the command with --quick")
    parser.add_argument("--features", nargs="*", default=["landmarks", "both"], help="run the command with each")
    parser.add_argument("--ranks", type=int, default=1, help="run the command on this number of ranks")
    parser.add_argument("--rounds", type=int, default=3, help="trainings to compare with NumPy; 0: none")
    options = parser.parse_args()
    for feature in options.features:
        flags = ["--feature", feature, *(["--quick"] if options.quick else []), "--ranks", str(options.ranks)]
        whole = run_command(options.dataset, *flags)
        command = f"aslkit train {' '.join(flags)}"
        print(
            f"{command}: {whole.wall_s:.0f} s, {whole.cpu_s:.0f} s CPU, {whole.switches:,} voluntary context switches"
        )
    if not options.rounds:
        return
    limit_threads(1)  # as `aslkit train` does
    config = load_settings("train", TrainConfig, flags={"architecture": "mlp", "start": STARTER_NAME})
    samples = data.load_samples(options.dataset, FEATURE.contract)
    hands = balanced_rows(samples, FEATURE, config).train.count
    rows_per_epoch = hands * len(list_variants(FEATURE, config, hands))
    trainings, floors = list[Cost](), list[Cost]()
    results = list[FitResult]()
    for number in range(options.rounds + 1):
        training = measure(lambda: results.append(fit(samples, FEATURE, config)), resource.RUSAGE_SELF)
        rows = len(results[-1].history) * rows_per_epoch
        floor = measure(lambda rows=rows: matrix_products(rows, config.batch_size), resource.RUSAGE_SELF)  # type: ignore[misc]
        if number:  # the first round imports and compiles
            trainings.append(training)
            floors.append(floor)
    for unit in ("wall_s", "cpu_s"):
        training_s, floor_s = ([getattr(each, unit) for each in costs] for costs in (trainings, floors))
        ratio = statistics.median(ours / least for ours, least in zip(training_s, floor_s, strict=True))
        print(
            f"{unit}: one training {statistics.median(training_s):.1f}, products {statistics.median(floor_s):.1f}, "
            f"ratio {ratio:.2f} ({rows:,} rows)"
        )


if __name__ == "__main__":
    main()
