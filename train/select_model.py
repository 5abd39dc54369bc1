"""Which feature, architecture and start: by cross-validation over the people trained on, never by the test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from aslkit.core.progress import OnMessage
from aslkit.formats.run_metrics import Candidate
from aslkit.train.config import AUTO, TrainConfig
from aslkit.train.data import samples as data
from aslkit.train.data.features import get_feature
from aslkit.train.data.input_checks import check_trainable
from aslkit.train.evaluation.cross_validation import cross_validate, summarise_folds
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.fit import TrainingFolders
from aslkit.train.fitting.initial_weights import resolve_start, without_paths

CANDIDATES: Final = ("landmarks", "hand28", "hand64")
"""Features that are tried where it is "auto"; of hand28, the network from scratch too, beside one that begins with the
benchmark's best."""

_FROM_SCRATCH_TOO: Final = "hand28"


def select_model(
    dataset: Path,
    config: TrainConfig,
    *,
    hold_out: Sequence[str],
    runs: Path,
    on_message: OnMessage,
    watch: TrainingFolders,
) -> tuple[TrainConfig, list[Candidate]]:
    """Cross-validate each of CANDIDATES on what is not tested on, and take the best.

    Args:
        dataset: a dataset's folder.
        config: the settings, whose feature is "auto".
        hold_out: signers who are tested on; they have no part in the choice.
        runs: a workspace's, with a benchmark to begin with if there is one.
        on_message: told why a network begins by chance that could begin with another.
        watch: where the trainings can be gone on with.

    Returns:
        the settings of the best, and for each that was tried feature, architecture, start ("" from scratch), what was
        left out by, mean and each one's accuracy, best first.

    Raises:
        InputError: no such architecture.
    """
    get_architecture(config.architecture if config.architecture != AUTO else "mlp")
    wanted = list(_candidates(config, runs, on_message))
    measured = [_measure_candidate(dataset, settings, hold_out, runs, watch) for settings in wanted]
    order = sorted(range(len(measured)), key=lambda index: -measured[index].mean)
    return wanted[order[0]], [measured[index] for index in order]


def _candidates(config: TrainConfig, runs: Path, on_message: OnMessage) -> list[TrainConfig]:
    found: list[TrainConfig] = []
    told: list[str] = []
    for name in CANDIDATES:
        if config.architecture != AUTO and (config.architecture == "mlp") != (get_feature(name).architecture == "mlp"):
            continue  # a perceptron is tried on landmarks, any other on pixels
        settings = resolve_start(replace(config, feature=name), get_feature(name), runs, told.append)
        found.append(settings)
        if name == _FROM_SCRATCH_TOO and settings.start:
            found.append(replace(settings, start=""))
    for text in dict.fromkeys(told):
        on_message(text)
    return found


def _measure_candidate(
    dataset: Path, config: TrainConfig, hold_out: Sequence[str], runs: Path, watch: TrainingFolders
) -> Candidate:
    feature = get_feature(config.feature)
    samples = data.load_samples(dataset, feature.contract)
    if hold_out:
        samples = data.hold_out_signers(samples, hold_out, config)
    known = data.drop_test(samples)
    check_trainable(replace(known, split=np.full_like(known.split, "train")))
    result = cross_validate(known, feature, config, "signer", watch=watch)
    metrics = summarise_folds(result, seed=config.seed)
    return Candidate(
        feature=config.feature,
        architecture=config.architecture,
        start=without_paths(config, runs).start,
        by=result.by,
        mean=metrics.mean or 0.0,
        accuracies={fold.name: fold.accuracy or 0.0 for fold in metrics.folds},
    )
