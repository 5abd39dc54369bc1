"""`aslkit train` on a dataset whose split is published: the benchmark, and sweeps."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.output.stages import print_json
from aslkit.cli.shared.options import run_folder
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.process_pool import count_cores
from aslkit.core.sanitize import format_percent
from aslkit.core.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.train.benchmark.model_trial import BenchmarkSettings
    from aslkit.train.benchmark.run import BenchmarkResult
    from aslkit.train.benchmark.sweep import SweepResult

SIGN_MNIST: Final = "sign-mnist"


@dataclass(frozen=True, kw_only=True)
class BenchmarkRequest:
    """What the command line asked for; None for what it did not say."""

    dataset: str
    folder: Path
    workspace: Workspace
    config: str | None
    feature: str | None
    architecture: str | None
    seed: int | None
    ranks: int | None
    master: str | None
    checkpoints: str | None
    deterministic: bool
    resume: str | None
    sweep: str | None
    as_json: bool


def ensure_sign_mnist(dataset: str, workspace: Workspace) -> Path | None:
    """The folder of Sign Language MNIST, fetched where it is not there yet; None if another dataset is meant."""
    if dataset != SIGN_MNIST:
        return None
    folder = workspace.dataset(SIGN_MNIST)
    if not folder.exists():
        from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist

        fetch_sign_mnist(folder)
        click.echo(f"Sign Language MNIST was fetched: {folder}", err=True)
    return folder


def is_benchmark(folder: Path) -> bool:
    """Whether the split of this dataset is a published one. A folder that is no dataset is told of later."""
    from aslkit.train.benchmark.sign_mnist_split import is_official

    try:
        return is_official(folder)
    except AslkitError:
        return False


def run_benchmark_command(asked: BenchmarkRequest, *, refused: list[str]) -> None:
    """Run the benchmark, or a sweep, and say what came out."""
    if refused:
        raise click.UsageError(
            f"{refused[0]} is not of the benchmark: who is seen on {asked.folder.name} nobody knows, and its models "
            "have their settings from a recipe (--config)."
        )
    if asked.sweep is not None:
        _sweep(asked, asked.sweep)
        return
    from aslkit.train.benchmark import recipe
    from aslkit.train.benchmark import run as benchmark_run

    wanted = benchmark_run.filter_recipe(
        recipe.load_recipe(asked.config or "benchmark"),
        architecture=asked.architecture,
        feature=asked.feature,
        seed=asked.seed,
    )
    setting = _setting(asked, "benchmark")
    with _going_on(setting):
        done = benchmark_run.run_benchmark(asked.folder, wanted, setting)
    _print_benchmark(done, as_json=asked.as_json)


def _sweep(asked: BenchmarkRequest, grid: str) -> None:
    from aslkit.train.benchmark import sweep

    extra = ("config", "feature", "architecture", "seed")
    if given := [f"--{name}" for name in extra if getattr(asked, name) is not None]:
        raise click.UsageError(f"{given[0]} does not go with --sweep: the grid says what is tried.")
    wanted, setting = sweep.load_grid(grid), _setting(asked, "sweep")
    with _going_on(setting):
        done = sweep.run_sweep(asked.folder, wanted, setting)
    _print_sweep(done, as_json=asked.as_json)


@contextmanager
def _going_on(setting: "BenchmarkSettings") -> Iterator[None]:
    """Whatever ends a run, say how it goes on; a folder in which nothing was done yet is not left behind."""
    how = f"What is done is kept. Go on with:\n\n    {setting.resume}"
    try:
        yield
    except KeyboardInterrupt:
        if _kept(setting.folder):
            click.echo(f"\nStopped. {how}\n", err=True)
        raise
    except AslkitError as error:
        if setting.resume in error.message or not _kept(setting.folder):
            raise
        raise AslkitError(f"{error.message}\n{how}") from error


def _kept(folder: Path) -> bool:
    """Whether a run that was ended has anything to go on from."""
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return folder.exists()


def _setting(asked: BenchmarkRequest, kind: str) -> "BenchmarkSettings":
    from aslkit.train.benchmark.model_trial import BenchmarkSettings
    from aslkit.train.reporting.write_run import new_folder

    if asked.deterministic and asked.ranks not in (None, 1):
        raise click.UsageError("--deterministic needs --ranks 1: sums over ranks come in any order.")
    ranks = 1 if asked.deterministic else asked.ranks or min(2, count_cores())
    if asked.resume is None:
        folder = new_folder(asked.workspace.runs, f"{asked.folder.name}-{kind}")
    else:
        folder = _interrupted(run_folder(asked.resume, asked.workspace))
    return BenchmarkSettings(
        folder=folder,
        ranks=ranks,
        master=asked.master or "local[*]",
        resume=resume_command(asked, folder),
        checkpoints=asked.checkpoints or "",
    )


def _interrupted(folder: Path) -> Path:
    """The folder of a benchmark or sweep that is gone on with.

    Raises:
        InputError: it is no such folder: the run's files would be written among other things.
    """
    from aslkit.formats.run_folder import RESULTS_FILE

    kept = (RESULTS_FILE, "checkpoints")
    if any(folder.iterdir()) and not any((folder / name).exists() for name in kept):
        raise InputError(f"{folder} is no interrupted benchmark: it holds neither {kept[0]} nor {kept[1]}.")
    return folder


def resume_command(asked: BenchmarkRequest, folder: Path) -> str:
    """The command that goes on with a run."""
    said: dict[str, Any] = {
        "--dataset": asked.dataset,
        "--config": asked.config,
        "--sweep": asked.sweep,
        "--feature": asked.feature,
        "--architecture": asked.architecture,
        "--seed": asked.seed,
        "--ranks": asked.ranks,
        "--master": asked.master,
        "--checkpoints": asked.checkpoints,
        "--workspace": asked.workspace.root,
        "--resume": folder.name,
    }
    parts = [part for name, value in said.items() if value is not None for part in (name, str(value))]
    return shlex.join(["aslkit", "train", *parts, *(["--deterministic"] if asked.deterministic else [])])


def _print_benchmark(done: "BenchmarkResult", *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aslkit.train.benchmark.leaderboard import format_precise, format_spread, leaderboard_rows

    if as_json:
        print_json({"folder": str(done.folder)} | done.metrics)
        return
    table = Table("model", box=box.SIMPLE)
    for title in ("official test", "grouped val.", "random split", "worst", "fit"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in leaderboard_rows(done.metrics["models"]):
        worst = f"{row.worst_letter} {format_percent(row.worst_letter_accuracy)}"
        shown = (
            format_spread(row),
            format_precise(row.grouped_validation),
            format_precise(row.random_split),
            worst,
            f"{row.fit_s:.0f} s",
        )
        table.add_row(row.name, *shown)
    Console().print(table)
    click.echo("official test: the published split; ± over seeds. grouped val.: photographs not trained on; models are")
    click.echo("chosen by it. random split: the reference study's protocol, which leaks: memory, not skill.")
    if best := done.metrics["best"]:
        click.echo(f"Best on pixels, by grouped validation: {best['name']} ({done.folder / best['model']})")
    click.echo(f"Leaderboard: {done.folder / 'leaderboard.md'}")
    click.echo(f"Report: {(done.folder / 'report.html').absolute().as_uri()}")


def _print_sweep(done: "SweepResult", *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aslkit.train.benchmark.leaderboard import format_precise

    if as_json:
        print_json({"folder": str(done.folder), "rows": done.rows})
        return
    table = Table("model", "grouped validation", "fit", box=box.SIMPLE)
    for row in done.rows:
        score = f"failed: {row['failed']}" if row["failed"] else format_precise(row["grouped_validation"])
        table.add_row(row["model"], score, "–" if row["fit_s"] is None else f"{row['fit_s']:.0f} s")
    Console().print(table)
    click.echo(f"Table: {done.folder / 'sweep.md'}")
