"""When a training ends before its time, and with which weights: no progress, Ctrl-C, a loss that is no number."""

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
    validated: bool,
    state: TrainingState,
    advance: Advance,
    ended: Callable[[TrainingState], None],
) -> Any:
    """A Keras callback that keeps the best weights and notes each epoch in `state`.

    It has `stopped`, why it ended before its time, other than for lack of progress, in words or ""; and `restore()`,
    which gives the model the best weights again.

    Args:
        keras: the module.
        patience: epochs without a lower validation loss, after which it stops.
        validated: whether there is a validation loss; without one, the last good epoch is the best.
        state: what an earlier training left, or an empty one.
        advance: told of each epoch.
        ended: called after each good epoch.
    """

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        """See `early_stopping_callback`."""

        def __init__(self) -> None:
            super().__init__()
            self.stopped, self._begun = "", time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if not np.isfinite((logs or {}).get("loss", 0.0)):
                self.stopped = f"The loss became {(logs or {})['loss']} in epoch {len(state.history) + 1}"
                self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            advance()
            # Keras clips what it takes the logarithm of, and so hides that outputs are no numbers: weights tell.
            if not self.stopped and not all(np.isfinite(each).all() for each in self.model.get_weights()):
                self.stopped = f"The network's weights became no numbers in epoch {len(state.history) + 1}"
                self.model.stop_training = True
            if self.stopped:
                return
            now = time.perf_counter()
            row = {name: float(value) for name, value in (logs or {}).items()}
            state.history.append({"epoch": epoch + 1, **row, "seconds": now - self._begun})
            self._begun = now
            state.variables = [np.asarray(each) for each in training_variables(self.model, self.model.optimizer)]
            if not validated or best_epoch(state) == len(state.history):
                state.best = self.model.get_weights()
            self.model.stop_training = has_converged(state, patience=patience)
            ended(state)

        def restore(self) -> None:
            if state.best:
                self.model.set_weights(state.best)

    return Watcher()


def best_epoch(state: TrainingState) -> int:
    """Epochs done when the validation loss was lowest; all of them, where there is no validation."""
    return state.best_epoch if state.history and "val_loss" in state.history[0] else len(state.history)


def has_converged(state: TrainingState, *, patience: int) -> bool:
    """Whether so many epochs brought no lower validation loss."""
    return len(state.history) - best_epoch(state) >= patience


def explain_stop(watched: Any, state: TrainingState, *, finite: bool, learning_rate: float) -> str:
    """Say why a loss turned no number, and what is kept.

    Args:
        watched: what `early_stopping_callback` gave.
        state: its state.
        finite: whether all inputs are numbers.
        learning_rate: that was used.

    Raises:
        AslkitError: it happened in the first epoch, so nothing is worth keeping.
    """
    if finite:
        cause = f"likely the learning rate ({learning_rate:g}) is too high: try a tenth of it"
    else:
        cause = "some inputs are not numbers: `aslkit dataset verify` finds them"
    if not state.history:
        raise AslkitError(f"{watched.stopped}; {cause}. Nothing was learned, so nothing is kept.")
    return f"{watched.stopped}; {cause}. The best epoch before is kept."
