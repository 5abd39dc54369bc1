import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace
from aslkit.curate.report.leakage import AuditResult, ComparedImages, audit_dataset, measure_leakage
from aslkit.datasets.sign_mnist import read_csv
from aslkit.vision.images import Frame, encode_jpeg, encode_png
from aslkit.vision.near_duplicate import hamming_distance


def random_pictures(rng: np.random.Generator, count: int) -> ComparedImages:
    thumbs = rng.normal(size=(count, 784)).astype(np.float32)
    thumbs -= thumbs.mean(axis=1, keepdims=True)
    thumbs /= np.linalg.norm(thumbs, axis=1, keepdims=True)
    return ComparedImages(
        thumbnails=thumbs,
        hashes=rng.integers(0, 2**64, count, dtype=np.uint64),
        labels=rng.integers(0, 24, count),
        splits=np.array([""] * count),
    )


def smooth(rng: np.random.Generator) -> Frame:
    """A picture unlike any other."""
    small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.kron(small, np.ones((16, 16, 1), np.uint8))


def test_the_nearest_is_that_of_brute_force(rng: np.random.Generator) -> None:
    pictures = random_pictures(rng, 700)  # more than are compared at once
    test = rng.random(700) < 0.5
    found = measure_leakage(pictures, test, distance=20, title="")
    train, rows = np.flatnonzero(~test), np.flatnonzero(test)
    best = [
        max((float(pictures.thumbnails[row] @ pictures.thumbnails[other]), other) for other in train) for row in rows
    ]
    bits = [min(int(hamming_distance(pictures.hashes[row], pictures.hashes[other])) for other in train) for row in rows]
    assert (found.test, found.train) == (len(rows), len(train))
    assert found.correlation == pytest.approx(np.median([value for value, _ in best]), abs=1e-5)
    same = [pictures.labels[row] == pictures.labels[other] for row, (_, other) in zip(rows, best, strict=True)]
    assert found.remembered == pytest.approx(np.mean(same))
    assert found.hash_copies == pytest.approx(np.mean(np.array(bits) <= 20))


def write(folder: Path, frames: list[Frame], *, quality: int = 95) -> None:
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(frame, quality=quality))


def test_copies_in_a_foreign_dataset_are_seen(tmp_path: Path, rng: np.random.Generator) -> None:
    copied, other = [smooth(rng) for _ in range(6)], [smooth(rng) for _ in range(6)]
    write(tmp_path / "train" / "a", copied)
    write(tmp_path / "train" / "B", [smooth(rng) for _ in range(6)])
    write(tmp_path / "test" / "A", copied + other, quality=60)
    (tmp_path / "test" / "A" / "bad.png").write_bytes(b"no picture")
    (tmp_path / "test" / "J").mkdir()
    found = audit_dataset(tmp_path, distance=10)
    assert found.own is not None
    assert (found.own.train, found.own.test) == (12, 12)
    assert found.own.copies == found.own.hash_copies == 0.5
    assert [why for _, why in found.unreadable] == ["not an image (JPEG, PNG, WebP or BMP)"]


def test_without_a_split_only_the_random_one_is_measured(tmp_path: Path, rng: np.random.Generator) -> None:
    picture = smooth(rng)
    write(tmp_path / "A", [picture] * 10)
    found = audit_dataset(tmp_path, distance=0)
    assert found.own is None
    assert (found.random.test, found.random.train, found.random.copies, found.random.remembered) == (2, 8, 1.0, 1.0)


def test_the_command_says_what_is_remembered_by_picture_and_by_hash(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    copied = [smooth(rng) for _ in range(5)]
    write(tmp_path / "train" / "A", copied)
    write(tmp_path / "train" / "B", [smooth(rng) for _ in range(5)])
    write(tmp_path / "test" / "A", copied[:2])
    write(tmp_path / "test" / "B", copied[2:4])
    done = CliRunner().invoke(main, ["curate", "--audit", str(tmp_path)])
    assert done.exit_code == 0
    own = dict(re.findall(r"^ *(\w[\w -]*?) {2,}(\S+)", done.output, re.MULTILINE))
    expected = {
        "train images": "10", "test images": "4", "near-duplicates": "100.0%", "nearest neighbour": "50.0%",
        "nearest hash": "50.0%",
    }  # fmt: skip
    assert expected.items() <= own.items()


@pytest.mark.parametrize("what", ["nothing", "one"])
def test_what_cannot_be_audited(tmp_path: Path, what: str, picture: Frame) -> None:
    if what == "one":
        (tmp_path / "A").mkdir()
        (tmp_path / "A" / "1.png").write_bytes(encode_png(picture))
    with pytest.raises(InputError, match=r"no dataset that can be audited|at least two"):
        audit_dataset(tmp_path, distance=4)


def test_a_dataset_without_pictures_cannot_be_audited(workspace: Workspace) -> None:
    dataset = workspace.dataset("custom")
    for path in dataset.glob("data/*.parquet"):
        table = pq.read_table(path)
        bare = [each | {"bytes": None} for each in table.column("image").to_pylist()]
        at = table.schema.get_field_index("image")
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(bare, table.schema.field(at).type)), path)
    with pytest.raises(InputError, match=r"without a picture.*--landmarks-only"):
        audit_dataset(dataset, distance=4)


def test_sign_language_mnist_leaks_under_a_random_split_only(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_csv.read_sign_mnist(real_data / "sign-language-mnist.zip")
    some = {
        "train": read_csv.SignMnistImages(pixels=whole["train"].pixels[::2], labels=whole["train"].labels[::2]),
        "test": read_csv.SignMnistImages(pixels=whole["test"].pixels[::8], labels=whole["test"].labels[::8]),
    }
    monkeypatch.setattr(read_csv, "read_sign_mnist", lambda *_, **__: some)
    found: AuditResult = audit_dataset(real_data / "sign-language-mnist.zip", distance=4)
    assert found.own is not None
    assert found.own.correlation < 0.9
    assert found.own.remembered < 0.9
    assert found.random.correlation > 0.999
    assert found.random.remembered > 0.99
