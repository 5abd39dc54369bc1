"""The command `aslkit benchmark`: compare model families on a dataset with a published split, and sweep parameters."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from aslkit.cli.output.stages import print_json
from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import dataset_folder, json_option, run_folder, workspace_option
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
    """Options of the command line; None if an option was not given."""

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


@click.command()
@click.option(
    "--dataset", default=SIGN_MNIST, show_default=True, help="Name or folder of a dataset with a published split.",
    shell_complete=completions.dataset_or_sign_mnist,
)  # fmt: skip
@click.option(
    "--config", default=None, metavar="RECIPE", help="Preset or TOML file with the models.  [default: benchmark]",
    shell_complete=completions.recipe,
)  # fmt: skip
@click.option("--feature", help="Only models with this input: pixels28, pixels14, hog.")
@click.option("--architecture", help="Only models of this family: rf, mlp, cnn.")
@click.option("--seed", type=click.IntRange(0), help="Only this seed.  [default: those of the recipe]")
@click.option("--ranks", type=click.IntRange(1), help="Horovod ranks.  [default: 2, or 1 on a single core]")
@click.option("--master", help="Spark master, e.g. spark://host:7077.  [default: local[*], this computer]")
@click.option(
    "--checkpoints", metavar="FOLDER",
    help="Folder that all ranks can read and write, e.g. s3://bucket/folder.  [default: the run's folder]",
)  # fmt: skip
@click.option("--deterministic", is_flag=True, help="Bit-identical results, in one process.")
@click.option(
    "--resume", metavar="RUN", help="Resume an interrupted run, by name or folder.", shell_complete=completions.run
)
@click.option(
    "--sweep", metavar="GRID", help="Train all combinations of a preset or TOML file, e.g. reference-grid.",
    shell_complete=completions.grid,
)  # fmt: skip
@workspace_option
@json_option
def benchmark(dataset: str, root: Path, **options: Any) -> None:
    """Compare random forest, MLP and CNN on Sign Language MNIST, on Spark and Horovod.

    Writes a leaderboard. The dataset is downloaded on first use.

    \b
    Example:  aslkit benchmark
              aslkit benchmark --config reference
              aslkit benchmark --architecture cnn --ranks 2
              aslkit benchmark --sweep reference-grid
    """
    workspace = Workspace(root=root)
    folder = ensure_sign_mnist(dataset, workspace) or dataset_folder(dataset, workspace)
    if not is_benchmark(folder):
        raise InputError(f"{folder} has no published split. Train on it with `aslkit train --dataset {dataset}`.")
    run_benchmark_command(BenchmarkRequest(dataset=dataset, folder=folder, workspace=workspace, **options))


def ensure_sign_mnist(dataset: str, workspace: Workspace) -> Path | None:
    """Return the folder of Sign Language MNIST, downloaded if needed; None if another dataset is named."""
    if dataset != SIGN_MNIST:
        return None
    folder = workspace.dataset(SIGN_MNIST)
    if not folder.exists():
        from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist

        fetch_sign_mnist(folder)
        click.echo(f"Downloaded Sign Language MNIST: {folder}", err=True)
    return folder


def is_benchmark(folder: Path) -> bool:
    """Return whether a dataset has a published split; False for a folder without a dataset."""
    from aslkit.train.benchmark.sign_mnist_split import is_official

    try:
        return is_official(folder)
    except AslkitError:
        return False


def run_benchmark_command(request: BenchmarkRequest) -> None:
    """Run the benchmark or a sweep, and print the result."""
    if request.sweep is not None:
        _run_sweep(request, request.sweep)
        return
    from aslkit.train.benchmark import recipe
    from aslkit.train.benchmark import run as benchmark_run

    chosen = benchmark_run.filter_recipe(
        recipe.load_recipe(request.config or "benchmark"),
        architecture=request.architecture,
        feature=request.feature,
        seed=request.seed,
    )
    settings = _create_settings(request, "benchmark")
    with _print_how_to_resume(settings):
        result = benchmark_run.run_benchmark(request.folder, chosen, settings)
    _print_benchmark(result, as_json=request.as_json)


def _run_sweep(request: BenchmarkRequest, grid: str) -> None:
    from aslkit.train.benchmark import sweep

    conflicting = ("config", "feature", "architecture", "seed")
    if given := [f"--{name}" for name in conflicting if getattr(request, name) is not None]:
        raise click.UsageError(f"{given[0]} cannot be combined with --sweep: the grid sets all parameters.")
    loaded, settings = sweep.load_grid(grid), _create_settings(request, "sweep")
    with _print_how_to_resume(settings):
        result = sweep.run_sweep(request.folder, loaded, settings)
    _print_sweep(result, as_json=request.as_json)


@contextmanager
def _print_how_to_resume(settings: "BenchmarkSettings") -> Iterator[None]:
    """Say how to resume if the block fails or is interrupted; remove the run's folder if it is still empty."""
    how = f"Finished trainings are kept. Resume with:\n\n    {settings.resume}"
    try:
        yield
    except KeyboardInterrupt:
        if _has_results(settings.folder):
            click.echo(f"\nStopped. {how}\n", err=True)
        raise
    except AslkitError as error:
        if settings.resume in error.message or not _has_results(settings.folder):
            raise
        raise AslkitError(f"{error.message}\n{how}") from error


def _has_results(folder: Path) -> bool:
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return folder.exists()


def _create_settings(request: BenchmarkRequest, kind: str) -> "BenchmarkSettings":
    from aslkit.train.benchmark.model_trial import BenchmarkSettings
    from aslkit.train.reporting.write_run import new_folder

    if request.deterministic and request.ranks not in (None, 1):
        raise click.UsageError("--deterministic needs --ranks 1: sums over ranks are added in varying order.")
    ranks = 1 if request.deterministic else request.ranks or min(2, count_cores())
    if request.resume is None:
        folder = new_folder(request.workspace.runs, f"{request.folder.name}-{kind}")
    else:
        folder = _check_interrupted(run_folder(request.resume, request.workspace))
    return BenchmarkSettings(
        folder=folder,
        ranks=ranks,
        master=request.master or "local[*]",
        resume=resume_command(request, folder),
        checkpoints=request.checkpoints or "",
    )


def _check_interrupted(folder: Path) -> Path:
    """Return the folder if it is one of an interrupted benchmark or sweep.

    Raises:
        InputError: it is not; the run's files would be mixed with others.
    """
    from aslkit.formats.run_folder import RESULTS_FILE

    expected = (RESULTS_FILE, "checkpoints")
    if any(folder.iterdir()) and not any((folder / name).exists() for name in expected):
        raise InputError(f"{folder} is not an interrupted benchmark: it has neither {expected[0]} nor {expected[1]}.")
    return folder


def resume_command(request: BenchmarkRequest, folder: Path) -> str:
    """Return the command that resumes a run."""
    options: dict[str, Any] = {
        "--dataset": request.dataset,
        "--config": request.config,
        "--sweep": request.sweep,
        "--feature": request.feature,
        "--architecture": request.architecture,
        "--seed": request.seed,
        "--ranks": request.ranks,
        "--master": request.master,
        "--checkpoints": request.checkpoints,
        "--workspace": request.workspace.root,
        "--resume": folder.name,
    }
    parts = [part for name, value in options.items() if value is not None for part in (name, str(value))]
    return shlex.join(["aslkit", "benchmark", *parts, *(["--deterministic"] if request.deterministic else [])])


def _print_benchmark(result: "BenchmarkResult", *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aslkit.train.benchmark.leaderboard import format_precise, format_spread, leaderboard_rows

    if as_json:
        print_json({"folder": str(result.folder)} | msgspec.to_builtins(result.metrics))
        return
    table = Table("model", box=box.SIMPLE)
    for title in ("official test", "grouped val.", "random split", "worst", "fit"):
        table.add_column(title, justify="right", no_wrap=True)
    for row in leaderboard_rows(result.metrics.models):
        worst = f"{row.worst_letter} {format_percent(row.worst_letter_accuracy)}"
        cells = (
            format_spread(row),
            format_precise(row.grouped_validation),
            format_precise(row.random_split),
            worst,
            f"{row.fit_s:.0f} s",
        )
        table.add_row(row.name, *cells)
    Console().print(table)
    click.echo(
        "official test: the published split, ± standard deviation over seeds. grouped val.: validation on unseen"
    )
    click.echo("photographs; models are selected by it. random split: the reference study's protocol, which leaks.")
    if best := result.metrics.best:
        click.echo(f"Best pixel model by grouped validation: {best.name} ({result.folder / best.model})")
    click.echo(f"Leaderboard: {result.folder / 'leaderboard.md'}")
    click.echo(f"Report: {(result.folder / 'report.html').absolute().as_uri()}")


def _print_sweep(result: "SweepResult", *, as_json: bool) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from aslkit.train.benchmark.leaderboard import format_precise

    if as_json:
        print_json({"folder": str(result.folder), "rows": msgspec.to_builtins(result.rows)})
        return
    table = Table("model", "grouped validation", "fit", box=box.SIMPLE)
    for row in result.rows:
        score = f"failed: {row.failed}" if row.failed else format_precise(row.grouped_validation)
        table.add_row(row.model, score, "–" if row.fit_s is None else f"{row.fit_s:.0f} s")
    Console().print(table)
    click.echo(f"Table: {result.folder / 'sweep.md'}")
