"""What the commands print: for people, or with --json one object for programs."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.shared.options import next_command
from aslkit.core.letters import LETTERS

if TYPE_CHECKING:
    from aslkit.capture.import_images import ImportResult
    from aslkit.capture.session.lifecycle import RecordingResult
    from aslkit.curate.pipeline import CurateResult
    from aslkit.curate.report.leakage import AuditResult, Leakage
    from aslkit.demo import DemoResult
    from aslkit.formats.captures import SessionInfo
    from aslkit.train.pipeline import TrainResult
    from aslkit.video.cameras import Camera

LETTER_REASONS = ("few-frames", "one-sitting")
"""Reasons that are of a signer's letter, not of a frame."""

MAX_LISTED = 5
"""Of a long list, so many are shown one by one."""


def print_json(values: Any) -> None:
    """Print one JSON object."""
    click.echo(json.dumps(values, indent=2, ensure_ascii=False, default=str))


def print_import(result: "ImportResult", info: "SessionInfo", *, as_json: bool) -> None:
    """Say what was imported and, one by one or counted, what was left out."""
    if as_json:
        left_out = [{"path": str(path), "reason": why} for path, why in result.left_out]
        print_json(
            {"stored": result.stored, "already_there": result.already_there, "left_out": left_out} | asdict(info)
        )
        return
    total, letters = sum(result.stored.values()), len(result.stored)
    click.echo(f"Imported {total:,} frames of {letters} letters of {info.signer}, session {info.session}.")
    if result.already_there:
        click.echo(f"{result.already_there:,} were there already.")
    for why, count in Counter(why for _, why in result.left_out).most_common():
        paths = [path for path, reason in result.left_out if reason == why]
        more = f", and {count - MAX_LISTED} more" if count > MAX_LISTED else ""
        click.echo(f"Left out, {why}: {', '.join(_short(path) for path in paths[:MAX_LISTED])}{more}.")
    missing = [letter for letter in LETTERS if letter not in result.stored]
    if missing and not result.already_there:
        click.echo(f"Not in the folder: {' '.join(missing)}.")
    click.echo(f"Next: {next_command('curate')}")


def warn_missing_licence(signer: str, *, licence: str | None, consent: str | None) -> None:
    """Say on standard error what a signer has not said, without which their images may not be shared."""
    if missing := [name for name, value in (("licence", licence), ("consent", consent)) if not value]:
        click.echo(
            f"{signer} has not said what may be done with the images: they are stored without "
            f"{' or '.join(missing)}, and may not be shared. Give {' and '.join(f'--{name}' for name in missing)}.",
            err=True,
        )


def print_recording(result: "RecordingResult", info: "SessionInfo", goal: int, *, as_json: bool) -> None:
    """Say how many frames were stored, which were refused and why, and what is left to do."""
    if as_json:
        values = {"stored": result.stored, "letters": result.letters, "refused": result.refused, "goal": goal}
        recovered = asdict(result.recovered)
        about = {"ended": result.ended, "folder": str(result.folder), "recovered": recovered, "report": result.report}
        print_json(values | about | asdict(info))
        return
    if mended := str(result.recovered):
        click.echo(f"An earlier recording was interrupted. Recovered: {mended}.")
    for letter, number in sorted(result.letters.items()):
        click.echo(f"Stored {number:,} frames of {letter}; {info.signer} has {result.counts[letter]:,} of {goal:,}.")
    if not result.stored:
        click.echo(f"Stored nothing ({result.ended}).")
    else:
        click.echo(f"They are in {result.folder} ({result.ended}).")
    if result.refused:
        reasons = ", ".join(f"{reason} {number:,}" for reason, number in Counter(result.refused).most_common())
        click.echo(f"Refused: {reasons}.")
    if dropped := result.report.get("dropped"):
        click.echo(f"Not looked at, for want of time: {dropped:,} of {result.report['seen']:,}.")
    if result.stored:
        click.echo(f"Next: another letter, or {next_command('curate')}")


def print_cameras(found: list["Camera"], *, as_json: bool) -> None:
    """Say which cameras there are."""
    if as_json:
        print_json([asdict(camera) for camera in found])
    elif not found:
        click.echo("No camera was found. Connect one, or record in the browser of a telephone: aslkit capture --web")
    else:
        for camera in found:
            click.echo(f"--source {camera.number}  {camera.name}  ({camera.state})")


def print_summary(folder: Path, summary: dict[str, Any], *, up_to_date: bool) -> None:
    """Say what a dataset holds: frames, people, splits."""
    if up_to_date:
        click.echo("Nothing has changed; the dataset is as it was.")
    click.echo(f"{summary['frames']:,} frames in {summary['groups']:,} groups of near-duplicates: {folder}")
    for name, signer in summary["signers"].items():
        click.echo(f"  {name}: {signer['frames']:,} frames, hand found in {signer['coverage']:.2%}")
    parts = ", ".join(f"{name} {count:,}" for name, count in summary["splits"].items())
    held = f" ({', '.join(summary['held_out'])})" if summary["held_out"] else ""
    click.echo(f"Split by {summary['split_by']}: {parts}{held}")


def print_curation(result: "CurateResult", *, as_json: bool) -> None:
    """Say what the dataset holds."""
    summary = result.summary
    if as_json:
        about = {"folder": str(result.folder), "looked_at": result.looked_at, "up_to_date": result.up_to_date}
        print_json(about | summary)
        return
    print_summary(result.folder, summary, up_to_date=result.up_to_date)
    if summary["augmented"]:
        click.echo(f"Augmented: {summary['augmented']:,} varied copies, in train only")
    of_letters = {reason: count for reason, count in summary["flagged"].items() if reason in LETTER_REASONS}
    of_frames = {reason: count for reason, count in summary["flagged"].items() if reason not in LETTER_REASONS}
    for title, found, file in (
        ("Not taken", summary["rejected"], "rejected.parquet"),
        ("To be looked at", of_frames, "flagged.parquet"),
        ("To record more of", of_letters, "flagged.parquet"),
    ):
        if found:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in found.items())
            click.echo(f"{title}: {reasons}; each with its reason in {result.folder / file}")
    for note in summary["notes"]:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    click.echo(f"Next: {next_command('train', '--dataset', result.folder.name)}")
    click.echo(f"Report: {(result.folder / 'report.html').absolute().as_uri()}")  # terminals open it at a click


def print_audit(found: "AuditResult", *, distance: int, as_json: bool) -> None:
    """Say how much of a test can be remembered."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Column, Table

    if as_json:
        print_json(asdict(found))
        return
    leaks = {name: leak for name, leak in (("its own", found.own), ("random", found.random)) if leak is not None}
    measures: dict[str, Callable[[Leakage], str]] = {
        "trained on": lambda leak: f"{leak.train:,}",
        "tested on": lambda leak: f"{leak.test:,}",
        "copies": lambda leak: f"{leak.copies:.1%}",
        f"≤ {distance} bits": lambda leak: f"{leak.hash_copies:.1%}",
        "likeness": lambda leak: f"{leak.correlation:.4f}",
        "remembered": lambda leak: f"{leak.remembered:.1%}",
        "by hash": lambda leak: f"{leak.hash_remembered:.1%}",
    }
    table = Table("split", *(Column(name, justify="right") for name in leaks), box=SIMPLE_HEAD)
    for measure, told in measures.items():
        table.add_row(measure, *(told(leak) for leak in leaks.values()))
    Console().print(table)
    click.echo("copies, ≤ bits: test images that have a near-copy in train, by correlation and by hash.")
    click.echo("likeness: correlation with the likest training image, median.")
    click.echo("remembered: test images whose likest training image shows their letter: right without having learned.")
    click.echo("by hash: the same, where the likest is the one whose hash differs in the fewest bits.")
    if found.own is None:
        click.echo("It has no split of its own.")
    for where, why in found.unreadable[:MAX_LISTED]:
        click.echo(f"Left out, {why}: {where}")
    if len(found.unreadable) > MAX_LISTED:
        click.echo(f"… and {len(found.unreadable) - MAX_LISTED:,} more.")


def print_training(result: "TrainResult", *, as_json: bool) -> None:
    """Say how it does on people never seen, and beside it the figure that flatters."""
    from aslkit.train.evaluation.signer_outliers import ADVICE
    from aslkit.train.reporting.report import percent
    from aslkit.train.reporting.summary_text import describe_transfer, headline, headline_accuracy

    metrics = result.metrics
    if as_json:
        print_json({"folder": str(result.folder)} | metrics)
        return
    words, unseen = headline(metrics), metrics["unseen"]
    click.echo(
        f"{metrics['feature']} × {metrics['architecture']}, {metrics['epochs']} epochs in {metrics['fit_s']:.0f} s"
    )
    click.secho(f"  {percent(headline_accuracy(metrics)):>6}  right on {words['tested']}", bold=True)
    print_folds(metrics)
    click.echo(
        f"          ({unseen['n']:,} frames; hand found in {percent(unseen['coverage'])}; no hand counts as wrong)"
    )
    click.echo(f"  {percent(metrics['random_split']['accuracy']):>6}  on a random split, the optimistic figure")
    click.echo(words["gap"])
    if begun := describe_transfer(metrics):
        click.echo(begun)
    print_candidates(metrics["tried"])
    worst = sorted(unseen["per_letter"].items(), key=lambda item: item[1]["accuracy"])[:MAX_LISTED]
    click.echo("Hardest letters: " + ", ".join(f"{letter} {percent(each['accuracy'])}" for letter, each in worst))
    print_rejection(metrics)
    for form in metrics["forms"][:MAX_LISTED]:
        click.echo(f"Unlike everybody else: {form['text']}")
    if metrics["forms"]:
        click.echo(ADVICE)
    if metrics["record_next"]:
        letters = " ".join(dict.fromkeys(each["letter"] for each in metrics["record_next"]))
        click.echo(f"To record next: {letters}: {next_command('capture', '--plan', result.folder.name)}")
    for warning in filter(None, (words["warning"], metrics["stopped"])):
        click.secho(f"Note: {warning}", fg="yellow", err=True)
    click.echo(f"Report: {result.folder / 'report.html'}")


def print_folds(metrics: dict[str, Any]) -> None:
    """Each signer's (session's, block's) figure, and how sure the mean is; nothing where there was one test."""
    from aslkit.train.reporting.report import percent
    from aslkit.train.reporting.summary_text import headline

    if "cv" not in metrics:
        return
    for each in metrics["cv"]["each"]:
        found = f"{each['n']:,} frames, hand found in {percent(each['coverage'])}"
        click.echo(f"          {percent(each['accuracy']):>6}  {each['name']} ({found})")
    click.echo(f"          {headline(metrics)['doubt']}")
    if metrics["cv"]["note"]:
        click.secho(f"Note: {metrics['cv']['note']}", fg="yellow", err=True)


def print_candidates(tried: list[dict[str, Any]]) -> None:
    """What was tried to choose feature, architecture and start, best first; nothing where nothing was."""
    from aslkit.train.reporting.report import percent

    for number, one in enumerate(tried):
        begun = f", beginning with {one['start']}" if one["start"] else ""
        what = f"{one['feature']} × {one['architecture']}{begun}"
        click.echo(f"{'Tried on those trained on:' if number == 0 else '':26} {percent(one['mean']):>6}  {what}")


def print_rejection(metrics: dict[str, Any]) -> None:
    """Right, wrong, refused; and what happens where there is no letter."""
    from aslkit.train.reporting.report import percent
    from aslkit.train.reporting.summary_text import describe_false_letters

    found = metrics["rejection"]
    letters = found["letters"]
    if found.get("threshold") == 0:
        click.secho(
            "Note: the model has no threshold, and guesses at every hand, as when too few frames were left over in "
            "training to choose one.",
            fg="yellow", err=True,
        )  # fmt: skip
    click.echo(
        f"Where it may refuse: {percent(letters['right'])} right, {percent(letters['wrong'])} wrong, "
        f"{percent(letters['refused'])} refused, {percent(letters['no_hand'])} without a hand; "
        f"false letters while spelling: {describe_false_letters(found)}."
    )


def print_demo(done: "DemoResult", *, as_json: bool) -> None:
    """Say in ten lines what was done, what was found, and what to type next."""
    from aslkit.train.reporting.report import percent

    if as_json:
        print_json(
            {"workspace": str(done.workspace), "run": str(done.run), "dataset": done.summary, "metrics": done.metrics}
        )
        return
    summary, unseen, random = done.summary, done.metrics["unseen"], done.metrics["random_split"]
    trained = " and ".join(done.metrics["trained_on"]["signers"])
    unsure = ", ".join(f"{each['signed']} taken for {each['said']}" for each in done.metrics["mistakes"][:3]) or "none"
    click.echo(
        f"Recorded  {summary['frames']:,} frames of {len(summary['signers'])} synthetic signers, 24 letters each."
    )
    click.echo(
        f"Curated   hand found in {percent(summary['coverage'])}; {summary['groups']:,} groups of near-duplicates."
    )
    click.echo(f"Trained   {done.metrics['feature']} × {done.metrics['architecture']} on {trained}.")
    click.secho(
        f"Found     {percent(unseen['accuracy'])} right on {' '.join(unseen['held_out'])}, never seen.", bold=True
    )
    click.echo(
        f"          {percent(random['accuracy'])} on a random split: the figure that flatters. Mistakes: {unsure}."
    )
    click.echo(f"Report    {done.run / 'report.html'}")
    click.echo("With your own hand, for A, B, … Y:  aslkit capture --letter A")
    click.echo("Then a dataset, held out by person:  aslkit curate")
    click.echo("Then a recogniser, measured on them: aslkit train --dataset custom")
    click.echo("What is missing on this machine:     aslkit doctor")


def _short(path: Path) -> str:
    """The end of a path, fit for a terminal: a name may hold line feeds, and commands to the terminal."""
    return "".join(character if character.isprintable() else "\ufffd" for character in "/".join(path.parts[-2:]))
