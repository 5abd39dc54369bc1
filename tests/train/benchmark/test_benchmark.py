"""Benchmarks and sweeps from end to end on a small dataset: metrics, files, resuming."""

import csv
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.formats.benchmark_metrics import (
    BenchmarkMetrics,
    LetterAccuracy,
    MeasuredSplit,
    ModelMetrics,
    SplitMetrics,
    TrainingDetails,
)
from aslkit.formats.run_metrics import read_metrics
from aslkit.train.benchmark import cnn, leaderboard, model_trial, sign_mnist_split, sweep
from aslkit.train.benchmark import run as benchmark_run
from aslkit.train.benchmark.ensemble import load_ensemble
from aslkit.train.benchmark.model_trial import BenchmarkSettings
from aslkit.train.benchmark.recipe import BenchmarkConfig, ForestConfig, NetworkConfig, Recipe
from aslkit.train.benchmark.run import BenchmarkResult

RECIPE = Recipe(
    benchmark=BenchmarkConfig(
        seeds=(0, 1), validation_share=0.25, random_split=True, random_epochs=10, random_test_share=0.2
    ),
    models={
        "forest": ForestConfig(architecture="rf", feature="hog", trees=4, depth=4, bins=8, copies=1, seeds=(0,)),
        "network": NetworkConfig(architecture="cnn", epochs=4, batch_size=32, learning_rate=0.004, ensemble=True),
    },
)


@pytest.fixture(scope="module")
def done(sign_mnist: Path, tmp_path_factory: pytest.TempPathFactory) -> BenchmarkResult:
    folder = tmp_path_factory.mktemp("runs") / "one [x] #50%"  # brackets are a pattern for Spark
    return benchmark_run.run_benchmark(
        sign_mnist, RECIPE, BenchmarkSettings(folder=folder, ranks=1, master="local[2]", resume="")
    )


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of trainings instead of training; each model predicts A."""
    names: list[str] = []

    def record(name: str, config: Any, images: Any, **more: Any) -> Iterator[model_trial.TrialResult]:
        names.append(name)
        yield trial

    trial = model_trial.TrialResult(
        predict=lambda images: np.zeros(len(images), np.int64),
        save=lambda folder: folder.mkdir(parents=True),
        details=TrainingDetails(fit_s=1.0, engine="none", ranks=1),
    )

    @contextmanager
    def no_spark(*args: Any, **more: Any) -> Iterator[None]:
        yield None

    monkeypatch.setattr(benchmark_run, "load_ensemble", lambda *args, **more: trial)
    for module in (benchmark_run, sweep):
        monkeypatch.setattr(module, "train_model", contextmanager(record))
        monkeypatch.setattr(module, "open_spark_if_needed", no_spark)
    return names


def test_metrics_have_an_entry_per_model_and_seed(done: BenchmarkResult) -> None:
    metrics = json.loads((done.folder / "metrics.json").read_text())
    assert metrics == json.loads(msgspec.json.encode(done.metrics))
    assert isinstance(read_metrics(done.folder), BenchmarkMetrics)
    assert [entry["name"] for entry in metrics["models"]] == ["forest", "network", "network", "network-ensemble"]
    for entry in metrics["models"][:3]:
        assert entry["dataset"] == "sign-mnist"
        assert (entry["architecture"], entry["feature"]) in {("rf", "hog"), ("cnn", "pixels28")}
        assert 0 <= entry["official_test"]["accuracy"] <= 1
        assert 0 <= entry["official_test"]["macro_f1"] <= 1
        assert 0 <= entry["grouped_validation"]["accuracy"] <= 1
        assert entry["random_split"]["leaks"] is True
        assert entry["fit_s"] > 0
        assert entry["ranks"] == 1
        assert entry["seed"] in (0, 1)
        assert entry["engine"] == {"rf": "spark-mllib", "cnn": "keras"}[entry["architecture"]]
        assert (entry["epoch_s"] is None) == (entry["architecture"] == "rf")
        assert entry["official_test"]["n"] == np.sum(entry["confusion"]) == 384
    assert metrics["best"]["network"] == "cnn"
    assert metrics["best"]["chosen_by"] == "grouped_validation"


def test_ensemble_is_the_mean_of_the_networks_of_all_seeds(done: BenchmarkResult, sign_mnist: Path) -> None:
    images = sign_mnist_split.load_images(sign_mnist, validation_share=0.25, seed=0)
    rows = images.part("test")
    inputs = cnn.scale_images(images.pixels[rows])
    networks = [load_model(done.folder / "models" / name) for name in ("network", "network-seed-1")]
    mean = np.mean([np.asarray(network(inputs, training=False)) for network in networks], axis=0)
    ensemble = load_model(done.folder / "models" / "network-ensemble")
    assert np.asarray(ensemble(inputs, training=False)) == pytest.approx(mean, abs=1e-6)
    first, second, entry = (each for each in done.metrics.models if each.architecture == "cnn")
    assert entry.official_test.accuracy == (mean.argmax(axis=1) == images.label[rows]).mean()
    assert entry.fit_s == pytest.approx(first.fit_s + second.fit_s, abs=0.01)
    assert (entry.engine, entry.network, entry.epochs, entry.random_split) == ("ensemble", None, None, None)


def test_ensemble_without_a_network_asks_for_a_new_benchmark(tmp_path: Path) -> None:
    with pytest.raises(AslkitError, match=r"needs the network .*missing, which is missing\. Start a new benchmark"):
        load_ensemble([tmp_path / "missing"], "cnn", fit_s=1.0)


def load_model(folder: Path) -> Any:
    import keras

    return keras.saving.load_model(folder / "model.keras", safe_mode=True)


def test_random_split_is_optimistic(done: BenchmarkResult) -> None:
    network = [each for each in done.metrics.models if each.architecture == "cnn"]
    assert network[0].random_split
    assert network[0].random_split.accuracy > np.mean([each.official_test.accuracy for each in network])


def test_network_has_curves_and_a_loadable_model(done: BenchmarkResult, sign_mnist: Path) -> None:
    assert done.metrics.best
    model = load_model(done.folder / done.metrics.best.model)
    images = sign_mnist_split.load_images(sign_mnist, validation_share=0.25, seed=0)
    rows = images.part("test")
    predicted = np.asarray(model(cnn.scale_images(images.pixels[rows]), training=False)).argmax(axis=1)
    entry = next(each for each in done.metrics.models if each.architecture == "cnn" and each.seed == 0)
    assert (predicted == images.label[rows]).mean() == entry.official_test.accuracy
    assert {"loss", "accuracy", "precision", "recall", "val_loss", "val_recall"} <= set(entry.history[0])
    assert (done.folder / "curves-network.png").stat().st_size > 5000


def test_leaderboard_is_sorted_by_validation_with_one_row_per_model(done: BenchmarkResult) -> None:
    rows = list(csv.DictReader((done.folder / "leaderboard.csv").read_text().splitlines()))
    scores = [float(row["grouped_validation"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    for row in rows:
        tests = [e.official_test.accuracy for e in done.metrics.models if e.name == row["name"]]
        assert float(row["official_test"]) == pytest.approx(np.mean(tests))
        assert float(row["official_test_sd"]) == pytest.approx(np.std(tests, ddof=1) if len(tests) > 1 else 0)
        assert row["worst_letter"] in LETTERS
        assert int(row["size_bytes"]) > 1000
    text = (done.folder / "leaderboard.md").read_text()
    assert "random split (optimistic)" in text
    columns = {len(re.findall(r"\|", line)) for line in text.splitlines()}
    assert len(columns) == 1


def test_report_explains_the_dataset_and_all_charts_exist(done: BenchmarkResult) -> None:
    page = (done.folder / "report.html").read_text()
    assert "does not state who signed these images" in page
    assert "data leakage" in page
    for chart in re.findall(r'src="([^"]+)"', page):
        assert (done.folder / chart).exists()
    assert not (done.folder / "checkpoints").exists()


def test_resumed_benchmark_skips_finished_trainings(
    untrained: list[str], sign_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = BenchmarkSettings(folder=tmp_path / "run", ranks=1, master="", resume="")
    append_result = benchmark_run.append_result

    def append_until_full(folder: Path, key: str, result: msgspec.Struct) -> None:
        if len(untrained) == 3:
            raise OSError(28, "No space left on device")
        append_result(folder, key, result)

    monkeypatch.setattr(benchmark_run, "append_result", append_until_full)
    with pytest.raises(OSError, match="No space"):
        benchmark_run.run_benchmark(sign_mnist, RECIPE, settings)
    monkeypatch.setattr(benchmark_run, "append_result", append_result)
    del untrained[:]
    done = benchmark_run.run_benchmark(sign_mnist, RECIPE, settings)
    assert [name.rsplit("-", 1)[0] for name in untrained] == [
        "network-1-official", "forest-0-random", "network-0-random",
    ]  # fmt: skip
    assert len(done.metrics.models) == 4


def test_damaged_results_are_reported(untrained: list[str], sign_mnist: Path, tmp_path: Path) -> None:
    settings = BenchmarkSettings(folder=tmp_path, ranks=1, master="", resume="")
    (tmp_path / "results.jsonl").write_text('{"key": "forest-0-off')
    with pytest.raises(AslkitError, match=r"results.jsonl is damaged .* Delete its last line"):
        benchmark_run.run_benchmark(sign_mnist, RECIPE, settings)


def build_entry(name: str, *, feature: str = "pixels28", test: float, validation: float) -> ModelMetrics:
    """Return a model's metrics with the given accuracies."""
    official_test, grouped_validation = (
        SplitMetrics(accuracy=each, macro_f1=each, n=24, worst_letter=LetterAccuracy(letter="A", accuracy=each))
        for each in (test, validation)
    )
    return ModelMetrics(
        dataset="sign-mnist", name=name, architecture="cnn", network="cnn", feature=feature, engine="", ranks=1,
        seed=0, official_test=official_test, grouped_validation=grouped_validation, random_split=None, fit_s=1.0,
        epoch_s=1.0, predict_ms=1.0, size_bytes=1, settings={}, confusion=np.eye(24, dtype=int).tolist(),
    )  # fmt: skip


def test_best_pixel_model_is_selected_by_validation() -> None:
    best_on_test = build_entry("a", test=1.0, validation=0.7)
    best_on_validation = build_entry("b", test=0.8, validation=0.9)
    hog = build_entry("c", feature="hog", test=0.8, validation=0.99)
    ensemble = msgspec.structs.replace(build_entry("d", test=0.8, validation=0.99), engine="ensemble")
    best = leaderboard.best_pixel_model([best_on_test, best_on_validation, hog, ensemble])
    assert best is not None
    assert best.name == "b"
    assert leaderboard.best_pixel_model([hog]) is None


def test_format_precise_never_rounds_up_to_100_percent() -> None:
    assert leaderboard.format_precise(0.99999) == "99.99%"
    assert leaderboard.format_precise(1.0) == "100.00%"
    assert leaderboard.format_precise(None) == "–"


def build_grid() -> sweep.SweepGrid:
    network = NetworkConfig(architecture="cnn", epochs=1)
    models = {f"cnn rate={rate}": replace(network, learning_rate=rate) for rate in (0.001, 0.01)}
    return sweep.SweepGrid(benchmark=RECIPE.benchmark, models=models, varied={name: {} for name in models})


def test_sweep_uses_only_the_validation_split_and_can_be_resumed(
    untrained: list[str], sign_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    splits = []

    def record_and_evaluate(predict: Any, images: Any, split: str) -> MeasuredSplit:
        splits.append(split)
        return model_trial.evaluate_split(predict, images, split)

    monkeypatch.setattr(sweep, "evaluate_split", record_and_evaluate)
    settings = BenchmarkSettings(folder=tmp_path / "sweep", ranks=1, master="", resume="")
    first = sweep.run_sweep(sign_mnist, build_grid(), settings)
    assert set(splits) == {"validation"}
    assert len(untrained) == 2
    second = sweep.run_sweep(sign_mnist, build_grid(), settings)
    assert len(untrained) == 2
    assert second.rows == first.rows
    rows = list(csv.DictReader((tmp_path / "sweep" / "sweep.csv").read_text().splitlines()))
    assert {row["model"] for row in rows} == set(build_grid().models)
    assert "grouped validation" in (tmp_path / "sweep" / "sweep.md").read_text()


def test_sweep_continues_after_a_failed_model(sign_mnist: Path, tmp_path: Path) -> None:
    network = NetworkConfig(architecture="cnn", epochs=2, batch_size=32)
    models = {
        "good": replace(network, learning_rate=0.001),
        "failing": replace(network, learning_rate=1.0, network="mlp"),
    }
    grid = sweep.SweepGrid(benchmark=RECIPE.benchmark, models=models, varied={name: {} for name in models})
    fit_network = cnn.fit_network

    def fail_for_mlp(config: NetworkConfig, *args: Any, **more: Any) -> Any:
        if config.network == "mlp":
            raise AslkitError("Spark failed to fit: Java heap space.\nmore")
        return fit_network(config, *args, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cnn, "fit_network", fail_for_mlp)
        result = sweep.run_sweep(sign_mnist, grid, BenchmarkSettings(folder=tmp_path, ranks=1, master="", resume=""))
    assert [(row.model, row.failed) for row in result.rows] == [
        ("good", None),
        ("failing", "Spark failed to fit: Java heap space."),
    ]
    assert "failed: Spark failed to fit: Java heap space." in (tmp_path / "sweep.md").read_text()


def test_changed_settings_are_trained_again(untrained: list[str], sign_mnist: Path, tmp_path: Path) -> None:
    settings = BenchmarkSettings(folder=tmp_path / "run", ranks=1, master="", resume="")
    benchmark_run.run_benchmark(sign_mnist, RECIPE, settings)
    del untrained[:]
    network = replace(RECIPE.models["network"], learning_rate=0.001)  # type: ignore[call-arg]
    changed = replace(RECIPE, models={**RECIPE.models, "network": network})
    done = benchmark_run.run_benchmark(sign_mnist, changed, settings)
    assert {name.split("-")[0] for name in untrained} == {"network"}
    assert [each.settings.get("learning_rate") for each in done.metrics.models] == [None, 0.001, 0.001, 0.001]


def test_resumed_sweep_retries_failed_models(
    untrained: list[str], sign_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = BenchmarkSettings(folder=tmp_path, ranks=1, master="", resume="")
    train_model = vars(sweep)["train_model"]

    def fail(*args: Any, **more: Any) -> Any:
        raise AslkitError("Java heap space.")

    monkeypatch.setattr(sweep, "train_model", fail)
    assert {row.failed for row in sweep.run_sweep(sign_mnist, build_grid(), settings).rows} == {"Java heap space."}
    monkeypatch.setattr(sweep, "train_model", train_model)
    assert {row.failed for row in sweep.run_sweep(sign_mnist, build_grid(), settings).rows} == {None}


def test_random_split_can_have_fewer_epochs(
    untrained: list[str], sign_mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = {}
    train_model = vars(benchmark_run)["train_model"]

    def record(name: str, config: Any, *args: Any, **more: Any) -> Any:
        epochs[name.split("-")[2]] = (config.epochs, config.copies)
        return train_model(name, config, *args, **more)

    monkeypatch.setattr(benchmark_run, "train_model", record)
    network = NetworkConfig(architecture="cnn", epochs=4, copies=1)
    recipe = Recipe(benchmark=replace(RECIPE.benchmark, random_epochs=3), models={"network": network})
    benchmark_run.run_benchmark(sign_mnist, recipe, BenchmarkSettings(folder=tmp_path, ranks=1, master="", resume=""))
    assert epochs == {"official": (4, 1), "random": (3, 0)}
