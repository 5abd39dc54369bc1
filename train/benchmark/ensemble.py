"""The ensemble of a network's trainings with different seeds: the mean of their probabilities."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.formats.benchmark_metrics import TrainingDetails
from aslkit.train.benchmark.cnn import predict_letters, save_model
from aslkit.train.benchmark.model_trial import TrialResult
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.vision.preprocess import MODEL_FILE

ENSEMBLE: Final = "ensemble"
"""Name of the engine in the metrics of an ensemble."""


def load_ensemble(folders: Sequence[Path], architecture: str, *, fit_s: float) -> TrialResult:
    """Load the networks of several seeds as one model. Nothing is trained.

    Args:
        folders: one folder per network, as written by `save_model`.
        architecture: name of their architecture.
        fit_s: duration of their trainings together, seconds.

    Raises:
        AslkitError: a network is missing.
    """
    started = time.perf_counter()
    if missing := [str(folder) for folder in folders if not (folder / MODEL_FILE).is_file()]:
        raise AslkitError(f"The ensemble needs the network {missing[0]}, which is missing. Start a new benchmark.")
    keras = import_keras(exact=False)
    networks = [keras.saving.load_model(folder / MODEL_FILE, safe_mode=True) for folder in folders]
    model = average_networks(networks, architecture)
    return TrialResult(
        predict=lambda images: predict_letters(model, images),
        save=lambda folder: save_model(model, folder),
        details=TrainingDetails(
            fit_s=round(fit_s, 3), engine=ENSEMBLE, ranks=1, start_s=round(time.perf_counter() - started, 3)
        ),
    )


def average_networks(networks: Sequence[Any], architecture: str) -> Any:
    """Return a keras.Model that averages the probabilities of several networks of one architecture."""
    shape, classes = networks[0].input_shape[1:], networks[0].output_shape[-1]
    _, mean = build_ensemble(architecture, shape, classes, members=len(networks))
    mean.set_weights([weights for network in networks for weights in network.get_weights()])
    return mean
