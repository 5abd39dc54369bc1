"""A sweep: train a model with many settings and compare them on the grouped validation. The test split is not read."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit.core.config import build_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import remove, write_text
from aslkit.formats.benchmark_metrics import SweepRow
from aslkit.formats.run_folder import SWEEP_FILE
from aslkit.train.benchmark import sign_mnist_split
from aslkit.train.benchmark.leaderboard import format_precise
from aslkit.train.benchmark.model_trial import BenchmarkSettings, evaluate_split, open_spark_if_needed, train_model
from aslkit.train.benchmark.recipe import (
    BenchmarkConfig,
    ModelConfig,
    build_model_config,
    digest,
    model_tables,
    read_recipe,
)
from aslkit.train.benchmark.run import append_result, load_results
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.reporting.tables import markdown_table, write_rows

_SEPARATOR: Final = ", "


@dataclass(frozen=True, kw_only=True)
class SweepGrid:
    """The settings to compare.

    Attributes:
        benchmark: settings of all models; a sweep uses the first seed, and no random split.
        models: settings of each model, by a name that lists the varied ones.
        varied: the varied settings of each model, by the same name.
    """

    benchmark: BenchmarkConfig
    models: Mapping[str, ModelConfig]
    varied: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """A finished sweep: its folder, and its rows, best grouped validation first, failed models last."""

    folder: Path
    rows: list[SweepRow]


def load_grid(name: str) -> SweepGrid:
    """Read a grid: a recipe in which each model has a table `grid` of lists; all combinations are trained.

    Raises:
        InputError: no such file, an unknown key, a missing or empty list, or a setting out of range.
    """
    tables = read_recipe(name)
    models, varied = {}, {}
    for family, values in model_tables(tables, name).items():
        location = f"{name}, [models.{family}]"
        axes = values.get("grid") if isinstance(values, dict) else None
        if not isinstance(axes, dict) or not all(isinstance(axis, list) and axis for axis in axes.values()):
            raise InputError(
                f"{location} needs a [models.{family}.grid] in which every key has a list, for example "
                "trees = [20, 50]."
            )
        fixed = {key: value for key, value in values.items() if key != "grid"}
        for chosen in itertools.product(*axes.values()):
            point = dict(zip(axes, chosen, strict=True))
            key = f"{family} {_SEPARATOR.join(f'{axis}={_format_value(value)}' for axis, value in point.items())}"
            models[key], varied[key] = build_model_config(fixed | point, location), point
    return SweepGrid(
        benchmark=build_settings(BenchmarkConfig, tables.get("benchmark", {}), f"{name}, [benchmark]"),
        models=models,
        varied=varied,
    )


def run_sweep(dataset: Path, grid: SweepGrid, settings: BenchmarkSettings) -> SweepResult:
    """Train each model of the grid once, and write sweep.csv and sweep.md.

    Results that the folder already has are not computed again, but failed models are retried. If a model fails, for
    example for lack of memory, its row has the reason, and the sweep continues.

    Raises:
        InputError: no dataset found.
        AslkitError: Spark or TensorFlow is missing.
    """
    images = sign_mnist_split.load_images(dataset, validation_share=grid.benchmark.validation_share, seed=0)
    settings.folder.mkdir(parents=True, exist_ok=True)
    results = load_results(settings.folder, SweepRow)
    keys = {name: f"{name} {digest(config, grid.benchmark)}" for name, config in grid.models.items()}
    missing = [name for name, key in keys.items() if key not in results or results[key].failed]
    with open_spark_if_needed(
        (grid.models[name] for name in missing), ranks=settings.ranks, master=settings.master
    ) as spark:
        for number, name in enumerate(missing, start=1):
            title = f"{name} ({number} of {len(missing)})"
            results[keys[name]] = _run_trial(name, grid, images, replace(settings, spark=spark), title)
            append_result(settings.folder, keys[name], results[keys[name]])
    rows = [msgspec.structs.replace(results[key], model=name) for name, key in keys.items()]
    rows.sort(key=lambda row: -(row.grouped_validation or 0))
    _write_tables(settings.folder, rows)
    remove(settings.folder / "checkpoints")
    return SweepResult(folder=settings.folder, rows=rows)


def _run_trial(
    name: str, grid: SweepGrid, images: BenchmarkImages, settings: BenchmarkSettings, title: str
) -> SweepRow:
    """Train and evaluate one model. A failure is returned as a row, unless the Spark session is lost."""
    config = grid.models[name]
    row = SweepRow(model=name, architecture=config.architecture, feature=config.feature, settings=grid.varied[name])
    key = digest(config, grid.benchmark)
    try:
        with train_model(key, config, images, seed=grid.benchmark.seeds[0], settings=settings, title=title) as trial:
            metrics = evaluate_split(trial.predict, images, "validation")
            row.fit_s, row.epochs = trial.details.fit_s, trial.details.epochs
            row.grouped_validation, row.macro_f1 = metrics.accuracy, metrics.macro_f1
    except AslkitError as error:
        if settings.spark is not None:
            from aslkit.train.benchmark.mllib import is_spark_alive

            # Without Java, every further model would fail as well.
            if not is_spark_alive(settings.spark):
                raise
        row.failed = error.message.strip().splitlines()[0]
    return row


def _write_tables(folder: Path, rows: list[SweepRow]) -> None:
    write_rows(folder / SWEEP_FILE, [msgspec.structs.asdict(row) for row in rows])
    head = ("model", "feature", "grouped validation", "macro F1", "fit, s")
    write_text(folder / "sweep.md", markdown_table(head, [_table_row(row) for row in rows]))


def _table_row(row: SweepRow) -> tuple[str, ...]:
    if row.failed:
        return row.model, row.feature, f"failed: {row.failed}", "–", "–"
    return row.model, row.feature, format_precise(row.grouped_validation), f"{row.macro_f1:.4f}", f"{row.fit_s:.0f}"


def _format_value(value: Any) -> str:
    return "-".join(str(each) for each in value) if isinstance(value, list) else str(value)
