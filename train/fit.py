"""Fitting one model to the train rows, stopping by the validation rows. The test rows are not looked at here."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.letters import LETTERS
from aslkit.native import quiet_keras
from aslkit.preprocess import Array
from aslkit.progress import bar
from aslkit.train import transfer
from aslkit.train.architectures import averaged
from aslkit.train.config import TrainConfig
from aslkit.train.data import Samples
from aslkit.train.features import Feature
from aslkit.train.inputs import check_trainable
from aslkit.train.stopping import explain, watcher

MIRRORED_SHARE: Final = 0.5
"""Of the varied copies, where a model is to know both mirror images of each letter."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained network.

    Attributes:
        model: keras.Model, of the epoch with the least validation loss; of the last, where there is no validation.
        history: one row an epoch: epoch, loss, accuracy, and val_loss, val_accuracy where there is a validation split.
        stopped: why it ended before its time, other than for lack of progress, in words; "" where it did not.
        fit_s, epoch_s: seconds in all, and the median of an epoch.
    """

    model: Any
    history: list[dict[str, float]]
    fit_s: float
    epoch_s: float
    stopped: str


def fit(
    samples: Samples, feature: Feature, config: TrainConfig, *, title: str = "Training", keep: bool = False
) -> Fitted:
    """Train `config.architecture` on the train rows in which a hand was found.

    Args:
        samples: train and validation rows are looked at.
        feature: what the model sees of them.
        config: the settings.
        title: of the progress bar.
        keep: on Ctrl-C, return the best so far, if an epoch is done; else KeyboardInterrupt goes on.

    Raises:
        AslkitError: too little to learn from, or TensorFlow is not installed.
    """
    keras = quiet_keras()
    keras.utils.set_random_seed(config.seed)
    train = np.flatnonzero((samples.split == "train") & samples.found)
    check = np.flatnonzero((samples.split == "validation") & samples.found)
    check_trainable(samples)
    members = config.members
    learning, model = averaged(config.architecture, feature.contract.shape, len(LETTERS), members=members)
    batches = _batches(keras, samples, train, feature, config, members)
    for layer in _layers(keras, learning):
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(batches.inputs)
    if config.start:
        _start(learning, batches, config)
    _compile(learning, batches, config)
    validation = (feature.finish(samples.raw[check]), _targets(samples.label[check], members)) if len(check) else None
    return _run(learning, model, batches, validation, config, title=title, keep=keep)


def _compile(learning: Any, batches: Any, config: TrainConfig) -> None:
    keras = quiet_keras()
    learning.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * len(batches))
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,  # on a CPU compiling costs more than it saves
    )


def _start(learning: Any, batches: Any, config: TrainConfig) -> None:
    """Take over what another model has learned, and let only the rest learn for a while."""
    source = transfer.load(Path(config.start))
    members = [layer for layer in learning.layers if hasattr(layer, "layers")]
    taken = [layer for member in members for layer in transfer.take_over(source, member)]
    for layer in taken:
        layer.trainable = False
    _compile(learning, batches, config)
    learning.fit(batches, epochs=transfer.FROZEN_EPOCHS, verbose=0)
    for layer in taken:
        layer.trainable = True


def _layers(keras: Any, model: Any) -> Iterator[Any]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _layers(keras, layer)
        else:
            yield layer


def _run(
    learning: Any,
    model: Any,
    batches: Any,
    validation: tuple[Array, Array] | None,
    config: TrainConfig,
    *,
    title: str,
    keep: bool,
) -> Fitted:
    keras = quiet_keras()
    with bar(title, config.epochs) as advance:
        watched = watcher(keras, patience=config.patience, validated=validation is not None, advance=advance)
        try:
            learning.fit(
                batches,
                validation_data=validation,
                validation_batch_size=4096,
                epochs=config.epochs,
                verbose=0,
                callbacks=[watched],
            )
        except KeyboardInterrupt:
            if not keep or not watched.history:
                raise
            watched.stopped = (
                f"Stopped by hand after {len(watched.history)} of {config.epochs} epochs; the best is kept."
            )
        else:
            if watched.stopped:
                finite = bool(np.isfinite(batches.inputs).all())
                watched.stopped = explain(watched, finite=finite, learning_rate=config.learning_rate)
    watched.restore()
    seconds = np.diff(watched.ends)
    return Fitted(
        model=model,
        history=watched.history,
        fit_s=float(seconds.sum()),
        epoch_s=float(np.median(seconds)),
        stopped=watched.stopped,
    )


def _batches(
    keras: Any, samples: Samples, train: npt.NDArray[np.int64], feature: Feature, config: TrainConfig, members: int
) -> Any:
    """The train rows and their varied copies as a keras.utils.PyDataset, drawn anew for each epoch.

    Each signer weighs the same in the loss, however much they recorded: the model is for people, not for frames.
    """
    raw, label = samples.raw[train], np.tile(samples.label[train], feature.copies + 1)
    weight = np.tile(_signer_weights(samples.signer[train]), feature.copies + 1)
    rng = np.random.default_rng(config.seed)
    mirrored = MIRRORED_SHARE if config.both_hands else 0.0

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        """One epoch's batches."""

        def __init__(self) -> None:
            super().__init__()
            self.on_epoch_end()

        def __len__(self) -> int:
            return int(np.ceil(len(label) / config.batch_size))

        def __getitem__(self, index: int) -> tuple[Array, Array, Array]:
            rows = self.order[index * config.batch_size : (index + 1) * config.batch_size]
            return self.inputs[rows], _targets(label[rows], members), weight[rows, None]

        def on_epoch_end(self) -> None:
            varied = [feature.vary(raw, mirrored, rng) for _ in range(feature.copies)]
            self.inputs = feature.finish(np.concatenate([raw, *varied]))
            self.order = rng.permutation(len(label))

    return Batches()


def _signer_weights(signer: npt.NDArray[np.str_]) -> Array:
    _, index, counts = np.unique(signer, return_inverse=True, return_counts=True)
    weights: Array = (len(signer) / (len(counts) * counts[index])).astype(np.float32)
    return weights


def _targets(label: npt.NDArray[np.int64], members: int) -> Array:
    """Letters as each member is to say them: float32 (n, members, 24)."""
    return np.repeat(np.eye(len(LETTERS), dtype=np.float32)[label][:, None], members, axis=1)
