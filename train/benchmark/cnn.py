"""Networks of the benchmark: trained by Keras in one process, or by Horovod on several ranks, with the same loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.core.progress import progress_bar
from aslkit.inference.load_model import save_network
from aslkit.train.benchmark.image_descriptors import Pixels, augment_images
from aslkit.train.benchmark.recipe import NetworkConfig
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.checkpoints import CheckpointStore
from aslkit.train.fitting.training_loop import RankData, Schedule, SingleProcess, TrainingState, run_training
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, Array, PreprocessConfig

SIDE: Final = 28
_AT_ONCE: Final = 1024


@dataclass(frozen=True, kw_only=True)
class NetworkRun:
    """Where and how a network is trained.

    Attributes:
        ranks: processes; with 1, neither Spark nor Horovod is used.
        store: folder or URL for shards and checkpoints.
        title: of the progress bar.
        resume: the command that goes on after a failure.
    """

    ranks: int
    store: CheckpointStore
    title: str
    resume: str


@dataclass(frozen=True, kw_only=True)
class NetworkModel:
    """A trained network.

    Attributes:
        model: keras.Model, with the weights of the best epoch.
        state: see `loop.State`.
        fit_s: seconds of all epochs, without Spark's start.
        start_s: seconds until the first step.
    """

    model: Any
    state: TrainingState
    fit_s: float
    start_s: float

    def predict(self, images: Pixels) -> npt.NDArray[np.int64]:
        """Say a letter for each of `images`, uint8 (n, 28, 28): its index, int64 (n,)."""
        parts = [scale_images(images[at : at + _AT_ONCE]) for at in range(0, len(images), _AT_ONCE)]
        said = [np.asarray(self.model(part, training=False)).argmax(axis=1) for part in parts]
        return np.concatenate(said) if said else np.zeros(0, np.int64)

    def save(self, folder: Path) -> None:
        """Write model.keras, model.json and the preprocessing contract that goes with it."""
        folder.mkdir(parents=True, exist_ok=True)
        self.model.save(folder / MODEL_FILE)
        save_network(folder, self.model)
        PreprocessConfig(kind="pixels", size=SIDE, stretch=True).save(folder / CONTRACT_FILE)


def fit_network(config: NetworkConfig, images: BenchmarkImages, *, seed: int, place: NetworkRun) -> NetworkModel:
    """Train a network on the train images, keeping the epoch of the lowest validation loss.

    Raises:
        AslkitError: a rank failed, the loss is no number, or TensorFlow is not installed.
    """
    # Over ranks sums come in any order: being exact would cost time and give nothing.
    make = partial(build_network, config.network, seed, exact=place.ranks == 1)
    vary = partial(_varied, config) if config.copies else identity_augment
    train_here = _alone if place.ranks == 1 else _on_ranks
    state, start_s = train_here(make, vary, full_batches(images), make_schedule(config, place.ranks), seed, place)
    model = make()
    model.set_weights(state.best)
    return NetworkModel(model=model, state=state, fit_s=sum(row["seconds"] for row in state.history), start_s=start_s)


def make_schedule(config: NetworkConfig, ranks: int) -> Schedule:
    """How to learn on so many ranks: where batch and rate are of one rank, both grow with their number.

    Linear scaling, with warm-up: Goyal et al., Accurate, Large Minibatch SGD, 2017.
    """
    plan = Schedule(**{field.name: getattr(config, field.name) for field in fields(Schedule)})
    if not config.per_rank:
        return plan
    return replace(plan, batch_size=plan.batch_size * ranks, learning_rate=plan.learning_rate * ranks)


def full_batches(images: BenchmarkImages) -> RankData:
    """All images to train on, and those of the validation."""
    train, check = images.part("train"), images.part("validation")
    return RankData(
        raw=images.pixels[train],
        label=images.label[train],
        checked=images.pixels[check],
        checked_label=images.label[check],
        total=len(train),
    )


def scale_images(images: Pixels) -> Array:
    """Model inputs: uint8 (n, 28, 28) to float32 (n, 28, 28, 1), 0–1."""
    return images[..., None].astype(np.float32) / np.float32(255)


def identity_augment(images: Pixels, rng: np.random.Generator) -> Array:
    """No variation: as `scale_images`."""
    return scale_images(images)


def _varied(config: NetworkConfig, images: Pixels, rng: np.random.Generator) -> Array:
    return scale_images(
        augment_images(
            images, rng, turn_deg=config.turn_deg, scale=config.scale, shift=config.shift, light=config.light
        )
    )


def build_network(network: str, seed: int, *, exact: bool = True) -> Any:
    """A network of 28×28 grey images, its weights drawn by `seed`; `exact` as `import_keras` takes it."""
    import_keras(exact=exact).utils.set_random_seed(seed)
    return get_architecture(network)((SIDE, SIDE, 1), len(LETTERS))


def _alone(
    build: Callable[[], Any],
    vary: Callable[..., Array],
    share: RankData,
    schedule: Schedule,
    seed: int,
    place: NetworkRun,
) -> tuple[TrainingState, float]:
    begun = time.perf_counter()
    model, state = build(), place.store.state()
    start_s = time.perf_counter() - begun
    with progress_bar(place.title, schedule.epochs) as advance:
        advance(len(state.history))

        def ended(now: TrainingState) -> None:
            place.store.save(now)
            advance()

        run_training(
            model,
            share,
            schedule,
            vary=vary,
            finish=scale_images,
            seed=seed,
            ranks=SingleProcess(),
            state=state,
            ended=ended,
        )
    return state, start_s


def _on_ranks(
    build: Callable[[], Any],
    vary: Callable[..., Array],
    share: RankData,
    schedule: Schedule,
    seed: int,
    place: NetworkRun,
) -> tuple[TrainingState, float]:
    from aslkit.train.benchmark import distributed

    place.store.write_shards(distributed.shard_per_rank(share, place.ranks))
    job = distributed.RankTask(
        build=build, vary=vary, finish=scale_images, schedule=schedule, seed=seed, store=place.store
    )
    done = distributed.train_on_ranks(job, ranks=place.ranks, title=place.title, resume=place.resume)
    return done.state, done.start_s
