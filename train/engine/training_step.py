"""Compiled training and evaluation steps of a network, on one or several ranks."""

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.train.engine.epoch_batches import Chunk
from aslkit.train.engine.training_rows import Block
from aslkit.vision.preprocess import Array

_VALIDATION_BATCH_SIZE: Final = 1024
"""Validation images per forward pass; bounds the memory."""

_MIN_PROBABILITY: Final = 1e-7
"""Probabilities are clipped to this before the logarithm, as in Keras."""

_SUMS: Final = 6
"""Number of sums over a batch; see `_batch_sums`."""


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


class TrainingStep:
    """Steps of a network, and metric sums of the current epoch.

    Args:
        model: keras.Model, inputs (n, *shape) to probabilities, (n, classes) or, for an ensemble, (n, members,
            classes). A class after the 24 letters is for rest poses.
        label_smoothing: label smoothing of the loss, 0–1.
        ranks: the processes that train together.
        jit: compile gradients with XLA.
    """

    def __init__(self, model: Any, *, label_smoothing: float, ranks: Ranks, jit: bool = False) -> None:
        import keras
        import tensorflow as tf

        self._model, self._ranks, self._label_smoothing = model, ranks, label_smoothing
        self.optimizer = keras.optimizers.Adam()
        self.optimizer.build(model.trainable_variables)
        self._sums = tf.Variable(tf.zeros(_SUMS), trainable=False)
        inputs = tf.TensorSpec((None, *model.input_shape[1:]), tf.float32)
        label, weight = tf.TensorSpec((None,), tf.int64), tf.TensorSpec((None,), tf.float32)
        bounds, rates = tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None,), tf.float32)
        # With a signature, because TensorFlow would otherwise trace the function again for each batch size.
        self._train = tf.function(self._train_chunk, input_signature=[inputs, label, weight, bounds, rates])
        self._gradients = tf.function(self._compute_gradients, jit_compile=True) if jit else self._compute_gradients
        self._evaluate = tf.function(self._evaluate_batch, input_signature=[inputs, label])

    def train(self, chunk: Chunk, rates: Array) -> None:
        """Take the steps of a chunk at these learning rates, float32 (steps,). All ranks must take as many steps.

        One call for many steps, because for a small network the call takes as long as the step.
        """
        self._train(chunk.inputs, chunk.label, chunk.weight, chunk.bounds, rates)

    def pop_sums(self) -> npt.NDArray[np.float64]:
        """Return the sums of `_batch_sums` since the last call, over all ranks, float64 (6,), and reset them."""
        sums = self._allreduce(self._sums.numpy())
        self._sums.assign(np.zeros(_SUMS))
        return sums

    def evaluate(self, blocks: Sequence[Block], to_inputs: Callable[[Any], Array]) -> npt.NDArray[np.float64]:
        """Return the same sums over the validation rows of all ranks, float64 (6,); zeros without rows."""
        sums = np.zeros(_SUMS)
        for rows in (block.read() for block in blocks):
            for start in range(0, len(rows), _VALIDATION_BATCH_SIZE):
                batch = slice(start, start + _VALIDATION_BATCH_SIZE)
                sums += self._evaluate(to_inputs(rows.images[batch]), rows.label[batch]).numpy()
        return self._allreduce(sums)

    def average_statistics(self) -> None:
        """Average non-trainable weights over all ranks, such as the moving averages of BatchNormalization."""
        weights = [each for each in self._model.non_trainable_weights if each.dtype == "float32"]
        if weights and self._ranks.count > 1:
            for each, total in zip(weights, self._ranks.allreduce([each.value for each in weights]), strict=True):
                each.assign(total / self._ranks.count)

    def _train_chunk(self, inputs: Any, label: Any, weight: Any, bounds: Any, rates: Any) -> None:
        import tensorflow as tf

        for step in tf.range(tf.shape(rates)[0]):
            start, end = bounds[step], bounds[step + 1]
            self.optimizer.learning_rate.assign(rates[step])
            gradients, sums = self._gradients(inputs[start:end], label[start:end], weight[start:end])
            *gradients, count = self._ranks.allreduce([*gradients, sums[0]])
            self.optimizer.apply([each / count for each in gradients], self._model.trainable_variables)
            self._sums.assign_add(tf.stack(sums))

    def _compute_gradients(self, inputs: Any, label: Any, weight: Any) -> tuple[list[Any], list[Any]]:
        """Return the gradients of the summed loss, and the sums.

        Of the sum: divided by the number of images of all ranks, each image has the same weight.
        """
        import tensorflow as tf

        with tf.GradientTape() as tape:
            sums = self._batch_sums(self._model(inputs, training=True), label, weight)
        return tape.gradient(sums[1], self._model.trainable_variables), sums

    def _evaluate_batch(self, inputs: Any, label: Any) -> Any:
        import tensorflow as tf

        return tf.stack(self._batch_sums(self._model(inputs, training=False), label, tf.ones(tf.shape(label))))

    def _batch_sums(self, outputs: Any, label: Any, weight: Any) -> list[Any]:
        """Return sums over a batch, each a mean over the members of an ensemble.

        They are: images, weighted loss, images with a letter, and of these, the correct ones, the correct ones with
        p > 0.5, and the probabilities > 0.5 (as in Keras's precision and recall).
        """
        import tensorflow as tf

        members, classes = ([1, *outputs.shape[1:]])[-2:]
        probabilities = tf.reshape(outputs, (-1, members, classes))
        truth = tf.one_hot(label, classes)[:, None]
        targets = truth * (1 - self._label_smoothing) + self._label_smoothing / classes
        losses = -tf.reduce_sum(
            targets * tf.math.log(tf.clip_by_value(probabilities, _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)), axis=-1
        )
        # Rest poses have no letter, and do not count as right or wrong.
        letters, with_letter = probabilities[..., : len(LETTERS)], truth[..., : len(LETTERS)]
        correct = tf.cast(tf.argmax(letters, -1) == label[:, None], tf.float32)
        confident = tf.cast(letters > 0.5, tf.float32) * tf.reduce_sum(with_letter, -1, keepdims=True)
        count = tf.cast(tf.shape(label)[0], tf.float32)
        summed = [losses * weight[:, None], correct, confident * with_letter, confident]
        loss, right, confident_right, sure = [tf.reduce_sum(each) / members for each in summed]
        return [count, loss, tf.reduce_sum(with_letter), right, confident_right, sure]

    def _allreduce(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        import tensorflow as tf

        # float64, because sums over many images lose digits in float32.
        (total,) = self._ranks.allreduce([tf.constant(values, tf.float64)])
        return np.asarray(total.numpy(), np.float64)
