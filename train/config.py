"""How to train."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aslkit.core.config import check_bool, check_integer, check_number
from aslkit.core.errors import InputError

AUTO: Final = "auto"
"""A feature, an architecture or a start that is yet to be chosen."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How to train; see configs/default.toml for the values and their reasons."""

    feature: str
    architecture: str
    members: int
    start: str
    epochs: int
    patience: int
    batch_size: int
    learning_rate: float
    label_smoothing: float
    both_hands: bool
    synthetic: bool
    validation_share: float
    test_share: float
    seed: int

    def __post_init__(self) -> None:
        """Check every number once; feature and architecture are looked up where they are kept."""
        if not isinstance(self.start, str):
            raise InputError(f"start must be the path of a model, auto, or empty; it is {self.start!r}.")
        check_integer("members", self.members, 1, 100)
        check_integer("epochs", self.epochs, 1, 10_000)
        check_integer("patience", self.patience, 1, 10_000)
        check_integer("batch_size", self.batch_size, 1, 65_536)
        check_number("learning_rate", self.learning_rate, 1e-7, 1)
        check_number("label_smoothing", self.label_smoothing, 0, 0.9)
        check_bool("both_hands", self.both_hands)
        check_bool("synthetic", self.synthetic)
        check_number("validation_share", self.validation_share, 0.01, 0.9)
        check_number("test_share", self.test_share, 0.01, 0.9)
        check_integer("seed", self.seed, 0, 2**32 - 1)

    @property
    def start_model(self) -> Path | None:
        """The model to begin with; None from scratch, or where it is yet to be chosen."""
        return Path(self.start) if self.start not in ("", AUTO) else None
