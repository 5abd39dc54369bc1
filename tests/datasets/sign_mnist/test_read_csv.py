import gzip
import zipfile
from collections.abc import Callable
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


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("label", "Label").replace("pixel", "Pixel"),
        lambda text: "\n".join(f"{'' if not n else n - 1},{line}" for n, line in enumerate(text.splitlines())),
        lambda text: text.replace("pixel", "pixel_"),
        lambda text: ",".join(["label", *(f"pixel{n}" for n in range(784))]) + text[text.index("\n") :],
        lambda text: "\n".join(",".join(reversed(line.split(","))) for line in text.splitlines()),
    ],
    ids=["upper case", "row numbers", "pixel_1", "from 0", "reversed"],
)
def test_headers_of_copies(tmp_path: Path, change: Callable[[str], str]) -> None:
    header, row = csv([4]).decode().splitlines()
    row = ",".join(["4", *(str(n % 251) for n in range(784))])
    (tmp_path / "train.csv").write_text(change(f"{header}\n{row}\n"))
    images = read_csv.read_sign_mnist(tmp_path / "train.csv")["train"]
    assert LETTERS[images.labels[0]] == "E"
    assert images.pixels.ravel().tolist() == [n % 251 for n in range(784)]


def test_unpacked_archive_is_read(tmp_path: Path) -> None:
    for split, label in (("train", 1), ("test", 2)):
        folder = tmp_path / "archive" / f"sign_mnist_{split}"
        folder.mkdir(parents=True)
        (folder / f"sign_mnist_{split}.csv").write_bytes(csv([label]))
        (folder / f"._sign_mnist_{split}.csv").write_bytes(b"resource fork")
    images = read_csv.read_sign_mnist(tmp_path)
    assert {split: each.labels.tolist() for split, each in images.items()} == {"train": [1], "test": [2]}


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
        (csv([1], pixels=783), "has no column 'pixel784'"),
        (csv([1], pixels=785), "has 785 pixel columns"),
        (csv([1], header=False, pixels=783), "has 784 columns; expected 785"),
        (csv([1]).replace(b"0,0", b"0,256", 1), "column 'pixel2', has values outside 0–255"),
        (
            csv([1]).replace(b"0,0", b"0,x", 1),
            "column 'pixel2', has the value 'x'; expected whole numbers from 0 to 255",
        ),
        (csv([1]).replace(b"1,0,0", b"1,0.0,0"), "column 'pixel1', has the value '0.0'"),
        (csv([1]).replace(b"\n1,", b"\nD,"), "column 'label', has the value 'D'; expected whole numbers from 0 to 24"),
        (csv([1]).replace(b"pixel7,", b"pixel_x,"), "unexpected column 'pixel_x', number 8"),
        (csv([1]).replace(b"pixel7,", b"pixel8,"), "unexpected column 'pixel8', number 9"),
        (csv([1]).replace(b"label", b"letter"), "unexpected column 'letter', number 1"),
        (csv([1]).replace(b"label", b"index"), "has no column 'label'"),
        (csv([1]).replace(b",", b";"), "separates its columns by ';'"),
        (csv([1]).decode().encode("utf-16"), "UTF-16"),
        (gzip.compress(csv([1])), "compressed with gzip"),
        (csv([1]) + b"1,2\n", "not a CSV file"),
        (b"", "not a CSV file"),
        (b"label,pixel\xff" + csv([1])[12:], "unexpected column 'pixel"),
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
