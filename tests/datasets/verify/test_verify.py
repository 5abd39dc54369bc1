import io
import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.verify.findings import KINDS, Problem
from aslkit.datasets.verify.isolated_pool import IsolatedPool
from aslkit.datasets.verify.run import verify_dataset
from aslkit.vision.images import encode_jpeg, encode_png
from tests.cli.test_main import png_that_claims
from tests.datasets import factories

TRAIN = "data/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("verify") / "valid")


@pytest.fixture
def dataset(valid: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(valid, tmp_path / "dataset"))


def kinds(folder: Path) -> set[str]:
    return {each.kind for each in verify_dataset(folder, processes=0).findings}


def test_valid_dataset_has_no_findings(valid: Path) -> None:
    report = verify_dataset(valid, processes=2)  # in other processes, as the command does
    assert report.findings == ()
    assert report.rows == {"train": 30, "validation": 4, "test": 12}


def test_curated_dataset_is_valid(curated: Any) -> None:
    report = verify_dataset(curated.dataset("custom"), processes=0)
    assert {each.kind for each in report.findings} <= {"unstated"}


def cell(column: str, value: Any) -> Callable[[pa.Table], pa.Table]:
    return lambda table: factories.with_cell(table, column, 9, value)


def image(data: bytes | None, path: str | None = "a.jpg") -> Callable[[pa.Table], pa.Table]:
    return cell("image", {"bytes": data, "path": path})


def image_with_exif(form: str) -> bytes:
    """Make an image with a location in its EXIF metadata."""
    exif = Image.Exif()
    exif[0x010E] = "at Ada's home"
    buffer = io.BytesIO()
    Image.fromarray(factories.picture(1)).save(buffer, form, exif=exif)
    return buffer.getvalue()


VALID_JPEG = encode_jpeg(factories.picture(1))
TIMESTAMP = pa.timestamp("ms", tz="UTC")
GIF = b"GIF89a" + bytes(300)
CASES: list[tuple[str, Callable[[pa.Table], pa.Table]]] = [
    ("label", cell("label", 26)),
    ("label", cell("label", -1)),
    ("label", cell("label", 2**62)),
    ("missing-value", cell("label", None)),
    ("missing-value", cell("image", None)),
    ("missing-value", image(None)),
    ("missing-value", cell("sha256", None)),
    ("list-length", cell("landmarks", [0.0] * 62)),
    ("list-length", cell("hand_box", [])),
    ("not-finite", cell("landmarks", [float("nan")] * 63)),
    ("not-finite", cell("hand_box", [0.0, None, 1.0, 1.0])),
    ("odd-value", cell("landmarks", [1e6] * 63)),
    ("value", cell("hand_score", 7.0)),
    ("value", cell("sharpness", float("inf"))),
    ("value", cell("handedness", "both")),
    ("value", cell("sha256", "../../etc/passwd")),
    ("value", cell("width", -5)),
    ("odd-value", lambda table: table.set_column(5, "captured_at", pa.array([2**60] * len(table)).cast(TIMESTAMP))),
    ("size", cell("width", 49)),
    ("pixels", image(VALID_JPEG)),
    ("not-an-image", image(b"#!/bin/sh")),
    ("not-an-image", image(GIF)),
    ("not-an-image", image(b"")),
    ("not-an-image", image(encode_png(factories.picture(1, width=4, height=4)))),
    ("bomb", image(png_that_claims(30_000))),
    ("damaged-image", image(VALID_JPEG[: len(VALID_JPEG) // 2])),
    ("metadata", image(VALID_JPEG[:2] + b"\xff\xfe\x00\x06home" + VALID_JPEG[2:])),
    ("metadata", image(VALID_JPEG + b"PK\x03\x04 and an archive")),
    ("metadata", image(image_with_exif("PNG"))),
    ("metadata", image(image_with_exif("WEBP"))),
    *[
        ("unsafe-path", image(VALID_JPEG, path))
        for path in ("../a.jpg", "a/../../b", "/etc/passwd", "C:\\a.jpg", "c:a.jpg", "a\\b.jpg", "a\0.jpg", "..")
    ],
    ("odd-text", cell("signer", "<script>alert(1)</script>")),
    ("odd-text", cell("camera", "\x1b]0;title\x07")),
    ("odd-text", cell("licence", "MIT\n---\nlicense: apache-2.0")),
    ("odd-text", cell("consent", "\u202eexe.gpj")),
    ("odd-text", cell("camera", "x" * 3000)),
    ("odd-name", cell("signer", "../ada")),
    ("parent", cell("parent", "0" * 64)),
    ("parent", cell("augmentation", "{}")),
    ("unstated", cell("licence", None)),
    ("unstated", cell("consent", " ")),
    ("unknown-signer", cell("signer", None)),
    ("signer-in-two-splits", cell("signer", "cleo")),
    ("group-in-two-splits", cell("group", 2003)),
    ("counts", lambda table: table.slice(1)),
    ("card", lambda table: table.slice(1)),
    ("schema", lambda table: table.remove_column(4)),
    ("schema", lambda table: table.set_column(1, "label", pa.array([str(n) for n in range(len(table))]))),
    ("extra-column", lambda table: table.append_column("__reduce__", pa.array(["os.system"] * len(table)))),
    ("twice", lambda table: pa.concat_tables([table, table.slice(0, 1)])),
    ("two-letters", lambda table: pa.concat_tables([table, factories.with_cell(table.slice(0, 1), "label", 0, 5)])),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "edit"), CASES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(CASES)])
def test_each_fault_is_found_and_sanitized(dataset: Path, kind: str, edit: Callable[[pa.Table], pa.Table]) -> None:
    factories.change(dataset, "train", edit)
    report = verify_dataset(dataset, processes=0)
    assert kind in {each.kind for each in report.findings}
    for each in report.findings:
        assert (each.what + each.file).isprintable()
        assert each.remedy
    if kind not in ("counts", "unstated", "unknown-signer", "card", "signer-in-two-splits", "group-in-two-splits"):
        assert any(each.kind == kind and each.file == TRAIN for each in report.findings)


def test_finding_names_file_and_row(dataset: Path) -> None:
    factories.change(dataset, "train", cell("label", 99))
    assert [(each.kind, each.file, each.row) for each in verify_dataset(dataset, processes=0).findings] == [
        ("label", TRAIN, 9)
    ]


def test_same_pixels_in_train_and_test(dataset: Path) -> None:
    first = pq.read_table(dataset / TRAIN).slice(0, 1)
    factories.change(
        dataset, "test", lambda table: pa.concat_tables([table, factories.with_cell(first, "group", 0, 77)])
    )
    assert {"pixels-in-two-splits", "signer-in-two-splits", "counts"} <= kinds(dataset)


def test_augmented_copies_need_original_in_train(tmp_path: Path) -> None:
    originals = factories.rows_of("train", 3)
    copy = factories.row(500, "ada", parent=originals[0]["sha256"], augmentation="{}", group=originals[0]["group"])
    test = factories.rows_of("test", 2)
    good = factories.write(tmp_path / "good", {"train": [*originals, copy], "test": test})
    assert kinds(good) == set()
    orphan = factories.write(tmp_path / "orphan", {"train": [*originals[1:], copy], "test": test})
    assert kinds(orphan) == {"parent"}
    outside = factories.write(tmp_path / "outside", {"train": originals, "test": [*test, copy | {"signer": "cleo"}]})
    assert "copy-outside-train" in kinds(outside)


def test_wrong_label_names(dataset: Path) -> None:
    path = dataset / TRAIN
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"huggingface"])
    metadata["info"]["features"]["label"]["names"].reverse()
    new_metadata = table.schema.metadata | {b"huggingface": json.dumps(metadata).encode()}
    pq.write_table(table.replace_schema_metadata(new_metadata), path)
    assert kinds(dataset) == {"label-names"}


def test_files_from_two_datasets(dataset: Path, tmp_path: Path) -> None:
    other = factories.write(
        tmp_path / "other", {"train": factories.rows_of("train", 3), "test": factories.rows_of("test", 12)}
    )
    shutil.copy(other / "data/test-00000-of-00001.parquet", dataset / "data")
    assert "several-makings" in kinds(dataset)


def test_other_files_in_folder(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (dataset / "data" / "train-00001-of-00002.parquet").symlink_to(tmp_path / "secret")
    (dataset / "run\x1b[31m.sh").write_text("rm")
    (dataset / "report.html").write_text("<p onclick=alert(1)>")
    os.mkfifo(dataset / "data" / "validation-00001-of-00001.parquet")
    report = verify_dataset(dataset, processes=0)
    assert Counter(each.kind for each in report.findings) == {
        "link": 1, "stray-file": 1, "script": 1, "special-file": 1, "several-makings": 1,
    }  # fmt: skip
    assert all((each.what + each.file).isprintable() for each in report.findings)


CARDS = [
    "no front matter",
    "---\n- 1\n---\n",
    "---\na: [\n---\n",
    "---\n" + "[" * 5_000 + "\n---\n",
    "---\n!!python/object/apply:os.system ['true']\n---\n",
    "---\ndataset_info:\n  splits: 5\n---\n",
]


@pytest.mark.parametrize("text", CARDS, ids=range(len(CARDS)))
def test_invalid_card(dataset: Path, text: str) -> None:
    (dataset / "README.md").write_text(text)
    assert kinds(dataset) == {"card"}


def test_implausible_row_count(dataset: Path) -> None:
    # Parquet encodes millions of nulls in a few bytes.
    empty = pa.table({field.name: pa.nulls(2_000_000, field.type) for field in schema.COLUMNS})
    pq.write_table(empty, dataset / TRAIN)
    assert "too-large" in kinds(dataset)
    with pytest.raises(AslkitError, match=r"claims 2,000,000 rows in [\d,]+ bytes"):
        parquet_store.read_dataset(dataset, ["label"])


def test_missing_dataset(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No dataset found"):
        verify_dataset(tmp_path)
    (tmp_path / "data").mkdir()
    assert kinds(tmp_path) == {"missing-file", "card"}


def test_crashed_task_does_not_stop_other_tasks() -> None:
    tasks: list[Any] = [partial(int, "1"), partial(os._exit, 9), partial(int, "2"), partial(int, "3")]
    with IsolatedPool(2) as pool:
        results = list(pool.results(tasks, ["a", "b", "c", "d"]))
    assert [each.kind if isinstance(each, Problem) else each for each in results] == [1, "crash", 2, 3]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), how=st.sampled_from(["flip", "cut", "swap", "zero"]), near_end=st.booleans())
@example(seed=0, how="cut", near_end=False)
def test_mutated_file_never_raises(
    valid: Path, tmp_path_factory: pytest.TempPathFactory, seed: int, how: str, near_end: bool
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.getbasetemp() / "mutated"
    if not folder.exists():
        shutil.copytree(valid, folder)
    data = bytearray((valid / "data/validation-00000-of-00001.parquet").read_bytes())
    at = rng.randrange(max(0, len(data) - 4000) if near_end else 0, len(data))
    if how == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif how == "cut":
        del data[at : at + rng.randrange(1, 3000)]
    elif how == "swap":
        data[at : at + 8] = rng.randbytes(8)
    else:
        data[at : at + 64] = bytes(len(data[at : at + 64]))
    (folder / "data/validation-00000-of-00001.parquet").write_bytes(data)
    for each in verify_dataset(folder, processes=0).findings:
        assert each.kind in KINDS
        assert (each.what + each.file).isprintable()


@pytest.fixture(scope="module")
def valid_clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset_with_clips(tmp_path_factory.mktemp("verify") / "clips")


@pytest.fixture
def with_clips(valid_clips: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(valid_clips, tmp_path / "clips"))


def test_valid_clips_have_no_findings(valid_clips: Path) -> None:
    report = verify_dataset(valid_clips, processes=0)
    assert report.findings == ()
    assert report.rows == {"train": 20, "validation": 20, "test": 20}


def test_version_1_has_no_findings(dataset: Path) -> None:
    assert verify_dataset(factories.to_version_1(dataset), processes=0).findings == ()


CLIP = 13
"""Row in train of the second frame of the first clip."""


@pytest.mark.parametrize(
    ("row", "column", "value", "expected"),
    [
        (CLIP, "clip", None, "time_ms of an image that is not part of a clip"),
        (0, "clip", "ada/one/A/1", "a frame of a clip has no time_ms"),
        (0, "time_ms", 5, "time_ms of an image that is not part of a clip"),
        (CLIP, "time_ms", None, "a frame of a clip has no time_ms"),
        (CLIP, "time_ms", -5, "time_ms is -5, which is negative"),
        (CLIP, "time_ms", 66, "has several frames at the same time"),
        (CLIP, "label", 3, "a clip of D, which is signed without a movement"),
        (CLIP, "label", 25, "has several values of label: 24 and 25"),
        (CLIP, "session", "two", "has several values of session: one and two"),
        (CLIP, "signer", "ben", "has several values of signer: ada and ben"),
        (0, "label", 24, "J is signed with a movement, but it is not in a clip"),
        (CLIP, "clip", "ada/one/J/other", "the clip ada/one/J/other has 1 frame"),
    ],
)
def test_faults_of_clips_are_found(with_clips: Path, row: int, column: str, value: Any, expected: str) -> None:
    factories.change(with_clips, "train", lambda table: factories.with_cell(table, column, row, value))
    found = {each.what for each in verify_dataset(with_clips, processes=0).findings if each.kind == "clip"}
    assert any(expected in what for what in found), found


def _rename_clip(table: pa.Table, old: str, new: str) -> pa.Table:
    names = [new if name == old else name for name in table.column("clip").to_pylist()]
    return table.set_column(table.schema.get_field_index("clip"), "clip", pa.array(names, pa.string()))


def test_clip_in_two_splits_is_found(with_clips: Path) -> None:
    names = [parquet_store.read_dataset(with_clips, ["clip"]).column("clip").to_pylist()[row] for row in (13, 33)]
    factories.change(with_clips, "validation", lambda table: _rename_clip(table, names[1], names[0]))
    assert "clip-in-two-splits" in kinds(with_clips)


def test_duplicate_clips_are_found_and_equal_frames_are_not(tmp_path: Path) -> None:
    clip, other = (factories.clip_rows(500, "ada", name) for name in ("1", "2"))
    test = factories.rows_of("test", 4)
    folder = factories.write(tmp_path / "twice", {"train": [*clip, *other], "test": test})
    assert kinds(folder) == {"twice"}
    renamed = [row | {"label": 25} for row in factories.clip_rows(500, "ada", "2", letter="Z")]
    folder = factories.write(tmp_path / "letters", {"train": [*clip, *renamed], "test": test})
    assert kinds(folder) == {"two-letters"}
    # The camera delivered the same image twice, and a still shows the same hand.
    still = factories.row(500, "ada", label=8, group=500)
    same = clip[0] | {"time_ms": 400}
    assert kinds(factories.write(tmp_path / "equal", {"train": [*clip, same, still], "test": test})) == set()


def test_frames_shared_by_clips_of_two_splits_are_found_if_they_show_a_hand(tmp_path: Path) -> None:
    clip, other = factories.clip_rows(500, "ada", "1"), factories.clip_rows(600, "cleo", "1")
    pixels = ("image", "sha256", "phash", "width", "height", "sharpness", "brightness", "contrast")
    assert clip[3]["landmarks"] is other[3]["landmarks"] is None
    shared = [*other[:3], other[3] | {key: clip[3][key] for key in pixels}]
    assert kinds(factories.write(tmp_path / "empty", {"train": clip, "test": shared})) == set()
    shared = [other[0] | {key: clip[0][key] for key in pixels}, *other[1:]]
    assert kinds(factories.write(tmp_path / "hand", {"train": clip, "test": shared})) == {"pixels-in-two-splits"}


def test_missing_frames_of_clips_contradict_the_metadata(with_clips: Path) -> None:
    factories.change(with_clips, "train", lambda table: table.slice(0, len(table) - 1))
    found = {each.what for each in verify_dataset(with_clips, processes=0).findings if each.kind == "counts"}
    assert found == {"train has 7 frames of clips, but the metadata states 8"}
