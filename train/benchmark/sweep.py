"""A sweep: one model with many settings, each measured on the grouped validation; the test is never read."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aslkit.core.config import build_settings
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import remove, write_text
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
    """What to try.

    Attributes:
        benchmark: the settings for all; a sweep takes the first seed, and no random split.
        models: by name, which says what is varied.
        varied: by name, the settings that are varied, for the table.
    """

    benchmark: BenchmarkConfig
    models: Mapping[str, ModelConfig]
    varied: Mapping[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """A finished sweep: its folder, and its rows, the best on the grouped validation first, what failed last."""

    folder: Path
    rows: list[dict[str, Any]]


def load_grid(name: str) -> SweepGrid:
    """Read a grid: as a recipe, but each model has a table `load_grid` of lists, of which all combinations are tried.

    Raises:
        InputError: no such file, an unknown key, a list that is empty or none, or a setting out of range.
    """
    tables = read_recipe(name)
    models, varied = {}, {}
    for family, values in model_tables(tables, name).items():
        where = f"{name}, [models.{family}]"
        axes = values.get("grid") if isinstance(values, dict) else None
        if not isinstance(axes, dict) or not all(isinstance(axis, list) and axis for axis in axes.values()):
            raise InputError(
                f"{where} needs a [models.{family}.grid] in which every key has a list, as trees = [20, 50]."
            )
        fixed = {key: value for key, value in values.items() if key != "grid"}
        for chosen in itertools.product(*axes.values()):
            point = dict(zip(axes, chosen, strict=True))
            key = f"{family} {_SEPARATOR.join(f'{axis}={_short(value)}' for axis, value in point.items())}"
            models[key], varied[key] = build_model_config(fixed | point, where), point
    return SweepGrid(
        benchmark=build_settings(BenchmarkConfig, tables.get("benchmark", {}), f"{name}, [benchmark]"),
        models=models,
        varied=varied,
    )


def run_sweep(dataset: Path, grid: SweepGrid, setting: BenchmarkSettings) -> SweepResult:
    """Train each model of the grid once, and write sweep.csv and sweep.md. What is done already is not done again,
    but what failed is tried again.

    One that fails, for want of memory or otherwise, is noted with its reason, and the others go on.

    Raises:
        InputError: no such dataset.
        AslkitError: Spark or TensorFlow is missing.
    """
    images = sign_mnist_split.load_images(dataset, validation_share=grid.benchmark.validation_share, seed=0)
    setting.folder.mkdir(parents=True, exist_ok=True)
    known = load_results(setting.folder)
    keys = {name: f"{name} {digest(config, grid.benchmark)}" for name, config in grid.models.items()}
    missing = [name for name, key in keys.items() if known.get(key, {"failed": True})["failed"]]
    with open_spark_if_needed(
        (grid.models[name] for name in missing), ranks=setting.ranks, master=setting.master
    ) as spark:
        for number, name in enumerate(missing, start=1):
            title = f"{name} ({number} of {len(missing)})"
            known[keys[name]] = _tried(name, grid, images, replace(setting, spark=spark), title)
            append_result(setting.folder, keys[name], known[keys[name]])
    rows = [{"model": name, **known[key]} for name, key in keys.items()]
    rows.sort(key=lambda row: -(row["grouped_validation"] or 0))
    _write(setting.folder, rows)
    remove(setting.folder / "checkpoints")
    return SweepResult(folder=setting.folder, rows=rows)


def _tried(
    name: str, grid: SweepGrid, images: BenchmarkImages, setting: BenchmarkSettings, title: str
) -> dict[str, Any]:
    config = grid.models[name]
    about = {"architecture": config.architecture, "feature": config.feature, "settings": grid.varied[name]}
    empty = {"grouped_validation": None, "macro_f1": None, "fit_s": None, "epochs": None, "failed": None}
    folder = digest(config, grid.benchmark)
    try:
        with train_model(folder, config, images, seed=grid.benchmark.seeds[0], setting=setting, title=title) as trial:
            found = evaluate_split(trial.predict, images, "validation")
            about |= empty | {"fit_s": trial.about["fit_s"], "epochs": trial.about["epochs"]}
            return about | {"grouped_validation": found["accuracy"], "macro_f1": found["macro_f1"]}
    except AslkitError as error:
        if setting.spark is not None:
            from aslkit.train.benchmark.mllib import is_spark_alive

            if not is_spark_alive(setting.spark):
                raise
        return about | empty | {"failed": error.message.strip().splitlines()[0]}


def _write(folder: Path, rows: list[dict[str, Any]]) -> None:
    write_rows(folder / SWEEP_FILE, rows)
    head = ("model", "feature", "grouped validation", "macro F1", "fit, s")
    write_text(folder / "sweep.md", markdown_table(head, [_cells(row) for row in rows]))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row["failed"]:
        return row["model"], row["feature"], f"failed: {row['failed']}", "–", "–"
    score = format_precise(row["grouped_validation"])
    return row["model"], row["feature"], score, f"{row['macro_f1']:.4f}", f"{row['fit_s']:.0f}"


def _short(value: Any) -> str:
    return "-".join(str(each) for each in value) if isinstance(value, list) else str(value)
