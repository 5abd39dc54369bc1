"""A network on pixels begins with the benchmark's best, and what that brought is shown beside beginning by chance."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.config import load_settings
from aslkit.core.native_libraries import import_keras
from aslkit.train import select_model
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import get_feature
from aslkit.train.fitting import transfer as begun
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.initial_weights import latest_benchmark_best, resolve_start, without_paths
from aslkit.train.pipeline import train
from aslkit.train.reporting.summary_text import describe_transfer

pytestmark = pytest.mark.usefixtures("uncompiled")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A workspace's runs, with a benchmark whose best on pixels is a cnn-bn."""
    folder = tmp_path / "runs" / "sign-mnist-benchmark-1"
    (folder / "models" / "cnn").mkdir(parents=True)
    import_keras().utils.set_random_seed(0)
    get_architecture("cnn-bn")((28, 28, 1), 24).save(folder / "models" / "cnn" / "model.keras")
    _benchmark(folder, network="cnn-bn")
    return folder.parent


def _benchmark(folder: Path, *, network: str | None) -> None:
    best = {"network": network, "model": "models/cnn", "name": "cnn"}
    (folder / "metrics.json").write_text(json.dumps({"kind": "benchmark", "best": best}))


def config(**flags: object) -> TrainConfig:
    return load_settings("train", TrainConfig, flags={"epochs": 1, **flags})


def test_pixels_begin_with_the_benchmarks_best_and_landmarks_by_chance(runs: Path) -> None:
    told: list[str] = []
    begun = resolve_start(config(feature="hand28"), get_feature("hand28"), runs, told.append)
    assert begun.architecture == "cnn-bn"
    assert without_paths(begun, runs).start == "sign-mnist-benchmark-1/models/cnn"
    assert (
        resolve_start(without_paths(begun, runs), get_feature("hand28"), runs, told.append) == begun
    )  # as config.toml says it
    landmarks = resolve_start(config(), get_feature("landmarks"), runs, told.append)
    assert (landmarks.architecture, landmarks.start) == ("mlp", "")
    scratch = resolve_start(config(feature="hand28", start=""), get_feature("hand28"), runs, told.append)
    assert (scratch.architecture, scratch.start) == ("cnn", "")
    assert not told


def test_what_begins_by_chance_for_want_of_a_benchmark_is_told(runs: Path, tmp_path: Path) -> None:
    told: list[str] = []
    resolve_start(config(feature="hand28"), get_feature("hand28"), tmp_path / "none", told.append)
    resolve_start(config(feature="hand28", architecture="cnn"), get_feature("hand28"), runs, told.append)
    assert "aslkit train --dataset sign-mnist" in told[0]
    assert told[1] == "The benchmark's best is cnn-bn: cnn begins by chance."


def test_only_a_network_that_is_there_is_begun_with(runs: Path) -> None:
    assert latest_benchmark_best(runs) is not None
    later = runs / "sign-mnist-benchmark-2"
    later.mkdir()
    for text in ("{", "{}", '{"best": null}', '{"best": {"network": "cnn", "model": "models/gone"}}'):
        (later / "metrics.json").write_text(text)
        found = latest_benchmark_best(runs)
        assert found is not None
        assert found.model.parent.parent.name == "sign-mnist-benchmark-1"
    _benchmark(runs / "sign-mnist-benchmark-1", network=None)
    assert latest_benchmark_best(runs) is None


def test_the_gain_of_transfer_is_shown_not_claimed(dataset: Path, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(begun, "FROZEN_EPOCHS", 1)
    done = train(dataset, runs=runs, config=config(feature="hand28"), hold_out=["synthetic-ada", "synthetic-ben"])
    transfer = done.metrics.transfer
    assert transfer is not None
    assert transfer.from_scratch is not None
    assert transfer.start == "sign-mnist-benchmark-1/models/cnn"
    assert transfer.from_scratch.accuracy is not None
    assert 0 <= transfer.from_scratch.accuracy <= 1
    assert "from scratch" in describe_transfer(done.metrics)
    for page in ("report.html", "README.md"):
        assert describe_transfer(done.metrics) in (done.folder / page).read_text(encoding="utf-8")
    assert str(runs) not in (done.folder / "config.toml").read_text()


def test_auto_tries_from_scratch_beside_what_begins_with_the_best(
    dataset: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_model, "CANDIDATES", ("landmarks", "hand28"))
    monkeypatch.setattr(begun, "FROZEN_EPOCHS", 1)
    done = train(dataset, runs=runs, config=config(feature="auto"), hold_out=["synthetic-ada", "synthetic-ben"])
    tried = {(each.feature, each.start) for each in done.metrics.candidates}
    assert tried == {("landmarks", ""), ("hand28", "sign-mnist-benchmark-1/models/cnn"), ("hand28", "")}


def test_an_interrupted_run_says_how_it_goes_on_and_does(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aslkit.train import pipeline

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    command = ["train", "--dataset", f"{dataset}/", "--workspace", str(tmp_path), "--epochs", "2", "--cv", "signer"]
    command += ["--json"]
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "fit", stopped)  # after all have been left out in turn
        result = CliRunner().invoke(main, command)
    assert result.exit_code != 0
    assert "give the same command with --resume small-landmarks-mlp-1" in result.stderr
    assert len(list((tmp_path / "runs/small-landmarks-mlp-1/checkpoints").iterdir())) == 4
    resumed = [*command, "--tensorboard", "--resume", "small-landmarks-mlp-1"]
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "write_run", stopped)  # after all is trained
        assert CliRunner().invoke(main, resumed).exit_code != 0
    done = CliRunner().invoke(main, resumed)
    assert done.exit_code == 0, done.output
    metrics = json.loads(done.stdout)
    assert Path(metrics["folder"]).name == "small-landmarks-mlp-1"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["small-landmarks-mlp-1"]
    assert list((tmp_path / "runs/small-landmarks-mlp-1/tensorboard").rglob("events.*"))
    assert not (tmp_path / "runs/small-landmarks-mlp-1/checkpoints").exists()
    finished = CliRunner().invoke(main, resumed)
    assert finished.exit_code == 2
    assert "is finished; there is nothing to go on with" in finished.stderr
    (tmp_path / "captures").mkdir()
    for what in (tmp_path, tmp_path / "runs", tmp_path / "captures"):
        refused = CliRunner().invoke(main, [*command, "--resume", str(what)])
        assert refused.exit_code == 2
        assert "is no interrupted training" in refused.stderr
    assert (tmp_path / "captures").is_dir()
    again = CliRunner().invoke(main, [*command, "--start", "x", "--from-scratch"])
    assert "not both" in again.stderr
