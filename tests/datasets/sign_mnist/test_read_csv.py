import zipfile
from pathlib import Path

import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LETTERS
from aslkit.datasets.sign_mnist import read_csv


def csv(labels: list[int], *, header: bool = True, end: str = "\n", pixels: int = 784) -> bytes:
    """Make a CSV file in which all pixels of a row are the index of the row."""
    header_lines = ["label," + ",".join(f"pixel{n + 1}" for n in range(pixels))] if header else []
    rows = [f"{label}," + ",".join([str(index)] * pixels) for index, label in enumerate(labels)]
    return (end.join([*header_lines, *rows]) + end).encode()


def test_labels_are_converted_to_letters(tmp_path: Path) -> None:
    (tmp_path / "sign_mnist_train.csv").write_bytes(csv([0, 8, 10, 24]))
    (tmp_path / "sign_mnist_test.csv").write_bytes(csv([24]))
    (tmp_path / "note.csv").write_bytes(b"other")
    images = read_csv.read_sign_mnist(tmp_path)
    assert [LETTERS[label] for label in images["train"].labels] == ["A", "I", "K", "Y"]
    assert [LETTERS[label] for label in images["test"].labels] == ["Y"]
    assert images["train"].pixels.shape == (4, 28, 28)
    assert images["train"].pixels[:, 5, 5].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "data",
    [
        csv([3, 4], header=False),
        csv([3, 4], end="\r\n"),
        b"\xef\xbb\xbf" + csv([3, 4]),
        csv([3, 4]).replace(b"label", b'"label"'),
    ],
)
def test_header_is_optional(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "some.csv").write_bytes(data)
    images = read_csv.read_sign_mnist(tmp_path / "some.csv")
    assert [LETTERS[label] for label in images["train"].labels] == ["D", "E"]


def test_read_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("deep/sign_mnist_test/sign_mnist_test.csv", csv([1]))
        archive.writestr("amer_sign2.png", b"picture")
    assert list(read_csv.read_sign_mnist(tmp_path / "archive.zip")) == ["test"]


def test_renumbered_labels_need_option(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(csv(list(range(24))))
    with pytest.raises(InputError, match=r"label 9.*--renumbered"):
        read_csv.read_sign_mnist(path)
    assert read_csv.read_sign_mnist(path, renumbered=True)["train"].labels.tolist() == list(range(24))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (csv([25]), "labels must be 0–24"),
        (csv([]), "no rows"),
        (csv([1], pixels=783), "784 columns"),
        (csv([1]).replace(b"0,0", b"0,256", 1), "outside 0–255"),
        (csv([1]).replace(b"0,0", b"0,x", 1), "not a CSV file"),
        (b"", "not a CSV file"),
        (b"label,pixel\xff" + csv([1])[12:], "not a CSV file"),
    ],
)
def test_invalid_csv_is_reported(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "train.csv"
    path.write_bytes(data)
    with pytest.raises(AslkitError, match=message):
        read_csv.read_sign_mnist(path)


def test_missing_and_damaged_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No file found"):
        read_csv.read_sign_mnist(tmp_path / "none.zip")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(AslkitError, match="damaged"):
        read_csv.read_sign_mnist(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("readme.txt", b"")
    with pytest.raises(InputError, match="contains no CSV"):
        read_csv.read_sign_mnist(tmp_path / "b.zip")


def test_read_published_files(real_data: Path) -> None:
    images = read_csv.read_sign_mnist(real_data / "sign-language-mnist.zip")
    assert {split: len(each.labels) for split, each in images.items()} == {"train": 27_455, "test": 7_172}
    assert set(images["train"].labels) == set(range(24))
    with pytest.raises(InputError, match="renumbered"):
        read_csv.read_sign_mnist(real_data / "sign-mnist-5-per-letter-relabelled.csv")
    assert len(read_csv.read_sign_mnist(real_data / "sign-mnist-train-head-no-header.csv")["train"].labels) == 188


def test_zip_with_impossible_offset_is_reported(tmp_path: Path) -> None:
    """Found by benchmarks/robustness/fuzz.py: the seek fails with OSError, as on a broken disk."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sign_mnist_test.csv", csv([1]))
    data = bytearray(path.read_bytes())
    end = data.rindex(b"PK\x05\x06")
    data[end + 12 : end + 16] = b"\xff\xff\xff\x7f"  # directory size that places its start before the file
    path.write_bytes(data)
    with pytest.raises(AslkitError):
        read_csv.read_sign_mnist(path)
