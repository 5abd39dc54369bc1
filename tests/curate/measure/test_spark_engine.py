"""Curation on Spark: the same rows as with the local engine, and actionable errors."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.files import file_hash
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure import engine, measure, near_duplicates
from aslkit.curate.measure import spark_engine as spark
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.recorded import add_recorded_measurements
from aslkit.curate.measure.spark_engine import SparkEngine, spark_engine
from aslkit.curate.pipeline import curate
from aslkit.formats.measurements import RECORDER_OPTIONS, SESSION_MEASUREMENTS, write_measurements
from aslkit.vision.images import Frame, encode_jpeg
from tests.datasets import factories


@pytest.fixture(scope="module")
def spark_local() -> Iterator[SparkEngine]:
    with spark_engine("local[2]") as running:
        yield running


def read_files(workspace: Workspace, name: str) -> dict[str, bytes]:
    """Return the content of all files of a dataset except its card and report, which contain its name."""
    folder = workspace.dataset(name)
    files = [*folder.glob("data/*.parquet"), folder / "rejected.parquet", folder / "flagged.parquet"]
    return {path.name: path.read_bytes() for path in files}


def test_same_files_as_with_the_local_engine(
    curated: Workspace, settings: CurateConfig, tmp_path: Path, spark_local: SparkEngine
) -> None:
    workspace = Workspace(root=tmp_path)
    for path in sorted(curated.captures.rglob("*.*"))[::3]:  # a third of the frames is enough
        target = workspace.captures / path.relative_to(curated.captures)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    for path in curated.captures.rglob("session.json"):
        shutil.copy(path, workspace.captures / path.relative_to(curated.captures))
    (workspace.captures / "ada" / "one" / "A" / "broken.jpg").write_bytes(b"no image")
    checks = load_settings("checks", CheckConfig)
    curate(workspace, name="spark", config=settings, checks=checks, engine=spark_local)
    shutil.rmtree(workspace.measurements)
    curate(workspace, name="local", config=settings, checks=checks)
    assert read_files(workspace, "spark") == read_files(workspace, "local")


def test_recorded_measurements_are_taken_over(spark_local: SparkEngine, tmp_path: Path, picture: Frame) -> None:
    path = tmp_path / "1.jpg"
    path.write_bytes(encode_jpeg(picture))
    files, messages = {file_hash(path): path}, list[str]()
    recorded = pa.Table.from_batches(list(engine.Local(processes=1).measure(files, RECORDER_OPTIONS)))
    write_measurements(tmp_path / SESSION_MEASUREMENTS / RECORDER_OPTIONS.folder_name, recorded)
    cache = MeasurementCache(folder=tmp_path / "cache", options=RECORDER_OPTIONS)
    add_recorded_measurements(
        cache, files, [tmp_path], spark_local, rng=np.random.default_rng(0), on_message=messages.append
    )
    assert (cache.missing(files), messages) == ([], [])


def test_same_groups_as_with_the_local_engine(spark_local: SparkEngine, rng: np.random.Generator) -> None:
    count = 300
    near = rng.integers(0, 40, count)  # most frames with the same number are near-duplicates
    features = near_duplicates.GroupFeatures(
        phash=np.random.default_rng(1).integers(0, 256, (40, 8), np.uint8)[near],
        hands=(rng.uniform(0, 100, (40, 21, 2))[near] + rng.normal(0, 0.5, (count, 21, 2))).astype(np.float32),
    )
    features.hands[near == 3] = np.nan
    part = np.where(rng.random(count) < 0.7, "ada/A", "ben/Ä")
    limits = load_settings("curate", CurateConfig).limits
    expected = engine.Local().group(features, part, limits)
    assert spark_local.group(features, part, limits).tolist() == expected.tolist()
    assert 40 <= len(set(expected.tolist())) < count / 2


def test_spark_reads_dataset(spark_local: SparkEngine, tmp_path: Path) -> None:
    """Spark has no uint64 and reads it as decimal(20, 0), without loss. Other libraries: test_opens_elsewhere.py."""
    from pyspark.sql import functions as f

    folder = factories.dataset(tmp_path / "tiny", train=20, validation=3, test=6)
    rows = spark_local.spark.read.parquet(f"{folder}/data/train-*.parquet")
    rows = rows.withColumn("when", f.unix_millis("captured_at")).withColumn("bytes", f.length("image.bytes"))
    rows = rows.withColumn("path", f.col("image.path")).withColumn("phash", f.col("phash").cast("string"))
    expected = sorted(factories.comparable_rows(folder)["train"], key=lambda row: str(row["path"]))
    found = [row.asDict() | {"phash": int(row.phash)} for row in rows.sort("path").collect()]
    assert [{name: row[name] for name in expected[0]} for row in found] == expected


def test_file_name_that_is_not_unicode(spark_local: SparkEngine, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.jpg")
    path.write_bytes(b"no image")
    options = measure.MeasureOptions(min_confidence=0.3, second_try=False, hands=False)
    rows = [batch.to_pylist() for each in (spark_local, engine.Local()) for batch in each.measure({"x": path}, options)]
    assert [row["error"] for (row,) in rows] == ["not an image (JPEG, PNG, WebP, BMP, GIF, TIFF, AVIF or HEIC)"] * 2


def test_file_missing_on_a_worker_is_explained(spark_local: SparkEngine, tmp_path: Path) -> None:
    options = measure.MeasureOptions(min_confidence=0.3, second_try=False)
    with pytest.raises(AslkitError, match=r"Spark failed: .*gone\.jpg.*same path"):
        list(spark_local.measure({"x": tmp_path / "gone.jpg"}, options))


def test_other_version_on_a_worker_is_explained(spark_local: SparkEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "__version__", "99.0")
    options = measure.MeasureOptions(min_confidence=0.3, second_try=False)
    with pytest.raises(AslkitError, match=r"A worker has aslkit .* installed, but this computer has 99\.0"):
        list(spark_local.measure({"x": Path("x.jpg")}, options))


def test_invalid_master_is_explained(tmp_path: Path) -> None:
    """Runs in a separate process, because Spark leaves a pipe open."""
    command = [sys.executable, "-m", "aslkit", "curate", "--engine", "spark", "--master", "nonsense"]
    done = subprocess.run([*command, "--workspace", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Spark did not start on nonsense: ")
    assert "aslkit doctor" in done.stderr
    assert "Traceback" not in done.stderr
