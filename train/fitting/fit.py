"""Train one model on the training rows, with early stopping on the validation rows. Test rows are not used."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.letters import LETTERS
from aslkit.core.native_libraries import import_keras
from aslkit.core.progress import progress_bar
from aslkit.inference.starter import STARTER_NAME
from aslkit.synthetic.landmark_dataset import SIGNERS
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.input_checks import check_trainable
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.epoch_batches import RankData, Variant
from aslkit.train.engine.tensorboard import write_scalars
from aslkit.train.engine.training_loop import NonFiniteError, Schedule, run_training
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.engine.training_step import SingleProcess
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import build_ensemble, get_architecture
from aslkit.train.fitting.balanced_data import balanced_data, list_variants


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A trained network.

    Attributes:
        model: keras.Model with the weights of the epoch with the lowest validation loss; of the last epoch without
            validation rows.
        history: one row per epoch: epoch, loss, accuracy, precision, recall, seconds, and, with validation rows, the
            same with the prefix val_.
        stopped: why training ended early, other than for lack of progress; empty if it did not.
        fit_s: duration of all epochs, seconds.
        epoch_s: median duration of an epoch, seconds.
    """

    model: Any
    history: list[dict[str, float]]
    fit_s: float
    epoch_s: float
    stopped: str


@dataclass(frozen=True, kw_only=True)
class TrainingFolders:
    """Folders that trainings write to.

    Attributes:
        checkpoints: folder for checkpoints, from which an interrupted training is resumed. Each training has its own
            subfolder, named by a digest of its data and settings. None writes no checkpoints.
        logs: folder for TensorBoard logs; None writes no logs.
    """

    checkpoints: Path | None = None
    logs: Path | None = None


NO_FOLDERS: Final = TrainingFolders()


def fit(
    samples: Samples,
    feature: Feature,
    config: TrainConfig,
    *,
    title: str = "Training",
    keep_on_interrupt: bool = False,
    folders: TrainingFolders = NO_FOLDERS,
) -> FitResult:
    """Train `config.architecture` on the training rows in which a hand was found.

    Args:
        samples: the dataset. Only its training and validation rows are used.
        feature: input of the model.
        config: the settings.
        title: title of the progress bar.
        keep_on_interrupt: on Ctrl-C, return the best epoch so far. If False, or before the end of the first epoch,
            KeyboardInterrupt is raised.
        folders: folders for checkpoints and TensorBoard logs.

    Raises:
        AslkitError: too few frames to train on, no epoch with a finite loss, or TensorFlow is not installed.
    """
    keras = import_keras()
    keras.utils.set_random_seed(config.seed)
    check_trainable(samples)
    network, model = build_ensemble(
        config.architecture, feature.contract.shape, len(LETTERS), members=config.members,
        rest_class=uses_synthetic_signers(samples, feature, config),
        # Averaging with the unchanged starter keeps most of its accuracy on other people.
        extra=[_build_starter(feature)] if config.start == STARTER_NAME else (),
    )  # fmt: skip
    data = balanced_data(samples, feature, config)
    variants = list_variants(feature, config, data.total)
    training = _Training(network=network, data=data, variants=variants, feature=feature, config=config)
    state, store = TrainingState(), None
    if folders.checkpoints is not None:
        store = CheckpointStore(url=str(folders.checkpoints / _digest(samples, feature, config)))
        state = store.load()
    training.initialise(keras, resumed=bool(state.history))
    with progress_bar(title, config.epochs) as advance:
        advance(len(state.history))
        write_row = write_scalars(folders.logs) if folders.logs else None

        def after_epoch(current: TrainingState) -> None:
            advance()
            if write_row is not None:
                write_row(current.history[-1])
            if store is not None:
                store.save(current)

        stopped = training.run(state, after_epoch, keep_on_interrupt=keep_on_interrupt)
    seconds = [row["seconds"] for row in state.history]
    return FitResult(
        model=model,
        history=state.history,
        fit_s=float(np.sum(seconds)),
        epoch_s=float(np.median(seconds)),
        stopped=stopped,
    )


@dataclass(frozen=True, kw_only=True)
class _Training:
    """A training of one network on the data of one process.

    Attributes:
        network: keras.Model to train, with an output per ensemble member.
        data: training and validation rows.
        variants: what an epoch sees of each training row.
        feature: input of the network.
        config: the settings.
    """

    network: Any
    data: RankData
    variants: Sequence[Variant]
    feature: Feature
    config: TrainConfig

    def initialise(self, keras: Any, *, resumed: bool) -> None:
        """Set the initial weights of the network."""
        config = self.config
        members = [layer for layer in self.network.layers if hasattr(layer, "layers")]
        if config.start == STARTER_NAME:
            for member in members:
                transfer.copy_starter(member)
        else:
            self._adapt_normalization(keras)
        if config.start_model is not None and not resumed:
            source = transfer.load_start_model(config.start_model)
            self._train_other_layers([each for member in members for each in transfer.transfer_weights(source, member)])

    def run(
        self, state: TrainingState, after_epoch: Callable[[TrainingState], None], *, keep_on_interrupt: bool
    ) -> str:
        """Train from a state, and set the network's weights to those of the best epoch.

        Returns:
            Why training ended early, other than for lack of progress; "" if it did not.
        """
        stopped = ""
        try:
            self._run(self._schedule(), state, after_epoch)
        except KeyboardInterrupt:
            if not keep_on_interrupt or not state.history:
                raise
            done = len(state.history)
            stopped = f"Interrupted after {done} of {self.config.epochs} epochs; the best epoch is kept."
        except NonFiniteError as error:
            if not state.history:
                raise
            stopped = error.message
        self.network.set_weights(state.best)
        return stopped

    def _schedule(self) -> Schedule:
        config = self.config
        rate = config.learning_rate
        if config.start == STARTER_NAME:
            # With fewer copies an epoch has fewer steps, so each is longer.
            rate *= transfer.STARTER_RATE * (self.feature.copies + 1) / len(self.variants)
        shared = {each.name: getattr(config, each.name) for each in fields(Schedule) if hasattr(config, each.name)}
        return Schedule(**shared | {"learning_rate": rate}, warmup_epochs=0.0, cosine=True)

    def _run(self, schedule: Schedule, state: TrainingState, after_epoch: Callable[[TrainingState], None]) -> None:
        run_training(
            self.network, self.data, schedule, variants=self.variants,
            to_inputs=self.feature.to_inputs, seed=self.config.seed, ranks=SingleProcess(), state=state,
            after_epoch=after_epoch,
        )  # fmt: skip

    def _adapt_normalization(self, keras: Any) -> None:
        """Set mean and standard deviation of the Normalization layers to those of an epoch's inputs."""
        layers = [each for each in _iter_layers(keras, self.network) if isinstance(each, keras.layers.Normalization)]
        if layers:
            rng = np.random.default_rng([self.config.seed, 0])
            inputs = [vary(self.data.images, rng) for vary in self.variants]
            for layer in layers:
                layer.adapt(np.concatenate(inputs))

    def _train_other_layers(self, transferred: list[Any]) -> None:
        """Train only the randomly initialised layers for a few epochs."""
        for layer in transferred:
            layer.trainable = False
        schedule = replace(self._schedule(), epochs=transfer.FROZEN_EPOCHS, patience=0, cosine=False)
        self._run(schedule, TrainingState(), lambda state: None)
        for layer in transferred:
            layer.trainable = True


def _digest(samples: Samples, feature: Feature, config: TrainConfig) -> str:
    """Return a name that is equal for trainings with the same data and settings, and hence the same result."""
    # The number of synthetic signers determines their data, and whether the network has a rest class.
    synthetic_signers = SIGNERS if uses_synthetic_signers(samples, feature, config) else 0
    settings = json.dumps([asdict(config), asdict(feature.contract), feature.copies, synthetic_signers], default=str)
    digest = hashlib.sha256(settings.encode())
    for split in ("train", "validation"):
        part = (samples.split == split) & samples.hand_found
        for values in (samples.hands[part], samples.label[part], samples.signer[part].astype("U")):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _build_starter(feature: Feature) -> Any:
    network = get_architecture("mlp")(feature.contract.shape, len(LETTERS) + 1)
    transfer.copy_starter(network)
    network.trainable = False
    return network


def _iter_layers(keras: Any, model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of the models nested in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _iter_layers(keras, layer)
        else:
            yield layer
