import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import parquet_store
from aslkit.datasets.info import summarise_folder
from aslkit.datasets.sign_mnist import read_csv, to_rows
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.datasets.verify.run import verify_dataset
from aslkit.vision.images import decode_image, measure_quality, perceptual_hash, pixel_hash
from tests.datasets import factories

LABELS = {"train": [0, 8, 10, 24, 3], "test": [1, 24]}


@pytest.fixture
def csvs(tmp_path: Path, rng: np.random.Generator) -> tuple[Path, dict[str, Any]]:
    """A folder with random images in the published format, and their pixels."""
    folder, pixels = tmp_path / "csv", {}
    folder.mkdir()
    header = "label," + ",".join(f"pixel{n + 1}" for n in range(784))
    for split, labels in LABELS.items():
        pixels[split] = rng.integers(0, 256, (len(labels), 784))
        rows = [",".join(map(str, [label, *row])) for label, row in zip(labels, pixels[split], strict=True)]
        (folder / f"sign_mnist_{split}.csv").write_text("\n".join([header, *rows]) + "\n")
    return folder, pixels


def test_split_labels_and_pixels_are_preserved(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    source, pixels = csvs
    result = fetch_sign_mnist(tmp_path / "mnist", source=source, partial=True)
    assert result.rows == {"train": 5, "test": 2}
    assert "test has 2 rows instead of 7,172" in result.notes[1]
    rows = parquet_store.read_dataset(result.folder).to_pylist()
    assert [row["split"] for row in rows] == ["train"] * 5 + ["test"] * 2
    assert [row["label"] for row in rows] == [0, 8, 9, 23, 3, 1, 23]  # 0–23, without the gap
    for row, image in zip(rows, [*pixels["train"], *pixels["test"]], strict=True):
        frame = decode_image(row["image"]["bytes"])
        assert (frame == image.reshape(28, 28, 1)).all()
        assert row["sha256"] == pixel_hash(frame)
        assert row["signer"] is row["session"] is row["landmarks"] is row["group"] is row["licence"] is None
    assert summarise_folder(result.folder).signers.keys() == {"unknown"}
    assert not verify_dataset(result.folder, processes=0).problems
    facts = parquet_store.read_facts(result.folder)
    assert facts["summary"]["split_by"] == "official"
    assert facts["source"].startswith("Other rows in the format of Sign Language MNIST")
    card = (result.folder / "README.md").read_text(encoding="utf-8")
    assert "The signers are unknown" in card
    assert "license: unknown" in card


def test_batch_measurements_match_curation() -> None:
    pixels = np.stack([factories.picture(seed, width=28, height=28)[..., 0] for seed in range(600)])
    frames = [np.repeat(each[..., None], 3, axis=2) for each in pixels]
    assert to_rows.perceptual_hashes(pixels).tolist() == [perceptual_hash(frame) for frame in frames]
    brightness, contrast, sharpness = to_rows.measure_qualities(pixels)
    for index, frame in enumerate(frames):
        expected = measure_quality(frame)
        assert brightness[index] == pytest.approx(expected.brightness, rel=1e-5)
        assert contrast[index] == pytest.approx(expected.contrast, rel=1e-4)
        assert sharpness[index] == pytest.approx(expected.sharpness, rel=1e-3)


def test_other_row_counts_are_rejected(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train has 5 rows instead of 27,455.*--partial"):
        fetch_sign_mnist(tmp_path / "mnist", source=csvs[0])
    assert not (tmp_path / "mnist").exists()


def test_only_own_dataset_is_overwritten(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    other = factories.dataset(tmp_path / "custom")
    with pytest.raises(AslkitError, match="already contains other files"):
        fetch_sign_mnist(other, source=csvs[0], partial=True)
    for _ in range(2):
        fetch_sign_mnist(tmp_path / "mnist", source=csvs[0], partial=True)


def test_kaggle_archive_with_each_file_twice(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for split in LABELS:
            for folder in (f"sign_mnist_{split}/", ""):
                archive.write(csvs[0] / f"sign_mnist_{split}.csv", f"{folder}sign_mnist_{split}.csv")
    assert fetch_sign_mnist(tmp_path / "m", source=tmp_path / "archive.zip", partial=True).rows == {
        "train": 5,
        "test": 2,
    }


def fake_kaggle(monkeypatch: pytest.MonkeyPatch, outcome: Path | Exception) -> list[str]:
    slugs: list[str] = []

    def dataset_download(slug: str) -> str:
        slugs.append(slug)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    module = ModuleType("kagglehub")
    module.dataset_download = dataset_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return slugs


def test_download_from_kaggle(
    csvs: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slugs = fake_kaggle(monkeypatch, csvs[0])
    assert fetch_sign_mnist(tmp_path / "mnist", partial=True).rows == {"train": 5, "test": 2}
    assert slugs == ["datamunge/sign-language-mnist"]


def test_partial_dataset_is_described_as_part(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    arguments = ["dataset", "get", "sign-mnist", "--from", str(csvs[0]), "--partial", "--workspace", str(tmp_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.output.startswith("Part of Sign Language MNIST, or a similar dataset (train 5, test 2): ")


class HTTPError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("internal error text")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (HTTPError(401), r"kaggle\.json"),
        (HTTPError(403), "does not allow"),
        (HTTPError(429), "Wait"),
        (ConnectionError("dns"), "Check the network connection"),
        (ValueError("odd\nlines"), r"ValueError: odd\)"),
    ],
)
def test_kaggle_errors_are_explained(
    error: Exception, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kaggle(monkeypatch, error)
    with pytest.raises(AslkitError, match=message) as caught:
        fetch_sign_mnist(tmp_path / "mnist")
    assert "--from archive.zip" in caught.value.message


def test_missing_kagglehub_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(AslkitError, match="needs kagglehub, which is not installed"):
        fetch_sign_mnist(tmp_path / "mnist")


def test_too_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_csv, "_MAX_FILE_BYTES", 5)
    (tmp_path / "sign_mnist_train.csv").write_text("label,pixel1")
    with pytest.raises(InputError, match="too large: 12 bytes"):
        read_csv.read_sign_mnist(tmp_path)


def test_published_files_are_complete(real_data: Path, tmp_path: Path) -> None:
    result = fetch_sign_mnist(tmp_path / "mnist", source=real_data / "sign-language-mnist.zip")
    assert result.rows == read_csv.COUNTS
    assert len(result.notes) == 1
    assert parquet_store.read_facts(result.folder)["source"] == read_csv.SOURCE
