"""Curation and training on a cluster of separate processes lose no completed work after a fault."""

import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.pipeline import curate
from aslkit.datasets.sharing import retry
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import get_feature
from aslkit.train.data.samples import hold_out_signers, load_samples
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.training_state import TrainingState
from aslkit.train.fitting.fit import fit
from tests.cluster.harness import START_S, Cluster, aslkit, cluster, end_commands, wait_for
from tests.train import small_dataset

BUCKET = "club"

pytestmark = pytest.mark.usefixtures("quiet_server", "no_command_left")


@pytest.fixture
def quiet_server(caplog: pytest.LogCaptureFixture) -> None:
    """Disable the log of requests, which would hide the cause of a failure."""
    caplog.set_level("WARNING", logger="werkzeug")


@pytest.fixture
def no_command_left() -> Iterator[None]:
    yield
    end_commands()


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """Return the environment variables for an S3 server with an empty bucket."""
    import boto3  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    known = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.get_host_and_port()[1]}",
        "AWS_ACCESS_KEY_ID": "not-a-real-key",
        "AWS_SECRET_ACCESS_KEY": "not-a-real-key",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in known.items():
            patch.setenv(name, value)
        boto3.client("s3").create_bucket(Bucket=BUCKET)
        yield known
    server.stop()


def _pythons(running: Cluster, number: int) -> list[psutil.Process]:
    """Return the Python processes of a worker's executor."""
    below = [each for executor in running.executors(number) for each in executor.children(recursive=True)]
    return [each for each in below if each.is_running() and "python" in each.name()]


def _ranks(running: Cluster) -> list[psutil.Process]:
    """Return Horovod's processes on all workers."""
    all_of_them = [each for number in range(len(running.workers)) for each in _pythons(running, number)]
    return [each for each in all_of_them if "gloo_exec" in " ".join(each.cmdline())]


def _open_started_store(folder: str) -> CheckpointStore | None:
    """Return the store of a training that has finished an epoch; None if there is none."""
    import fsspec  # type: ignore[import-untyped]

    files, root = fsspec.core.url_to_fs(folder)
    files.invalidate_cache()
    found = files.glob(f"{root}/*/history.json")
    return CheckpointStore(url=f"s3://{found[0].rpartition('/')[0]}") if found else None


def test_curation_with_archived_packages_survives_a_killed_worker(
    curated: Workspace, settings: CurateConfig, tmp_path: Path, spark: Cluster
) -> None:
    """Packages are shipped as in docs/cluster.md. The Python of the archive is a script that starts this Python."""
    workspace = Workspace(root=tmp_path)
    shutil.copytree(curated.captures, workspace.captures)
    python = tmp_path / "environment/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ntouch "{tmp_path}/used"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    subprocess.run(["tar", "-czf", tmp_path / "environment.tar.gz", "-C", tmp_path / "environment", "."], check=True)
    running = aslkit(
        "curate", "--engine", "spark", "--master", spark.url, "--dataset", "cluster", "--workspace", tmp_path,
        PYSPARK_SUBMIT_ARGS=f"--archives {tmp_path}/environment.tar.gz#environment pyspark-shell",
        PYSPARK_PYTHON="./environment/bin/python", PYSPARK_DRIVER_PYTHON=sys.executable,
    )  # fmt: skip
    wait_for(lambda: _pythons(spark, 0) or None, "worker 0 measures images")
    spark.kill_worker(0)
    stdout, stderr = running.communicate(timeout=300)
    assert running.returncode == 0, stderr
    assert "Traceback" not in stderr
    assert (tmp_path / "used").exists()
    spark.add_worker()
    shutil.rmtree(workspace.measurements)
    curate(workspace, name="local", config=settings, checks=load_settings("checks", CheckConfig))
    assert "54 frames" in stdout
    for path in workspace.dataset("local").glob("data/*.parquet"):
        assert (workspace.dataset("cluster") / "data" / path.name).read_bytes() == path.read_bytes()


def test_training_on_s3_resumes_after_killed_rank(tmp_path: Path, spark: Cluster, s3: dict[str, str]) -> None:
    """Dataset and checkpoints are in a bucket, and the ranks share no folder."""
    small_dataset.write(tmp_path / "datasets/small")
    push = aslkit("dataset", "push", tmp_path / "datasets/small", f"s3://{BUCKET}/small")
    _, told = push.communicate(timeout=START_S)
    assert push.returncode == 0, told
    # One training signer, so that no further trainings calibrate the model.
    (tmp_path / "settings.toml").write_text("[train]\nepochs = 60\npatience = 60\n")
    arguments = ["train", "--dataset", f"s3://{BUCKET}/small", "--checkpoints", f"s3://{BUCKET}/checkpoints", "--quick",
                 "--hold-out", "synthetic-dan", "--hold-out", "synthetic-cleo", "--hold-out", "synthetic-ben",
                 "--config", tmp_path / "settings.toml", "--ranks", 2, "--master", spark.url,
                 "--workspace", tmp_path]  # fmt: skip
    first = aslkit(*arguments)
    name = wait_for(lambda: next((each.name for each in (tmp_path / "runs").glob("*")), None), "the run's folder")
    store = wait_for(lambda: _open_started_store(f"s3://{BUCKET}/checkpoints/{name}"), "an epoch")
    wait_for(lambda: next(iter(_ranks(spark)), None), "a rank").kill()
    _, told = first.communicate(timeout=300)
    assert first.returncode == 1
    assert "ended without an error message" in told
    assert "epochs in the checkpoint" in told
    assert f"--resume {name}" in told
    kept = store.load().history
    assert 0 < len(kept) < 60
    again = aslkit(*arguments, "--resume", name, "--json")
    said, told = again.communicate(timeout=300)
    assert again.returncode == 0, told
    assert json.loads(said)["epochs"] == 60
    with (tmp_path / "runs" / name / "history.csv").open() as file:
        history = [{column: float(value) for column, value in row.items()} for row in csv.DictReader(file)]
    assert [row["loss"] for row in history[: len(kept)]] == pytest.approx([row["loss"] for row in kept], rel=1e-4)
    assert not store.read_history()  # nothing is left in the bucket
    _assert_trained_like_one_process(tmp_path / "datasets/small", history)


def _assert_trained_like_one_process(dataset: Path, history: list[dict[str, float]]) -> None:
    """Compare the training on two ranks, although it was interrupted, with one in this process."""
    feature, config = (
        get_feature("landmarks"),
        TrainConfig(architecture="mlp", start="", epochs=60, patience=60),
    )
    samples = hold_out_signers(
        load_samples(dataset, feature.contract), ["synthetic-ben", "synthetic-cleo", "synthetic-dan"], config
    )
    expected = fit(samples, feature, config).history
    for name in ("loss", "val_loss"):
        assert [row[name] for row in history[-5:]] == pytest.approx([row[name] for row in expected[-5:]], rel=0.15)
    assert history[-1]["loss"] < history[0]["loss"]


def test_checkpoint_store_retries_busy_server(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "BACKOFF_S", 0.0)
    store = CheckpointStore(url=f"s3://{BUCKET}/busy")
    files, left = store._open()[0], {"cat_file": 5, "pipe_file": 5}

    def busy(name: str) -> Callable[..., object]:
        really = getattr(files, name)

        def fail_once(*arguments: object, **options: object) -> object:
            if left[name]:
                left[name] -= 1
                raise OSError("An error occurred (503) when calling the operation: Service Unavailable")
            return really(*arguments, **options)

        return fail_once

    for name in left:
        monkeypatch.setattr(files, name, busy(name))
    store.save(TrainingState(history=[{"epoch": 1, "val_loss": 0.5}]))
    assert store.load().history == [{"epoch": 1, "val_loss": 0.5}]
    assert left == {"cat_file": 0, "pipe_file": 0}
    store.remove()
    assert store.load().history == []
