from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import image_loader, parquet_store
from aslkit.vision.images import decode_image
from tests.datasets import factories


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("loader") / "tiny", train=45, validation=3, test=10)


def read(folder: Path, batch_size: int = 7, split: str | None = None) -> list[image_loader.Batch]:
    return list(image_loader.iter_batches(folder, batch_size=batch_size, split=split, columns=("label", "sha256")))


@pytest.mark.parametrize("batch_size", [1, 7, 58, 100])
@pytest.mark.parametrize("cores", [1, 3, None])
def test_batches_contain_each_row_once_in_order(
    dataset: Path, batch_size: int, cores: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_loader, "cpu_count", lambda: cores)
    batches = read(dataset, batch_size)
    rows = parquet_store.read_dataset(dataset).to_pylist()
    assert [len(batch.images) for batch in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert [sha for batch in batches for sha in batch.rows.column("sha256").to_pylist()] == [
        row["sha256"] for row in rows
    ]
    images = [image for batch in batches for image in batch.images]
    for image, row in zip(images, rows, strict=True):
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - decode_image(row["image"]["bytes"])).max() <= 1


def test_split_is_selected(dataset: Path) -> None:
    hashes = [sha for batch in read(dataset, split="test") for sha in batch.rows.column("sha256").to_pylist()]
    assert hashes == [
        row["sha256"] for row in parquet_store.read_dataset(dataset).to_pylist() if row["split"] == "test"
    ]


@pytest.mark.parametrize("data", [None, b"#!/bin/sh", b""])
def test_invalid_image_is_reported(tmp_path: Path, data: bytes | None) -> None:
    rows = [*factories.rows_of("train", 5), factories.row(9, "ada", image={"bytes": data, "path": "x\x1b.jpg"})]
    folder = factories.write(tmp_path / "d", {"train": rows})
    with pytest.raises(AslkitError, match=r"x\\x1b\.jpg.*aslkit dataset verify|x�\.jpg.*aslkit dataset verify"):
        read(folder)


def test_interrupted_iteration_leaves_no_thread(dataset: Path) -> None:
    batches = image_loader.iter_batches(dataset, batch_size=2)
    next(batches)
    batches.close()  # type: ignore[attr-defined]


def test_missing_split_is_reported(tmp_path: Path) -> None:
    folder = factories.write(tmp_path / "d", {"train": factories.rows_of("train", 2)})
    with pytest.raises(InputError, match="no split 'test'"):
        read(folder, split="test")


def test_damaged_file_is_reported(tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "d")
    path = parquet_store.list_files(folder)[0]
    good = path.read_bytes()
    path.write_bytes(good[:40] + bytes(3000) + good[3040:])
    with pytest.raises(AslkitError, match="damaged"):
        read(folder)
