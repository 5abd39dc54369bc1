"""Other libraries can open a dataset without conversion and read the same rows."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars
import pyarrow.dataset as pa_dataset
import pytest

from aslkit.core.letters import LABELS
from aslkit.datasets import parquet_store, schema
from tests.datasets import factories


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset_with_clips(tmp_path_factory.mktemp("opens") / "tiny")


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, list[dict[str, Any]]]:
    return factories.comparable_rows(folder)


def run(code: str, *arguments: object, **environment: str) -> Any:
    """Run code in another process, because these libraries leave threads, caches and settings behind."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],  # -P: import Hugging Face's datasets, not ./datasets
        capture_output=True, text=True, timeout=240, env=os.environ | environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


HUGGING_FACE = """
import json, sys
from datasets import Image, load_dataset
found = {}
for split, rows in load_dataset(sys.argv[1]).items():
    names = rows.features["label"].names
    sizes = [row["image"].size for row in rows]
    rows = rows.cast_column("image", Image(decode=False))
    found[split] = [row | {"when": None if row["captured_at"] is None else round(row["captured_at"].timestamp() * 1000),
                           "bytes": len(row["image"]["bytes"]), "path": row["image"]["path"], "size": size}
                    for row, size in zip(rows, sizes, strict=True)]
    for row in found[split]:
        del row["image"], row["captured_at"]
print(json.dumps({"rows": found, "names": names}))
"""


def test_hugging_face_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    found = run(HUGGING_FACE, folder, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path), HF_DATASETS_CACHE=str(tmp_path))
    assert found["names"] == list(LABELS)
    assert list(found["rows"]) == ["train", "validation", "test"]
    for split, rows in expected.items():
        assert [{name: row[name] for name in rows[0]} for row in found["rows"][split]] == rows
        assert {tuple(row["size"]) for row in found["rows"][split]} == {(48, 40)}  # decoded images


def test_pandas_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    frame = pd.concat(
        pd.read_parquet(path) for path in parquet_store.list_files(folder) if path.name.startswith("train")
    )
    assert frame["phash"].dtype == "uint64"
    assert frame["captured_at"].dt.tz is not None
    for actual, row in zip(frame.to_dict("records"), expected["train"], strict=True):
        assert len(actual["image"]["bytes"]) == row["bytes"]
        for name in ("label", "signer", "sha256", "phash", "group"):
            assert actual[name] == row[name]
        if row["landmarks"] is None:
            assert actual["landmarks"] is None
        else:
            assert actual["landmarks"].tolist() == row["landmarks"]


def test_polars_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    rows = polars.read_parquet(folder / "data" / "train-*.parquet").to_dicts()
    assert [factories.comparable_row(row) for row in rows] == expected["train"]


def test_duckdb_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    columns = ", ".join(f'"{name}"' for name in factories.COMPARED_COLUMNS)
    query = f"""select {columns}, epoch_ms(captured_at) as "when", octet_length(image.bytes) as bytes,
        image.path as path from read_parquet(?)"""
    with duckdb.connect() as connection:
        result = connection.execute(query, [f"{folder}/data/train-*.parquet"])
        names = [column[0] for column in result.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    assert rows == expected["train"]


def test_pyarrow_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    found = pa_dataset.dataset(folder / "data", format="parquet")
    assert found.count_rows() == sum(map(len, expected.values()))
    rows = found.to_table(filter=pa_dataset.field("signer") == "cleo").to_pylist()
    assert [factories.comparable_row(row) for row in rows] == expected["test"]


def test_duckdb_queries_clips(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    query = """select clip, count(*), max(time_ms) from read_parquet(?) where clip is not null
        group by clip order by clip"""
    with duckdb.connect() as connection:
        rows = connection.execute(query, [f"{folder}/data/*.parquet"]).fetchall()
    clips = sorted({row["clip"] for rows in expected.values() for row in rows if row["clip"]})
    assert rows == [(clip, 4, 99) for clip in clips]
    assert len(clips) == 6


SPARK = """
import json, sys
from pyspark.sql import SparkSession
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.read.parquet(sys.argv[1]).select("image.path", "label", "signer", "group", "clip", "time_ms", "landmarks")
found = [row.asDict() for row in rows.collect()]
spark.stop()
print(json.dumps(found))
"""


def test_spark_reads_dataset(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    pytest.importorskip("pyspark")
    found = sorted(run(SPARK, folder / "data"), key=lambda row: str(row["path"]))
    rows = sorted((row for rows in expected.values() for row in rows), key=lambda row: str(row["path"]))
    assert found == [{name: row[name] for name in found[0]} for row in rows]


@pytest.mark.parametrize("columns", [None, ["clip", "time_ms", "label"]])
def test_old_and_new_files_are_read_together_by_pyarrow(tmp_path: Path, columns: list[str] | None) -> None:
    """What a user does with two datasets: the files of version 1 have null clips, and no letter is renumbered."""
    old = factories.to_version_1(factories.dataset(tmp_path / "old", train=8, validation=0, test=0))
    new = factories.dataset_with_clips(tmp_path / "new")
    files = [str(path) for folder in (new, old) for path in parquet_store.list_files(folder)]
    table = pa_dataset.dataset(files, schema=schema.COLUMNS, format="parquet").to_table(columns=columns)
    assert len(table) == 68
    assert table.column("clip").null_count == 44
    assert set(table.column("label").to_pylist()) <= set(range(26))
