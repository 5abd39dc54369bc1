"""Datasets of every version there has been are read today. tests/datasets/files holds a small one of each."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aslkit.datasets import parquet_store, schema, schema_versions
from aslkit.datasets.info import summarise_folder
from aslkit.datasets.verify.run import verify_dataset
from aslkit.vision.images import decode_image, pixel_hash
from tests.datasets import factories

FILES = sorted((Path(__file__).parent / "files").glob("v*.parquet"))


def as_dataset(file: Path, folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "train-00000-of-00001.parquet").write_bytes(file.read_bytes())
    return folder


def test_there_is_a_file_of_each_version() -> None:
    assert [file.stem for file in FILES] == [f"v{number}" for number in range(1, schema.VERSION + 1)]
    assert set(schema_versions.PAST) == set(range(1, schema.VERSION))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_of_each_version_is_read(file: Path, tmp_path: Path) -> None:
    folder = as_dataset(file, tmp_path)
    table = parquet_store.read_dataset(folder)
    assert table.select(schema.COLUMNS.names).schema.equals(schema.COLUMNS)
    rows = table.to_pylist()
    assert [(row["label"], row["signer"], row["group"]) for row in rows] == [
        (0, "ada", 0),
        (1, "ben", 1),
        (3, "ada", 3),
    ]
    assert [row["landmarks"] is None for row in rows] == [False, False, True]
    for row in rows:
        assert pixel_hash(decode_image(row["image"]["bytes"])) == row["sha256"]
    assert not verify_dataset(folder, processes=0).problems


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dataset of an invented version 0: the licence was spelt otherwise, and there was no `contrast`."""
    at = schema.COLUMNS.get_field_index("licence")
    columns = schema.COLUMNS.set(at, pa.field("license", pa.string()))
    columns = columns.remove(columns.get_field_index("contrast"))

    def upgrade(table: pa.Table) -> pa.Table:
        names = ["licence" if name == "license" else name for name in table.column_names]
        table = table.rename_columns(names).append_column("contrast", pa.nulls(len(table), pa.float32()))
        return table.select(schema.COLUMNS.names)

    monkeypatch.setitem(schema_versions.PAST, 0, schema_versions.Past(columns=columns, upgrade=upgrade))
    folder = factories.write(tmp_path / "old", {"train": factories.rows_of("train", 20)})
    path = parquet_store.list_files(folder)[0]
    table = pq.read_table(path)
    metadata = table.schema.metadata
    facts = json.loads(metadata[b"aslkit"]) | {"schema_version": 0}
    table = table.rename_columns(["license" if name == "licence" else name for name in table.column_names])
    table = table.drop_columns(["contrast"]).replace_schema_metadata(metadata | {b"aslkit": json.dumps(facts).encode()})
    pq.write_table(table, path, row_group_size=7)
    return folder


def test_a_past_version_is_brought_to_today(old: Path) -> None:
    expected = factories.rows_of("train", 20)
    rows = parquet_store.read_dataset(old).to_pylist()
    assert [row["licence"] for row in rows] == ["CC-BY-4.0"] * 20
    assert [row["sha256"] for row in rows] == [row["sha256"] for row in expected]
    assert {row["contrast"] for row in rows} == {None}
    few = parquet_store.read_dataset(old, ["licence", "image.path"])
    assert few.column_names == ["image", "licence", "split"]
    assert few.column("image")[0].as_py() == {"path": expected[0]["image"]["path"]}
    groups = list(parquet_store.iter_row_groups(old, ["licence", "image"]))
    assert [len(group) for group in groups] == [7, 7, 6]
    assert groups[0].column("image")[0].as_py() == expected[0]["image"]
    assert summarise_folder(old).licences == {"CC-BY-4.0": 20}
    assert not verify_dataset(old, processes=0).problems


def test_what_a_past_version_must_have_is_checked(old: Path) -> None:
    path = parquet_store.list_files(old)[0]
    pq.write_table(pq.read_table(path).drop_columns(["license"]), path)
    with pytest.raises(Exception, match="has no column 'license'"):
        parquet_store.read_dataset(old)
