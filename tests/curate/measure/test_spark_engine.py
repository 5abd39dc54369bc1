"""Curation on Spark: the same rows as on this machine, and errors that a user can act on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.measure import engine, measure, near_duplicates
from aslkit.curate.measure import spark_engine as spark
from aslkit.curate.measure.spark_engine import SparkEngine, spark_engine
from aslkit.curate.pipeline import curate
from aslkit.vision.perceptual_hash import FINE_BYTES


@pytest.fixture(scope="module")
def on_spark() -> Iterator[SparkEngine]:
    with spark_engine("local[2]") as running:
        yield running


def data(workspace: Workspace, name: str) -> dict[str, bytes]:
    """All files of a dataset but its card and report, which say its name."""
    folder = workspace.dataset(name)
    files = [*folder.glob("data/*.parquet"), folder / "rejected.parquet", folder / "flagged.parquet"]
    return {path.name: path.read_bytes() for path in files}


def test_the_same_files_to_the_byte(
    curated: Workspace, settings: CurateConfig, tmp_path: Path, on_spark: SparkEngine
) -> None:
    workspace = Workspace(root=tmp_path)
    for path in sorted(curated.captures.rglob("*.*"))[::3]:  # a third of the frames shows as much
        to = workspace.captures / path.relative_to(curated.captures)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)
    for path in curated.captures.rglob("session.json"):
        shutil.copy(path, workspace.captures / path.relative_to(curated.captures))
    (workspace.captures / "ada" / "one" / "A" / "broken.jpg").write_bytes(b"no image")
    checks = load_settings("checks", CheckConfig)
    curate(workspace, name="spark", config=settings, checks=checks, engine=on_spark)
    shutil.rmtree(workspace.measurements)
    curate(workspace, name="local", config=settings, checks=checks)
    assert data(workspace, "spark") == data(workspace, "local")


def test_the_same_groups(on_spark: SparkEngine, rng: np.random.Generator) -> None:
    count = 300
    near = rng.integers(0, 40, count)  # frames of one number are near-duplicates, up to chance
    traits = near_duplicates.GroupFeatures(
        phash=np.random.default_rng(1).integers(0, 256, (40, 8), np.uint8)[near],
        fine_hash=rng.integers(0, 256, (count, FINE_BYTES), np.uint8),
        hand_hash=np.random.default_rng(2).integers(0, 256, (40, FINE_BYTES), np.uint8)[near],
        hands=(rng.uniform(0, 100, (40, 21, 2))[near] + rng.normal(0, 0.5, (count, 21, 2))).astype(np.float32),
        left=rng.random(count) < 0.5,
    )
    traits.hands[near == 3] = np.nan
    within = np.where(rng.random(count) < 0.7, "ada/A", "ben/Ä")
    limits = load_settings("curate", CurateConfig).limits
    here = engine.Local().group(traits, within, limits)
    assert on_spark.group(traits, within, limits).tolist() == here.tolist()
    assert 40 <= len(set(here.tolist())) < count / 2


def test_a_name_that_is_no_text_is_read(on_spark: SparkEngine, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.jpg")
    path.write_bytes(b"no image")
    looking = measure.MeasureOptions(min_confidence=0.3, second_try=False, hands=False)
    rows = [batch.to_pylist() for ran in (on_spark, engine.Local()) for batch in ran.describe({"x": path}, looking)]
    assert [row["error"] for (row,) in rows] == ["not an image (JPEG, PNG, WebP or BMP)"] * 2


def test_a_file_that_a_worker_does_not_see_is_told(on_spark: SparkEngine, tmp_path: Path) -> None:
    looking = measure.MeasureOptions(min_confidence=0.3, second_try=False)
    with pytest.raises(AslkitError, match=r"Spark failed: .*gone\.jpg.*same path"):
        list(on_spark.describe({"x": tmp_path / "gone.jpg"}, looking))


def test_another_version_on_a_worker_is_told(on_spark: SparkEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "__version__", "99.0")
    looking = measure.MeasureOptions(min_confidence=0.3, second_try=False)
    with pytest.raises(AslkitError, match=r"installed on a worker, 99\.0 where the command was given"):
        list(on_spark.describe({"x": Path("x.jpg")}, looking))


def test_a_master_that_cannot_be_is_told(tmp_path: Path) -> None:
    """In a process of its own: Spark leaves a pipe open."""
    command = [sys.executable, "-m", "aslkit", "curate", "--engine", "spark", "--master", "nonsense"]
    done = subprocess.run([*command, "--workspace", str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Spark did not start on nonsense: ")
    assert "aslkit doctor" in done.stderr
    assert "Traceback" not in done.stderr
