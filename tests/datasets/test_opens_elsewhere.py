"""A dataset opens as it lies, in what people use. The test's own rows are what each must give."""

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

from aslkit.core.letters import LETTERS
from aslkit.datasets import parquet_store
from tests.datasets import factories

PLAIN = ("label", "signer", "session", "camera", "handedness", "landmarks", "hand_box", "hand_score", "width", "sha256",
         "phash", "group", "parent", "licence")  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return factories.dataset(tmp_path_factory.mktemp("opens") / "tiny", train=20, validation=3, test=6)


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of each split: PLAIN, `captured_at` in milliseconds since 1970, `bytes` of the image as a number."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in parquet_store.read_dataset(folder).to_pylist():
        found.setdefault(row["split"], []).append(_comparable(row))
    return found


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    when = row["captured_at"]
    plain = {name: row[name] for name in PLAIN}
    about = {"when": None if when is None else round(when.timestamp() * 1000), "bytes": len(row["image"]["bytes"])}
    return plain | about | {"path": row["image"]["path"]}


def run(code: str, *arguments: object, **environment: str) -> Any:
    """Run code in a process of its own, which these libraries leave threads, caches and settings in."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],  # -P: ./datasets is not Hugging Face's
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


def test_hugging_face(folder: Path, expected: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    found = run(HUGGING_FACE, folder, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path), HF_DATASETS_CACHE=str(tmp_path))
    assert found["names"] == list(LETTERS)
    assert list(found["rows"]) == ["train", "validation", "test"]
    for split, rows in expected.items():
        assert [{name: row[name] for name in rows[0]} for row in found["rows"][split]] == rows
        assert {tuple(row["size"]) for row in found["rows"][split]} == {(48, 40)}  # decoded, as pictures


SPARK = """
import json, sys
from pyspark.sql import SparkSession, functions as f
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
rows = spark.read.parquet(sys.argv[1] + "/data/train-*.parquet")
told = rows.withColumn("when", f.unix_millis("captured_at")).withColumn("bytes", f.length("image.bytes"))
told = told.withColumn("path", f.col("image.path")).withColumn("phash", f.col("phash").cast("string"))
told = told.drop("image", "captured_at")
print(json.dumps([row.asDict() for row in told.collect()]))
"""


def test_spark(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    """uint64 comes as decimal(20, 0): Spark has no such integers. Nothing is lost."""
    found = run(SPARK, folder, PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP="127.0.0.1")
    rows = [{name: row[name] for name in expected["train"][0]} | {"phash": int(row["phash"])} for row in found]
    assert sorted(rows, key=lambda row: str(row["path"])) == sorted(expected["train"], key=lambda row: str(row["path"]))


def test_pandas(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    frame = pd.concat(
        pd.read_parquet(path) for path in parquet_store.list_files(folder) if path.name.startswith("train")
    )
    assert frame["phash"].dtype == "uint64"
    assert frame["captured_at"].dt.tz is not None
    for got, row in zip(frame.to_dict("records"), expected["train"], strict=True):
        assert len(got["image"]["bytes"]) == row["bytes"]
        for name in ("label", "signer", "sha256", "phash", "group"):
            assert got[name] == row[name]
        if row["landmarks"] is None:
            assert got["landmarks"] is None
        else:
            assert got["landmarks"].tolist() == row["landmarks"]


def test_polars(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    rows = polars.read_parquet(folder / "data" / "train-*.parquet").to_dicts()
    assert [_comparable(row) for row in rows] == expected["train"]


def test_duckdb(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    columns = ", ".join(f'"{name}"' for name in PLAIN)
    asked = f"""select {columns}, epoch_ms(captured_at) as "when", octet_length(image.bytes) as bytes,
        image.path as path from read_parquet(?)"""
    with duckdb.connect() as base:
        answer = base.execute(asked, [f"{folder}/data/train-*.parquet"])
        names = [column[0] for column in answer.description or []]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
    assert rows == expected["train"]


def test_pyarrow(folder: Path, expected: dict[str, list[dict[str, Any]]]) -> None:
    found = pa_dataset.dataset(folder / "data", format="parquet")
    assert found.count_rows() == sum(map(len, expected.values()))
    rows = found.to_table(filter=pa_dataset.field("signer") == "cleo").to_pylist()
    assert [_comparable(row) for row in rows] == expected["test"]
