"""Clips are exported as folders of images, and in tables with their name and time."""

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from aslkit.core.letters import LABELS
from aslkit.datasets import parquet_store
from aslkit.datasets.exporters.run import export_dataset
from aslkit.vision.images import decode_image, pixel_hash
from tests.datasets import factories
from tests.datasets.exporters.test_export import open_in_hugging_face

COUNT = {"train": 20, "validation": 20, "test": 20}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset_with_clips(tmp_path_factory.mktemp("export") / "moving")


@pytest.fixture(scope="module")
def rows(folder: Path) -> dict[str, dict[str, Any]]:
    return {row["sha256"]: row for row in parquet_store.read_dataset(folder).to_pylist()}


def test_clip_is_a_folder_with_its_images_in_order(
    folder: Path, rows: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    result = export_dataset(folder, format="imagefolder", to=tmp_path / "out")
    assert result.rows == COUNT
    assert result.left_out == {}
    for split in COUNT:
        for letter in "JZ":
            (clip,) = (tmp_path / "out" / split / letter).iterdir()
            files = sorted(clip.iterdir())
            found = [rows[pixel_hash(decode_image(path.read_bytes()))] for path in files]
            assert [row["time_ms"] for row in found] == [0, 33, 66, 99]
            assert {(row["split"], LABELS[row["label"]]) for row in found} == {(split, letter)}
            assert len({row["clip"] for row in found}) == 1
            assert clip.name.startswith(f"{found[0]['signer']}-")


def test_hugging_face_opens_image_folders_with_clips(
    folder: Path, rows: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    found = open_in_hugging_face(export_dataset(folder, format="imagefolder", to=tmp_path / "out"), tmp_path / "cache")
    assert {split: len(each) for split, each in found.items()} == COUNT
    for actual in (row for each in found.values() for row in each):
        row = rows[actual["pixels"]]
        assert (actual["clip"], actual["time_ms"], actual["label"], actual["letter"]) == (
            row["clip"], row["time_ms"], row["label"], LABELS[row["label"]],
        )  # fmt: skip


def test_landmarks_have_clip_and_time(folder: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    export_dataset(folder, format="landmarks", to=tmp_path / "out")
    with (tmp_path / "out" / "landmarks-train.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert len(found) == 20
    for actual in found:
        row = rows[actual["sha256"]]
        assert (actual["clip"], actual["time_ms"]) == (
            row["clip"] or "",
            "" if row["clip"] is None else str(row["time_ms"]),
        )
        assert actual["letter"] == LABELS[row["label"]]


def test_webdataset_has_clip_and_time(folder: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    export_dataset(folder, format="webdataset", to=tmp_path / "out", splits=["test"])
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "out" / "test-000000.tar").read_bytes())) as archive:
        values = [json.load(archive.extractfile(name)) for name in archive.getnames() if name.endswith(".json")]  # type: ignore[arg-type]
        labels = [int(archive.extractfile(name).read()) for name in archive.getnames() if name.endswith(".cls")]  # type: ignore[union-attr]
    assert [(value["clip"], value["time_ms"]) for value in values] == [
        (rows[value["sha256"]]["clip"], rows[value["sha256"]]["time_ms"]) for value in values
    ]
    assert sorted(set(labels))[-2:] == [24, 25]


def test_format_of_single_images_skips_clips(folder: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    result = export_dataset(folder, format="csv28", to=tmp_path / "out")
    assert result.left_out["part of a clip"] == 24
    hands = sum(row["landmarks"] is not None for row in rows.values() if row["clip"] is None)
    assert sum(result.rows.values()) == hands


@pytest.mark.parametrize("format", ["imagefolder", "webdataset", "csv28", "landmarks"])
def test_version_1_is_exported_as_before(tmp_path: Path, format: str) -> None:
    folder = factories.dataset(tmp_path / "d", train=12, validation=2, test=4)
    new = export_dataset(folder, format=format, to=tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    old = export_dataset(factories.to_version_1(folder), format=format, to=tmp_path / "out")
    assert (old.rows, old.left_out) == (new.rows, new.left_out)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before
