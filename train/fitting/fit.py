"""Fitting one model to the train rows, stopping by the validation rows. The test rows are not looked at here."""

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
from aslkit.synthetic.landmark_dataset import SIGNERS
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import Feature
from aslkit.train.data.input_checks import check_trainable
from aslkit.train.data.samples import Samples
from aslkit.train.data.synthetic_signers import uses_synthetic_signers
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import build_ensemble
from aslkit.train.fitting.checkpoints import CheckpointStore
from aslkit.train.fitting.early_stopping import early_stopping_callback, explain_stop, has_converged
from aslkit.train.fitting.epoch_batches import balanced_epoch, member_targets
from aslkit.train.fitting.training_loop import TrainingState, restore_state
from aslkit.vision.preprocess import Array


@dataclass(frozen=True, kw_only=True)
class FitResult:
    """A trained network.

    Attributes:
        model: keras.Model, of the epoch with the least validation loss; of the last, where there is no validation.
        history: one row an epoch: epoch, loss, accuracy, seconds, and val_loss, val_accuracy where there is a
            validation split.
        stopped: why it ended before its time, other than for lack of progress, in words; "" where it did not.
        fit_s, epoch_s: seconds in all, and the median of an epoch.
    """

    model: Any
    history: list[dict[str, float]]
    fit_s: float
    epoch_s: float
    stopped: str


@dataclass(frozen=True, kw_only=True)
class TrainingFolders:
    """Where a training can be followed and gone on with.

    Attributes:
        kept: folder in which each training keeps how far it is, under a name made of all that it depends on; a later
            one that would be the same takes it up. None keeps nothing.
        logs: folder for TensorBoard; None writes none.
    """

    kept: Path | None = None
    logs: Path | None = None


NO_FOLDERS: Final = TrainingFolders()


@dataclass(kw_only=True)
class _Training:
    """What is being trained: a network to train, the same weights to use, and how far it is."""

    learning: Any
    model: Any
    batches: Any
    validation: tuple[Array, Array] | None
    config: TrainConfig
    state: TrainingState = field(default_factory=TrainingState)
    store: CheckpointStore | None = None

    def keep(self, state: TrainingState) -> None:
        if self.store is not None:
            self.store.save(state)


def fit(
    samples: Samples,
    feature: Feature,
    config: TrainConfig,
    *,
    title: str = "Training",
    keep: bool = False,
    watch: TrainingFolders = NO_FOLDERS,
) -> FitResult:
    """Train `config.architecture` on the train rows in which a hand was found.

    Args:
        samples: train and validation rows are looked at.
        feature: what the model sees of them.
        config: the settings.
        title: of the progress bar.
        keep: on Ctrl-C, return the best so far, if an epoch is done; else KeyboardInterrupt goes on.
        watch: where it can be followed and gone on with.

    Raises:
        AslkitError: too little to learn from, or TensorFlow is not installed.
    """
    keras = import_keras()
    keras.utils.set_random_seed(config.seed)
    train = np.flatnonzero((samples.split == "train") & samples.found)
    check = np.flatnonzero((samples.split == "validation") & samples.found)
    check_trainable(samples)
    members, rests = config.members, uses_synthetic_signers(samples, feature, config)
    learning, model = build_ensemble(
        config.architecture, feature.contract.shape, len(LETTERS), members=members, rests=rests
    )
    batches = balanced_epoch(keras, samples, train, feature, config)
    training = _Training(
        learning=learning,
        model=model,
        batches=batches,
        validation=(feature.finish(samples.raw[check]), member_targets(samples.label[check], members, rests=rests))
        if len(check)
        else None,
        config=config,
    )
    if watch.kept is not None:
        training.store = CheckpointStore(url=str(watch.kept / _digest(samples, [train, check], feature, config)))
        training.state = training.store.state()
    _begin(keras, training)
    stopped = _run(keras, training, title=title, keep=keep, logs=watch.logs)
    seconds = [row["seconds"] for row in training.state.history]
    return FitResult(
        model=model,
        history=training.state.history,
        fit_s=float(np.sum(seconds)),
        epoch_s=float(np.median(seconds)),
        stopped=stopped,
    )


def _digest(samples: Samples, rows: list[npt.NDArray[np.int64]], feature: Feature, config: TrainConfig) -> str:
    """A name for a training: two of the same name would come to the same."""
    beside = (
        SIGNERS if uses_synthetic_signers(samples, feature, config) else 0
    )  # who they are, and the network, hang on it
    settings = json.dumps([asdict(config), asdict(feature.contract), feature.copies, beside], default=str)
    found = hashlib.sha256(settings.encode())
    for taken in rows:
        for values in (samples.raw[taken], samples.label[taken], samples.signer[taken].astype("U")):
            found.update(np.ascontiguousarray(values).tobytes())
    return found.hexdigest()[:16]


def _begin(keras: Any, training: _Training) -> None:
    """Give the network the weights that it begins with, or those of where an earlier training left it."""
    learning, config, state = training.learning, training.config, training.state
    for layer in _layers(keras, learning):
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(training.batches.inputs)
    if config.start_model is not None and not state.variables:
        _take_over(training, config.start_model)
    _compile(keras, training)
    if state.variables:
        learning.optimizer.build(learning.trainable_variables)
        restore_state(learning, learning.optimizer, state)
        training.batches.begin(len(state.history))


def _compile(keras: Any, training: _Training) -> None:
    config = training.config
    training.learning.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * len(training.batches))
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=[_accuracy(keras)],
        jit_compile=False,  # on a CPU compiling costs more than it saves
    )


def _accuracy(keras: Any) -> Any:
    """Share right of the frames that show a letter: those at rest have no right answer."""

    class Accuracy(keras.metrics.CategoricalAccuracy):  # type: ignore[misc]
        """See above."""

        def update_state(self, wanted: Any, said: Any, sample_weight: Any = None) -> None:
            del sample_weight  # of signers, in the loss; a share of frames is meant here
            letters = wanted[..., : len(LETTERS)]
            shown = keras.ops.cast(keras.ops.max(letters, axis=-1), "float32")
            super().update_state(letters, said[..., : len(LETTERS)], shown)

    return Accuracy(name="accuracy")


def _take_over(training: _Training, model: Path) -> None:
    """Take over what another model has learned, and let only the rest learn for a while."""
    source = transfer.load_start_model(model)
    members = [layer for layer in training.learning.layers if hasattr(layer, "layers")]
    taken = [layer for member in members for layer in transfer.transfer_weights(source, member)]
    for layer in taken:
        layer.trainable = False
    _compile(import_keras(), training)
    training.learning.fit(
        training.batches,
        epochs=transfer.FROZEN_EPOCHS,
        shuffle=False,
        verbose=0,
        callbacks=[_turning(training.batches)],
    )
    training.batches.begin(0)
    for layer in taken:
        layer.trainable = True


def _turning(batches: Any) -> Any:
    """A callback that turns to each epoch's batches when it begins."""
    return import_keras().callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.begin(epoch))


def _layers(keras: Any, model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(keras, layer)
        else:
            yield layer


def _run(keras: Any, training: _Training, *, title: str, keep: bool, logs: Path | None) -> str:
    """Train from where it stands; say why it ended before its time, "" where it did not."""
    config, state = training.config, training.state
    with progress_bar(title, config.epochs) as advance:
        advance(len(state.history))
        watched = early_stopping_callback(
            keras,
            patience=config.patience,
            validated=training.validation is not None,
            state=state,
            advance=advance,
            ended=training.keep,
        )
        try:
            if len(state.history) < config.epochs and not has_converged(state, patience=config.patience):
                training.learning.fit(
                    training.batches,
                    validation_data=training.validation,
                    validation_batch_size=4096,
                    initial_epoch=len(state.history),
                    epochs=config.epochs,
                    shuffle=False,  # the batches are drawn anew for each epoch
                    verbose=0,
                    callbacks=[
                        _turning(training.batches),
                        watched,
                        *([keras.callbacks.TensorBoard(logs)] if logs else []),
                    ],
                )
        except KeyboardInterrupt:
            if not keep or not state.history:
                raise
            watched.stopped = f"Stopped by hand after {len(state.history)} of {config.epochs} epochs; the best is kept."
        else:
            if watched.stopped:
                finite = bool(np.isfinite(training.batches.inputs).all())
                watched.stopped = explain_stop(watched, state, finite=finite, learning_rate=config.learning_rate)
    watched.set_model(training.learning)
    watched.restore()
    return str(watched.stopped)
