"""Initial weights of a network: the benchmark's best pixel network, another model, or random."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.formats.benchmark_metrics import BenchmarkMetrics
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.formats.run_metrics import read_metrics, read_training_signers
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data.features import Feature
from aslkit.vision.preprocess import MODEL_FILE


@dataclass(frozen=True, kw_only=True)
class BenchmarkBest:
    """The best pixel network of a benchmark.

    Attributes:
        architecture: name of the architecture.
        model: folder of the model.
    """

    architecture: str
    model: Path


def latest_benchmark_best(runs: Path) -> BenchmarkBest | None:
    """Return the best pixel network of the newest benchmark.

    Args:
        runs: runs folder of a workspace.

    Returns:
        None if there is no benchmark, or its best pixel model is not a network but a Spark MLlib model.
    """
    files = sorted(runs.glob(f"*-benchmark-*/{METRICS_FILE}"), key=lambda file: -file.stat().st_mtime)
    for file in files:
        try:
            metrics = read_metrics(file.parent)
        except AslkitError:
            continue  # damaged
        best = metrics.best if isinstance(metrics, BenchmarkMetrics) else None
        if best and best.network and (file.parent / best.model / MODEL_FILE).is_file():
            return BenchmarkBest(architecture=best.network, model=file.parent / best.model)
    return None


def resolve_start(
    config: TrainConfig, feature: Feature, runs: Path, on_message: OnMessage, *, signers: Iterable[str]
) -> TrainConfig:
    """Replace "auto" in `architecture` and `start` by the selected architecture and initial weights.

    For a pixel feature, these are the architecture and the weights of the benchmark's best network, if there is a
    benchmark. For landmarks and embeddings, they are those of the starter model, if it fits: not for another
    architecture than the default, without synthetic signers, or if the dataset has signers that the starter was trained
    on, because the accuracy on unseen signers would be optimistic.

    Args:
        config: the settings. `start` can be a path, or the name of a run in `runs`.
        feature: input of the network.
        runs: runs folder of a workspace.
        signers: names of the dataset's signers.
        on_message: called with the reason if a pixel network gets random initial weights.

    Raises:
        InputError: the architecture or the starter model does not fit the feature.
    """
    pixels = feature.contract.kind == "pixels"
    best = latest_benchmark_best(runs) if pixels and config.start == AUTO else None
    if config.architecture == AUTO:
        config = replace(config, architecture=best.architecture if best else feature.architecture)
    if feature.parts and config.architecture != feature.architecture:
        raise InputError(f"The feature {config.feature} has networks of its own. Leave out --architecture.")
    in_starter = read_training_signers(STARTER_RUN)
    fits_starter = (
        not pixels
        and config.architecture == feature.architecture
        and config.synthetic
        and not any(name.startswith(SYNTHETIC_PREFIX) or name in in_starter for name in signers)
    )
    if config.start == STARTER_NAME and not fits_starter:
        raise InputError(
            "Training can start from the starter model only with the feature landmarks, embedding or both, its default "
            "architecture and --synthetic, on a dataset without synthetic signers and without signers that the starter "
            "was trained on. Train with --from-scratch."
        )
    if config.start != AUTO:
        named = runs / config.start
        return replace(config, start=str(named)) if config.start and named.exists() else config
    if best is not None and best.architecture == config.architecture:
        return replace(config, start=str(best.model))
    if best is not None:
        on_message(
            f"Training {config.architecture} from scratch: the benchmark's best network has another architecture, "
            f"{best.architecture}."
        )
    elif pixels:
        on_message(
            "Training from scratch: there is no benchmark with a pre-trained network. To train one: "
            "aslkit train --dataset sign-mnist"
        )
    return replace(config, start=STARTER_NAME if fits_starter else "")


def without_paths(config: TrainConfig, runs: Path) -> TrainConfig:
    """Return the settings to store in a run folder: `start` relative to `runs`, without the path of this machine."""
    model = config.start_model
    if model is None or not model.is_relative_to(runs):
        return config
    return replace(config, start=model.relative_to(runs).as_posix())
