"""Rows that networks are trained on: in memory, or read in blocks, so that a dataset can exceed the memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from aslkit.vision.preprocess import Array


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Images, or hands as landmarks, in memory. They are a `Block`.

    Attributes:
        images: (n, …).
        label: their classes, int64 (n,).
        weight: weight of each in the loss, float32 (n,), 1 on average over a training set.
    """

    images: npt.NDArray[Any]
    label: npt.NDArray[np.int64]
    weight: Array

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.label)

    def read(self) -> "Rows":
        """Return the rows."""
        return self

    @staticmethod
    def empty() -> "Rows":
        """Return no rows."""
        return Rows(images=np.zeros(0), label=np.zeros(0, np.int64), weight=np.zeros(0, np.float32))


class Block(Protocol):
    """Rows that are read at once. A block is a random part of a training set."""

    def __len__(self) -> int:
        """Number of rows."""

    def read(self) -> Rows:
        """Return the rows, read again each time."""


@dataclass(frozen=True, kw_only=True)
class RankData:
    """What one rank trains on.

    Attributes:
        train: blocks of training rows.
        validation: blocks of validation rows.
        total: number of training rows over all ranks.
    """

    train: Sequence[Block]
    validation: Sequence[Block]
    total: int


@dataclass(frozen=True, kw_only=True)
class RowStream:
    """Rows that are produced in portions.

    Attributes:
        count: number of rows.
        row_bytes: size of an image, bytes.
        portions: function () -> the rows in order, some thousands at a time, and at least one portion, even if empty.
    """

    count: int
    row_bytes: int
    portions: Callable[[], Iterator[Rows]]

    def load(self) -> Rows:
        """Return all rows in memory."""
        parts = list(self.portions())
        names = ("images", "label", "weight")
        return Rows(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True, kw_only=True)
class TrainingRows:
    """The training and validation rows of a training, over all ranks."""

    train: RowStream
    validation: RowStream


def stream_arrays(images: npt.NDArray[Any], label: npt.NDArray[np.int64], weight: Array | None = None) -> RowStream:
    """Return a stream of rows that are in memory; without weights, all have weight 1."""
    rows = Rows(images=images, label=label, weight=np.ones(len(label), np.float32) if weight is None else weight)
    row_bytes = images.dtype.itemsize * int(np.prod(images.shape[1:]))
    return RowStream(count=len(rows), row_bytes=row_bytes, portions=lambda: iter([rows]))
