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
    """Random pictures in the files' form, in a folder."""
    folder, pixels = tmp_path / "csv", {}
    folder.mkdir()
    head = "label," + ",".join(f"pixel{n + 1}" for n in range(784))
    for split, labels in LABELS.items():
        pixels[split] = rng.integers(0, 256, (len(labels), 784))
        rows = [",".join(map(str, [label, *row])) for label, row in zip(labels, pixels[split], strict=True)]
        (folder / f"sign_mnist_{split}.csv").write_text("\n".join([head, *rows]) + "\n")
    return folder, pixels


def test_the_official_split_and_every_pixel_come_through(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    source, pixels = csvs
    done = fetch_sign_mnist(tmp_path / "mnist", source=source, partial=True)
    assert done.rows == {"train": 5, "test": 2}
    assert "test has 2 rows, the published one 7,172" in done.notes[1]
    rows = parquet_store.read_dataset(done.folder).to_pylist()
    assert [row["split"] for row in rows] == ["train"] * 5 + ["test"] * 2
    assert [row["label"] for row in rows] == [0, 8, 9, 23, 3, 1, 23]  # 0–23, without the gap
    for row, picture in zip(rows, [*pixels["train"], *pixels["test"]], strict=True):
        frame = decode_image(row["image"]["bytes"])
        assert (frame == picture.reshape(28, 28, 1)).all()
        assert row["sha256"] == pixel_hash(frame)
        assert row["signer"] is row["session"] is row["landmarks"] is row["group"] is row["licence"] is None
    assert summarise_folder(done.folder).signers.keys() == {"unknown"}
    assert not verify_dataset(done.folder, processes=0).problems
    about = parquet_store.read_facts(done.folder)
    assert about["summary"]["split_by"] == "official"
    assert about["source"].startswith("Other rows, in the form of Sign Language MNIST")
    card = (done.folder / "README.md").read_text(encoding="utf-8")
    assert "Who is seen in which image is not known" in card
    assert "license: unknown" in card


def test_all_at_once_is_measured_as_one_by_one() -> None:
    """What curation would measure of each image, to the bit."""
    pixels = np.stack([factories.picture(seed, width=28, height=28)[..., 0] for seed in range(600)])
    frames = [np.repeat(each[..., None], 3, axis=2) for each in pixels]
    assert to_rows.perceptual_hashes(pixels).tolist() == [perceptual_hash(frame) for frame in frames]
    brightness, contrast, sharpness = to_rows.measure_qualities(pixels)
    for index, frame in enumerate(frames):
        one = measure_quality(frame)
        assert brightness[index] == pytest.approx(one.brightness, rel=1e-5)
        assert contrast[index] == pytest.approx(one.contrast, rel=1e-4)
        assert sharpness[index] == pytest.approx(one.sharpness, rel=1e-3)


def test_another_number_of_rows_is_refused(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train has 5 rows, the published one 27,455.*--partial"):
        fetch_sign_mnist(tmp_path / "mnist", source=csvs[0])
    assert not (tmp_path / "mnist").exists()


def test_what_lies_there_is_not_overwritten_unless_it_is_the_same(
    csvs: tuple[Path, dict[str, Any]], tmp_path: Path
) -> None:
    other = factories.dataset(tmp_path / "custom")
    with pytest.raises(AslkitError, match="holds something else"):
        fetch_sign_mnist(other, source=csvs[0], partial=True)
    for _ in range(2):
        fetch_sign_mnist(tmp_path / "mnist", source=csvs[0], partial=True)


def test_kaggles_archive_has_each_file_twice(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        for split in LABELS:
            for place in (f"sign_mnist_{split}/", ""):
                archive.write(csvs[0] / f"sign_mnist_{split}.csv", f"{place}sign_mnist_{split}.csv")
    assert fetch_sign_mnist(tmp_path / "m", source=tmp_path / "archive.zip", partial=True).rows == {
        "train": 5,
        "test": 2,
    }


def fake_kaggle(monkeypatch: pytest.MonkeyPatch, outcome: Path | Exception) -> list[str]:
    asked: list[str] = []

    def dataset_download(slug: str) -> str:
        asked.append(slug)
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    module = ModuleType("kagglehub")
    module.dataset_download = dataset_download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", module)
    return asked


def test_from_kaggle(csvs: tuple[Path, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake_kaggle(monkeypatch, csvs[0])
    assert fetch_sign_mnist(tmp_path / "mnist", partial=True).rows == {"train": 5, "test": 2}
    assert asked == ["datamunge/sign-language-mnist"]


def test_a_part_is_not_called_the_published_dataset(csvs: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    arguments = ["dataset", "get", "sign-mnist", "--from", str(csvs[0]), "--partial", "--workspace", str(tmp_path)]
    done = CliRunner().invoke(main, arguments)
    assert done.output.startswith("A part of Sign Language MNIST, or its like (train 5, test 2): ")


class HTTPError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__("nothing a user wants to read")
        self.response = SimpleNamespace(status_code=status)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (HTTPError(401), r"kaggle\.json"),
        (HTTPError(403), "does not allow"),
        (HTTPError(429), "Wait"),
        (ConnectionError("dns"), "is there a network"),
        (ValueError("odd\nlines"), r"ValueError: odd\)"),
    ],
)
def test_what_is_in_the_way_at_kaggle(
    error: Exception, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_kaggle(monkeypatch, error)
    with pytest.raises(AslkitError, match=says) as caught:
        fetch_sign_mnist(tmp_path / "mnist")
    assert "--from archive.zip" in caught.value.message


def test_without_kagglehub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(AslkitError, match=r"pip install 'aslkit\[remote\]'"):
        fetch_sign_mnist(tmp_path / "mnist")


def test_a_file_that_is_far_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_csv, "_MOST_BYTES", 5)
    (tmp_path / "sign_mnist_train.csv").write_text("label,pixel1")
    with pytest.raises(InputError, match="too large: 12 bytes"):
        read_csv.read_sign_mnist(tmp_path)


def test_the_published_one_says_so(real_data: Path, tmp_path: Path) -> None:
    done = fetch_sign_mnist(tmp_path / "mnist", source=real_data / "sign-language-mnist.zip")
    assert done.rows == read_csv.COUNTS
    assert len(done.notes) == 1
    assert parquet_store.read_facts(done.folder)["source"] == read_csv.SOURCE
