"""One model of the benchmark, of any kind: trained on the train images, and measured on a split."""

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
from aslkit.core.progress import progress_bar
from aslkit.train.benchmark import cnn
from aslkit.train.benchmark.image_descriptors import DESCRIPTORS, Pixels, augment_images
from aslkit.train.benchmark.recipe import ModelConfig, NetworkConfig
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.evaluation.predictions import Predictions, confusion_matrix, measure_predictions
from aslkit.train.fitting.checkpoints import CheckpointStore

MLLIB: Final = "spark-mllib"


@dataclass(frozen=True, kw_only=True)
class BenchmarkSettings:
    """Where models are trained.

    Attributes:
        folder: of the run, or of the sweep.
        ranks: of networks; with 1 neither Spark nor Horovod is used for them.
        master: of Spark.
        resume: the command that goes on after a failure.
        spark: the session, where one of the models needs it; see `open_spark_if_needed`.
        checkpoints: folder or URL that all ranks can read and write, for shards and checkpoints; "" for `folder`.
    """

    folder: Path
    ranks: int
    master: str
    resume: str
    spark: Any = None
    checkpoints: str = ""

    def store(self, name: str) -> CheckpointStore:
        """Where the training of that name keeps how far it is."""
        if self.checkpoints:
            return CheckpointStore(url=f"{self.checkpoints.rstrip('/')}/{self.folder.name}/{name}")
        return CheckpointStore(url=str(self.folder / "checkpoints" / name))


@dataclass(frozen=True, kw_only=True)
class TrialResult:
    """A trained model.

    Attributes:
        predict: uint8 images (n, 28, 28) to the letters' indices, int64 (n,).
        save: writes the model into a folder.
        about: how it was trained: fit_s, engine, ranks, epochs, epoch_s, history, and for networks best_epoch and
            start_s, the seconds before the first step.
    """

    predict: Callable[[Pixels], npt.NDArray[np.int64]]
    save: Callable[[Path], None]
    about: dict[str, Any]


@contextmanager
def train_model(
    name: str, config: ModelConfig, images: BenchmarkImages, *, seed: int, setting: BenchmarkSettings, title: str
) -> Iterator[TrialResult]:
    """Train a model on the train images; a network stops by the validation images. What it needs lasts for the block.

    An interrupted network goes on from its last epoch, if it is asked for again in the same folder, by the same name.

    Raises:
        AslkitError: Spark, Horovod or TensorFlow is missing or fails.
    """
    scratch = setting.folder / "checkpoints" / name
    if isinstance(config, NetworkConfig):
        store = setting.store(name)
        place = cnn.NetworkRun(ranks=setting.ranks, store=store, title=title, resume=setting.resume)
        network = cnn.fit_network(config, images, seed=seed, place=place)
        yield TrialResult(predict=network.predict, save=network.save, about=_of_network(network, setting.ranks))
        store.remove()
    else:
        with progress_bar(title, 1) as advance:
            trial = _mllib(config, images, seed, setting.spark, scratch)
            advance()
        yield trial
    remove(scratch)


def evaluate_split(
    predict: Callable[[Pixels], npt.NDArray[np.int64]], images: BenchmarkImages, split: str
) -> dict[str, Any]:
    """Figures of a model on a split.

    Returns:
        accuracy, macro_f1, n, worst_letter, predict_ms (for one image, of all at once), and confusion: for each letter
        signed, how often each was said.
    """
    rows = images.part(split)
    begun = time.perf_counter()
    predictions = Predictions(truth=images.label[rows], predicted=predict(images.pixels[rows]))
    seconds = time.perf_counter() - begun
    metrics = measure_predictions(predictions)
    letter, worst = min(metrics.per_letter.items(), key=lambda item: item[1].accuracy or 0)
    return {
        "accuracy": metrics.accuracy,
        "macro_f1": metrics.macro_f1,
        "n": metrics.n,
        "worst_letter": {"letter": letter, "accuracy": worst.accuracy},
        "predict_ms": round(1000 * seconds / max(len(rows), 1), 4),
        "confusion": confusion_matrix(predictions)[:, : len(LETTERS)].tolist(),
    }


@contextmanager
def open_spark_if_needed(configs: Iterable[ModelConfig], *, ranks: int, master: str) -> Iterator[Any]:
    """A Spark session, where one of the models needs it; else None."""
    networks_among = {isinstance(config, NetworkConfig) for config in configs}
    if networks_among <= {True} and (ranks == 1 or not networks_among):
        yield None
        return
    from aslkit.train.benchmark.mllib import training_session

    with training_session(master, ranks=ranks if True in networks_among else 0) as spark:
        yield spark


def _of_network(network: cnn.NetworkModel, ranks: int) -> dict[str, Any]:
    rows = network.state.history
    return {
        "fit_s": round(network.fit_s, 3),
        "engine": "keras" if ranks == 1 else "horovod-on-spark",
        "ranks": ranks,
        "epochs": len(rows),
        "best_epoch": network.state.best_epoch,
        "epoch_s": round(float(np.median([row["seconds"] for row in rows])), 3),
        "start_s": round(network.start_s, 3),
        "history": rows,
    }


def _mllib(config: ModelConfig, images: BenchmarkImages, seed: int, spark: Any, scratch: Path) -> TrialResult:
    from aslkit.train.benchmark import mllib

    train = images.part("train")
    pixels, rng = images.pixels[train], np.random.default_rng(seed)
    vary = partial(augment_images, turn_deg=config.turn_deg, scale=config.scale, shift=config.shift, light=config.light)
    describe = DESCRIPTORS[config.feature]
    inputs = np.concatenate([describe(part) for part in (pixels, *(vary(pixels, rng) for _ in range(config.copies)))])
    label = np.tile(images.label[train], config.copies + 1)
    model = mllib.fit_mllib(config, inputs, label, spark=spark, scratch=scratch, seed=seed)
    about = {
        "fit_s": round(model.fit_s, 3),
        "engine": MLLIB,
        "ranks": 1,
        "epochs": None,
        "epoch_s": None,
        "history": [],
    }
    return TrialResult(predict=lambda asked: model.predict(describe(asked)), save=model.save, about=about)
