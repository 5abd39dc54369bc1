"""Fitting one model to the train rows, stopping by the validation rows. The test rows are not looked at here."""

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from aslkit.errors import AslkitError
from aslkit.letters import LETTERS
from aslkit.native import quiet_keras
from aslkit.preprocess import Array
from aslkit.progress import bar
from aslkit.train.architectures import architecture
from aslkit.train.config import TrainConfig
from aslkit.train.data import Samples
from aslkit.train.features import Feature

MIRRORED_SHARE: Final = 0.5
"""Of the varied copies, where a model is to know both mirror images of each letter."""


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A trained network.

    Attributes:
        model: keras.Model, of the epoch with the least validation loss; of the last, where there is no validation.
        history: one row an epoch: epoch, loss, accuracy, and val_loss, val_accuracy where there is a validation split.
        fit_s, epoch_s: seconds in all, and the median of an epoch.
    """

    model: Any
    history: list[dict[str, float]]
    fit_s: float
    epoch_s: float


def fit(samples: Samples, feature: Feature, config: TrainConfig, *, title: str = "Training") -> Fitted:
    """Train `config.architecture` on the train rows in which a hand was found.

    Raises:
        AslkitError: fewer than two letters to learn, or TensorFlow is not installed.
    """
    keras = quiet_keras()
    keras.utils.set_random_seed(config.seed)
    train = np.flatnonzero((samples.split == "train") & samples.found)
    check = np.flatnonzero((samples.split == "validation") & samples.found)
    if not samples.found.any():
        raise AslkitError(
            "No hand was found in any of these images, and every feature is taken of the hand. Sign Language MNIST, "
            "whose images are hands cut out already, cannot be trained on yet."
        )
    if len(np.unique(samples.label[train])) < 2:
        raise AslkitError("Fewer than two letters have frames to train on. Record more: aslkit capture --letter A")
    model = architecture(config.architecture)(feature.contract.shape, len(LETTERS))
    batches = _batches(keras, samples, train, feature, config)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.adapt(batches.inputs)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.CosineDecay(config.learning_rate, config.epochs * len(batches))
        ),
        loss=keras.losses.CategoricalCrossentropy(label_smoothing=config.label_smoothing),
        metrics=["accuracy"],
        jit_compile=False,  # on a CPU compiling costs more than it saves
    )
    validation = (feature.finish(samples.raw[check]), _one_hot(samples.label[check])) if len(check) else None
    return _run(keras, model, batches, validation, config, title)


def _run(
    keras: Any, model: Any, batches: Any, validation: tuple[Array, Array] | None, config: TrainConfig, title: str
) -> Fitted:
    ends = [time.perf_counter()]
    with bar(title, config.epochs) as advance:

        def ended(epoch: int, logs: dict[str, float]) -> None:
            ends.append(time.perf_counter())
            advance()

        callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=ended)]
        if validation:
            stop = keras.callbacks.EarlyStopping(
                monitor="val_loss", patience=config.patience, restore_best_weights=True
            )
            callbacks.append(stop)
        record = model.fit(
            batches,
            validation_data=validation,
            validation_batch_size=4096,
            epochs=config.epochs,
            verbose=0,
            callbacks=callbacks,
        ).history
    rows = [
        {"epoch": epoch + 1, **{name: float(values[epoch]) for name, values in record.items()}}
        for epoch in range(len(record["loss"]))
    ]
    seconds = np.diff(ends)
    return Fitted(model=model, history=rows, fit_s=float(seconds.sum()), epoch_s=float(np.median(seconds)))


def _batches(keras: Any, samples: Samples, train: npt.NDArray[np.int64], feature: Feature, config: TrainConfig) -> Any:
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
            return self.inputs[rows], _one_hot(label[rows]), weight[rows]

        def on_epoch_end(self) -> None:
            varied = [feature.vary(raw, mirrored, rng) for _ in range(feature.copies)]
            self.inputs = feature.finish(np.concatenate([raw, *varied]))
            self.order = rng.permutation(len(label))

    return Batches()


def _signer_weights(signer: npt.NDArray[np.str_]) -> Array:
    _, index, counts = np.unique(signer, return_inverse=True, return_counts=True)
    weights: Array = (len(signer) / (len(counts) * counts[index])).astype(np.float32)
    return weights


def _one_hot(label: npt.NDArray[np.int64]) -> Array:
    return np.eye(len(LETTERS), dtype=np.float32)[label]
