"""The training loop of a network, the same for one process and for many ranks, which differ in how sums are taken."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.vision.preprocess import Array

_CHECKED_AT_ONCE: Final = 1024
"""Validation images shown to the network at once: bounds the memory."""

_LEAST: Final = 1e-7
"""Of a probability, before its logarithm is taken: as Keras."""


class Ranks(Protocol):
    """The processes that train together: this one's number, how many there are, and what they add up."""

    rank: int
    count: int

    def total(self, tensors: list[Any]) -> list[Any]:
        """Sum each tensor over all ranks; each rank gets the sums. All ranks must call it alike."""

    def broadcast(self, variables: Sequence[Any]) -> None:
        """Give these tf.Variables of every rank the values that rank 0 has."""


class SingleProcess:
    """One process, without Horovod."""

    rank = 0
    count = 1

    def total(self, tensors: list[Any]) -> list[Any]:
        """The tensors as they are."""
        return tensors

    def broadcast(self, variables: Sequence[Any]) -> None:
        """Nothing to do."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How long and how fast to learn.

    Attributes:
        epochs: at most.
        patience: epochs without a lower validation loss, after which it ends; 0 never ends early.
        batch_size: images of one step, over all ranks.
        learning_rate: at its height.
        warmup_epochs: while the learning rate rises from nothing; larger batches over more ranks want some.
        cosine: whether it falls to nothing along a cosine; else it stays.
        label_smoothing: 0–1.
    """

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    warmup_epochs: float
    cosine: bool
    label_smoothing: float

    def rate(self, step: int, steps: int) -> float:
        """The learning rate at a step of all, where an epoch has `steps`."""
        warm = self.warmup_epochs * steps
        if step < warm:
            return self.learning_rate * (step + 1) / (warm + 1)
        if not self.cosine:
            return self.learning_rate
        done = (step - warm) / max(self.epochs * steps - warm, 1)
        return float(self.learning_rate * 0.5 * (1 + np.cos(np.pi * min(done, 1.0))))


@dataclass(frozen=True, kw_only=True)
class RankData:
    """The images of one rank.

    Attributes:
        raw, label: to train on, (n, …) as the feature takes them, and int64 (n,).
        checked, checked_label: likewise, of the validation.
        total: images to train on over all ranks.
    """

    raw: npt.NDArray[Any]
    label: npt.NDArray[np.int64]
    checked: npt.NDArray[Any]
    checked_label: npt.NDArray[np.int64]
    total: int


@dataclass(kw_only=True)
class TrainingState:
    """What a training has come to, and what it needs to go on.

    Attributes:
        history: a row for each epoch done.
        best: values of the weights at the lowest validation loss.
        variables: all values of network and optimizer after the last epoch; empty before the first.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: list[npt.NDArray[Any]] = field(default_factory=list)
    variables: list[npt.NDArray[Any]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Epochs done when the validation loss was lowest, 0 for none."""
        losses = [row["val_loss"] for row in self.history]
        return int(np.argmin(losses)) + 1 if losses else 0


def run_training(
    model: Any,
    share: RankData,
    schedule: Schedule,
    *,
    vary: Callable[[Any, np.random.Generator], Array],
    finish: Callable[[Any], Array],
    seed: int,
    ranks: Ranks,
    state: TrainingState,
    ended: Callable[[TrainingState], None],
) -> TrainingState:
    """Train until the schedule ends or validation stops falling.

    In each epoch every image of every rank is learned from exactly once, and all ranks take the same number of
    steps however uneven their shares are: a rank's images are dealt out evenly over the steps. A step's gradient is
    that of the mean loss over the images of all ranks.

    Args:
        model: keras.Model, inputs to probabilities; not compiled.
        share: the images of this rank.
        schedule: see there.
        vary: raw images to this epoch's inputs, float32 (n, *shape).
        finish: raw images to inputs as they are.
        seed: of order and variation, with rank and epoch.
        ranks: who else trains.
        state: an empty one, or what an earlier run left.
        ended: called after each epoch, on every rank.

    Raises:
        AslkitError: loss or weights are no numbers any more; `state` keeps the last good epoch.
    """
    step = TrainingStep(model, schedule, ranks)
    _restore(model, step.optimizer, state, ranks)
    steps, checked = max(1, -(-share.total // schedule.batch_size)), finish(share.checked)
    for epoch in range(len(state.history), schedule.epochs):
        begun = time.perf_counter()
        rng = np.random.default_rng([seed, epoch, ranks.rank])
        inputs = vary(share.raw, rng)
        parts = np.array_split(rng.permutation(len(inputs)), steps)
        for number, rows in enumerate(parts):
            step.optimizer.learning_rate.assign(schedule.rate(epoch * steps + number, steps))
            step.learn(inputs[rows], share.label[rows])
        step.average_statistics()
        row = _row(epoch + 1, step.sums(), step.check(checked, share.checked_label))
        if not all(np.isfinite(values).all() for values in (row["loss"], *model.get_weights())):
            raise AslkitError(
                f"The weights are no numbers any more, after epoch {epoch + 1}: the learning rate "
                f"({schedule.learning_rate:g}) is likely too high. The best epoch so far is kept. Try a tenth of it."
            )
        _keep(model, step.optimizer, state, {**row, "seconds": time.perf_counter() - begun})
        ended(state)
        if schedule.patience and epoch + 1 - state.best_epoch >= schedule.patience:
            break
    return state


class TrainingStep:
    """One network under training: its compiled steps and the sums of the epoch.

    Args:
        model: keras.Model.
        schedule: for learning rate and smoothing.
        ranks: who else trains.
    """

    def __init__(self, model: Any, schedule: Schedule, ranks: Ranks) -> None:
        import keras
        import tensorflow as tf

        self._model, self._ranks = model, ranks
        self.optimizer = keras.optimizers.Adam(schedule.learning_rate)
        self.optimizer.build(model.trainable_variables)
        shape, classes = model.input_shape[1:], model.output_shape[-1]
        signature = [tf.TensorSpec((None, *shape), tf.float32), tf.TensorSpec((None,), tf.int64)]
        self._sums = [tf.Variable(0.0, trainable=False) for _ in range(5)]

        def measured(said: Any, label: Any, smoothing: float) -> list[Any]:
            """Sums over a batch: images, loss, right, right and sure, sure."""
            truth = tf.one_hot(label, classes)
            wanted = truth * (1 - smoothing) + smoothing / classes
            loss = -tf.reduce_sum(wanted * tf.math.log(tf.clip_by_value(said, _LEAST, 1 - _LEAST)))
            right = tf.reduce_sum(tf.cast(tf.argmax(said, 1) == label, tf.float32))
            sure = tf.cast(said > 0.5, tf.float32)
            count = tf.cast(tf.shape(label)[0], tf.float32)
            return [count, loss, right, tf.reduce_sum(sure * truth), tf.reduce_sum(sure)]

        def learn(inputs: Any, label: Any) -> None:
            with tf.GradientTape() as tape:
                batch = measured(model(inputs, training=True), label, schedule.label_smoothing)
            gradients = tape.gradient(batch[1], model.trainable_variables)
            *gradients, count = ranks.total([*gradients, batch[0]])
            self.optimizer.apply([each / count for each in gradients], model.trainable_variables)
            for total, value in zip(self._sums, batch, strict=True):
                total.assign_add(value)

        def check(inputs: Any, label: Any) -> Any:
            return tf.stack(measured(model(inputs, training=False), label, 0.0))

        self._learn = tf.function(learn, input_signature=signature)
        self._check = tf.function(check, input_signature=signature)

    def learn(self, inputs: Array, label: npt.NDArray[np.int64]) -> None:
        """Take one step, together with all ranks."""
        self._learn(inputs, label)

    def sums(self) -> npt.NDArray[np.float64]:
        """What the steps since the last call added up to, over all ranks."""
        found = self._over_ranks([each.numpy() for each in self._sums])
        for each in self._sums:
            each.assign(0.0)
        return found

    def check(self, inputs: Array, label: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """The same sums over the validation images of all ranks, zeros where there are none."""
        starts = range(0, len(inputs), _CHECKED_AT_ONCE)
        parts = [
            self._check(inputs[at : at + _CHECKED_AT_ONCE], label[at : at + _CHECKED_AT_ONCE]).numpy() for at in starts
        ]
        return self._over_ranks(list(np.sum(parts, axis=0)) if parts else [0.0] * 5)

    def average_statistics(self) -> None:
        """Give every rank the mean of what layers such as BatchNormalization have observed."""
        weights = [each for each in self._model.non_trainable_weights if each.dtype == "float32"]
        if weights and self._ranks.count > 1:
            for each, total in zip(weights, self._ranks.total([each.value for each in weights]), strict=True):
                each.assign(total / self._ranks.count)

    def _over_ranks(self, values: list[Any]) -> npt.NDArray[np.float64]:
        import tensorflow as tf

        (total,) = self._ranks.total([tf.constant(np.array(values, np.float64))])
        return np.asarray(total.numpy(), np.float64)


def _row(epoch: int, learned: npt.NDArray[np.float64], checked: npt.NDArray[np.float64]) -> dict[str, float]:
    row: dict[str, float] = {"epoch": epoch}
    for prefix, (count, loss, right, sure_right, sure) in (("", learned), ("val_", checked)):
        if count:
            row[f"{prefix}loss"] = loss / count
            row[f"{prefix}accuracy"] = right / count
            row[f"{prefix}precision"] = sure_right / max(sure, 1.0)
            row[f"{prefix}recall"] = sure_right / count
    row.setdefault("val_loss", row["loss"])  # all there is to choose by, without a validation
    return row


def _restore(model: Any, optimizer: Any, state: TrainingState, ranks: Ranks) -> None:
    """Bring network and optimizer to where the state left them, the same on every rank."""
    restore_state(model, optimizer, state)
    ranks.broadcast([each.value for each in (*model.weights, *optimizer.variables)])


def _keep(model: Any, optimizer: Any, state: TrainingState, row: dict[str, float]) -> None:
    state.history.append(row)
    state.variables = [np.asarray(each) for each in training_variables(model, optimizer)]
    if state.best_epoch == len(state.history):
        state.best = model.get_weights()


def restore_state(model: Any, optimizer: Any, state: TrainingState) -> None:
    """Give network and optimizer, which must be built, the values that the state has, if it has any."""
    found = training_variables(model, optimizer)
    if state.variables:
        for variable, value in zip(found, state.variables, strict=True):
            variable.assign(value)


def training_variables(model: Any, optimizer: Any) -> list[Any]:
    """All that training changes, random states of dropout included."""
    return [*model.variables, *optimizer.variables]
