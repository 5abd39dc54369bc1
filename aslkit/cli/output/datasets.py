"""What the commands on datasets print. Every word of a dataset passes `sanitize_text`: it may be hostile to a terminal."""

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.output.stages import MAX_LISTED, print_json
from aslkit.cli.shared.options import next_command
from aslkit.core.errors import InputError
from aslkit.core.sanitize import sanitize_text

if TYPE_CHECKING:
    from aslkit.datasets.contact_sheet.select import ContactSheet
    from aslkit.datasets.exporters.run import ExportResult
    from aslkit.datasets.info import DatasetInfo
    from aslkit.datasets.sign_mnist.fetch import SignMnistResult
    from aslkit.datasets.verify.run import VerifyReport

_LISTED = 40
"""Rows of a table."""

_LONGEST = 300
"""Characters that are shown of a sentence."""


def print_info(found: "DatasetInfo", *, as_json: bool) -> None:
    """Say what a dataset holds."""
    if as_json:
        print_json(asdict(found))
        return
    known = sum(name != "unknown" for name in found.signers)
    signers = _count(known, "signer") if known else "unknown signers"
    letters = sum(any(counts.values()) for counts in found.letters.values())
    size = f"{found.bytes_on_disk / 1e6:,.1f} MB"
    click.echo(
        f"{sanitize_text(found.name)}: {_count(found.images, 'image')} of {_count(letters, 'letter')}, {signers}, "
        f"{_count(found.sessions, 'session')}, {size}: {found.folder}"
    )
    _print_splits(found)
    _print_signers(found)
    _print_letters(found.letters)
    recorded = " to ".join(found.recorded) if found.recorded else "when is not known"
    click.echo(f"Recorded: {recorded}; {_listed(found.cameras)}")
    click.echo(f"Licence: {_listed(found.licences)}")
    click.echo(f"Consent: {_listed(found.consents)}")
    _print_making(found)


def _print_splits(found: "DatasetInfo") -> None:
    rows = []
    for name, part in found.splits.items():
        groups = "unknown" if found.groups is None else f"{part.groups:,}"
        counts = (f"{part.rows:,}", f"{part.copies:,}", groups, f"{len(part.signers):,}", f"{part.files:,}")
        rows.append((name, *counts, f"{part.file_bytes / 1e6:,.1f}"))
    _print_table(("split", "rows", "varied copies", "groups", "signers", "files", "MB"), rows)


def _print_signers(found: "DatasetInfo") -> None:
    rows = []
    for name, each in list(found.signers.items())[:_LISTED]:
        counts = (f"{each.images:,}", f"{each.sessions:,}", str(each.letters), f"{each.coverage:.2%}")
        rows.append((name, *counts, ", ".join(each.splits)))
    _print_table(("signer", "images", "sessions", "letters", "hand found", "in"), rows)
    if len(found.signers) > _LISTED:
        click.echo(f"… and {len(found.signers) - _LISTED:,} more signers.")


def _print_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table whose first column, and one called "in", are words; the others are numbers."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in head:
        table.add_column(name, justify="left" if name in (head[0], "in") else "right")
    for row in rows:
        table.add_row(*(Text(sanitize_text(each)) for each in row))  # as Text, "[red]" is a name and no colour
    Console().print(table)


def _print_letters(letters: Mapping[str, Mapping[str, int]]) -> None:
    counts = {letter: sum(each.values()) for letter, each in letters.items()}
    there = {letter: count for letter, count in counts.items() if count}
    if there:
        few, many = min(there, key=lambda letter: there[letter]), max(there, key=lambda letter: there[letter])
        varied = f"{there[few]:,} ({few}) to {there[many]:,} ({many})"
        click.echo(f"Images of a letter: {varied if there[few] < there[many] else f'{there[few]:,} of each'}")
    if missing := [letter for letter in counts if letter not in there]:
        click.echo(f"None of: {' '.join(missing)}")
    for split in ("train", "test"):
        lacking = [letter for letter in there if not letters[letter][split]]
        if lacking and len(lacking) < len(there):
            click.echo(f"None in {split} of: {' '.join(lacking)}")


def _print_making(found: "DatasetInfo") -> None:
    summary = found.summary
    held = summary.get("held_out")
    by = f"Split by {sanitize_text(summary['split_by'])}" if "split_by" in summary else "How it was split is not known"
    click.echo(by + (f", held out: {', '.join(map(sanitize_text, held))}" if isinstance(held, list) and held else ""))
    leaks = found.facts.get("leaks")
    for name, leak in leaks.items() if isinstance(leaks, dict) else ():
        if isinstance(leak, dict) and isinstance(leak.get("remembered"), float):
            click.echo(f"Remembered, {sanitize_text(name)} split: {leak['remembered']:.1%} of the test")
    for what in ("rejected", "flagged"):
        if isinstance(summary.get(what), dict) and summary[what]:
            click.echo(f"{what.capitalize()}: {_listed(summary[what])}")
    if "source" in found.facts:
        click.echo(f"Source: {sanitize_text(found.facts['source'], most=_LONGEST)}")
    for what in ("versions", "config"):
        if isinstance(found.facts.get(what), dict):
            values = ", ".join(
                f"{sanitize_text(key)} {sanitize_text(value)}" for key, value in found.facts[what].items()
            )
            click.echo(f"{'Made with' if what == 'versions' else 'Settings'}: {values}")
    notes = summary.get("notes")
    for note in notes[: 2 * MAX_LISTED] if isinstance(notes, list) else ():
        click.secho(f"Note: {sanitize_text(note, most=_LONGEST)}", fg="yellow")


def _listed(counts: Mapping[str, Any]) -> str:
    shown = [
        f"{sanitize_text(name)} ({each:,})" if isinstance(each, int) else sanitize_text(name)
        for name, each in counts.items()
    ]
    more = f", and {len(shown) - 2 * MAX_LISTED} more" if len(shown) > 2 * MAX_LISTED else ""
    return ", ".join(shown[: 2 * MAX_LISTED]) + more


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def print_verify_report(found: "VerifyReport", *, as_json: bool) -> None:
    """Say what is wrong with a dataset, a few of each kind."""
    if as_json:
        listed = [asdict(each) | {"level": each.level, "remedy": each.remedy} for each in found.findings]
        about = {"folder": str(found.folder), "rows": found.rows, "files": found.files, "problems": found.problems}
        print_json(about | {"findings": listed})
        return
    rows = sum(found.rows.values())
    click.echo(f"Looked through {_count(rows, 'row')} in {_count(found.files, 'file')}: {found.folder}")
    for kind, of_kind in groupby(found.findings, key=lambda each: each.kind):
        findings = list(of_kind)
        colour = "red" if findings[0].level == "problem" else "yellow"
        click.secho(f"{findings[0].level.capitalize()}: {kind}, {len(findings):,}×", fg=colour)
        for each in findings[:MAX_LISTED]:
            place = each.file + (f" row {each.row:,}" if each.row is not None else "")
            click.echo(f"  {place + ': ' if place else ''}{each.what}")
        if len(findings) > MAX_LISTED:
            click.echo(f"  … and {len(findings) - MAX_LISTED:,} more; --json lists them all.")
        click.echo(f"  {findings[0].remedy}")
    if found.problems:
        click.secho(f"{_count(found.problems, 'problem')}.", bold=True)
    else:
        click.secho("No problems.", bold=True)


def print_export(done: "ExportResult", *, as_json: bool) -> None:
    """Say what was written, and what was left out."""
    if as_json:
        print_json(asdict(done))
        return
    click.echo(f"Wrote {_count(sum(done.rows.values()), 'image')} as {done.format}: {done.to}")
    click.echo("  " + ", ".join(f"{split} {count:,}" for split, count in done.rows.items()))
    for why, count in done.left_out.items():
        click.echo(f"Left out, {why}: {count:,}")
    click.echo(f"Open it: {done.opened_by}")


def show_in_terminal(choose: Callable[..., "ContactSheet"], count: int | None, *, one: bool, as_json: bool) -> None:
    """Show a contact sheet in the terminal.

    Args:
        choose: makes it, of `count` images of each letter.
        count: as many as have room side by side where None.
        one: only one letter is shown.
        as_json: no pictures can be shown so.

    Raises:
        InputError: there is no terminal, or one that cannot show pictures, or may not: NO_COLOR.
    """
    from rich.console import Console

    from aslkit.datasets.contact_sheet.terminal import COLOURS, render_lines, tiles_per_row

    console = Console()
    wanted = sys.stdout.isatty() and not console.no_color and not as_json
    colours = COLOURS.get(console.color_system or "") if wanted else None
    if colours is None:
        raise InputError("Pictures cannot be shown here. Say --to letters.png, or --to letters.html.")
    width = shutil.get_terminal_size().columns
    chosen = choose(count=count or tiles_per_row(width, one=one))
    for line in render_lines(chosen, width=width, colours=colours):
        click.echo(line)
    click.echo(f"{chosen.count:,} of {chosen.of:,} images of {chosen.name}. More: --to letters.png, or --letter M")


def print_contact_sheet(to: Path, count: int, *, as_json: bool) -> None:
    """Say where a contact sheet is."""
    if as_json:
        print_json({"to": str(to), "images": count})
    else:
        click.echo(f"Wrote {_count(count, 'image')}: {to}")


def print_sign_mnist(done: "SignMnistResult", *, as_json: bool) -> None:
    """Say what was fetched and written."""
    if as_json:
        print_json(asdict(done))
        return
    parts = ", ".join(f"{split} {count:,}" for split, count in done.rows.items())
    what = "Sign Language MNIST, the official split" if done.whole else "A part of Sign Language MNIST, or its like"
    click.echo(f"{what} ({parts}): {done.folder}")
    for note in done.notes:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    click.echo(f"Next: {next_command('dataset', 'show', done.folder.name, '--to', 'letters.png')}")
