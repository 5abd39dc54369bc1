"""Train one model of the benchmark, of any kind, and evaluate it on a split."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.files import remove
from aslkit.core.letters import LETTERS
from aslkit.formats.benchmark_metrics import LetterAccuracy, MeasuredSplit, TrainingDetails
from aslkit.train.benchmark import cnn
from aslkit.train.benchmark.image_descriptors import DESCRIPTORS, Pixels, normalise_contrast
from aslkit.train.benchmark.recipe import MllibConfig, ModelConfig, NetworkConfig
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.benchmark.spark_progress import spark_progress_bar
from aslkit.train.data.augmentation import augment_images
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.evaluation.predictions import Predictions, confusion_matrix, measure_predictions
from aslkit.vision.preprocess import Array

MLLIB: Final = "spark-mllib"


@dataclass(frozen=True, kw_only=True)
class BenchmarkSettings:
    """Where and with which resources models are trained.

    Attributes:
        folder: folder of the benchmark or sweep.
        ranks: number of processes per network; with 1, networks need neither Spark nor Horovod.
        master: Spark master URL.
        resume: command that resumes after a failure.
        spark: Spark session, if a model needs one; see `open_spark_if_needed`.
        checkpoints: folder or URL for shards and checkpoints that all ranks can read and write; "" for a subfolder of
            `folder`.
    """

    folder: Path
    ranks: int
    master: str
    resume: str
    spark: Any = None
    checkpoints: str = ""

    def store(self, name: str) -> CheckpointStore:
        """Return the checkpoint store of a training."""
        if self.checkpoints:
            return CheckpointStore(url=f"{self.checkpoints.rstrip('/')}/{self.folder.name}/{name}")
        return CheckpointStore(url=str(self.folder / "checkpoints" / name))


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """A trained model.

    Attributes:
        predict: function images, uint8 (n, 28, 28) -> index of the letter, int64 (n,).
        save: function that writes the model into a folder.
        details: how it was trained.
    """

    predict: Callable[[Pixels], npt.NDArray[np.int64]]
    save: Callable[[Path], None]
    details: TrainingDetails


@contextmanager
def train_model(
    name: str, config: ModelConfig, images: BenchmarkImages, *, seed: int, settings: BenchmarkSettings, title: str
) -> Iterator[TrialResult]:
    """Train a model on the train images; networks use the validation images for early stopping.

    Checkpoints and temporary files are deleted at the end of the block. An interrupted network is resumed from its last
    epoch if it is trained again with the same folder and name.

    Args:
        name: name of the training.
        config: settings of the model.
        images: the dataset.
        seed: random seed.
        settings: where the model is trained.
        title: title of the progress bar.

    Raises:
        AslkitError: Spark, Horovod or TensorFlow is missing or fails.
    """
    scratch = settings.folder / "checkpoints" / name
    if isinstance(config, NetworkConfig):
        store = settings.store(name)
        run = cnn.NetworkRun(ranks=settings.ranks, store=store, title=title, resume=settings.resume)
        network = cnn.fit_network(config, images, seed=seed, run=run)
        details = _network_details(network, settings.ranks)
        yield TrialResult(predict=network.predict, save=network.save, details=details)
        # Not in a finally block: after a failure, the checkpoint is needed to resume.
        store.remove()
    else:
        assert isinstance(config, MllibConfig)
        yield _train_mllib(config, images, seed, settings.spark, scratch, title)
    remove(scratch)


def evaluate_split(
    predict: Callable[[Pixels], npt.NDArray[np.int64]], images: BenchmarkImages, split: str
) -> MeasuredSplit:
    """Compute the metrics of a model on a split.

    Args:
        predict: function images, uint8 (n, 28, 28) -> index of the letter, int64 (n,).
        images: the dataset.
        split: "train", "validation" or "test"; must have images.
    """
    rows = images.part(split)
    started = time.perf_counter()
    predictions = Predictions(truth=images.label[rows], predicted=predict(images.pixels[rows]))
    seconds = time.perf_counter() - started
    metrics = measure_predictions(predictions)
    letter, worst = min(metrics.per_letter.items(), key=lambda item: item[1].accuracy or 0)
    return MeasuredSplit(
        accuracy=metrics.accuracy or 0.0,
        macro_f1=metrics.macro_f1 or 0.0,
        n=len(rows),
        worst_letter=LetterAccuracy(letter=letter, accuracy=worst.accuracy or 0.0),
        predict_ms=round(1000 * seconds / len(rows), 4),
        confusion=confusion_matrix(predictions)[:, : len(LETTERS)].tolist(),
    )


@contextmanager
def open_spark_if_needed(configs: Iterable[ModelConfig], *, ranks: int, master: str) -> Iterator[Any]:
    """Yield a Spark session if one of the models needs it; otherwise None."""
    is_network = {isinstance(config, NetworkConfig) for config in configs}
    if is_network <= {True} and (ranks == 1 or not is_network):
        yield None
        return
    from aslkit.train.engine.training_session import training_session

    with training_session(master, ranks=ranks if True in is_network else 0) as spark:
        yield spark


def _network_details(network: cnn.NetworkModel, ranks: int) -> TrainingDetails:
    history = network.state.history
    return TrainingDetails(
        fit_s=round(network.fit_s, 3),
        engine="keras" if ranks == 1 else "horovod-on-spark",
        ranks=ranks,
        epochs=len(history),
        best_epoch=network.state.best_epoch,
        epoch_s=round(float(np.median([row["seconds"] for row in history])), 3),
        start_s=round(network.start_s, 3),
        history=history,
    )


def _train_mllib(
    config: MllibConfig, images: BenchmarkImages, seed: int, spark: Any, scratch: Path, title: str
) -> TrialResult:
    from aslkit.train.benchmark import mllib

    with spark_progress_bar(title, spark, mllib.step_weights(config)):
        inputs, label = _mllib_inputs(config, images, seed)
        model = mllib.fit_mllib(config, inputs, label, spark=spark, scratch=scratch, seed=seed)
    details = TrainingDetails(fit_s=round(model.fit_s, 3), engine=MLLIB, ranks=1)
    return TrialResult(
        predict=lambda images: model.predict(_describe(config, images)), save=model.save, details=details
    )


def _describe(config: MllibConfig, images: Pixels) -> Array:
    return DESCRIPTORS[config.feature](normalise_contrast(images) if config.normalised else images)


def _mllib_inputs(config: MllibConfig, images: BenchmarkImages, seed: int) -> tuple[Array, npt.NDArray[np.int64]]:
    """Return the inputs, float32 (n, d), and labels, int64 (n,), of the training images and their augmented copies."""
    train = images.part("train")
    pixels, rng = images.pixels[train], np.random.default_rng(seed)
    augment = partial(
        augment_images, turn_deg=config.turn_deg, scale=config.scale, shift=config.shift, light=config.light
    )
    inputs = [_describe(config, part) for part in (pixels, *(augment(pixels, rng) for _ in range(config.copies)))]
    return np.concatenate(inputs), np.tile(images.label[train], config.copies + 1)
