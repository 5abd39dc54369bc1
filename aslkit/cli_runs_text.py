"""What `aslkit evaluate` and `aslkit runs` print."""

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aslkit.train.evaluation import Evaluated
    from aslkit.train.runs import Run


def print_evaluated(result: "Evaluated", *, as_json: bool) -> None:
    """Say how a run does on a dataset."""
    from aslkit.train.report import percent
    from aslkit.train.words import headline

    metrics = result.metrics
    from aslkit.cli_text import print_json

    if as_json:
        print_json({"folder": str(result.folder)} | metrics)
        return
    words = headline(metrics)
    click.secho(f"  {percent(metrics['cv']['mean']):>6}  right on {words['tested']}", bold=True)
    print_each(metrics)
    if words["warning"]:
        click.secho(f"Note: {words['warning']}", fg="yellow", err=True)
    print_rejection(metrics)
    click.echo(f"Report: {result.folder / 'report.html'}")


def print_each(metrics: dict[str, Any]) -> None:
    """Each signer's (session's, block's) figure, and how sure the mean is; nothing where there was one test."""
    from aslkit.train.report import percent
    from aslkit.train.words import headline

    if "cv" not in metrics:
        return
    for each in metrics["cv"]["each"]:
        found = f"{each['n']:,} frames, hand found in {percent(each['coverage'])}"
        click.echo(f"          {percent(each['accuracy']):>6}  {each['name']} ({found})")
    click.echo(f"          {headline(metrics)['doubt']}")
    if metrics["cv"]["note"]:
        click.secho(f"Note: {metrics['cv']['note']}", fg="yellow", err=True)


def print_tried(tried: list[dict[str, Any]]) -> None:
    """What was tried to choose feature, architecture and start, best first; nothing where nothing was."""
    from aslkit.train.report import percent

    for number, one in enumerate(tried):
        begun = f", beginning with {one['start']}" if one["start"] else ""
        what = f"{one['feature']} × {one['architecture']}{begun}"
        click.echo(f"{'Tried on those trained on:' if number == 0 else '':26} {percent(one['mean']):>6}  {what}")


def print_rejection(metrics: dict[str, Any]) -> None:
    """Right, wrong, refused; and what happens where there is no letter."""
    from aslkit.train.report import percent
    from aslkit.train.words import false_letters

    found = metrics["rejection"]
    letters = found["letters"]
    click.echo(
        f"Where it may refuse: {percent(letters['right'])} right, {percent(letters['wrong'])} wrong, "
        f"{percent(letters['refused'])} refused, {percent(letters['no_hand'])} without a hand; "
        f"false letters while spelling: {false_letters(found)}."
    )


def print_runs(found: list["Run"], *, compare: bool, as_json: bool) -> None:
    """List runs in a table, or put a few side by side."""
    from aslkit.cli_text import print_json

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
    from rich.console import Console
    from rich.table import Column, Table

    from aslkit.train.report import percent

    table = Table(Column("run", overflow="fold"), "unseen", "measured on", "random split", "frames", "fit, s")
    for row in rows:
        missing = f"\n[red]lacks {', '.join(row['missing'])}[/red]" if row["missing"] else ""
        on = ", ".join(f"{name} {percent(share)}" for name, share in row["left_out"].items()) or f"a {row['by']}"
        kind = "each left out: " if row["cv"] else ""
        n = f"{row['n']:,}" if row["n"] else "–"
        shares = percent(row["accuracy"]), percent(row["random_split"])
        table.add_row(row["run"] + missing, shares[0], kind + on, shares[1], n, f"{row['fit_s'] or 0:.0f}")
    Console().print(table)
    click.echo(
        "Runs on other people, or another dataset, are not comparable: aslkit evaluate RUN --dataset X measures any."
    )


def _print_compared(found: list["Run"]) -> None:
    from rich.console import Console
    from rich.table import Table

    from aslkit.train.report import percent

    table = Table("", *(run.folder.name for run in found))
    rows = [run.row() for run in found]
    for name in ("dataset", "feature", "architecture", "seed"):
        table.add_row(name, *(str(row[name]) for row in rows))
    for name in ("accuracy", "random_split"):
        table.add_row(name.replace("_", " "), *(percent(row[name]) for row in rows))
    for name in dict.fromkeys(name for row in rows for name in row["left_out"]):
        table.add_row(f"on {name}", *(percent(row["left_out"].get(name)) for row in rows))
    letters = [run.metrics.get("unseen", {}).get("per_letter", {}) for run in found]
    for letter in sorted(set().union(*letters)):
        table.add_row(letter, *(percent(each.get(letter, {}).get("accuracy")) for each in letters))
    Console().print(table)
