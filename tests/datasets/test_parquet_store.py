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


def row(index: int, **other: Any) -> dict[str, Any]:
    """A frame; every third one has no hand."""
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


def groups(rows: list[dict[str, Any]], at_once: int) -> Iterator[pa.Table]:
    for start in range(0, len(rows), at_once):
        yield pa.Table.from_pylist(rows[start : start + at_once], schema.COLUMNS)


def write(folder: Path, count: dict[str, int], at_once: int = 4) -> list[dict[str, Any]]:
    """Write a dataset; returns its rows as `read` should give them."""
    written = []
    for name in schema.SPLITS:
        rows = [row(index + 1000 * schema.SPLITS.index(name)) for index in range(count.get(name, 0))]
        parquet_store.write_split(folder, name, groups(rows, at_once), facts={"summary": {"frames": 9}})
        written += [each | {"split": name} for each in rows]
    return pa.Table.from_pylist(written, schema.COLUMNS.append(pa.field("split", pa.string()))).to_pylist()  # type: ignore[no-any-return]


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_store, "SHARD_BYTES", 1)  # each row group a file


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    write(tmp_path / "dataset", {"train": 7, "test": 3})
    return tmp_path / "dataset"


@pytest.mark.usefixtures("small_files")
@pytest.mark.parametrize(("at_once", "files"), [(8, (3, 1, 1)), (4, (5, 2, 1)), (1, (19, 8, 1))])
def test_what_is_written_is_read_again(tmp_path: Path, at_once: int, files: tuple[int, ...]) -> None:
    count = {"train": 19, "validation": 8, "test": 1}
    written = write(tmp_path, count, at_once)
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


def test_nobody_tested_on_is_no_file(dataset: Path) -> None:
    assert [path.name for path in (dataset / "data").glob("validation*")] == []


def test_a_name_without_its_image_is_read_without_it(dataset: Path) -> None:
    table = parquet_store.read_dataset(dataset, ["image.path", "label"])
    assert table.column_names == ["image", "label", "split"]
    assert table.column("image")[0].as_py() == {"path": "ada/one/A/0.jpg"}


def test_pandas_reads_it(tmp_path: Path) -> None:
    written = write(tmp_path, {"train": 5})
    frame = pd.concat(pd.read_parquet(path) for path in parquet_store.list_files(tmp_path))
    for got, expected in zip(frame.to_dict("records"), written, strict=True):
        assert got["image"] == expected["image"]
        assert got["phash"] == expected["phash"]
        if expected["landmarks"] is None:
            assert got["landmarks"] is None
            assert pd.isna(got["captured_at"])
        else:
            assert got["landmarks"].tolist() == expected["landmarks"]
            assert got["captured_at"].to_pydatetime() == expected["captured_at"]


def test_a_frame_without_a_hand_is_null_and_not_zeros(dataset: Path) -> None:
    first = parquet_store.read_dataset(dataset).to_pylist()[0]
    assert {first[name] for name in ("landmarks", "hand_box", "hand_score", "handedness")} == {None}


def test_facts(dataset: Path) -> None:
    assert parquet_store.read_facts(dataset)["summary"] == {"frames": 9}


def test_rejected_comes_back(dataset: Path) -> None:
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
    ("name", "values", "words"),
    [
        ("label", pa.array(["A"] * 7), "column 'label' is string, not int64"),
        ("landmarks", None, "has no column 'landmarks'"),
        ("landmarks", pa.array([[0.0] * 62] * 7, pa.list_(pa.float32())), "a row has 62 values in 'landmarks', not 63"),
        ("landmarks", pa.array([[]] * 7, pa.list_(pa.float32())), "a row has 0 values in 'landmarks', not 63"),
        ("hand_box", pa.array([None] * 6 + [[0.0] * 5], pa.list_(pa.float32())), "5 values in 'hand_box', not 4"),
    ],
)
def test_what_is_not_of_the_schema_is_named(dataset: Path, name: str, values: pa.Array | None, words: str) -> None:
    rewrite(dataset, name, values)
    for read in (
        parquet_store.read_dataset,
        lambda folder: list(parquet_store.iter_row_groups(folder, ["landmarks", "hand_box", "label"])),
    ):
        with pytest.raises(AslkitError, match=words) as caught:
            read(dataset)
        assert "train-00000-of-00001.parquet" in caught.value.message


def test_a_later_version_is_refused(dataset: Path) -> None:
    path = parquet_store.list_files(dataset)[0]
    table = pq.read_table(path).replace_schema_metadata({"aslkit": json.dumps({"schema_version": 2})})
    pq.write_table(table, path)
    with pytest.raises(AslkitError, match="schema version 2; this aslkit reads 1"):
        parquet_store.read_dataset(dataset)


@pytest.mark.parametrize("damage", ["cut", "empty", "rubbish", "middle"])
def test_a_damaged_file_is_named_with_the_remedy(dataset: Path, damage: str) -> None:
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


def test_a_damaged_list_of_rejected_is_named(dataset: Path) -> None:
    (dataset / "rejected.parquet").write_bytes(b"PAR1")
    with pytest.raises(AslkitError, match=r"rejected\.parquet is damaged"):
        parquet_store.read_rejected(dataset)


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_file_however_mutated_gives_another_error(dataset: Path, changes: list[tuple[float, int]]) -> None:
    path = parquet_store.list_files(dataset)[0]
    good = path.read_bytes()
    data = bytearray(good)
    for place, value in changes:
        data[int((1 - place**3) * (len(data) - 1))] = value  # most near the end, where the structure is
    path.write_bytes(bytes(data))
    with suppress(AslkitError):
        parquet_store.read_facts(dataset)
        parquet_store.read_rejected(dataset)
        parquet_store.read_dataset(dataset)
        list(parquet_store.iter_row_groups(dataset, ["label", "landmarks"]))
    path.write_bytes(good)


@pytest.mark.usefixtures("small_files")
def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"train": 20, "test": 1})
    (tmp_path / "data" / "train-00001-of-00005.parquet").unlink()
    with pytest.raises(AslkitError, match=r"train-00001-of-00005\.parquet is missing"):
        parquet_store.read_dataset(tmp_path, ["label"])


def test_no_dataset_lists_those_there_are(dataset: Path) -> None:
    with pytest.raises(InputError, match=r"no dataset in .*mine.*aslkit curate.*There: dataset\."):
        parquet_store.read_dataset(dataset.parent / "mine")
    with pytest.raises(InputError, match="There is no dataset"):
        parquet_store.read_dataset(dataset / "nowhere" / "at all")


def test_a_flipped_byte_is_read_or_refused(tmp_path: Path) -> None:
    """Found by benchmarks/robustness/fuzz.py: an index outside its dictionary was seen only where the value was used."""
    rows = [row(index) | {"image": {"bytes": b"", "path": f"ada/one/A/{index}.jpg"}} for index in range(6)]
    parquet_store.write_split(tmp_path, "train", groups(rows, 6), facts={})
    path = parquet_store.list_files(tmp_path)[0]
    table = parquet_store.read_dataset(tmp_path)
    pq.write_table(table.drop_columns("split").cast(schema.with_metadata({})), path, compression="none")
    whole, refused = path.read_bytes(), 0
    for at in range(4, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x12]) + whole[at + 1 :])
        try:
            parquet_store.read_dataset(tmp_path).to_pylist()
        except AslkitError:
            refused += 1
        except (ValueError, OverflowError):
            pass  # a time that no calendar has: to_pylist is the test's, not aslkit's
    assert refused > 20
    path.write_bytes(whole)
    assert parquet_store.read_dataset(tmp_path).equals(table)
