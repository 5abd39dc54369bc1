import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped,unused-ignore]
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aslkit.core.errors import AslkitError, InputError
from aslkit.datasets import parquet_store, schema
from tests.datasets import factories


def row(index: int, **other: Any) -> dict[str, Any]:
    """Make a row. Every third one has no hand."""
    hand = index % 3 > 0
    return {
        "image": {"bytes": bytes([index % 256]) * 200, "path": f"ada/one/A/{index}.jpg"},
        "label": index % 24,
        "signer": "ada",
        "session": "one",
        "camera": "camera 0",
        "captured_at": datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC) if hand else None,
        "handedness": "right" if hand else None,
        "landmarks": [index / 7 + n for n in range(63)] if hand else None,
        "hand_score": 0.75 if hand else None,
        "hand_box": [0.0, 0.25, 0.5, 1.0] if hand else None,
        "width": 640,
        "height": 480,
        "sharpness": 20.5,
        "brightness": 0.5,
        "contrast": 0.25,
        "sha256": f"{index:064x}",
        "phash": 2**64 - 1 - index,
        "group": index,
    } | other


def groups(rows: list[dict[str, Any]], group_rows: int) -> Iterator[pa.Table]:
    for start in range(0, len(rows), group_rows):
        yield pa.Table.from_pylist(rows[start : start + group_rows], schema.COLUMNS)


def write(folder: Path, count: dict[str, int], group_rows: int = 4) -> list[dict[str, Any]]:
    """Write a dataset and return the rows that `read_dataset` should return."""
    written = []
    for name in schema.SPLITS:
        rows = [row(index + 1000 * schema.SPLITS.index(name)) for index in range(count.get(name, 0))]
        parquet_store.write_split(folder, name, groups(rows, group_rows), facts={"summary": {"frames": 9}})
        written += [each | {"split": name} for each in rows]
    return pa.Table.from_pylist(written, schema.COLUMNS.append(pa.field("split", pa.string()))).to_pylist()  # type: ignore[no-any-return]


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_store, "SHARD_BYTES", 1)  # one row group per file


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write(tmp_path / "dataset", {"train": 7, "test": 3})
    return tmp_path / "dataset"


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(("group_rows", "files"), [(8, (3, 1, 1)), (4, (5, 2, 1)), (1, (19, 8, 1))])
def test_write_and_read_round_trip(tmp_path: Path, group_rows: int, files: tuple[int, ...]) -> None:
    count = {"train": 19, "validation": 8, "test": 1}
    written = write(tmp_path, count, group_rows)
    assert [path.name for path in parquet_store.list_files(tmp_path)] == [
        f"{split}-{index:05d}-of-{of:05d}.parquet"
        for split, of in zip(schema.SPLITS, files, strict=True)
        for index in range(of)
    ]
    assert parquet_store.read_dataset(tmp_path).to_pylist() == written
    assert parquet_store.count_rows(tmp_path) == 28
    columns = ["label", "landmarks", "image"]
    assert pa.concat_tables(parquet_store.iter_row_groups(tmp_path, columns)).to_pylist() == [
        {name: each[name] for name in columns} for each in written
    ]


def test_empty_split_has_no_file(dataset: Path) -> None:
    assert [path.name for path in (dataset / "data").glob("validation*")] == []


def test_image_path_is_read_without_image(dataset: Path) -> None:
    table = parquet_store.read_dataset(dataset, ["image.path", "label"])
    assert table.column_names == ["image", "label", "split"]
    assert table.column("image")[0].as_py() == {"path": "ada/one/A/0.jpg"}


def test_pandas_reads_dataset(tmp_path: Path) -> None:
    written = write(tmp_path, {"train": 5})
    frame = pd.concat(pd.read_parquet(path) for path in parquet_store.list_files(tmp_path))
    for actual, expected in zip(frame.to_dict("records"), written, strict=True):
        assert actual["image"] == expected["image"]
        assert actual["phash"] == expected["phash"]
        if expected["landmarks"] is None:
            assert actual["landmarks"] is None
            assert pd.isna(actual["captured_at"])
        else:
            assert actual["landmarks"].tolist() == expected["landmarks"]
            assert actual["captured_at"].to_pydatetime() == expected["captured_at"]


def test_frame_without_hand_is_null(dataset: Path) -> None:
    first = parquet_store.read_dataset(dataset).to_pylist()[0]
    assert {first[name] for name in ("landmarks", "hand_box", "hand_score", "handedness")} == {None}


def test_read_facts(dataset: Path) -> None:
    assert parquet_store.read_facts(dataset)["summary"] == {"frames": 9}


def test_rejected_round_trip(dataset: Path) -> None:
    assert len(parquet_store.read_rejected(dataset)) == 0
    rows = [{name: f"{name} é" for name in schema.REJECTED.names}]
    parquet_store.write_findings(dataset / parquet_store.REJECTED_FILE, rows)
    assert parquet_store.read_rejected(dataset).to_pylist() == rows
    parquet_store.write_findings(dataset / parquet_store.REJECTED_FILE, [])
    assert parquet_store.read_rejected(dataset).schema.equals(schema.REJECTED)


def rewrite(dataset: Path, name: str, values: pa.Array | None) -> None:
    path = parquet_store.list_files(dataset)[0]
    table = pq.read_table(path)
    at = table.column_names.index(name)
    pq.write_table(table.remove_column(at) if values is None else table.set_column(at, name, values), path)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("label", pa.array(["A"] * 7), "column 'label' is string, not int64"),
        ("landmarks", None, "has no column 'landmarks'"),
        ("landmarks", pa.array([[0.0] * 62] * 7, pa.list_(pa.float32())), "a row has 62 values in 'landmarks', not 63"),
        ("landmarks", pa.array([[]] * 7, pa.list_(pa.float32())), "a row has 0 values in 'landmarks', not 63"),
        ("hand_box", pa.array([None] * 6 + [[0.0] * 5], pa.list_(pa.float32())), "5 values in 'hand_box', not 4"),
    ],
)
def test_wrong_schema_is_reported(dataset: Path, name: str, values: pa.Array | None, message: str) -> None:
    rewrite(dataset, name, values)
    for read in (
        parquet_store.read_dataset,
        lambda folder: list(parquet_store.iter_row_groups(folder, ["landmarks", "hand_box", "label"])),
    ):
        with pytest.raises(AslkitError, match=message) as caught:
            read(dataset)
        assert "train-00000-of-00001.parquet" in caught.value.message


def test_newer_schema_version_is_rejected(dataset: Path) -> None:
    path = parquet_store.list_files(dataset)[0]
    table = pq.read_table(path).replace_schema_metadata({"aslkit": json.dumps({"schema_version": 3})})
    pq.write_table(table, path)
    with pytest.raises(AslkitError, match="schema version 3, but this version of aslkit reads versions 1 and 2 only"):
        parquet_store.read_dataset(dataset)


def test_version_1_is_read_with_null_clips(dataset: Path) -> None:
    expected = parquet_store.read_dataset(dataset)
    factories.to_version_1(dataset)
    path = parquet_store.list_files(dataset)[0]
    assert "clip" not in pq.read_schema(path).names
    assert parquet_store.read_dataset(dataset).select(expected.column_names).equals(expected)
    small = parquet_store.read_dataset(dataset, ["time_ms", "label", "clip"])
    assert small.column("clip").null_count == small.column("time_ms").null_count == len(expected)
    groups = list(parquet_store.iter_row_groups(dataset, schema.COLUMNS.names))
    groups.append(parquet_store.read_row_group(path, 0, schema.COLUMNS.names))
    for table in groups:
        assert table.select(schema.COLUMNS.names).schema.equals(schema.COLUMNS)
        assert table.column("clip").null_count == len(table)


@pytest.mark.parametrize("damage", ["cut", "empty", "rubbish", "middle"])
def test_damaged_file_is_reported_with_remedy(dataset: Path, damage: str) -> None:
    path = parquet_store.list_files(dataset)[0]
    good = path.read_bytes()
    path.write_bytes(
        {
            "cut": good[: len(good) // 2],
            "empty": b"",
            "rubbish": b"PAR1" + bytes(200) + b"PAR1",
            "middle": good[:40] + bytes(2000) + good[2040:],
        }[damage]
    )
    with pytest.raises(AslkitError) as caught:
        parquet_store.read_dataset(dataset)
    assert f"{path} is damaged" in caught.value.message
    assert "aslkit curate --rebuild" in caught.value.message
    assert "\n" not in caught.value.message


def test_damaged_rejected_file_is_reported(dataset: Path) -> None:
    (dataset / "rejected.parquet").write_bytes(b"PAR1")
    with pytest.raises(AslkitError, match=r"rejected\.parquet is damaged"):
        parquet_store.read_rejected(dataset)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
def test_mutated_file_raises_only_aslkit_error(dataset: Path, changes: list[tuple[float, int]]) -> None:
    path = parquet_store.list_files(dataset)[0]
    good = path.read_bytes()
    data = bytearray(good)
    for position, value in changes:
        data[int((1 - position**3) * (len(data) - 1))] = value  # mostly near the end, where the footer is
    path.write_bytes(bytes(data))
    with suppress(AslkitError):
        parquet_store.read_facts(dataset)
        parquet_store.read_rejected(dataset)
        parquet_store.read_dataset(dataset)
        list(parquet_store.iter_row_groups(dataset, ["label", "landmarks"]))
    path.write_bytes(good)


@pytest.mark.usefixtures("small_files")
def test_missing_file_is_reported(tmp_path: Path) -> None:
    write(tmp_path, {"train": 20, "test": 1})
    (tmp_path / "data" / "train-00001-of-00005.parquet").unlink()
    with pytest.raises(AslkitError, match=r"train-00001-of-00005\.parquet is missing"):
        parquet_store.read_dataset(tmp_path, ["label"])


def test_missing_dataset_lists_existing_ones(dataset: Path) -> None:
    with pytest.raises(InputError, match=r"No dataset found in .*mine.*aslkit curate.*Existing datasets: dataset\."):
        parquet_store.read_dataset(dataset.parent / "mine")
    with pytest.raises(InputError, match="No dataset found"):
        parquet_store.read_dataset(dataset / "nowhere" / "at all")


def test_flipped_byte_is_read_or_rejected(tmp_path: Path) -> None:
    """Found by benchmarks/robustness/fuzz.py: an index outside its dictionary was not noticed on reading."""
    rows = [row(index) | {"image": {"bytes": b"", "path": f"ada/one/A/{index}.jpg"}} for index in range(6)]
    parquet_store.write_split(tmp_path, "train", groups(rows, 6), facts={})
    path = parquet_store.list_files(tmp_path)[0]
    table = parquet_store.read_dataset(tmp_path)
    pq.write_table(table.drop_columns("split").cast(schema.with_metadata({})), path, compression="none")
    good, rejected = path.read_bytes(), 0
    for at in range(4, len(good), 7):
        path.write_bytes(good[:at] + bytes([good[at] ^ 0x12]) + good[at + 1 :])
        try:
            parquet_store.read_dataset(tmp_path).to_pylist()
        except AslkitError:
            rejected += 1
        except (ValueError, OverflowError):
            pass  # to_pylist, which only this test calls, cannot convert an impossible time
    assert rejected > 20
    path.write_bytes(good)
    assert parquet_store.read_dataset(tmp_path).equals(table)
