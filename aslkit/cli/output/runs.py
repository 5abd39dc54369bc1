"""What `aslkit evaluate` and `aslkit runs` print."""

from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.output.stages import print_folds, print_json, print_rejection
from aslkit.core.sanitize import sanitize_text

if TYPE_CHECKING:
    from aslkit.train.evaluate_run import EvaluationResult
    from aslkit.train.reporting.read_runs import Run

ALL_COLUMNS_WIDTH: Final = 58
"""Columns of a terminal beside a run's name in which a list has room for all figures."""

SIGNER_COLUMN_WIDTH: Final = 28
"""Likewise for the accuracy on unseen people, and who they are."""

MAX_NAME_CHARS: Final = 200
"""Characters of a run's name: that of its dataset, and what it was trained with."""


def print_evaluation(result: "EvaluationResult", *, as_json: bool) -> None:
    """Say how a run does on a dataset."""
    from aslkit.train.reporting.report import percent
    from aslkit.train.reporting.summary_text import headline

    metrics = result.metrics
    if as_json:
        print_json({"folder": str(result.folder)} | metrics)
        return
    words = headline(metrics)
    click.secho(f"  {percent(metrics['cv']['mean']):>6}  right on {words['tested']}", bold=True)
    print_folds(metrics)
    if words["warning"]:
        click.secho(f"Note: {words['warning']}", fg="yellow", err=True)
    print_rejection(metrics)
    click.echo(f"Report: {result.folder / 'report.html'}")


def print_runs(found: list["Run"], *, compare: bool, as_json: bool) -> None:
    """List runs in a table, or put a few side by side."""
    rows = [run.row() for run in found]
    if as_json:
        print_json(rows)
    elif not rows:
        click.echo("There are no runs yet. `aslkit train --dataset custom` makes one.")
    elif compare:
        _print_compared(found)
    else:
        _print_listed(rows)


def _print_listed(rows: list[dict[str, Any]]) -> None:
    if trained := [row for row in rows if row["kind"] == "run"]:
        _print_trained(trained)
        click.echo(
            "Runs on other people, or another dataset, are not comparable: "
            "aslkit evaluate RUN --dataset X measures any."
        )
    for row in rows:
        name = sanitize_text(row["run"], most=MAX_NAME_CHARS)
        if row["kind"] == "benchmark":
            best = f", best {sanitize_text(row['best'])}" if row["best"] else ""
            click.echo(f"Benchmark of {sanitize_text(row['dataset'])}: {name}{best}")
        elif row["kind"] == "sweep":
            click.echo(f"Sweep: {name}, its table in sweep.md")
        elif row["kind"] == "interrupted":
            click.echo(f"Interrupted: {name}; the command that began it goes on with --resume {name}")
        elif row["kind"] == "damaged":
            click.secho(f"Note: {row['damage']}", fg="yellow", err=True)
        elif row["missing"]:
            click.secho(f"Note: {name} lacks {', '.join(row['missing'])}", fg="yellow", err=True)


def _print_trained(rows: list[dict[str, Any]]) -> None:
    """A row for each run. Its name is never cut, for it is typed; where there is little room, columns are left out."""
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from aslkit.train.reporting.report import percent

    console = Console()
    room = console.width - max(len(sanitize_text(row["run"], most=MAX_NAME_CHARS)) for row in rows)
    figures = [Column(name, justify="right", no_wrap=True) for name in ("random split", "frames", "fit, s")]
    table = Table(
        Column("run", no_wrap=True), Column("unseen", justify="right", no_wrap=True), Column("on", overflow="fold"),
        *(figures if room >= ALL_COLUMNS_WIDTH else ()), box=box.SIMPLE,
    )  # fmt: skip
    for row in rows:
        left_out = row["left_out"].items()
        if len(left_out) > 1:
            on = "each left out: " + ", ".join(f"{sanitize_text(who)} {percent(share)}" for who, share in left_out)
        else:
            on = ", ".join(sanitize_text(who) for who, _ in left_out) or f"a {row['by']}"
        name, unseen = sanitize_text(row["run"], most=MAX_NAME_CHARS), percent(row["accuracy"])
        if room < SIGNER_COLUMN_WIDTH:
            click.echo(f"{name}\n  {unseen} on {on}")
        n = f"{row['n']:,}" if row["n"] else "–"
        more = percent(row["random_split"]), n, f"{row['fit_s'] or 0:.0f}"
        table.add_row(Text(name), unseen, Text(on), *(more if room >= ALL_COLUMNS_WIDTH else ()))
    if room >= SIGNER_COLUMN_WIDTH:
        console.print(table)


def _print_compared(found: list["Run"]) -> None:
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    from aslkit.train.reporting.report import percent

    table = Table("", *(Column(Text(sanitize_text(run.folder.name))) for run in found))
    rows = [run.row() for run in found]
    for name in ("dataset", "feature", "architecture", "seed"):
        table.add_row(name, *(Text("–" if row[name] is None else sanitize_text(row[name])) for row in rows))
    for name in ("accuracy", "random_split"):
        table.add_row(name.replace("_", " "), *(percent(row[name]) for row in rows))
    for name in dict.fromkeys(name for row in rows for name in row["left_out"]):
        table.add_row(Text(f"on {sanitize_text(name)}"), *(percent(row["left_out"].get(name)) for row in rows))
    letters = [run.metrics.get("unseen", {}).get("per_letter", {}) for run in found]
    for letter in sorted(set().union(*letters)):
        table.add_row(Text(sanitize_text(letter)), *(percent(each.get(letter, {}).get("accuracy")) for each in letters))
    Console().print(table)
