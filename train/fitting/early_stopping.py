"""Early stopping: no progress, Ctrl-C, or a loss that is not finite. The weights of the best epoch are restored."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from aslkit.core.errors import AslkitError
from aslkit.core.progress import Advance
from aslkit.train.fitting.training_loop import TrainingState, training_variables


def early_stopping_callback(
    keras: Any,
    *,
    patience: int,
    has_validation: bool,
    state: TrainingState,
    advance: Advance,
    after_epoch: Callable[[TrainingState], None],
) -> Any:
    """Return a Keras callback that records each epoch in `state` and stops training early.

    Its attribute `stopped` says why training ended, other than for lack of progress; "" if it did not. Its method
    `restore_best_weights()` sets the model's weights to those of the best epoch.

    Args:
        keras: the keras module.
        patience: epochs without a lower validation loss after which training stops.
        has_validation: whether there is a validation loss. Without one, the last epoch is the best.
        state: state of an earlier training, or an empty one; updated in place.
        advance: called after each epoch.
        after_epoch: called with the state after each epoch of finite loss and weights.
    """

    class EarlyStopping(keras.callbacks.Callback):  # type: ignore[misc]
        """See `early_stopping_callback`."""

        def __init__(self) -> None:
            super().__init__()
            self.stopped, self._epoch_started = "", time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            # Checked after each batch: the remaining batches of the epoch would only spread NaN through all weights.
            if not np.isfinite((logs or {}).get("loss", 0.0)):
                self.stopped = f"The loss became {(logs or {})['loss']} in epoch {len(state.history) + 1}"
                self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            advance()
            # Keras clips probabilities before the logarithm, which hides NaN in the outputs. So check the weights.
            if not self.stopped and not all(np.isfinite(each).all() for each in self.model.get_weights()):
                self.stopped = f"The network's weights became NaN or infinite in epoch {len(state.history) + 1}"
                self.model.stop_training = True
            if self.stopped:
                return
            now = time.perf_counter()
            row = {name: float(value) for name, value in (logs or {}).items()}
            state.history.append({"epoch": epoch + 1, **row, "seconds": now - self._epoch_started})
            self._epoch_started = now
            state.variables = [np.asarray(each) for each in training_variables(self.model, self.model.optimizer)]
            if not has_validation or best_epoch(state) == len(state.history):
                state.best = self.model.get_weights()
            self.model.stop_training = has_converged(state, patience=patience)
            # Last, because it writes the checkpoint, which must contain the complete epoch.
            after_epoch(state)

        def restore_best_weights(self) -> None:
            if state.best:
                self.model.set_weights(state.best)

    return EarlyStopping()


def best_epoch(state: TrainingState) -> int:
    """Return the number of the epoch with the lowest validation loss, from 1; of the last one without validation."""
    return state.best_epoch if state.history and "val_loss" in state.history[0] else len(state.history)


def has_converged(state: TrainingState, *, patience: int) -> bool:
    """Return whether the last `patience` epochs brought no lower validation loss."""
    return len(state.history) - best_epoch(state) >= patience


def explain_stop(callback: Any, state: TrainingState, *, finite_inputs: bool, learning_rate: float) -> str:
    """Return why training stopped at a loss or weights that are not finite, and which weights are kept.

    Args:
        callback: result of `early_stopping_callback`.
        state: state of the training.
        finite_inputs: whether all inputs are finite.
        learning_rate: the configured learning rate.

    Raises:
        AslkitError: it happened in the first epoch, so there are no weights to keep.
    """
    if finite_inputs:
        cause = f"the learning rate ({learning_rate:g}) is probably too high: try a tenth of it"
    else:
        cause = "some inputs are not finite: `aslkit dataset verify` finds them"
    if not state.history:
        raise AslkitError(f"{callback.stopped}; {cause}. No epoch was finished, so there is no model.")
    return f"{callback.stopped}; {cause}. The weights of the best epoch are kept."
