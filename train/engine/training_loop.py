"""The training loop of all networks, the same for one process and for several ranks."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.train.engine.devices import CPU, FLOAT32, Device, copy_with_precision
from aslkit.train.engine.epoch_batches import Chunk, Variant, epoch_chunks, prefetch
from aslkit.train.engine.training_rows import RankData
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.engine.training_step import Ranks, TrainingStep
from aslkit.vision.preprocess import Array


class NonFiniteError(AslkitError):
    """The loss or the weights of a training became NaN or infinite."""


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
        # Over all epochs, even if early stopping ends sooner, because that is not known in advance.
        done = (step - warmup) / max(self.epochs * steps_per_epoch - warmup, 1)
        return float(self.learning_rate * 0.5 * (1 + np.cos(np.pi * min(done, 1.0))))


def run_training(
    model: Any,
    data: RankData,
    schedule: Schedule,
    *,
    variants: Sequence[Variant],
    to_inputs: Callable[[Any], Array],
    seed: int,
    ranks: Ranks,
    device: Device = CPU,
    state: TrainingState,
    after_epoch: Callable[[TrainingState], None],
) -> TrainingState:
    """Train until the end of the schedule, or until the validation loss stops falling.

    Each epoch uses every training image of every rank exactly once per variant. All ranks take the same number of
    steps, even if they have different numbers of images: each rank spreads its images evenly over the steps. The
    gradient of a step is that of the mean weighted loss over the images of all ranks. The model ends with the weights
    of the last epoch; those of the best one are in the state.

    Args:
        model: keras.Model; see `TrainingStep`. Not compiled.
        data: rows of this rank.
        schedule: epochs, batch size and learning rate.
        variants: what an epoch sees of each image.
        to_inputs: function images -> inputs without augmentation, float32 (n, *shape).
        seed: random seed of order and augmentation; combined with rank and epoch.
        ranks: the processes that train together.
        device: the processor of this rank.
        state: an empty state, or that of an interrupted training; updated in place.
        after_epoch: called with the state after each epoch, on every rank.

    Raises:
        NonFiniteError: the loss or the weights are not finite. `state` holds the last finite epoch.
    """
    network = model if device.precision == FLOAT32 else copy_with_precision(model, device.precision)
    step = TrainingStep(network, label_smoothing=schedule.label_smoothing, ranks=ranks, jit=device.jit)
    state.restore(network, step.optimizer)
    # Also gives all ranks the same initial weights.
    ranks.broadcast([each.value for each in (*network.weights, *step.optimizer.variables)])
    steps = max(1, -(-data.total * len(variants) // schedule.batch_size))

    # One generator per epoch, so that a resumed training continues with the same order and augmentation.
    chunks = (
        chunk
        for epoch in range(len(state.history), schedule.epochs)
        for chunk in epoch_chunks(
            data.train, variants, steps=steps, shape=model.input_shape[1:],
            rng=np.random.default_rng([seed, epoch, ranks.rank]),
        )
    )  # fmt: skip
    prepared = prefetch(chunks)
    try:
        while not state.is_finished(epochs=schedule.epochs, patience=schedule.patience):
            started, epoch = time.perf_counter(), len(state.history)
            _train_epoch(step, prepared, schedule, epoch=epoch, steps=steps)
            # Before evaluation, so that all ranks evaluate the same network.
            step.average_statistics()
            row = _metrics_row(epoch + 1, step.pop_sums(), step.evaluate(data.validation, to_inputs))
            # The loss is a sum over all ranks, so all of them stop here, and none waits for the others.
            if not all(np.isfinite(values).all() for values in (row["loss"], *network.get_weights())):
                finite = all(np.isfinite(to_inputs(block.read().images)).all() for block in data.train)
                raise _non_finite_error(state, schedule, finite_inputs=finite)
            state.add_epoch({**row, "seconds": time.perf_counter() - started}, network, step.optimizer)
            after_epoch(state)
    finally:
        prepared.close()
        model.set_weights(network.get_weights())
    return state


def _train_epoch(step: TrainingStep, chunks: Iterator[Chunk], schedule: Schedule, *, epoch: int, steps: int) -> None:
    done = 0
    while done < steps:
        chunk = next(chunks)
        numbers = range(epoch * steps + done, epoch * steps + done + len(chunk.bounds) - 1)
        step.train(chunk, np.array([schedule.rate(number, steps) for number in numbers], np.float32))
        done += len(numbers)


def _metrics_row(epoch: int, train: npt.NDArray[np.float64], validation: npt.NDArray[np.float64]) -> dict[str, float]:
    row: dict[str, float] = {"epoch": epoch}
    for prefix, sums in (("", train), ("val_", validation)):
        count, loss, letters, correct, confident_correct, confident = sums.tolist()
        if count:
            row[f"{prefix}loss"] = loss / count
            row[f"{prefix}accuracy"] = correct / max(letters, 1.0)
            row[f"{prefix}precision"] = confident_correct / max(confident, 1.0)
            row[f"{prefix}recall"] = confident_correct / max(letters, 1.0)
    return row


def _non_finite_error(state: TrainingState, schedule: Schedule, *, finite_inputs: bool) -> NonFiniteError:
    if finite_inputs:
        cause = f"the learning rate ({schedule.learning_rate:g}) is probably too high: try a tenth of it"
    else:
        cause = "some inputs are not finite: `aslkit dataset verify` finds them"
    kept = (
        "The weights of the best epoch are kept." if state.history else "No epoch was finished, so there is no model."
    )
    epoch = len(state.history) + 1
    return NonFiniteError(f"The loss or the weights became NaN or infinite in epoch {epoch}; {cause}. {kept}")
