"""Train one model on the training rows, with early stopping on the validation rows. Test rows are not used."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

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
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import build_ensemble, get_architecture
from aslkit.train.fitting.checkpoints import CheckpointStore
from aslkit.train.fitting.early_stopping import early_stopping_callback, explain_stop, has_converged
from aslkit.train.fitting.epoch_batches import balanced_epoch, member_targets
from aslkit.train.fitting.training_loop import TrainingState, restore_state
from aslkit.vision.preprocess import Array


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A trained network.

    Attributes:
        model: keras.Model with the weights of the epoch with the lowest validation loss; of the last epoch without
            validation rows.
        history: one row per epoch: epoch, loss, accuracy, seconds, and, with validation rows, val_loss, val_accuracy.
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


@dataclass(kw_only=True)
class _Training:
    """A training in progress.

    Attributes:
        network: keras.Model to train, with an output per ensemble member.
        batches: result of `balanced_epoch`.
        validation: inputs and targets; None without validation rows.
        config: the settings.
        state: history, weights and optimizer state.
        store: checkpoints; None writes none.
    """

    network: Any
    batches: Any
    validation: tuple[Array, Array] | None
    config: TrainConfig
    state: TrainingState = field(default_factory=TrainingState)
    store: CheckpointStore | None = None

    def save_checkpoint(self, state: TrainingState) -> None:
        if self.store is not None:
            self.store.save(state)


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
        AslkitError: too few frames to train on, or TensorFlow is not installed.
    """
    keras = import_keras()
    keras.utils.set_random_seed(config.seed)
    train = np.flatnonzero((samples.split == "train") & samples.hand_found)
    validation = np.flatnonzero((samples.split == "validation") & samples.hand_found)
    check_trainable(samples)
    rest_class = uses_synthetic_signers(samples, feature, config)
    network, model = build_ensemble(
        config.architecture, feature.contract.shape, len(LETTERS), members=config.members, rest_class=rest_class,
        # Averaging with the unchanged starter keeps most of its accuracy on other people.
        extra=[_build_starter(feature)] if config.start == STARTER_NAME else (),
    )  # fmt: skip
    batches = balanced_epoch(keras, samples, train, feature, config)
    training = _Training(
        network=network,
        batches=batches,
        validation=(
            feature.to_inputs(samples.hands[validation]),
            member_targets(samples.label[validation], config.members, rest_class=rest_class),
        )
        if len(validation)
        else None,
        config=config,
    )
    if folders.checkpoints is not None:
        name = _digest(samples, [train, validation], feature, config)
        training.store = CheckpointStore(url=str(folders.checkpoints / name))
        training.state = training.store.load()
    _initialise(keras, training)
    stopped = _run(keras, training, title=title, keep_on_interrupt=keep_on_interrupt, logs=folders.logs)
    seconds = [row["seconds"] for row in training.state.history]
    return FitResult(
        model=model,
        history=training.state.history,
        fit_s=float(np.sum(seconds)),
        epoch_s=float(np.median(seconds)),
        stopped=stopped,
    )


def _digest(samples: Samples, rows: list[npt.NDArray[np.int64]], feature: Feature, config: TrainConfig) -> str:
    """Return a name that is equal for trainings with the same data and settings, and hence the same result."""
    # The number of synthetic signers determines their data, and whether the network has a rest class.
    synthetic_signers = SIGNERS if uses_synthetic_signers(samples, feature, config) else 0
    settings = json.dumps([asdict(config), asdict(feature.contract), feature.copies, synthetic_signers], default=str)
    digest = hashlib.sha256(settings.encode())
    for part in rows:
        for values in (samples.hands[part], samples.label[part], samples.signer[part].astype("U")):
            digest.update(np.ascontiguousarray(values).tobytes())
    return digest.hexdigest()[:16]


def _build_starter(feature: Feature) -> Any:
    network = get_architecture("mlp")(feature.contract.shape, len(LETTERS) + 1)
    transfer.copy_starter(network)
    network.trainable = False
    return network


def _initialise(keras: Any, training: _Training) -> None:
    """Set the initial weights of the network, or restore it from a checkpoint."""
    network, config, state = training.network, training.config, training.state
    if config.start == STARTER_NAME:
        for member in network.layers:
            if hasattr(member, "layers"):
                transfer.copy_starter(member)
    else:
        for layer in _iter_layers(keras, network):
            if isinstance(layer, keras.layers.Normalization):
                layer.adapt(training.batches.inputs)
    if config.start_model is not None and not state.variables:
        _transfer(training, config.start_model)
    _compile(keras, training)
    if state.variables:
        # The optimizer has no variables to restore before it is built.
        network.optimizer.build(network.trainable_variables)
        restore_state(network, network.optimizer, state)
        training.batches.start_epoch(len(state.history))


def _compile(keras: Any, training: _Training) -> None:
    config = training.config
    rate = config.learning_rate * (transfer.STARTER_RATE if config.start == STARTER_NAME else 1)
    training.network.compile(
        optimizer=keras.optimizers.Adam(
            # Over all epochs, even if early stopping ends sooner, because that is not known in advance.
            keras.optimizers.schedules.CosineDecay(rate, config.epochs * len(training.batches))
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=[_letter_accuracy(keras)],
        jit_compile=False,  # on a CPU, XLA compilation takes longer than it saves
    )


def _letter_accuracy(keras: Any) -> Any:
    """Return a metric: the accuracy on frames with a letter. Rest poses are ignored."""

    class Accuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
        """See `_letter_accuracy`."""

        def update_state(self, targets: Any, outputs: Any, sample_weight: Any = None) -> None:
            del sample_weight  # the signer weights of the loss; the accuracy is a plain share of frames
            letters = targets[..., : len(LETTERS)]
            shows_letter = keras.ops.cast(keras.ops.max(letters, axis=-1), "float32")
            super().update_state(letters, outputs[..., : len(LETTERS)], shows_letter)

    return Accuracy(name="accuracy")


def _transfer(training: _Training, model: Path) -> None:
    """Copy weights of another model, and train only the remaining layers for a few epochs."""
    source = transfer.load_start_model(model)
    members = [layer for layer in training.network.layers if hasattr(layer, "layers")]
    transferred = [layer for member in members for layer in transfer.transfer_weights(source, member)]
    for layer in transferred:
        layer.trainable = False
    # Keras reads `trainable` when compiling, so compile again whenever it changes.
    _compile(import_keras(), training)
    training.network.fit(
        training.batches,
        epochs=transfer.FROZEN_EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=[_start_epoch_callback(training.batches)],
    )
    training.batches.start_epoch(0)
    for layer in transferred:
        layer.trainable = True


def _start_epoch_callback(batches: Any) -> Any:
    return import_keras().callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.start_epoch(epoch))


def _iter_layers(keras: Any, model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of the models nested in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _iter_layers(keras, layer)
        else:
            yield layer


def _run(keras: Any, training: _Training, *, title: str, keep_on_interrupt: bool, logs: Path | None) -> str:
    """Train from the current state and restore the best weights.

    Returns:
        Why training ended early, other than for lack of progress; "" if it did not.
    """
    config, state = training.config, training.state
    with progress_bar(title, config.epochs) as advance:
        advance(len(state.history))
        early_stopping = early_stopping_callback(
            keras,
            patience=config.patience,
            has_validation=training.validation is not None,
            state=state,
            advance=advance,
            after_epoch=training.save_checkpoint,
        )
        try:
            if len(state.history) < config.epochs and not has_converged(state, patience=config.patience):
                training.network.fit(
                    training.batches,
                    validation_data=training.validation,
                    validation_batch_size=4096,
                    initial_epoch=len(state.history),
                    epochs=config.epochs,
                    shuffle=False,  # the batches of each epoch are already shuffled
                    verbose=0,
                    callbacks=[
                        _start_epoch_callback(training.batches),
                        early_stopping,
                        *([keras.callbacks.TensorBoard(logs)] if logs else []),
                    ],
                )
        except KeyboardInterrupt:
            if not keep_on_interrupt or not state.history:
                raise
            early_stopping.stopped = (
                f"Interrupted after {len(state.history)} of {config.epochs} epochs; the best epoch is kept."
            )
        else:
            if early_stopping.stopped:
                finite_inputs = bool(np.isfinite(training.batches.inputs).all())
                early_stopping.stopped = explain_stop(
                    early_stopping, state, finite_inputs=finite_inputs, learning_rate=config.learning_rate
                )
    # If a finished training is resumed, fit does not run, and the callback has no model yet.
    early_stopping.set_model(training.network)
    early_stopping.restore_best_weights()
    return str(early_stopping.stopped)
