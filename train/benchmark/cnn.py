"""Convolutional networks of the benchmark, trained in one process, or by Horovod on several ranks."""

from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.inference.load_model import save_network
from aslkit.train.benchmark.image_descriptors import Pixels
from aslkit.train.benchmark.recipe import NetworkConfig
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.data.augmentation import augment_images
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.train_network import NetworkTraining
from aslkit.train.engine.training_loop import Schedule
from aslkit.train.engine.training_rows import TrainingRows, stream_arrays
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.fitting.architectures import get_architecture
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, Array, PreprocessConfig

SIDE: Final = 28
_BATCH_SIZE: Final = 1024


@dataclass(frozen=True, kw_only=True)
class NetworkRun:
    """Where a network is trained.

    Attributes:
        ranks: number of processes; with 1, neither Spark nor Horovod is used.
        store: folder or URL for rows and checkpoints.
        title: title of the progress bar.
        resume: command that resumes the training after a failure.
    """

    ranks: int
    store: CheckpointStore
    title: str
    resume: str


@dataclass(frozen=True, kw_only=True)
class NetworkModel:
    """A trained network.

    Attributes:
        model: keras.Model with the weights of the best epoch.
        state: final state of the training.
        fit_s: duration of all epochs, seconds, without the start of Spark.
        start_s: seconds until the first step.
    """

    model: Any
    state: TrainingState
    fit_s: float
    start_s: float

    def predict(self, images: Pixels) -> npt.NDArray[np.int64]:
        """Predict the index of the letter, int64 (n,), for each of `images`, uint8 (n, 28, 28)."""
        return predict_letters(self.model, images)

    def save(self, folder: Path) -> None:
        """See `save_model`."""
        save_model(self.model, folder)


def predict_letters(model: Any, images: Pixels) -> npt.NDArray[np.int64]:
    """Predict the index of the letter, int64 (n,), for each of `images`, uint8 (n, 28, 28), with a keras.Model."""
    batches = [scale_images(images[at : at + _BATCH_SIZE]) for at in range(0, len(images), _BATCH_SIZE)]
    predicted = [np.asarray(model(batch, training=False)).argmax(axis=1) for batch in batches]
    return np.concatenate(predicted) if predicted else np.zeros(0, np.int64)


def save_model(model: Any, folder: Path) -> None:
    """Write model.keras, model.json and preprocess.json."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / MODEL_FILE)
    save_network(folder, model)
    PreprocessConfig(kind="pixels", size=SIDE, stretch=True).save(folder / CONTRACT_FILE)


def fit_network(config: NetworkConfig, images: BenchmarkImages, *, seed: int, run: NetworkRun) -> NetworkModel:
    """Train a network on the train images, with the weights of the epoch of the lowest validation loss.

    Args:
        config: the settings.
        images: the dataset.
        seed: random seed of weights, order and augmentation.
        run: where the network is trained.

    Raises:
        AslkitError: a rank failed, the loss is not finite, or TensorFlow is not installed.
    """
    # Sums over several ranks are added in varying order, so deterministic operations would only cost time.
    model, state = build_network(config.network, seed, exact=run.ranks == 1), run.store.load()
    training = NetworkTraining(
        network=model, rows=training_rows(images), schedule=make_schedule(config, run.ranks),
        variants=[partial(_augment, config) if config.copies else identity_augment], to_inputs=scale_images, seed=seed,
        title=run.title, store=run.store, ranks=run.ranks, resume=run.resume,
    )  # fmt: skip
    start_s = training.run(state)
    model.set_weights(state.best)
    return NetworkModel(model=model, state=state, fit_s=sum(row["seconds"] for row in state.history), start_s=start_s)


def make_schedule(config: NetworkConfig, ranks: int) -> Schedule:
    """Return the schedule for a number of ranks.

    With `per_rank`, batch size and learning rate grow with the number of ranks. Source of the linear scaling with
    warm-up: Goyal et al., Accurate, Large Minibatch SGD, 2017.
    """
    schedule = Schedule(**{field.name: getattr(config, field.name) for field in fields(Schedule)})
    if not config.per_rank:
        return schedule
    # Linear scaling: with k times as many images per step, there are k times fewer steps, so each is k times as long.
    return replace(schedule, batch_size=schedule.batch_size * ranks, learning_rate=schedule.learning_rate * ranks)


def training_rows(images: BenchmarkImages) -> TrainingRows:
    """Return the train and validation images."""
    train, validation = (
        stream_arrays(images.pixels[rows], images.label[rows]) for rows in map(images.part, ("train", "validation"))
    )
    return TrainingRows(train=train, validation=validation)


def scale_images(images: Pixels) -> Array:
    """Scale images, uint8 (n, 28, 28), to model inputs, float32 (n, 28, 28, 1), 0–1."""
    return images[..., None].astype(np.float32) / np.float32(255)


def identity_augment(images: Pixels, rng: np.random.Generator) -> Array:
    """Return the images without augmentation, scaled as by `scale_images`."""
    return scale_images(images)


def _augment(config: NetworkConfig, images: Pixels, rng: np.random.Generator) -> Array:
    return scale_images(
        augment_images(
            images, rng, turn_deg=config.turn_deg, scale=config.scale, shift=config.shift, light=config.light
        )
    )


def build_network(network: str, seed: int, *, exact: bool = True) -> Any:
    """Build a network for 28×28 grayscale images with random weights.

    Args:
        network: name of the architecture.
        seed: random seed of the weights.
        exact: see `import_keras`.
    """
    import_keras(exact=exact).utils.set_random_seed(seed)
    return get_architecture(network)((SIDE, SIDE, 1), len(LETTERS))
