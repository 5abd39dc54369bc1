"""When a training ends before its time, and with which weights: no progress, Ctrl-C, a loss that is no number."""

import time
from typing import Any

import numpy as np

from aslkit.errors import AslkitError
from aslkit.progress import Advance


def watcher(keras: Any, *, patience: int, validated: bool, advance: Advance) -> Any:
    """A Keras callback that keeps the best weights and notes each epoch.

    It has `history`, a row an epoch; `ends`, when epochs ended, s; `stopped`, why it ended before its time,
    other than for lack of progress, in words or ""; and `restore()`, which gives the model the best weights again.

    Args:
        keras: the module.
        patience: epochs without a lower validation loss, after which it stops.
        validated: whether there is a validation loss; without one, the last good epoch is the best.
        advance: told of each epoch.
    """

    class Watcher(keras.callbacks.Callback):  # type: ignore[misc]
        """See `watcher`."""

        def __init__(self) -> None:
            super().__init__()
            self.history: list[dict[str, float]] = []
            self.ends = [time.perf_counter()]
            self.stopped, self._best, self._best_epoch = "", np.inf, 0
            self._weights: list[Any] | None = None

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if not np.isfinite((logs or {}).get("loss", 0.0)):
                self.stopped = f"The loss became {(logs or {})['loss']} in epoch {len(self.history) + 1}"
                self.model.stop_training = True

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            advance()
            # Keras clips what it takes the logarithm of, and so hides that outputs are no numbers: weights tell.
            if not self.stopped and not all(np.isfinite(each).all() for each in self.model.get_weights()):
                self.stopped = f"The network's weights became no numbers in epoch {len(self.history) + 1}"
                self.model.stop_training = True
            if self.stopped:
                return
            self.ends.append(time.perf_counter())
            row = {name: float(value) for name, value in (logs or {}).items()}
            self.history.append({"epoch": epoch + 1, **row})
            loss = row["val_loss"] if validated else -float(epoch)
            if loss < self._best:
                self._best, self._best_epoch = loss, epoch + 1
                self._weights = self.model.get_weights()
            elif validated and epoch + 1 - self._best_epoch >= patience:
                self.model.stop_training = True

        def restore(self) -> None:
            if self._weights is not None:
                self.model.set_weights(self._weights)

    return Watcher()


def explain(watched: Any, *, finite: bool, learning_rate: float) -> str:
    """Say why a loss turned no number, and what is kept.

    Args:
        watched: what `watcher` gave.
        finite: whether all inputs are numbers.
        learning_rate: that was used.

    Raises:
        AslkitError: it happened in the first epoch, so nothing is worth keeping.
    """
    if finite:
        cause = f"likely the learning rate ({learning_rate:g}) is too high: try a tenth of it"
    else:
        cause = "some inputs are not numbers: `aslkit dataset verify` finds them"
    if not watched.history:
        raise AslkitError(f"{watched.stopped}; {cause}. Nothing was learned, so nothing is kept.")
    return f"{watched.stopped}; {cause}. The best epoch before is kept."
