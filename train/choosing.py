"""Which feature and architecture: by cross-validation over the people trained on, never by the test."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.errors import InputError
from aslkit.train import data
from aslkit.train.config import TrainConfig
from aslkit.train.crossval import cross_validate, figures
from aslkit.train.features import feature
from aslkit.train.inputs import check_trainable

AUTO: Final = "auto"

CANDIDATES: Final = (("landmarks", "mlp"), ("hand28", "cnn"), ("pixels28", "cnn"))
"""Pairs that are tried where the feature is "auto"."""


def choose(dataset: Path, config: TrainConfig, *, hold_out: Sequence[str]) -> tuple[TrainConfig, list[dict[str, Any]]]:
    """Cross-validate each of CANDIDATES on what is not tested on, and take the best.

    Args:
        dataset: a dataset's folder.
        config: the settings, whose feature is "auto".
        hold_out: signers who are tested on; they have no part in the choice.

    Returns:
        the settings with the best pair, and for each pair feature, architecture, mean and each one's accuracy, best
        first.

    Raises:
        InputError: no pair has the architecture that is asked for.
    """
    wanted = [pair for pair in CANDIDATES if config.architecture in (AUTO, pair[1])]
    if not wanted:
        known = ", ".join(dict.fromkeys(pair[1] for pair in CANDIDATES))
        raise InputError(f"There is no feature to choose for the architecture {config.architecture!r}. Known: {known}.")
    tried = []
    for name, architecture in wanted:
        chosen, settings = feature(name), replace(config, feature=name, architecture=architecture)
        samples = data.load(dataset, chosen.contract)
        if hold_out:
            samples = data.held_out(samples, hold_out, settings)
        learned = data.without_test(samples)
        check_trainable(replace(learned, split=np.full_like(learned.split, "train")))
        found = figures(cross_validate(learned, chosen, settings, "signer"), seed=config.seed)
        each = {one["name"]: one["accuracy"] for one in found["each"]}
        tried.append(
            {"feature": name, "architecture": architecture, "by": found["by"], "mean": found["mean"], "each": each}
        )
    tried.sort(key=lambda one: -one["mean"])
    return replace(config, feature=tried[0]["feature"], architecture=tried[0]["architecture"]), tried
