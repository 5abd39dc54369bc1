"""The state of a training, from which it can be resumed."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(kw_only=True)
class TrainingState:
    """The state of a training.

    Attributes:
        history: one row per finished epoch.
        best: weights of the best epoch.
        variables: all variables of network and optimizer after the last epoch; empty before the first.
    """

    history: list[dict[str, float]] = field(default_factory=list)
    best: list[npt.NDArray[Any]] = field(default_factory=list)
    variables: list[npt.NDArray[Any]] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """Number of the epoch with the lowest validation loss, from 1; without validation, of the last epoch."""
        losses = [row["val_loss"] for row in self.history if "val_loss" in row]
        return int(np.argmin(losses)) + 1 if losses else len(self.history)

    def is_finished(self, *, epochs: int, patience: int) -> bool:
        """Return whether all epochs are done, or the last `patience` ones brought no lower validation loss.

        With `patience` 0, only the number of epochs counts.
        """
        done = len(self.history)
        return done >= epochs or 0 < patience <= done - self.best_epoch

    def add_epoch(self, row: dict[str, float], model: Any, optimizer: Any) -> None:
        """Record an epoch, and copy the variables of the network and the optimizer."""
        self.history.append(row)
        self.variables = [np.asarray(each) for each in _training_variables(model, optimizer)]
        if self.best_epoch == len(self.history):
            self.best = model.get_weights()

    def update(self, other: "TrainingState") -> None:
        """Become a copy of another state."""
        self.history, self.best, self.variables = other.history, other.best, other.variables

    def restore(self, model: Any, optimizer: Any) -> None:
        """Set the variables of a network and its optimizer, which must be built. Do nothing before the first epoch."""
        if self.variables:
            for variable, value in zip(_training_variables(model, optimizer), self.variables, strict=True):
                variable.assign(value)

    def restore_network(self, model: Any) -> None:
        """Set the variables of a network without an optimizer. Do nothing before the first epoch."""
        for variable, value in zip(model.variables, self.variables, strict=False):
            variable.assign(value)


def _training_variables(model: Any, optimizer: Any) -> list[Any]:
    """Return all variables that training changes, including the random state of dropout layers."""
    return [*model.variables, *optimizer.variables]
