import io
import json
import os
import shlex
import tarfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pytest
from click.testing import CliRunner
from PIL import Image

from aslkit.cli.main import main
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.letters import LABELS, LETTERS
from aslkit.datasets import parquet_store
from aslkit.datasets.exporters import run as export_module
from aslkit.datasets.exporters import to_images
from aslkit.datasets.exporters.destination import MARKER_FILE, check_destination
from aslkit.datasets.exporters.rows import SplitExport
from aslkit.datasets.exporters.run import ExportResult, export_dataset
from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist
from aslkit.datasets.sign_mnist.parse_csv import COLUMNS
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import decode_image, encode_jpeg, pixel_hash
from aslkit.vision.preprocess import PreprocessConfig, model_input
from tests.datasets import factories
from tests.datasets.test_opens_elsewhere import run

COUNT = {"train": 30, "validation": 4, "test": 12}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("export") / "tiny")


@pytest.fixture(scope="module")
def rows(dataset: Path) -> dict[str, dict[str, Any]]:
    """The rows by the hash of their pixels."""
    return {row["sha256"]: row for row in parquet_store.read_dataset(dataset).to_pylist()}


HUGGING_FACE = """
import hashlib, json, sys
import numpy as np
import datasets
found = {}
for split, rows in eval(sys.argv[1], {"datasets": datasets}).items():
    found[split] = []
    if "label" in rows.features:
        rows = rows.map(lambda row: {"names": rows.features["label"].names})
    for row in rows:
        image = row.pop("image", None) or row.pop("jpg", None)
        pixels = np.ascontiguousarray(np.asarray(image.convert("RGB"))[:, :, ::-1])
        digest = hashlib.sha256(f"{image.width}x{image.height}:".encode() + pixels.tobytes()).hexdigest()
        found[split].append(row | {"pixels": digest})
print(json.dumps(found, default=str))
"""


def open_in_hugging_face(result: ExportResult, cache: Path) -> dict[str, Any]:
    """Return the rows by split that the printed line gives."""
    found: dict[str, Any] = run(HUGGING_FACE, result.opened_by, HF_HUB_OFFLINE="1", HF_HOME=str(cache))
    return found


ODD_NAME = "O'Brien's \"images\" #1 50% [x] *? \\ प्रिया"


@pytest.mark.parametrize("folder", ["images", ODD_NAME])
def test_imagefolder_opens_in_hugging_face(
    dataset: Path, rows: dict[str, dict[str, Any]], tmp_path: Path, folder: str
) -> None:
    result = export_dataset(dataset, format="imagefolder", to=tmp_path / folder)
    assert result.rows == COUNT
    found = open_in_hugging_face(result, tmp_path / "cache")
    assert list(found) == ["train", "validation", "test"]
    assert {split: len(each) for split, each in found.items()} == COUNT
    for split, each in found.items():
        for actual in each:
            row = rows[actual["pixels"]]  # no pixel has changed
            assert split == row["split"]
            assert actual["names"] == list(LABELS)
            assert (actual["label"], actual["letter"]) == (row["label"], LETTERS[row["label"]])
            assert (actual["signer"], actual["handedness"], actual["group"]) == (
                row["signer"],
                row["handedness"],
                row["group"],
            )


@pytest.mark.parametrize("folder", ["tar", ODD_NAME])
def test_webdataset_opens_in_hugging_face(
    dataset: Path, rows: dict[str, dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setattr(to_images, "SHARD_BYTES", 20_000)
    result = export_dataset(dataset, format="webdataset", to=tmp_path / folder)
    shards = sorted((tmp_path / folder).glob("train-*.tar"))
    assert shards[0].name == "train-000000.tar"
    assert len(shards) > 1
    found = open_in_hugging_face(result, tmp_path / "cache")
    assert {split: len(each) for split, each in found.items()} == COUNT
    for actual in found["test"]:
        row = rows[actual["json"]["sha256"]]
        assert int(actual["cls"]) == row["label"]
        assert actual["json"]["letter"] == LETTERS[row["label"]]
        assert actual["json"]["signer"] == "cleo"
        if row["image"]["path"].endswith("jpg"):  # a PNG among JPEG images is re-encoded as JPEG
            assert actual["pixels"] == row["sha256"]


def test_webdataset_is_reproducible(dataset: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_dataset(dataset, format="webdataset", to=tmp_path / name, splits=["test"])
    assert (tmp_path / "a/test-000000.tar").read_bytes() == (tmp_path / "b/test-000000.tar").read_bytes()
    assert [path.name for path in sorted((tmp_path / "a").iterdir())] == [MARKER_FILE, "test-000000.tar"]


def test_csv28_matches_model_input(dataset: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    result = export_dataset(dataset, format="csv28", to=tmp_path / "csv")
    hands = [row for row in rows.values() if row["landmarks"] is not None and row["split"] == "train"]
    assert result.left_out == {"no hand detected": len(rows) - sum(result.rows.values())}
    table = pd.read_csv(tmp_path / "csv" / "sign_mnist_train.csv")
    assert tuple(table.columns) == COLUMNS
    assert table["label"].tolist() == ["ABCDEFGHIJKLMNOPQRSTUVWXY".index(LETTERS[row["label"]]) for row in hands]
    assert 9 not in table["label"].tolist()
    for index, row in enumerate(hands):
        hand = Hand(landmarks=np.zeros((21, 3), np.float32), handedness=row["handedness"], score=1.0)
        box = np.array(row["hand_box"], np.float32)
        hand.landmarks[0, :2], hand.landmarks[1:, :2] = box[:2], box[2:]
        expected = model_input(decode_image(row["image"]["bytes"]), hand, PreprocessConfig(kind="pixels", size=28))
        assert (table.iloc[index, 1:].to_numpy() == (expected.ravel() * 255).round()).all()


def test_csv28_is_readable_as_sign_mnist(dataset: Path, tmp_path: Path) -> None:
    first = export_dataset(dataset, format="csv28", to=tmp_path / "csv")
    again = fetch_sign_mnist(tmp_path / "again", source=tmp_path / "csv", partial=True)
    assert again.rows == {"train": first.rows["train"], "test": first.rows["test"]}
    export_dataset(again.folder, format="csv28", to=tmp_path / "third")  # 28×28 images are not cropped
    for split in ("train", "test"):
        name = f"sign_mnist_{split}.csv"
        assert (tmp_path / "third" / name).read_bytes() == (tmp_path / "csv" / name).read_bytes()


@pytest.mark.parametrize("splits", [(), ("test",)])
def test_opened_by_opens_landmarks(dataset: Path, tmp_path: Path, splits: tuple[str, ...]) -> None:
    result = export_dataset(dataset, format="landmarks", to=tmp_path / ODD_NAME, splits=splits)
    assert len(eval(result.opened_by, {"pandas": pd})) == next(iter(result.rows.values()))


def test_opened_by_opens_csv28(dataset: Path, tmp_path: Path) -> None:
    result = export_dataset(dataset, format="csv28", to=tmp_path / ODD_NAME)
    command = shlex.split(result.opened_by)[1:]
    opened = CliRunner().invoke(main, [*command, "--workspace", str(tmp_path)])
    assert opened.exit_code == 0, opened.output


def test_landmarks_match_dataset(dataset: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    export_dataset(dataset, format="landmarks", to=tmp_path / "csv")
    table = pd.read_csv(tmp_path / "csv" / "landmarks-train.csv")
    train = [row for row in rows.values() if row["split"] == "train"]
    assert table["sha256"].tolist() == [row["sha256"] for row in train]
    values = table[[f"{axis}{joint}" for joint in range(21) for axis in "xyz"]].to_numpy(np.float32)
    for actual, row in zip(values, train, strict=True):
        expected = [np.nan] * 63 if row["landmarks"] is None else row["landmarks"]
        np.testing.assert_array_equal(actual, np.array(expected, np.float32))
    assert table["signer"].tolist() == [row["signer"] for row in train]


def hostile(tmp_path: Path) -> Path:
    home = b"\xff\xe1\x00\x0cExif\x00\x00HOME"
    plain = encode_jpeg(factories.picture(2))
    rows = [
        factories.row(0, "../../evil", camera="=cmd|' /C calc'!A0", consent="a\nb\x1b[2J"),
        factories.row(1, "..", image={"bytes": plain[:2] + home + plain[2:], "path": "/etc/passwd"}),
        factories.row(2, "CON", image={"bytes": b"#!/bin/sh", "path": "x.sh"}),
        factories.row(3, "\x1b]0;x\x07", image=None),
        factories.row(4, "ok", label=99),
        factories.row(5, "x" * 300, hand_box=[float("nan")] * 4),
        factories.row(6, "y", hand_box=[1e30, 1e30, 2e30, 2e30]),
    ]
    return factories.write(tmp_path / "hostile", {"train": rows})


@pytest.mark.parametrize("format", list(export_module.FORMATS))
def test_hostile_content_is_not_exported(tmp_path: Path, format: str) -> None:
    result = export_dataset(hostile(tmp_path), format=format, to=tmp_path / "out" / "here")
    assert result.left_out["not a letter"] == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["here"]
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file() and path.suffix != ".csv28"]
    data = b"".join(path.read_bytes() for path in files)
    for text in (b"HOME", b"\x1b[", b"\x1b]", b"#!/bin", b"passwd", b'"=cmd'):
        assert text not in data
    if format == "webdataset":
        with tarfile.open(fileobj=io.BytesIO((tmp_path / "out/here/train-000000.tar").read_bytes())) as archive:
            assert {name.split("-")[0] for name in archive.getnames()} == {"train"}
            metadata = json.loads(archive.extractfile(archive.getnames()[2]).read())  # type: ignore[union-attr]
            assert metadata["camera"].startswith("'=")
    if format == "imagefolder":
        names = {path.name for path in files if path.suffix == ".jpg"}
        assert {"evil-000000.jpg", "unnamed-000001.jpg"} <= names
        for path in files:
            if path.suffix == ".jpg":
                with Image.open(path) as image:
                    assert not image.getexif()


def test_other_files_are_not_overwritten(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(AslkitError, match=r"already contains other files.*--force"):
        export_dataset(dataset, format="landmarks", to=tmp_path / "mine")
    (tmp_path / "file").write_text("")
    for to, message in ((tmp_path / "file", "is a file"), (dataset, "dataset itself"), (dataset.parent, "itself"),
                     (dataset / "data", "inside it"), (Path.home(), "would be replaced")):  # fmt: skip
        with pytest.raises(InputError, match=message):
            export_dataset(dataset, format="landmarks", to=to, force=True)
    export_dataset(dataset, format="landmarks", to=tmp_path / "mine", force=True)
    assert not (tmp_path / "mine" / "thesis.txt").exists()
    export_dataset(dataset, format="imagefolder", to=tmp_path / "mine")  # an export replaces an export
    monkeypatch.chdir(tmp_path / "mine")
    with pytest.raises(InputError, match="would be replaced"):
        export_dataset(dataset, format="landmarks", to=Path(), force=True)


def test_export_is_allowed_in_dedicated_subfolder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    check = partial(check_destination, source_kind="run", option="--into", within=run / "exports")
    check(run / "exports" / "onnx", run)
    for to in (run, run / "model", run / "exports" / ".."):
        with pytest.raises(InputError, match=r"contains the run itself, or is inside it\. Choose another --into"):
            check(to, run, force=True)


def test_interrupted_export_leaves_nothing(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(part: SplitExport) -> int:
        (part.to / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setitem(export_module.FORMATS, "landmarks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_dataset(dataset, format="landmarks", to=tmp_path / "new" / "csv")
    assert os.listdir(tmp_path / "new") == []  # noqa: PTH208


def test_unknown_format_and_missing_split(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Unknown format 'zip'"):
        export_dataset(dataset, format="zip", to=tmp_path / "x")
    some = factories.write(tmp_path / "some", {"train": factories.rows_of("train", 2)})
    with pytest.raises(InputError, match="no split 'test'"):
        export_dataset(some, format="csv28", to=tmp_path / "x", splits=["test"])


def test_imagefolder_preserves_pixels(dataset: Path, rows: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    export_dataset(dataset, format="imagefolder", to=tmp_path / "images")
    files = [path for path in (tmp_path / "images").rglob("*") if path.suffix in (".jpg", ".png")]
    assert {pixel_hash(decode_image(path.read_bytes())) for path in files} == set(rows)


@pytest.mark.parametrize("format", ["imagefolder", "webdataset", "csv28"])
def test_export_without_images_is_an_error(format: str, tmp_path: Path) -> None:
    rows = [factories.row(0, "ada", image={"bytes": None, "path": "ada/one/A/0.jpg"})]
    dataset = factories.write(tmp_path / "in", {"train": rows})
    with pytest.raises(AslkitError, match=rf"as {format} \(no image: 1\)\. Export .* --format landmarks\."):
        export_dataset(dataset, format=format, to=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert export_dataset(dataset, format="landmarks", to=tmp_path / "out").rows == {"train": 1}


def test_opened_by_names_a_split_with_rows(tmp_path: Path) -> None:
    damaged = factories.row(0, "ada", label=99)
    dataset = factories.write(tmp_path / "in", {"train": [damaged], "test": [factories.row(1, "ben")]})
    result = export_dataset(dataset, format="landmarks", to=tmp_path / "out")
    assert len(eval(result.opened_by, {"pandas": pd})) == 1
