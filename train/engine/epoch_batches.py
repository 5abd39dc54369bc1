"""The rows of each epoch: augmented, shuffled, and prepared in a background thread while the network trains."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from aslkit.train.engine.training_rows import Block, Rows
from aslkit.vision.preprocess import Array

T = TypeVar("T")

Variant = Callable[[Any, np.random.Generator], Array]
"""Function (images, rng) -> inputs, float32 (n, *shape). With or without augmentation."""

_CHUNK_BYTES: Final = 8 * 2**20
"""Size of the inputs that are prepared at once. Large enough that a call of TensorFlow costs little, and small enough
for the memory: three chunks exist at a time."""

_CHUNKS_AHEAD: Final = 2
"""Chunks that the background thread prepares in advance."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """The rows of several steps.

    Attributes:
        inputs: float32 (n, *shape).
        label: int64 (n,).
        weight: float32 (n,).
        bounds: first row of each step, and n: int32 (steps + 1,). A step can be empty.
    """

    inputs: Array
    label: npt.NDArray[np.int64]
    weight: Array
    bounds: npt.NDArray[np.int32]


def epoch_chunks(
    blocks: Sequence[Block],
    variants: Sequence[Variant],
    *,
    steps: int,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Iterator[Chunk]:
    """Yield the rows of an epoch in random order: each row once per variant.

    The blocks are read in random order, one at a time, and the rows of each are shuffled. Because a block is a random
    part of the data, the order is random over all of it.

    Args:
        blocks: rows of this rank.
        variants: what an epoch sees of each row. A row seen as it is and in two augmented copies has three.
        steps: number of steps, over which the rows are spread evenly.
        shape: shape of one input.
        rng: random number generator of this epoch and rank.
    """
    total = len(variants) * sum(len(block) for block in blocks)
    least, larger_steps = divmod(total, steps)
    bounds = np.concatenate([[0], np.cumsum(least + (np.arange(steps) < larger_steps))])
    row_bytes = 4 * int(np.prod(shape))
    steps_per_chunk = max(1, int(_CHUNK_BYTES * steps / max(1, row_bytes * total)))
    shuffled = _ShuffledRows(blocks, len(variants), rng)
    for first in range(0, steps, steps_per_chunk):
        chunk_bounds = bounds[first : first + steps_per_chunk + 1] - bounds[first]
        yield _build_chunk(shuffled, chunk_bounds, variants, shape, rng)


class _ShuffledRows:
    """The rows of several blocks in random order, each `copies` times."""

    def __init__(self, blocks: Sequence[Block], copies: int, rng: np.random.Generator) -> None:
        self._blocks = (blocks[number].read() for number in rng.permutation(len(blocks)))
        self._copies, self._rng = copies, rng
        self._rows, self._order = Rows.empty(), np.zeros(0, np.int64)

    def take(self, count: int) -> Iterator[tuple[Rows, npt.NDArray[np.int64]]]:
        """Yield rows of one block at a time, and which of them come next: `count` numbers from 0 to copies * n - 1."""
        while count:
            while not len(self._order):
                self._rows = next(self._blocks)
                self._order = self._rng.permutation(len(self._rows) * self._copies)
            taken, self._order = self._order[:count], self._order[count:]
            count -= len(taken)
            yield self._rows, taken


def _build_chunk(
    shuffled: _ShuffledRows,
    bounds: npt.NDArray[np.int64],
    variants: Sequence[Variant],
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> Chunk:
    """Return the next rows with their variants applied. `bounds` are the first rows of the steps, from 0."""
    count, done = int(bounds[-1]), 0
    inputs, label, weight = (
        np.empty((count, *shape), np.float32),
        np.empty(count, np.int64),
        np.empty(count, np.float32),
    )
    for rows, order in shuffled.take(count):
        variant, row = np.divmod(order, len(rows))
        for number, vary in enumerate(variants):
            selected = np.flatnonzero(variant == number)
            if len(selected):
                inputs[done + selected] = vary(rows.images[row[selected]], rng)
        part = slice(done, done + len(order))
        label[part], weight[part] = rows.label[row], rows.weight[row]
        done = part.stop
    return Chunk(inputs=inputs, label=label, weight=weight, bounds=bounds.astype(np.int32))


def prefetch(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield the items of an iterator that a background thread advances. Its exceptions are raised here, in order."""
    executor = ThreadPoolExecutor(max_workers=1)
    try:
        # One thread runs the submitted calls in order, so the items stay in order.
        pending = deque(executor.submit(next, items) for _ in range(_CHUNKS_AHEAD))
        with suppress(StopIteration):
            while True:
                item = pending.popleft().result()
                pending.append(executor.submit(next, items))
                yield item
    finally:
        executor.shutdown(cancel_futures=True)
