"""What `aslkit train`, `aslkit evaluate` and `aslkit runs` print."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from aslkit.cli.output.stages import MAX_LISTED, print_json, print_note
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count, format_percent, sanitize_text
from aslkit.formats.run_metrics import Candidate, RunMetrics
from aslkit.web.report_page import join_listed, join_words

if TYPE_CHECKING:
    from aslkit.train.evaluate_run import EvaluationResult
    from aslkit.train.pipeline import TrainResult
    from aslkit.train.reporting.read_runs import Run, RunRow
    from aslkit.train.reporting.summary_text import Headline

ALL_COLUMNS_WIDTH: Final = 76
"""Terminal columns next to the longest run name that the list needs to show every column."""

SIGNER_COLUMN_WIDTH: Final = 44
"""Terminal columns next to the longest run name that the list needs to show accuracies and test set."""

MAX_NAME_CHARS: Final = 200
"""Longest run name: dataset, feature and architecture."""


def print_training(result: "TrainResult", *, as_json: bool) -> None:
    """Print the accuracy on the test set first, then the optimistic random split, then what to do next."""
    from aslkit.train.evaluation.recommendations import MAX_PLANNED_LETTERS
    from aslkit.train.evaluation.signer_outliers import ADVICE
    from aslkit.train.reporting.summary_text import (
        describe_motion,
        describe_run,
        describe_transfer,
        list_hardest,
        random_split_accuracy,
    )

    metrics = result.metrics
    if as_json:
        print_json({"folder": str(result.folder)} | metrics.to_dict())
        return
    summary = describe_run(metrics)
    epochs = format_count(metrics.epochs or 0, "epoch")
    click.echo(f"{metrics.feature} × {metrics.architecture}, {epochs} in {metrics.fit_s or 0:.0f} s")
    _print_accuracy(metrics, summary)
    if (random_split := random_split_accuracy(metrics)) is not None:
        click.echo(f"  {format_percent(random_split):>6}  accuracy on a random split (optimistic)")
    if summary.gap:
        click.echo(summary.gap)
    for text in filter(None, (describe_transfer(metrics), describe_motion(metrics))):
        click.echo(text)
    _print_candidates(metrics.candidates)
    if hardest := list_hardest(metrics, MAX_LISTED):
        click.echo(f"Hardest letters: {hardest}")
    for outlier in metrics.signer_outliers[:MAX_LISTED]:
        click.echo(f"Formed differently: {outlier.text}")
    if (more := len(metrics.signer_outliers) - MAX_LISTED) > 0:
        click.echo(f"Formed differently: and {more:,} more, see the report")
    if metrics.signer_outliers:
        click.echo(ADVICE)
    if metrics.record_next:
        letters, planned = (
            list(dict.fromkeys(each.letter for each in plan))
            for plan in (metrics.record_next, metrics.record_next[:MAX_PLANNED_LETTERS])
        )
        listed = join_listed(letters, len(planned))
        click.echo(f"Record next: {listed}: {next_command('capture', '--plan', result.folder.name)}")
    for warning in filter(None, (summary.warning, metrics.stopped)):
        print_note(warning)
    _print_report(result.folder)
    live = next_command("live", result.folder.name)
    click.echo(f"Next: spell with it: {live} (or `exam` instead of `live`, to test it on your hand)")


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
    _print_report(result.folder)


def print_exam(result: dict[str, Any], *, as_json: bool) -> None:
    """Print the score of an exam, given the values of result.json, and what to do with it."""
    from aslkit.curate.report.recommendations import format_letter_ranges
    from aslkit.live.exam.result_folder import render_report

    if as_json:
        print_json(result)
        return
    click.echo(render_report(result))
    _print_report(Path(result["folder"]))
    if wrong := [row["letter"] for row in result["letters"] if row["right"] < row["asked"]]:
        command = next_command("capture", "--letters", format_letter_ranges(wrong))
        click.echo(f"Next: record more of {join_words(wrong)}, then curate and train again: {command}")
    else:
        click.echo(f"Next: every letter was correct; spell with it: {next_command('live', result['run'])}")


def _print_report(folder: Path) -> None:
    click.echo(f"Report: {(folder / 'report.html').absolute().as_uri()}")  # terminals make the URL clickable


def _print_accuracy(metrics: RunMetrics, summary: "Headline") -> None:
    """Print the accuracy, what `aslkit live` predicts and, after a cross-validation, the folds and the interval."""
    from aslkit.train.reporting.summary_text import describe_false_letters

    unseen, rejection = metrics.unseen, metrics.rejection
    click.secho(f"  {format_percent(metrics.headline_accuracy):>6}  accuracy on {summary.tested}", bold=True)
    if rejection is not None:
        correct = format_percent(rejection.letters.correct)
        click.secho(f"  {correct:>6}  correct at the confidence threshold of `aslkit live`", bold=True)
        false_letters = describe_false_letters(rejection)
        click.echo(f"          {summary.at_threshold}; false letters while spelling: {false_letters}")
    click.echo(
        f"          {format_count(unseen.n or 0, 'frame')}; hand found in {format_percent(unseen.coverage)}, a frame "
        "without a hand counts as wrong"
    )
    if summary.explanation:
        click.echo(f"          {summary.explanation}")
    if rejection is not None and rejection.threshold == 0:
        print_note(
            "The model has no confidence threshold, because too few frames were left to choose one. It gives a letter "
            "for every hand."
        )
    if metrics.cv is None:
        return
    for fold in metrics.cv.folds:
        frames = f"{format_count(fold.n or 0, 'frame')}, hand found in {format_percent(fold.coverage)}"
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
            "accuracy: every hand gets a letter. at threshold: correct in `aslkit live`, which rejects uncertain "
            "predictions.\n"
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
        if row.stopped:
            print_note(f"{name}: {sanitize_text(row.stopped)}")


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
        Column("at threshold", justify="right"), Column("tested on", overflow="fold"),
        *(details if room >= ALL_COLUMNS_WIDTH else ()), box=box.SIMPLE,
    )  # fmt: skip
    for row in rows:
        name, accuracy = sanitize_text(row.run, most=MAX_NAME_CHARS), format_percent(row.accuracy)
        at_threshold, tested_on = format_percent(row.correct_at_threshold), _describe_test_set(row)
        if room < SIGNER_COLUMN_WIDTH:
            click.echo(f"{name}\n  {accuracy} ({at_threshold} at the threshold) on {tested_on}")
        frames = f"{row.n:,}" if row.n else "–"
        more = format_percent(row.random_split), frames, f"{row.fit_s or 0:.0f}"
        table.add_row(Text(name), accuracy, at_threshold, Text(tested_on), *(more if room >= ALL_COLUMNS_WIDTH else ()))
    if room >= SIGNER_COLUMN_WIDTH:
        console.print(table)


def _describe_test_set(row: "RunRow") -> str:
    """Return what was tested; after a cross-validation, with the accuracy of each fold."""
    tested_on = sanitize_text(row.tested_on, most=MAX_NAME_CHARS)
    if len(row.held_out) < 2:
        return tested_on
    folds = ", ".join(f"{sanitize_text(name)} {format_percent(each)}" for name, each in row.held_out.items())
    return f"{tested_on.partition(':')[0]}: {folds}"


def _print_comparison(runs: list["Run"]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("", *(Column(Text(sanitize_text(run.folder.name))) for run in runs))
    rows = [run.row() for run in runs]
    for name in ("dataset", "feature", "architecture", "seed"):
        values = [getattr(row, name) for row in rows]
        table.add_row(name, *(Text("–" if value is None else sanitize_text(value)) for value in values))
    table.add_row("tested on", *(Text(sanitize_text(row.tested_on or "–", most=MAX_NAME_CHARS)) for row in rows))
    table.add_row("accuracy", *(format_percent(row.accuracy) for row in rows))
    table.add_row("correct at threshold", *(format_percent(row.correct_at_threshold) for row in rows))
    table.add_row("random split (optimistic)", *(format_percent(row.random_split) for row in rows))
    for name in dict.fromkeys(name for row in rows for name in row.held_out):
        table.add_row(Text(f"on {sanitize_text(name)}"), *(format_percent(row.held_out.get(name)) for row in rows))
    letters = [run.metrics.unseen.per_letter if isinstance(run.metrics, RunMetrics) else {} for run in runs]
    for letter in sorted(set().union(*letters)):
        shares = [each[letter].accuracy if letter in each else None for each in letters]
        table.add_row(Text(sanitize_text(letter)), *map(format_percent, shares))
    Console().print(table)
