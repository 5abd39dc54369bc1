"""Cache of the embeddings of datasets, so that training again on the same dataset starts at once."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.files import atomic_write
from aslkit.datasets import parquet_store
from aslkit.vision.preprocess import Array

_VERSION: Final = 1
"""Increase it when embeddings, or the views of a hand, change."""

Hands = tuple[Array, npt.NDArray[np.bool_]]


def load_or_embed(cache: Path, dataset: Path, values: int, embed: Callable[[], Hands]) -> Hands:
    """Return the hands of a dataset from the cache, or embed and store them.

    The cache of an earlier version of the dataset, or a damaged one, is replaced.

    Args:
        cache: folder of the cache.
        dataset: folder of the dataset.
        values: number of values per hand.
        embed: returns hands, float32 (n, values), and whether each was found, bool (n,).

    Returns:
        The same; from the cache, the hands are in a file that numpy maps.
    """
    folder, key = cache / f"{dataset.name}-{values}", _key(dataset)
    try:
        if (folder / "key.txt").read_text() == key:
            return np.load(folder / "hands.npy", mmap_mode="r"), np.load(folder / "found.npy")
    except (OSError, ValueError, EOFError):
        pass  # missing or damaged: embed again
    hands, found = embed()
    with atomic_write(folder) as partial:
        partial.mkdir(parents=True)
        np.save(partial / "hands.npy", hands)
        np.save(partial / "found.npy", found)
        (partial / "key.txt").write_text(key)
    return hands, found


def _key(dataset: Path) -> str:
    """Return a text that changes when a file of the dataset does."""
    files = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in parquet_store.list_files(dataset)]
    return hashlib.sha256(repr((_VERSION, str(dataset.resolve()), files)).encode()).hexdigest()
