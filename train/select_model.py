"""Model selection: feature, architecture and initial weights, by cross-validation on the training signers."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.core.progress import OnMessage
from aslkit.core.workspace import Workspace
from aslkit.datasets import parquet_store
from aslkit.formats.run_metrics import Candidate
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.input_checks import check_trainable
from aslkit.train.engine.train_network import TrainingResources
from aslkit.train.evaluation.cross_validation import cross_validate, summarise_folds
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.initial_weights import resolve_start, without_paths

CANDIDATES: Final = ("landmarks", "embedding", "both", "hand28")
"""Features that are compared if the feature is "auto"."""

_ALSO_FROM_SCRATCH: Final = "hand28"
"""Feature whose network is also trained from scratch, if there are pre-trained weights."""


def select_model(
    dataset: Path,
    config: TrainConfig,
    *,
    hold_out: Sequence[str],
    runs: Path,
    on_message: OnMessage,
    resources: TrainingResources,
) -> tuple[TrainConfig, list[Candidate], data.Samples]:
    """Cross-validate all candidates on the training signers, without the test set, and select the best.

    Args:
        dataset: folder of the dataset.
        config: the settings, with feature "auto".
        hold_out: signers of the test set; empty for the dataset's own test split.
        runs: runs folder of a workspace, in which pre-trained benchmark models are searched.
        on_message: called with the reason if a pixel network gets random initial weights.
        resources: checkpoints of the trainings.

    Returns:
        The settings of the best candidate, the metrics of all candidates, best first, and the whole dataset with the
        hands of the best candidate.

    Raises:
        InputError: unknown architecture.
    """
    get_architecture(config.architecture if config.architecture != AUTO else "mlp")
    signers = parquet_store.read_dataset(dataset, ["signer"]).column("signer").unique().to_pylist()
    configs = _list_candidates(config, runs, on_message, signers)
    loaded = _load_samples(dataset, configs, Workspace(root=runs.parent).embeddings)
    candidates = [_measure_candidate(loaded[each.feature], each, hold_out, runs, resources) for each in configs]
    order = sorted(range(len(candidates)), key=lambda index: -candidates[index].mean)
    best = configs[order[0]]
    return best, [candidates[index] for index in order], loaded[best.feature]


def _load_samples(dataset: Path, configs: Sequence[TrainConfig], cache: Path) -> dict[str, data.Samples]:
    """Return the dataset with the hands of each feature. Features with an embedding share them."""
    loaded: dict[str, data.Samples] = {}
    embedded: data.Samples | None = None
    for name in dict.fromkeys(each.feature for each in configs):
        feature = get_feature(name)
        if feature.contract.has_embedding and embedded is not None:
            loaded[name] = embedded
            continue
        loaded[name] = data.load_samples(dataset, feature.contract, views=feature.views, cache=cache)
        embedded = loaded[name] if feature.contract.has_embedding else embedded
    return loaded


def _list_candidates(
    config: TrainConfig, runs: Path, on_message: OnMessage, signers: Iterable[str]
) -> list[TrainConfig]:
    configs: list[TrainConfig] = []
    messages: list[str] = []
    for name in CANDIDATES:
        is_crop = get_feature(name).contract.kind == "pixels"
        if config.architecture != AUTO and config.architecture.startswith("cnn") != is_crop:
            continue
        candidate = resolve_start(
            replace(config, feature=name), get_feature(name), runs, messages.append, signers=signers
        )
        configs.append(candidate)
        if name == _ALSO_FROM_SCRATCH and candidate.start:
            configs.append(replace(candidate, start=""))
    for text in dict.fromkeys(messages):
        on_message(text)
    return configs


def _measure_candidate(
    samples: data.Samples, config: TrainConfig, hold_out: Sequence[str], runs: Path, resources: TrainingResources
) -> Candidate:
    feature = get_feature(config.feature)
    if hold_out:
        samples = data.hold_out_signers(samples, hold_out, config)
    without_test = data.drop_test(samples)
    check_trainable(replace(without_test, split=np.full_like(without_test.split, "train")))
    result = cross_validate(without_test, feature, config, "signer", resources=resources)
    metrics = summarise_folds(result, seed=config.seed)
    return Candidate(
        feature=config.feature,
        architecture=config.architecture,
        start=without_paths(config, runs).start,
        by=result.by,
        mean=metrics.mean or 0.0,
        accuracies={fold.name: fold.accuracy or 0.0 for fold in metrics.folds},
    )
