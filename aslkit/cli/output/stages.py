"""What `aslkit curate` and `demo` print: text for people, or with --json one object."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count, format_percent, join_names
from aslkit.web.report_page import count_near_duplicates

if TYPE_CHECKING:
    from aslkit.curate.pipeline import CurateResult
    from aslkit.curate.report.leakage import AuditResult, Leakage
    from aslkit.demo import DemoResult

LETTER_REASONS: Final = ("few-frames", "one-sitting")
"""Reasons that concern all frames of a signer's letter, not a single frame."""

_SPLIT_UNITS: Final = {
    "session": "session (the same person, another session)",
    "block": "block (the same person and session; the last frames of each letter are the test set)",
}
"""What is split, if that needs an explanation."""

MAX_LISTED: Final = 5
"""Items of a long list that are printed one by one."""


def print_json(values: Any) -> None:
    """Print one JSON value. Escapes in JSON keep characters that the terminal cannot encode."""
    is_utf8 = (sys.stdout.encoding or "").lower().startswith("utf")
    click.echo(json.dumps(values, indent=2, ensure_ascii=not is_utf8, default=str))


def print_note(text: str) -> None:
    """Print a note on standard error."""
    click.secho(f"Note: {text}", fg="yellow", err=True)


def print_summary(folder: Path, summary: dict[str, Any], *, up_to_date: bool) -> None:
    """Print the frames, signers and splits of a dataset."""
    if up_to_date:
        click.echo("The dataset is up to date.")
    near_duplicates = count_near_duplicates(summary["frames"], summary["groups"])
    click.echo(f"{format_count(summary['frames'], 'frame')}, {near_duplicates}: {folder}")
    for name, signer in summary["signers"].items():
        click.echo(f"  {name}: {format_count(signer['frames'], 'frame')}, hand found in {signer['coverage']:.2%}")
    splits = ", ".join(f"{name} {count:,}" for name, count in summary["splits"].items())
    held_out = f" ({join_names(summary['held_out'])})" if summary["held_out"] else ""
    click.echo(f"Split by {_SPLIT_UNITS.get(summary['split_by'], summary['split_by'])}: {splits}{held_out}")


def print_curation(result: "CurateResult", *, as_json: bool) -> None:
    """Print the content of a curated dataset and what was rejected or flagged."""
    from aslkit.curate.report.galleries import summarise_reason
    from aslkit.datasets.summary import describe_reviewed

    summary = result.summary
    if as_json:
        state = {"folder": str(result.folder), "looked_at": result.measured, "up_to_date": result.up_to_date}
        print_json(state | summary)
        return
    print_summary(result.folder, summary, up_to_date=result.up_to_date)
    if summary["augmented"]:
        click.echo(f"Augmented: {summary['augmented']:,} copies, in the train split only")
    if reviewed := describe_reviewed(summary.get("reviewed", {})):
        click.echo(f"Reviewed by people: {reviewed}; details in {result.folder / 'reviewed.parquet'}")
    flagged_letters = {reason: count for reason, count in summary["flagged"].items() if reason in LETTER_REASONS}
    flagged_frames = {reason: count for reason, count in summary["flagged"].items() if reason not in LETTER_REASONS}
    for title, counts, file in (
        ("Rejected", summary["rejected"], "rejected.parquet"),
        ("Flagged for review", flagged_frames, "flagged.parquet"),
        ("Too few recordings", flagged_letters, "flagged.parquet"),
    ):
        if counts:
            click.echo(f"{title}; details in {result.folder / file}:")
        for reason, count in counts.items():
            click.echo(f"  {reason} {count:,}: {summarise_reason(reason)}")
    for note in summary["notes"]:
        print_note(note)
    print_training_step(result.folder.name, summary)
    click.echo(f"Report: {(result.folder / 'report.html').absolute().as_uri()}")  # terminals make the URL clickable


def print_training_step(name: str, summary: dict[str, Any]) -> None:
    """Print the command that trains on a dataset, or what it needs before."""
    from aslkit.datasets.summary import MIN_TRAINABLE_FRAMES

    if not summary["coverage"]:
        step = f"check the images, because no hand was found in any: {next_command('dataset', 'show', name)}"
    elif summary["train_letters"] < 2:
        other = next(letter for letter, count in summary["letters"].items() if not count or letter == "Y")
        step = f"record another letter, because training needs two: {next_command('capture', '--letter', other)}"
    elif summary["train_hands"] < MIN_TRAINABLE_FRAMES:
        step = (
            f"record more frames, because training needs {MIN_TRAINABLE_FRAMES} that show a hand: "
            f"{next_command('capture', '--letters', 'A-Y')}"
        )
    else:
        step = next_command("train", "--dataset", name)
    click.echo(f"Next: {step}")


def print_audit(result: "AuditResult", *, distance: int, as_json: bool) -> None:
    """Print the data leakage of a dataset's own split and of a random one."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table

    if as_json:
        print_json(asdict(result))
        return
    splits = {name: each for name, each in (("its own", result.own), ("random", result.random)) if each is not None}
    measures: dict[str, Callable[[Leakage], str]] = {
        "train images": lambda leakage: f"{leakage.train:,}",
        "test images": lambda leakage: f"{leakage.test:,}",
        "near-duplicates": lambda leakage: f"{leakage.copies:.1%}",
        "augmented copies": lambda leakage: (
            "not searched" if leakage.augmented_copies is None else f"{leakage.augmented_copies:.1%}"
        ),
        f"hash distance ≤ {distance}": lambda leakage: f"{leakage.hash_copies:.1%}",
        "correlation": lambda leakage: f"{leakage.correlation:.4f}",
        "nearest neighbour": lambda leakage: f"{leakage.remembered:.1%}",
        "nearest hash": lambda leakage: f"{leakage.hash_remembered:.1%}",
    }
    table = Table("split", *(Column(name, justify="right") for name in splits), box=SIMPLE_HEAD)
    for measure, describe in measures.items():
        table.add_row(measure, *(describe(leakage) for leakage in splits.values()))
    Console().print(table)
    click.echo(
        "near-duplicates, hash distance: test images with a near-duplicate in train, by correlation and by hash."
    )
    click.echo(
        "augmented copies: test images with a copy in train, also if rotated, cropped, sheared or brightened"
        + (
            "; not searched in images of less than 64 pixels, or in more than 50,000."
            if result.random.augmented_copies is None
            else "."
        )
    )
    click.echo("correlation: median correlation of a test image with the most similar train image.")
    click.echo(
        "nearest neighbour: accuracy of predicting the letter of the most similar train image, without training."
    )
    click.echo("nearest hash: the same, with the train image whose hash differs in the fewest bits.")
    if result.own is None:
        click.echo("The dataset has no split of its own.")
    for path, reason in result.unreadable[:MAX_LISTED]:
        click.echo(f"Skipped, {reason}: {path}")
    if len(result.unreadable) > MAX_LISTED:
        click.echo(f"… and {len(result.unreadable) - MAX_LISTED:,} more.")


def print_demo(result: "DemoResult", *, as_json: bool) -> None:
    """Print what the demo did, its result, and the commands for the user's own hand."""
    metrics, dataset = result.metrics, result.summary
    if as_json:
        folders = {"workspace": str(result.workspace), "run": str(result.run)}
        print_json(folders | {"dataset": dataset, "metrics": metrics.to_dict()})
        return
    confusions = ", ".join(f"{each.signed} as {each.predicted}" for each in metrics.confusions[:3]) or "none"
    random_split = metrics.random_split.accuracy if metrics.random_split else None
    coverage = format_percent(dataset["coverage"])
    click.echo(
        f"Recorded  {dataset['frames']:,} frames of {len(dataset['signers'])} synthetic signers, 24 letters each."
    )
    near_duplicates = count_near_duplicates(dataset["frames"], dataset["groups"])
    click.echo(f"Curated   hand found in {coverage}; {near_duplicates}.")
    click.echo(f"Trained   {metrics.feature} × {metrics.architecture} on {' and '.join(metrics.trained_on.signers)}.")
    click.secho(
        f"Accuracy  {format_percent(metrics.unseen.accuracy)} on unseen signer {' '.join(metrics.unseen.held_out)}.",
        bold=True,
    )
    click.echo(f"          {format_percent(random_split)} on a random split (optimistic). Confusions: {confusions}.")
    click.echo(f"Report    {(result.run / 'report.html').resolve().as_uri()}")
    click.echo("\nNext:")
    for purpose, command in (
        ("Spell with this model at the webcam", next_command("live", workspace=result.workspace)),
        ("The same in the browser", next_command("live", "--web", workspace=result.workspace)),
        ("Record your own hand", next_command("capture", "--letter", "A")),
        ("Build a dataset, split by signer", next_command("curate")),
        ("Train on it", next_command("train", "--dataset", "custom")),
        ("Check this computer", next_command("doctor")),
    ):
        click.echo(f"  {purpose:<37}{command}")
