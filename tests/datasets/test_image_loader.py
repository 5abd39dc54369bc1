from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import image_loader, parquet_store
from aslkit.vision.images import decode_image
from tests.datasets import factories


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("loader") / "tiny", train=45, validation=3, test=10)


def read(folder: Path, size: int = 7, **options: object) -> list[image_loader.Batch]:
    return list(image_loader.iter_batches(folder, size=size, columns=("label", "sha256"), **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [1, 7, 58, 100])
@pytest.mark.parametrize("threads", [1, 3])
def test_in_order_each_row_once_in_batches_of_one_size(dataset: Path, size: int, threads: int) -> None:
    found = read(dataset, size, threads=threads)
    rows = parquet_store.read_dataset(dataset).to_pylist()
    assert [len(batch.images) for batch in found[:-1]] == [size] * (len(found) - 1)
    assert [sha for batch in found for sha in batch.rows.column("sha256").to_pylist()] == [
        row["sha256"] for row in rows
    ]
    images = [image for batch in found for image in batch.images]
    for image, row in zip(images, rows, strict=True):
        assert image.dtype == np.uint8
        assert np.abs(image.astype(int) - decode_image(row["image"]["bytes"])).max() <= 1


def test_shuffled_each_row_once_and_as_the_seed_says(dataset: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_loader, "WINDOW", 3)  # of row groups of 8

    def order(seed: int) -> list[str]:
        found = read(dataset, split="train", rng=np.random.default_rng(seed))
        for batch in found:
            assert len(batch.images) == len(batch.rows)
        return [sha for batch in found for sha in batch.rows.column("sha256").to_pylist()]

    straight = [sha for batch in read(dataset, split="train") for sha in batch.rows.column("sha256").to_pylist()]
    assert Counter(order(1)) == Counter(straight)
    assert order(1) == order(1)
    assert order(1) != order(2)
    assert order(1) != straight


def test_images_go_with_their_rows_when_shuffled(dataset: Path) -> None:
    known = {
        row["sha256"]: decode_image(row["image"]["bytes"]) for row in parquet_store.read_dataset(dataset).to_pylist()
    }
    for batch in read(dataset, rng=np.random.default_rng(0)):
        for image, sha in zip(batch.images, batch.rows.column("sha256").to_pylist(), strict=True):
            assert np.abs(image.astype(int) - known[sha]).max() <= 1


@pytest.mark.parametrize("data", [None, b"#!/bin/sh", b""])
def test_an_image_that_is_none_is_named(tmp_path: Path, data: bytes | None) -> None:
    rows = [*factories.rows_of("train", 5), factories.row(9, "ada", image={"bytes": data, "path": "x\x1b.jpg"})]
    folder = factories.write(tmp_path / "d", {"train": rows})
    with pytest.raises(AslkitError, match=r"x\\x1b\.jpg.*aslkit dataset verify|x�\.jpg.*aslkit dataset verify"):
        read(folder)


def test_a_stopped_loop_leaves_no_thread_waiting(dataset: Path) -> None:
    found = image_loader.iter_batches(dataset, size=2)
    next(found)
    found.close()  # type: ignore[attr-defined]


def test_no_such_split(tmp_path: Path) -> None:
    folder = factories.write(tmp_path / "d", {"train": factories.rows_of("train", 2)})
    with pytest.raises(InputError, match="no split 'test'"):
        read(folder, split="test")


def test_landmarks_filtered(dataset: Path) -> None:
    rows = [row for row in parquet_store.read_dataset(dataset).to_pylist() if row["landmarks"] is not None]
    found = image_loader.landmarks(dataset)
    assert found.shape == (len(rows), 21, 3)
    np.testing.assert_array_equal(found.reshape(-1, 63), np.array([row["landmarks"] for row in rows], np.float32))
    left = image_loader.landmarks(dataset, where=(pc.field("signer") == "ada") & (pc.field("handedness") == "left"))
    assert len(left) == sum(row["signer"] == "ada" and row["handedness"] == "left" for row in rows)
    assert len(image_loader.landmarks(dataset, where=pc.field("signer") == "nobody")) == 0
    assert image_loader.table(dataset, ["label"], where=pc.field("group") < 5).column("label").to_pylist() == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_what_is_damaged_is_said(dataset: Path, tmp_path: Path) -> None:
    folder = factories.dataset(tmp_path / "d")
    path = parquet_store.list_files(folder)[0]
    good = path.read_bytes()
    path.write_bytes(good[:40] + bytes(3000) + good[3040:])
    with pytest.raises(AslkitError, match="damaged"):
        image_loader.table(folder, ["label", "image"])
    with pytest.raises(AslkitError, match="damaged"):
        read(folder)
