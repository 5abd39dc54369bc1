"""Embeddings are computed once per dataset, and again if it changes or the cache is damaged."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.train.data import samples as data
from aslkit.train.data.embedding_views import embed_views, row_size
from aslkit.train.data.features import get_feature

BOTH = get_feature("both")


def _load(dataset: Path, cache: Path | None) -> data.Samples:
    return data.load_samples(dataset, BOTH.contract, views=1, cache=cache)


@pytest.fixture
def stored(dataset: Path, tmp_path: Path) -> data.Samples:
    return _load(dataset, tmp_path / "cache")


def test_embeddings_are_computed_once(
    stored: data.Samples, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data, "embed_views", lambda *_, **__: pytest.fail("embedded again"))
    again = _load(dataset, tmp_path / "cache")
    assert isinstance(again.hands, np.memmap)
    assert again.hands.shape == (96, row_size(1))
    np.testing.assert_array_equal(again.hands, stored.hands)
    np.testing.assert_array_equal(again.hand_found, stored.hand_found)
    assert (again.hand_found == again.hands.any(axis=1)).all()
    assert 0 < again.hand_found.sum() < len(again)


def test_embeddings_do_not_depend_on_the_cache_or_the_threads(stored: data.Samples, dataset: Path) -> None:
    np.testing.assert_array_equal(_load(dataset, None).hands, stored.hands)


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize("change", ["dataset", "damaged", "cut off"])
def test_changed_dataset_and_damaged_cache_are_embedded_again(
    change: str, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder,) = (tmp_path / "cache").iterdir()
    if change == "dataset":
        parquet = next((dataset / "data").glob("train*"))
        os.utime(parquet, (1, 1))
    else:
        data_bytes = (folder / "hands.npy").read_bytes()
        (folder / "hands.npy").write_bytes(b"" if change == "damaged" else data_bytes[:-100])
    calls: list[int] = []

    def count(*some: Any, **named: Any) -> Any:
        calls.append(1)
        return embed_views(*some, **named)

    monkeypatch.setattr(data, "embed_views", count)
    again = _load(dataset, tmp_path / "cache")
    assert len(calls) == again.hand_found.sum()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [folder.name]
