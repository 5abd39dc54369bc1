"""What a network begins with: the benchmark's best on pixels, another model, or chance."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

from aslkit.core.progress import OnMessage
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data.features import Feature
from aslkit.vision.preprocess import MODEL_FILE


@dataclass(frozen=True, kw_only=True)
class BenchmarkBest:
    """The best network on pixels of a benchmark.

    Attributes:
        architecture: of the network.
        model: the folder it lies in.
    """

    architecture: str
    model: Path


def latest_benchmark_best(runs: Path) -> BenchmarkBest | None:
    """The network that the newest benchmark's leaderboard names as the best on pixels.

    Args:
        runs: a workspace's.

    Returns:
        None where no benchmark was run, or a forest or perceptron of Spark is its best.
    """
    files = sorted(runs.glob(f"*-benchmark-*/{METRICS_FILE}"), key=lambda file: -file.stat().st_mtime)
    for file in files:
        try:
            best = json.loads(file.read_text(encoding="utf-8"))["best"]
            model = file.parent / best["model"]
            if best["network"] and (model / MODEL_FILE).is_file():
                return BenchmarkBest(architecture=best["network"], model=model)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # of an earlier version, or damaged: it says nothing of a best network
    return None


def resolve_start(config: TrainConfig, feature: Feature, runs: Path, on_message: OnMessage) -> TrainConfig:
    """Name the architecture and what it begins with, where they are left to choose.

    A feature of pixels begins with the benchmark's best network, if there is one, and takes its architecture. One of
    landmarks begins by chance: no landmarks of Sign Language MNIST are known.

    Args:
        config: the settings; a start may be a path, or name a run in `runs`.
        feature: what the network sees.
        runs: a workspace's.
        on_message: told why a network begins by chance that could begin with another.
    """
    pixels = feature.contract.kind == "pixels"
    best = latest_benchmark_best(runs) if pixels and config.start == AUTO else None
    if config.architecture == AUTO:
        config = replace(config, architecture=best.architecture if best else feature.architecture)
    if config.start != AUTO:
        named = runs / config.start
        return replace(config, start=str(named)) if config.start and named.exists() else config
    if best is not None and best.architecture == config.architecture:
        return replace(config, start=str(best.model))
    if best is not None:
        on_message(f"The benchmark's best is {best.architecture}: {config.architecture} begins by chance.")
    elif pixels:
        on_message(
            "There is no benchmark to begin with, so the network begins by chance: aslkit train --dataset sign-mnist"
        )
    return replace(config, start="")


def without_paths(config: TrainConfig, runs: Path) -> TrainConfig:
    """The settings as a run's folder keeps them: a start among `runs` by its name there, without the machine's path."""
    model = config.start_model
    if model is None or not model.is_relative_to(runs):
        return config
    return replace(config, start=model.relative_to(runs).as_posix())
