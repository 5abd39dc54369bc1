"""The training loop of the benchmark's networks, the same for one process and for several ranks."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.vision.preprocess import Array

_VALIDATION_BATCH_SIZE: Final = 1024
"""Validation images per forward pass; bounds the memory."""

_MIN_PROBABILITY: Final = 1e-7
"""Probabilities are clipped to this before the logarithm, as in Keras."""


class Ranks(Protocol):
    """The processes that train together.

    Attributes:
        rank: number of this process, from 0.
        count: number of processes.
    """

    rank: int
    count: int

    def allreduce(self, tensors: list[Any]) -> list[Any]:
        """Return the sum of each tensor over all ranks. All ranks must call it with the same number of tensors."""

    def broadcast(self, variables: Sequence[Any]) -> None:
        """Set tf.Variables on every rank to their values on rank 0."""


class SingleProcess:
    """`Ranks` for a single process, without Horovod."""

    rank = 0
    count = 1

    def allreduce(self, tensors: list[Any]) -> list[Any]:
        """Return the tensors unchanged."""
        return tensors

    def broadcast(self, variables: Sequence[Any]) -> None:
        """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Epochs, batch size and learning rate of a training.

    Attributes:
        epochs: maximum number of epochs.
        patience: epochs without a lower validation loss after which training stops; 0 disables early stopping.
        batch_size: images per step, over all ranks.
        learning_rate: maximum learning rate.
        warmup_epochs: epochs in which the learning rate rises from 0; needed for large batches over many ranks.
        cosine: whether the learning rate decays to 0 along a cosine; otherwise it is constant.
        label_smoothing: label smoothing, 0–1.
    """

    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    warmup_epochs: float
    cosine: bool
    label_smoothing: float

    def rate(self, step: int, steps_per_epoch: int) -> float:
        """Return the learning rate of a step, counted from the start of the training."""
        warmup = self.warmup_epochs * steps_per_epoch
        if step < warmup:
            # + 1, so that the rate of the first step is not 0.
            return self.learning_rate * (step + 1) / (warmup + 1)
        if not self.cosine:
            return self.learning_rate
        done = (step - warmup) / max(self.epochs * steps_per_epoch - warmup, 1)
        return float(self.learning_rate * 0.5 * (1 + np.cos(np.pi * min(done, 1.0))))


@dataclass(frozen=True, kw_only=True)
class RankData:
    """The images of one rank.

    Attributes:
        images: training images, (n, …).
        label: their classes, int64 (n,).
        validation_images: validation images, (m, …).
        validation_label: their classes, int64 (m,).
        total: number of training images over all ranks.
    """

    images: npt.NDArray[Any]
    label: npt.NDArray[np.int64]
    validation_images: npt.NDArray[Any]
    validation_label: npt.NDArray[np.int64]
    total: int


@dataclass(kw_only=True)
class TrainingState:
    """The state of a training, from which it can be resumed.

    Attributes:
        history: one row per finished epoch.
        best: weights of the epoch with the lowest validation loss.
        variables: all variables of network and optimizer after the last epoch; empty before the first.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: list[npt.NDArray[Any]] = field(default_factory=list)
    variables: list[npt.NDArray[Any]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Number of the epoch with the lowest validation loss, from 1; 0 before the first epoch."""
        losses = [row["val_loss"] for row in self.history]
        return int(np.argmin(losses)) + 1 if losses else 0


def run_training(
    model: Any,
    data: RankData,
    schedule: Schedule,
    *,
    augment: Callable[[Any, np.random.Generator], Array],
    to_inputs: Callable[[Any], Array],
    seed: int,
    ranks: Ranks,
    state: TrainingState,
    after_epoch: Callable[[TrainingState], None],
) -> TrainingState:
    """Train until the end of the schedule, or until the validation loss stops falling.

    Each epoch uses every training image of every rank exactly once. All ranks take the same number of steps, even if
    they have different numbers of images: each rank spreads its images evenly over the steps. The gradient of a step
    is that of the mean loss over the images of all ranks.

    Args:
        model: keras.Model, inputs to probabilities; not compiled.
        data: images of this rank.
        schedule: epochs, batch size and learning rate.
        augment: function (images, rng) -> augmented inputs of an epoch, float32 (n, *shape).
        to_inputs: function images -> inputs without augmentation, float32 (n, *shape).
        seed: random seed of order and augmentation; combined with rank and epoch.
        ranks: the processes that train together.
        state: an empty state, or that of an interrupted training; updated in place.
        after_epoch: called with the state after each epoch, on every rank.

    Raises:
        AslkitError: the loss or the weights are not finite. `state` holds the last finite epoch.
    """
    step = TrainingStep(model, schedule, ranks)
    _restore_on_all_ranks(model, step.optimizer, state, ranks)
    steps = max(1, -(-data.total // schedule.batch_size))
    validation_inputs = to_inputs(data.validation_images)
    for epoch in range(len(state.history), schedule.epochs):
        started = time.perf_counter()
        # From the epoch's number, so that a resumed training continues with the same order.
        rng = np.random.default_rng([seed, epoch, ranks.rank])
        inputs = augment(data.images, rng)
        # A batch can be empty on a rank with few images, which still has to take part in the allreduce.
        batches = np.array_split(rng.permutation(len(inputs)), steps)
        for number, rows in enumerate(batches):
            step.optimizer.learning_rate.assign(schedule.rate(epoch * steps + number, steps))
            step.train(inputs[rows], data.label[rows])
        # Before evaluation, so that all ranks evaluate the same network.
        step.average_statistics()
        row = _metrics_row(epoch + 1, step.pop_sums(), step.evaluate(validation_inputs, data.validation_label))
        # The loss is a sum over all ranks, so all of them stop here, and none waits for the others.
        if not all(np.isfinite(values).all() for values in (row["loss"], *model.get_weights())):
            raise AslkitError(
                f"The loss or the weights became NaN or infinite in epoch {epoch + 1}: the learning rate "
                f"({schedule.learning_rate:g}) is probably too high. Try a tenth of it. The last checkpoint is kept."
            )
        _add_epoch(model, step.optimizer, state, {**row, "seconds": time.perf_counter() - started})
        after_epoch(state)
        if schedule.patience and epoch + 1 - state.best_epoch >= schedule.patience:
            break
    return state


class TrainingStep:
    """Compiled training and evaluation steps of a network, and metric sums of the current epoch.

    Args:
        model: keras.Model.
        schedule: learning rate and label smoothing.
        ranks: the processes that train together.
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

        def batch_sums(probabilities: Any, label: Any, smoothing: float) -> list[Any]:
            """Sums over a batch: images, loss, correct, correct with p > 0.5, and p > 0.5 (as Keras's precision)."""
            truth = tf.one_hot(label, classes)
            targets = truth * (1 - smoothing) + smoothing / classes
            clipped = tf.clip_by_value(probabilities, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
            loss = -tf.reduce_sum(targets * tf.math.log(clipped))
            correct = tf.reduce_sum(tf.cast(tf.argmax(probabilities, 1) == label, tf.float32))
            confident = tf.cast(probabilities > 0.5, tf.float32)
            count = tf.cast(tf.shape(label)[0], tf.float32)
            return [count, loss, correct, tf.reduce_sum(confident * truth), tf.reduce_sum(confident)]

        def train(inputs: Any, label: Any) -> None:
            with tf.GradientTape() as tape:
                batch = batch_sums(model(inputs, training=True), label, schedule.label_smoothing)
            # Gradients of the sum: divided by the number of images of all ranks, each image has the same weight.
            gradients = tape.gradient(batch[1], model.trainable_variables)
            *gradients, count = ranks.allreduce([*gradients, batch[0]])
            self.optimizer.apply([each / count for each in gradients], model.trainable_variables)
            for total, value in zip(self._sums, batch, strict=True):
                total.assign_add(value)

        def evaluate(inputs: Any, label: Any) -> Any:
            return tf.stack(batch_sums(model(inputs, training=False), label, 0.0))

        # With a signature, because TensorFlow would otherwise trace the function again for each batch size.
        self._train = tf.function(train, input_signature=signature)
        self._evaluate = tf.function(evaluate, input_signature=signature)

    def train(self, inputs: Array, label: npt.NDArray[np.int64]) -> None:
        """Take one optimizer step. All ranks must call it."""
        self._train(inputs, label)

    def pop_sums(self) -> npt.NDArray[np.float64]:
        """Return the sums of `batch_sums` since the last call, over all ranks, float64 (5,), and reset them."""
        sums = self._allreduce([each.numpy() for each in self._sums])
        for each in self._sums:
            each.assign(0.0)
        return sums

    def evaluate(self, inputs: Array, label: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return the same sums over the validation images of all ranks, float64 (5,); zeros without images."""
        batches = [
            slice(start, start + _VALIDATION_BATCH_SIZE) for start in range(0, len(inputs), _VALIDATION_BATCH_SIZE)
        ]
        sums = [self._evaluate(inputs[batch], label[batch]).numpy() for batch in batches]
        return self._allreduce(list(np.sum(sums, axis=0)) if sums else [0.0] * 5)

    def average_statistics(self) -> None:
        """Average non-trainable weights over all ranks, such as the moving averages of BatchNormalization."""
        weights = [each for each in self._model.non_trainable_weights if each.dtype == "float32"]
        if weights and self._ranks.count > 1:
            for each, total in zip(weights, self._ranks.allreduce([each.value for each in weights]), strict=True):
                each.assign(total / self._ranks.count)

    def _allreduce(self, values: list[Any]) -> npt.NDArray[np.float64]:
        import tensorflow as tf

        # float64, because sums over many images lose digits in float32.
        (total,) = self._ranks.allreduce([tf.constant(np.array(values, np.float64))])
        return np.asarray(total.numpy(), np.float64)


def _metrics_row(epoch: int, train: npt.NDArray[np.float64], validation: npt.NDArray[np.float64]) -> dict[str, float]:
    row: dict[str, float] = {"epoch": epoch}
    for prefix, sums in (("", train), ("val_", validation)):
        count, loss, correct, confident_correct, confident = sums.tolist()
        if count:
            row[f"{prefix}loss"] = loss / count
            row[f"{prefix}accuracy"] = correct / count
            row[f"{prefix}precision"] = confident_correct / max(confident, 1.0)
            row[f"{prefix}recall"] = confident_correct / count
    row.setdefault("val_loss", row["loss"])  # without validation images, the training loss decides
    return row


def _restore_on_all_ranks(model: Any, optimizer: Any, state: TrainingState, ranks: Ranks) -> None:
    """Restore network and optimizer from a state. Broadcasting also gives all ranks the same initial weights."""
    restore_state(model, optimizer, state)
    ranks.broadcast([each.value for each in (*model.weights, *optimizer.variables)])


def _add_epoch(model: Any, optimizer: Any, state: TrainingState, row: dict[str, float]) -> None:
    state.history.append(row)
    state.variables = [np.asarray(each) for each in training_variables(model, optimizer)]
    if state.best_epoch == len(state.history):
        state.best = model.get_weights()


def restore_state(model: Any, optimizer: Any, state: TrainingState) -> None:
    """Restore the variables of a network and its optimizer, which must be built; do nothing for an empty state."""
    variables = training_variables(model, optimizer)
    if state.variables:
        for variable, value in zip(variables, state.variables, strict=True):
            variable.assign(value)


def training_variables(model: Any, optimizer: Any) -> list[Any]:
    """Return all variables that training changes, including the random state of dropout layers."""
    return [*model.variables, *optimizer.variables]
