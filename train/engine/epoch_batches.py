"""The rows of each epoch: augmented, shuffled, and prepared in a background thread while the network trains."""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

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
class RankData:
    """The images of one rank, or its hands as landmarks.

    Attributes:
        images: training images, (n, …).
        label: their classes, int64 (n,).
        validation_images: validation images, (m, …).
        validation_label: their classes, int64 (m,).
        total: number of training images over all ranks.
        weight: weight of each training image in the loss, float32 (n,), 1 on average; None for equal weights.
    """

    images: npt.NDArray[Any]
    label: npt.NDArray[np.int64]
    validation_images: npt.NDArray[Any]
    validation_label: npt.NDArray[np.int64]
    total: int
    weight: Array | None = None


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
    data: RankData, variants: Sequence[Variant], *, steps: int, shape: tuple[int, ...], rng: np.random.Generator
) -> Iterator[Chunk]:
    """Yield the rows of an epoch in random order: each image once per variant.

    Args:
        data: images of this rank.
        variants: what an epoch sees of each image. An image seen as it is and in two augmented copies has three.
        steps: number of steps, over which the rows are spread evenly.
        shape: shape of one input.
        rng: random number generator of this epoch and rank.
    """
    count = len(data.images)
    weight = np.ones(count, np.float32) if data.weight is None else data.weight
    order = rng.permutation(count * len(variants))
    ends = np.array([len(part) for part in np.array_split(order, steps)]).cumsum()
    bounds = np.concatenate([[0], ends])
    row_bytes = 4 * int(np.prod(shape))
    steps_per_chunk = max(1, int(_CHUNK_BYTES * steps / max(1, row_bytes * len(order))))
    for first in range(0, steps, steps_per_chunk):
        chunk_bounds = bounds[first : first + steps_per_chunk + 1]
        variant, rows = np.divmod(order[chunk_bounds[0] : chunk_bounds[-1]], max(1, count))
        inputs = np.empty((len(rows), *shape), np.float32)
        for number, vary in enumerate(variants):
            selected = np.flatnonzero(variant == number)
            if len(selected):
                inputs[selected] = vary(data.images[rows[selected]], rng)
        yield Chunk(
            inputs=inputs,
            label=data.label[rows],
            weight=weight[rows],
            bounds=(chunk_bounds - chunk_bounds[0]).astype(np.int32),
        )


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
