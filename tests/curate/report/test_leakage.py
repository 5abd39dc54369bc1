import re
from pathlib import Path

import cv2
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


def random_images(rng: np.random.Generator, count: int) -> ComparedImages:
    thumbnails = rng.normal(size=(count, 784)).astype(np.float32)
    thumbnails -= thumbnails.mean(axis=1, keepdims=True)
    thumbnails /= np.linalg.norm(thumbnails, axis=1, keepdims=True)
    return ComparedImages(
        thumbnails=thumbnails,
        hashes=rng.integers(0, 2**64, count, dtype=np.uint64),
        labels=rng.integers(0, 24, count),
        splits=np.array([""] * count),
    )


def random_image(rng: np.random.Generator) -> Frame:
    """Return a random image, unlike any other."""
    small = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return np.kron(small, np.ones((16, 16, 1), np.uint8))


def textured_image(seed: int) -> Frame:
    """Return an image with contrast at all scales, like a photo."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(0, 40, (side, side, 3)), (160, 120)) for side in (3, 6, 12, 24, 48)]
    return np.asarray(np.clip(110 + sum(layers), 0, 255), np.uint8)


def test_nearest_image_is_the_same_as_by_brute_force(rng: np.random.Generator) -> None:
    images = random_images(rng, 700)  # more than one block
    test = rng.random(700) < 0.5
    found = measure_leakage(images, test, distance=20, title="")
    train, rows = np.flatnonzero(~test), np.flatnonzero(test)
    best = [max((float(images.thumbnails[row] @ images.thumbnails[other]), other) for other in train) for row in rows]
    bits = [min(int(hamming_distance(images.hashes[row], images.hashes[other])) for other in train) for row in rows]
    assert (found.test, found.train) == (len(rows), len(train))
    assert found.correlation == pytest.approx(np.median([value for value, _ in best]), abs=1e-5)
    same = [images.labels[row] == images.labels[other] for row, (_, other) in zip(rows, best, strict=True)]
    assert found.remembered == pytest.approx(np.mean(same))
    assert found.hash_copies == pytest.approx(np.mean(np.array(bits) <= 20))


def write_images(folder: Path, frames: list[Frame], *, quality: int = 95) -> None:
    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(frame, quality=quality))


def test_copies_in_a_folder_of_images_are_found(tmp_path: Path, rng: np.random.Generator) -> None:
    copied, other = [random_image(rng) for _ in range(6)], [random_image(rng) for _ in range(6)]
    write_images(tmp_path / "train" / "a", copied)
    write_images(tmp_path / "train" / "B", [random_image(rng) for _ in range(6)])
    write_images(tmp_path / "test" / "A", copied + other, quality=60)
    (tmp_path / "test" / "A" / "bad.png").write_bytes(b"not an image")
    (tmp_path / "test" / "J").mkdir()
    found = audit_dataset(tmp_path, distance=10)
    assert found.own is not None
    assert (found.own.train, found.own.test) == (12, 12)
    assert found.own.copies == found.own.hash_copies == 0.5
    assert [reason for _, reason in found.unreadable] == [
        "not an image (JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC)"
    ]


def test_augmented_copies_are_found(tmp_path: Path) -> None:
    originals = [textured_image(seed) for seed in range(8)]
    transform = cv2.getRotationMatrix2D((80, 60), 12, 1.1)
    copies = [np.asarray(cv2.warpAffine(each[:, ::-1], transform, (160, 120)), np.uint8) for each in originals[:3]]
    write_images(tmp_path / "train" / "A", originals)
    write_images(tmp_path / "test" / "A", [*copies, *(textured_image(seed) for seed in range(20, 23))])
    write_images(tmp_path / "test" / "B", originals[:2])  # copies with another letter are not searched
    found = audit_dataset(tmp_path, distance=4)
    assert found.own is not None
    assert found.own.augmented_copies == pytest.approx(3 / 8)
    assert found.own.copies == pytest.approx(2 / 8)


def test_small_images_are_not_searched_for_augmented_copies(tmp_path: Path) -> None:
    write_images(tmp_path / "A", [textured_image(seed)[:63] for seed in range(4)])
    assert audit_dataset(tmp_path, distance=4).random.augmented_copies is None
    done = CliRunner().invoke(main, ["curate", "--audit", str(tmp_path)])
    assert "not searched in images of less than 64 pixels" in done.output


def test_only_random_split_is_measured_without_a_split(tmp_path: Path, rng: np.random.Generator) -> None:
    image = random_image(rng)
    write_images(tmp_path / "A", [image] * 10)
    found = audit_dataset(tmp_path, distance=0)
    assert found.own is None
    assert (found.random.test, found.random.train, found.random.copies, found.random.remembered) == (2, 8, 1.0, 1.0)


def test_command_prints_near_duplicates_and_nearest_neighbours(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    copied = [random_image(rng) for _ in range(5)]
    write_images(tmp_path / "train" / "A", copied)
    write_images(tmp_path / "train" / "B", [random_image(rng) for _ in range(5)])
    write_images(tmp_path / "test" / "A", copied[:2])
    write_images(tmp_path / "test" / "B", copied[2:4])
    done = CliRunner().invoke(main, ["curate", "--audit", str(tmp_path)])
    assert done.exit_code == 0
    own = dict(re.findall(r"^ *(\w[\w -]*?) {2,}(\S+)", done.output, re.MULTILINE))
    expected = {
        "train images": "10", "test images": "4", "near-duplicates": "100.0%", "nearest neighbour": "50.0%",
        "nearest hash": "50.0%",
    }  # fmt: skip
    assert expected.items() <= own.items()


@pytest.mark.parametrize("content", ["nothing", "one"])
def test_folder_that_cannot_be_audited(tmp_path: Path, content: str, picture: Frame) -> None:
    if content == "one":
        (tmp_path / "A").mkdir()
        (tmp_path / "A" / "1.png").write_bytes(encode_png(picture))
    with pytest.raises(InputError, match=r"is empty|contains no letter folder with images|at least two"):
        audit_dataset(tmp_path, distance=4)


def test_dataset_without_images_cannot_be_audited(workspace: Workspace) -> None:
    dataset = workspace.dataset("custom")
    for path in dataset.glob("data/*.parquet"):
        table = pq.read_table(path)
        bare = [each | {"bytes": None} for each in table.column("image").to_pylist()]
        at = table.schema.get_field_index("image")
        pq.write_table(table.set_column(at, table.schema.field(at), pa.array(bare, table.schema.field(at).type)), path)
    with pytest.raises(InputError, match=r"without an image.*--landmarks-only"):
        audit_dataset(dataset, distance=4)


def test_sign_language_mnist_leaks_only_under_a_random_split(real_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = read_csv.read_sign_mnist(real_data / "sign-language-mnist.zip")
    sample = {
        "train": read_csv.SignMnistImages(pixels=full["train"].pixels[::2], labels=full["train"].labels[::2]),
        "test": read_csv.SignMnistImages(pixels=full["test"].pixels[::8], labels=full["test"].labels[::8]),
    }
    monkeypatch.setattr(read_csv, "read_sign_mnist", lambda *_, **__: sample)
    found: AuditResult = audit_dataset(real_data / "sign-language-mnist.zip", distance=4)
    assert found.own is not None
    assert found.own.correlation < 0.9
    assert found.own.remembered < 0.9
    assert found.random.correlation > 0.999
    assert found.random.remembered > 0.99
