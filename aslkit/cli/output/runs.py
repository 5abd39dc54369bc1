"""What `aslkit train`, `aslkit evaluate` and `aslkit runs` print."""

from typing import TYPE_CHECKING, Final

import click
import msgspec

from aslkit.cli.output.stages import MAX_LISTED, print_json, print_note
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_percent, sanitize_text
from aslkit.formats.run_metrics import Candidate, RejectionMetrics, RunMetrics

if TYPE_CHECKING:
    from aslkit.train.evaluate_run import EvaluationResult
    from aslkit.train.pipeline import TrainResult
    from aslkit.train.reporting.read_runs import Run, RunRow
    from aslkit.train.reporting.summary_text import Headline

ALL_COLUMNS_WIDTH: Final = 58
"""Terminal columns next to the longest run name that the list needs to show every column."""

SIGNER_COLUMN_WIDTH: Final = 28
"""Terminal columns next to the longest run name that the list needs to show accuracy and held-out signers."""

MAX_NAME_CHARS: Final = 200
"""Longest run name: dataset, feature and architecture."""


def print_training(result: "TrainResult", *, as_json: bool) -> None:
    """Print the accuracy on unseen signers first, then the optimistic random split, then what to do next."""
    from aslkit.train.evaluation.signer_outliers import ADVICE
    from aslkit.train.reporting.summary_text import describe_run, describe_transfer

    metrics = result.metrics
    if as_json:
        print_json({"folder": str(result.folder)} | metrics.to_dict())
        return
    summary, unseen = describe_run(metrics), metrics.unseen
    click.echo(f"{metrics.feature} × {metrics.architecture}, {metrics.epochs} epochs in {metrics.fit_s or 0:.0f} s")
    _print_accuracy(metrics, summary)
    coverage = format_percent(unseen.coverage)
    click.echo(
        f"          ({unseen.n or 0:,} frames; hand found in {coverage}, a frame without a hand counts as wrong)"
    )
    random_split = metrics.random_split.accuracy if metrics.random_split else None
    click.echo(f"  {format_percent(random_split):>6}  accuracy on a random split (optimistic)")
    click.echo(summary.gap)
    if transfer := describe_transfer(metrics):
        click.echo(transfer)
    _print_candidates(metrics.candidates)
    worst = sorted(unseen.per_letter.items(), key=lambda item: item[1].accuracy or 0)[:MAX_LISTED]
    click.echo("Hardest letters: " + ", ".join(f"{letter} {format_percent(each.accuracy)}" for letter, each in worst))
    _print_rejection(metrics.rejection)
    for outlier in metrics.signer_outliers[:MAX_LISTED]:
        click.echo(f"Formed differently: {outlier.text}")
    if metrics.signer_outliers:
        click.echo(ADVICE)
    if metrics.record_next:
        letters = " ".join(dict.fromkeys(each.letter for each in metrics.record_next))
        click.echo(f"Record next: {letters}: {next_command('capture', '--plan', result.folder.name)}")
    for warning in filter(None, (summary.warning, metrics.stopped)):
        print_note(warning)
    click.echo(f"Report: {result.folder / 'report.html'}")


def print_evaluation(result: "EvaluationResult", *, as_json: bool) -> None:
    """Print the accuracy of a run on another dataset."""
    from aslkit.train.reporting.summary_text import describe_run

    if as_json:
        print_json({"folder": str(result.folder)} | result.metrics.to_dict())
        return
    summary = describe_run(result.metrics)
    _print_accuracy(result.metrics, summary)
    if summary.warning:
        print_note(summary.warning)
    _print_rejection(result.metrics.rejection)
    click.echo(f"Report: {result.folder / 'report.html'}")


def _print_accuracy(metrics: RunMetrics, summary: "Headline") -> None:
    """Print the headline accuracy and, after a cross-validation, the accuracy of each fold and the interval."""
    click.secho(f"  {format_percent(metrics.headline_accuracy):>6}  accuracy on {summary.tested}", bold=True)
    if metrics.cv is None:
        return
    for fold in metrics.cv.folds:
        frames = f"{fold.n or 0:,} frames, hand found in {format_percent(fold.coverage)}"
        click.echo(f"          {format_percent(fold.accuracy):>6}  {fold.name} ({frames})")
    if summary.interval:
        click.echo(f"          {summary.interval}")
    if metrics.cv.note:
        print_note(metrics.cv.note)


def _print_candidates(candidates: list[Candidate]) -> None:
    """Print the candidates of the model selection, best first."""
    for number, each in enumerate(candidates):
        start = f", initial weights {each.start}" if each.start else ""
        title = "Cross-validation on training signers:" if number == 0 else ""
        click.echo(f"{title:37} {format_percent(each.mean):>6}  {each.feature} × {each.architecture}{start}")


def _print_rejection(rejection: RejectionMetrics | None) -> None:
    from aslkit.train.reporting.summary_text import describe_false_letters

    if rejection is None:
        return
    if rejection.threshold == 0:
        print_note(
            "The model has no confidence threshold, because too few frames were left to choose one. It gives a letter "
            "for every hand."
        )
    letters = rejection.letters
    click.echo(
        f"With the confidence threshold: {format_percent(letters.correct)} correct, {format_percent(letters.wrong)} "
        f"wrong, {format_percent(letters.rejected)} rejected, {format_percent(letters.no_hand)} without a hand; "
        f"false letters while spelling: {describe_false_letters(rejection)}."
    )


def print_runs(runs: list["Run"], *, compare: bool, as_json: bool) -> None:
    """Print a list of runs, or compare a few side by side."""
    rows = [run.row() for run in runs]
    if as_json:
        print_json(msgspec.to_builtins(rows))
    elif not rows:
        click.echo(f"There are no runs yet. Train one: {next_command('train', '--dataset', 'custom')}")
    elif compare:
        _print_comparison(runs)
    else:
        _print_list(rows)


def _print_list(rows: list["RunRow"]) -> None:
    if trained := [row for row in rows if row.kind == "run"]:
        _print_table(trained)
        click.echo(
            "Accuracies on different signers or datasets are not comparable. Measure any run on a dataset: "
            "aslkit evaluate RUN --dataset NAME"
        )
    for row in rows:
        name = sanitize_text(row.run, most=MAX_NAME_CHARS)
        if row.kind == "benchmark":
            best = f", best model {sanitize_text(row.best)}" if row.best else ""
            click.echo(f"Benchmark on {sanitize_text(row.dataset)}: {name}{best}")
        elif row.kind == "sweep":
            click.echo(f"Sweep: {name}, results in sweep.md")
        elif row.kind == "interrupted":
            click.echo(f"Interrupted: {name}; resume it with the same command and --resume {name}")
        elif row.kind == "damaged":
            print_note(row.damage)
        elif row.missing:
            print_note(f"{name} is incomplete: {', '.join(row.missing)} is missing.")


def _print_table(rows: list["RunRow"]) -> None:
    """Print one row per run. Names are never cut, since users type them; columns are dropped in narrow terminals."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    console = Console()
    room = console.width - max(len(sanitize_text(row.run, most=MAX_NAME_CHARS)) for row in rows)
    details = [Column(name, justify="right", no_wrap=True) for name in ("random split", "frames", "fit, s")]
    table = Table(
        Column("run", no_wrap=True), Column("accuracy", justify="right", no_wrap=True),
        Column("unseen", overflow="fold"), *(details if room >= ALL_COLUMNS_WIDTH else ()), box=box.SIMPLE,
    )  # fmt: skip
    for row in rows:
        name, accuracy = sanitize_text(row.run, most=MAX_NAME_CHARS), format_percent(row.accuracy)
        unseen = _describe_test_set(row)
        if room < SIGNER_COLUMN_WIDTH:
            click.echo(f"{name}\n  {accuracy} on {unseen}")
        frames = f"{row.n:,}" if row.n else "–"
        more = format_percent(row.random_split), frames, f"{row.fit_s or 0:.0f}"
        table.add_row(Text(name), accuracy, Text(unseen), *(more if room >= ALL_COLUMNS_WIDTH else ()))
    if room >= SIGNER_COLUMN_WIDTH:
        console.print(table)


def _describe_test_set(row: "RunRow") -> str:
    if len(row.held_out) > 1:
        folds = ", ".join(f"{sanitize_text(name)} {format_percent(each)}" for name, each in row.held_out.items())
        return f"held out in turn: {folds}"
    return ", ".join(map(sanitize_text, row.held_out)) or f"a {row.by}"


def _print_comparison(runs: list["Run"]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("", *(Column(Text(sanitize_text(run.folder.name))) for run in runs))
    rows = [run.row() for run in runs]
    for name in ("dataset", "feature", "architecture", "seed"):
        values = [getattr(row, name) for row in rows]
        table.add_row(name, *(Text("–" if value is None else sanitize_text(value)) for value in values))
    table.add_row("accuracy", *(format_percent(row.accuracy) for row in rows))
    table.add_row("random split", *(format_percent(row.random_split) for row in rows))
    for name in dict.fromkeys(name for row in rows for name in row.held_out):
        table.add_row(Text(f"on {sanitize_text(name)}"), *(format_percent(row.held_out.get(name)) for row in rows))
    letters = [run.metrics.unseen.per_letter if isinstance(run.metrics, RunMetrics) else {} for run in runs]
    for letter in sorted(set().union(*letters)):
        shares = [each[letter].accuracy if letter in each else None for each in letters]
        table.add_row(Text(sanitize_text(letter)), *map(format_percent, shares))
    Console().print(table)
