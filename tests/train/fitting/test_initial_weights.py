"""Initial weights from the benchmark, comparison with training from scratch, and resuming."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from aslkit.cli.main import main
from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.core.native_libraries import import_keras
from aslkit.train import select_model
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import get_feature
from aslkit.train.fitting import transfer
from aslkit.train.fitting.architectures import get_architecture
from aslkit.train.fitting.initial_weights import latest_benchmark_best, resolve_start, without_paths
from aslkit.train.pipeline import train
from aslkit.train.reporting.summary_text import describe_transfer

pytestmark = pytest.mark.usefixtures("uncompiled")

SIGNERS = ("ada", "ben")


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Runs folder with a benchmark whose best pixel network is a cnn-bn."""
    folder = tmp_path / "runs" / "sign-mnist-benchmark-1"
    (folder / "models" / "cnn").mkdir(parents=True)
    import_keras().utils.set_random_seed(0)
    get_architecture("cnn-bn")((28, 28, 1), 24).save(folder / "models" / "cnn" / "model.keras")
    _write_benchmark(folder, network="cnn-bn")
    return folder.parent


def _write_benchmark(folder: Path, *, network: str | None) -> None:
    best = {"network": network, "model": "models/cnn", "name": "cnn"}
    (folder / "metrics.json").write_text(json.dumps({"kind": "benchmark", "best": best}))


def config(**flags: object) -> TrainConfig:
    return load_settings("train", TrainConfig, flags={"epochs": 1, **flags})


def test_resolve_start_uses_the_benchmark_for_pixels_only(runs: Path) -> None:
    messages: list[str] = []
    pre_trained = resolve_start(config(feature="hand28"), get_feature("hand28"), runs, messages.append, signers=SIGNERS)
    assert pre_trained.architecture == "cnn-bn"
    assert without_paths(pre_trained, runs).start == "sign-mnist-benchmark-1/models/cnn"
    assert (
        resolve_start(without_paths(pre_trained, runs), get_feature("hand28"), runs, messages.append, signers=SIGNERS)
        == pre_trained
    )  # with the relative path of config.toml
    landmarks = resolve_start(config(), get_feature("landmarks"), runs, messages.append, signers=SIGNERS)
    assert (landmarks.architecture, landmarks.start) == ("mlp", "starter")
    scratch = resolve_start(
        config(feature="hand28", start=""), get_feature("hand28"), runs, messages.append, signers=SIGNERS
    )
    assert (scratch.architecture, scratch.start) == ("cnn", "")
    assert not messages


@pytest.mark.parametrize(
    ("flags", "signers"),
    [
        ({"synthetic": False}, SIGNERS),
        ({"architecture": "cnn"}, SIGNERS),
        ({}, ("ada", "synthetic-eve")),
        ({}, ("ada", "l05")),
    ],
)
def test_resolve_start_uses_the_starter_only_where_it_fits(
    flags: dict[str, object], signers: tuple[str, ...], tmp_path: Path
) -> None:
    feature = get_feature("landmarks")
    assert resolve_start(config(**flags), feature, tmp_path, print, signers=signers).start == ""
    with pytest.raises(InputError, match="--from-scratch"):
        resolve_start(config(start="starter", **flags), feature, tmp_path, print, signers=signers)


def test_resolve_start_explains_random_initial_weights(runs: Path, tmp_path: Path) -> None:
    messages: list[str] = []
    resolve_start(config(feature="hand28"), get_feature("hand28"), tmp_path / "none", messages.append, signers=SIGNERS)
    resolve_start(
        config(feature="hand28", architecture="cnn"), get_feature("hand28"), runs, messages.append, signers=SIGNERS
    )
    assert "aslkit train --dataset sign-mnist" in messages[0]
    assert messages[1] == "Training cnn from scratch: the benchmark's best network has another architecture, cnn-bn."


def test_latest_benchmark_best_skips_damaged_and_missing_models(runs: Path) -> None:
    assert latest_benchmark_best(runs) is not None
    newer = runs / "sign-mnist-benchmark-2"
    newer.mkdir()
    for text in ("{", "{}", '{"best": null}', '{"best": {"network": "cnn", "model": "models/gone"}}'):
        (newer / "metrics.json").write_text(text)
        best = latest_benchmark_best(runs)
        assert best is not None
        assert best.model.parent.parent.name == "sign-mnist-benchmark-1"
    _write_benchmark(runs / "sign-mnist-benchmark-1", network=None)
    assert latest_benchmark_best(runs) is None


def test_train_compares_pre_trained_weights_with_training_from_scratch(
    dataset: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "FROZEN_EPOCHS", 1)
    done = train(dataset, runs=runs, config=config(feature="hand28"), hold_out=["synthetic-ada", "synthetic-ben"])
    metrics = done.metrics.transfer
    assert metrics is not None
    assert metrics.from_scratch is not None
    assert metrics.start == "sign-mnist-benchmark-1/models/cnn"
    assert metrics.from_scratch.accuracy is not None
    assert 0 <= metrics.from_scratch.accuracy <= 1
    assert "from scratch" in describe_transfer(done.metrics)
    for page in ("report.html", "README.md"):
        assert describe_transfer(done.metrics) in (done.folder / page).read_text(encoding="utf-8")
    assert str(runs) not in (done.folder / "config.toml").read_text()


def test_model_selection_includes_training_from_scratch(
    dataset: Path, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(select_model, "CANDIDATES", ("landmarks", "hand28"))
    monkeypatch.setattr(transfer, "FROZEN_EPOCHS", 1)
    done = train(dataset, runs=runs, config=config(feature="auto"), hold_out=["synthetic-ada", "synthetic-ben"])
    candidates = {(each.feature, each.start) for each in done.metrics.candidates}
    assert candidates == {("landmarks", ""), ("hand28", "sign-mnist-benchmark-1/models/cnn"), ("hand28", "")}


def test_interrupted_run_can_be_resumed(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from aslkit.train import pipeline

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    command = ["train", "--dataset", f"{dataset}/", "--workspace", str(tmp_path), "--epochs", "2", "--cv", "signer"]
    command += ["--json", "--feature", "landmarks"]
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "fit", interrupt)  # after the cross-validation
        result = CliRunner().invoke(main, command)
    assert result.exit_code != 0
    assert "run the same command with --resume small-landmarks-mlp-1" in result.stderr
    assert len(list((tmp_path / "runs/small-landmarks-mlp-1/checkpoints").iterdir())) == 4
    resumed = [*command, "--tensorboard", "--resume", "small-landmarks-mlp-1"]
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "write_run", interrupt)  # after all trainings
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
    assert "is finished, so it cannot be resumed" in finished.stderr
    (tmp_path / "captures").mkdir()
    for folder in (tmp_path, tmp_path / "runs", tmp_path / "captures"):
        rejected = CliRunner().invoke(main, [*command, "--resume", str(folder)])
        assert rejected.exit_code == 2
        assert "is not an interrupted training" in rejected.stderr
    assert (tmp_path / "captures").is_dir()
    conflicting = CliRunner().invoke(main, [*command, "--start", "x", "--from-scratch"])
    assert "not both" in conflicting.stderr
