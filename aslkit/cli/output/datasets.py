"""Print the results of the dataset commands.

All text from a dataset is sanitized, because it can contain terminal escape sequences.
"""

import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aslkit.cli.output.clips import print_clips
from aslkit.cli.output.stages import MAX_LISTED, print_json
from aslkit.cli.output.tables import format_counts, print_table
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count, sanitize_text

if TYPE_CHECKING:
    from aslkit.datasets.contact_sheet.select import ContactSheet
    from aslkit.datasets.contact_sheet.terminal import Colours
    from aslkit.datasets.exporters.run import ExportResult
    from aslkit.datasets.info import DatasetInfo
    from aslkit.datasets.sign_mnist.fetch import SignMnistResult
    from aslkit.datasets.verify.run import VerifyReport

_MAX_TABLE_ROWS = 40
_MAX_TEXT_CHARS = 300


def print_info(info: "DatasetInfo", *, as_json: bool) -> None:
    """Print the statistics of a dataset."""
    from aslkit.datasets.summary import describe_clips

    if as_json:
        print_json(asdict(info))
        return
    known = sum(name != "unknown" for name in info.signers)
    signers = format_count(known, "signer") if known else "unknown signers"
    letters = sum(any(counts.values()) for counts in info.letters.values())
    size = f"{info.bytes_on_disk / 1e6:,.1f} MB"
    clips = f"{describe_clips(info.clips)}, " if info.clips else ""
    click.echo(
        f"{sanitize_text(info.name)}: {format_count(info.images, 'image')} of {format_count(letters, 'letter')}, "
        f"{clips}{signers}, {format_count(info.sessions, 'session')}, {size}: {info.folder}"
    )
    _print_splits(info)
    _print_signers(info)
    if info.images:
        _print_letters(info.letters)
    if info.clips:
        print_clips(info.clips)
    recorded = " to ".join(info.recorded) if info.recorded else "date unknown"
    click.echo(f"Recorded: {recorded}; {format_counts(info.cameras)}")
    click.echo(f"Licence: {format_counts(info.licences)}")
    click.echo(f"Consent: {format_counts(info.consents)}")
    _print_provenance(info)


def print_list(infos: "Sequence[DatasetInfo]", folder: Path, *, as_json: bool) -> None:
    """Print one line for each dataset of a workspace.

    Args:
        infos: statistics of the datasets.
        folder: folder of the workspace's datasets.
        as_json: print JSON.
    """
    if as_json:
        print_json([asdict(info) for info in infos])
        return
    if not infos:
        click.echo(f"There are no datasets in {folder}. Create one: {next_command('curate')}")
        return
    rows = []
    for info in infos:
        letters = sum(any(counts.values()) for counts in info.letters.values())
        size = f"{info.bytes_on_disk / 1e6:,.1f}"
        clips = f"{info.clips.get('count', 0):,}"
        rows.append((info.name, f"{info.images:,}", str(letters), f"{len(info.signers):,}", clips, size))
    print_table(("dataset", "images", "letters", "signers", "clips", "MB"), rows)


def _print_splits(info: "DatasetInfo") -> None:
    rows = []
    for name, split in info.splits.items():
        groups = "unknown" if info.groups is None else f"{split.groups:,}"
        counts = (f"{split.rows:,}", f"{split.copies:,}", groups, f"{len(split.signers):,}", f"{split.files:,}")
        rows.append((name, *counts, f"{split.file_bytes / 1e6:,.1f}"))
    print_table(("split", "rows", "augmented", "groups", "signers", "files", "MB"), rows)


def _print_signers(info: "DatasetInfo") -> None:
    rows = []
    for name, signer in list(info.signers.items())[:_MAX_TABLE_ROWS]:
        counts = (
            f"{signer.images:,}",
            f"{signer.clips:,}",
            f"{signer.sessions:,}",
            str(signer.letters),
            f"{signer.coverage:.2%}",
        )
        rows.append((name, *counts, ", ".join(signer.splits)))
    print_table(("signer", "images", "clips", "sessions", "letters", "hand detected", "splits"), rows)
    if len(info.signers) > _MAX_TABLE_ROWS:
        click.echo(f"… and {len(info.signers) - _MAX_TABLE_ROWS:,} more signers.")


def _print_letters(letters: Mapping[str, Mapping[str, int]]) -> None:
    totals = {letter: sum(counts.values()) for letter, counts in letters.items()}
    present = {letter: total for letter, total in totals.items() if total}
    if present:
        rarest, commonest = (
            min(present, key=lambda letter: present[letter]),
            max(present, key=lambda letter: present[letter]),
        )
        low, high = present[rarest], present[commonest]
        text = f"{low:,} ({rarest}) to {high:,} ({commonest})" if low < high else f"{low:,} of each"
        click.echo(f"Images per letter: {text}")
    if missing := [letter for letter in totals if letter not in present]:
        click.echo(f"No images of: {' '.join(missing)}")
    for split in ("train", "test"):
        absent = [letter for letter in present if not letters[letter][split]]
        if absent and len(absent) < len(present):
            click.echo(f"No images in {split} of: {' '.join(absent)}")


def _print_provenance(info: "DatasetInfo") -> None:
    from aslkit.datasets.summary import describe_reviewed

    summary = info.summary
    held_out = summary.get("held_out")
    split_by = f"Split by {sanitize_text(summary['split_by'])}" if "split_by" in summary else "Unknown split method"
    if isinstance(held_out, list) and held_out:
        split_by += f", held out: {', '.join(map(sanitize_text, held_out))}"
    click.echo(split_by)
    leakage = info.facts.get("leaks")
    for name, each in leakage.items() if isinstance(leakage, dict) else ():
        if isinstance(each, dict) and isinstance(each.get("remembered"), float):
            click.echo(f"Nearest-neighbour accuracy, {sanitize_text(name)} split: {each['remembered']:.1%}")
    for key in ("rejected", "flagged"):
        if isinstance(summary.get(key), dict) and summary[key]:
            click.echo(f"{key.capitalize()}: {format_counts(summary[key])}")
    if isinstance(summary.get("reviewed"), dict) and (reviewed := describe_reviewed(summary["reviewed"])):
        click.echo(f"Reviewed by people: {reviewed}")
    if "source" in info.facts:
        click.echo(f"Source: {sanitize_text(info.facts['source'], most=_MAX_TEXT_CHARS)}")
    for key, title in (("versions", "Made with"), ("config", "Settings")):
        if isinstance(info.facts.get(key), dict):
            values = ", ".join(
                f"{sanitize_text(name)} {sanitize_text(value)}" for name, value in info.facts[key].items()
            )
            click.echo(f"{title}: {values}")
    notes = summary.get("notes")
    for note in notes[: 2 * MAX_LISTED] if isinstance(notes, list) else ():
        click.secho(f"Note: {sanitize_text(note, most=_MAX_TEXT_CHARS)}", fg="yellow")


def print_verify_report(report: "VerifyReport", *, as_json: bool) -> None:
    """Print the findings in a dataset, up to MAX_LISTED of each kind."""
    if as_json:
        findings = [asdict(each) | {"level": each.level, "remedy": each.remedy} for each in report.findings]
        values = {"folder": str(report.folder), "rows": report.rows, "files": report.files, "problems": report.problems}
        print_json(values | {"findings": findings})
        return
    rows = sum(report.rows.values())
    click.echo(f"Checked {format_count(rows, 'row')} in {format_count(report.files, 'file')}: {report.folder}")
    for kind, group in groupby(report.findings, key=lambda each: each.kind):
        of_kind = list(group)
        colour = "red" if of_kind[0].level == "problem" else "yellow"
        click.secho(f"{of_kind[0].level.capitalize()}: {kind}, {len(of_kind):,}×", fg=colour)
        for each in of_kind[:MAX_LISTED]:
            location = each.file + (f" row {each.row:,}" if each.row is not None else "")
            click.echo(f"  {location + ': ' if location else ''}{each.what}")
        if len(of_kind) > MAX_LISTED:
            click.echo(f"  … and {len(of_kind) - MAX_LISTED:,} more. Use --json to list all.")
        click.echo(f"  {of_kind[0].remedy}")
    if report.problems:
        click.secho(f"{format_count(report.problems, 'problem')}.", bold=True)
    else:
        click.secho("No problems.", bold=True)


def print_export(result: "ExportResult", *, as_json: bool) -> None:
    """Print what was exported and what was skipped."""
    if as_json:
        print_json(asdict(result))
        return
    click.echo(f"Exported {format_count(sum(result.rows.values()), 'image')} as {result.format}: {result.to}")
    click.echo("  " + ", ".join(f"{split} {count:,}" for split, count in result.rows.items()))
    for reason, count in result.left_out.items():
        click.echo(f"Skipped, {reason}: {count:,}")
    click.echo(f"Open it with: {result.opened_by}")


def detect_colours() -> "Colours | None":
    """Return the function that formats a pixel for this terminal; None if the output cannot show images."""
    from rich.console import Console

    from aslkit.datasets.contact_sheet.terminal import COLOURS

    console = Console()
    can_show = sys.stdout.isatty() and not console.no_color
    return COLOURS.get(console.color_system or "") if can_show else None


def show_in_terminal(select: Callable[..., "ContactSheet"], count: int | None, *, single_letter: bool) -> bool:
    """Show a contact sheet in the terminal.

    Args:
        select: makes the contact sheet with up to `count` images of each letter.
        count: number of images of each letter. If None, as many as fit in one row.
        single_letter: whether only one letter is shown.

    Returns:
        Whether it was shown: not if the output is not a terminal, or one without colours.
    """
    from aslkit.datasets.contact_sheet.terminal import render_lines, tiles_per_row

    colours = detect_colours()
    if colours is None:
        return False
    width = shutil.get_terminal_size().columns
    sheet = select(count=count or tiles_per_row(width, single_letter=single_letter))
    for line in render_lines(sheet, width=width, colours=colours):
        click.echo(line)
    click.echo(f"{sheet.count:,} of {sheet.total:,} images of {sheet.name}. For more: --to letters.png, or --letter M")
    return True


def print_contact_sheet(to: Path, count: int, *, as_json: bool) -> None:
    """Print where a contact sheet was written."""
    if as_json:
        print_json({"to": str(to), "images": count})
    else:
        click.echo(f"Wrote {format_count(count, 'image')}: {to}")


def print_sign_mnist(result: "SignMnistResult", *, as_json: bool) -> None:
    """Print what was downloaded and written."""
    if as_json:
        print_json(asdict(result))
        return
    counts = ", ".join(f"{split} {count:,}" for split, count in result.rows.items())
    title = (
        "Sign Language MNIST, official split" if result.whole else "Part of Sign Language MNIST, or a similar dataset"
    )
    click.echo(f"{title} ({counts}): {result.folder}")
    for note in result.notes:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    click.echo(f"Next: {next_command('dataset', 'show', result.folder.name, '--to', 'letters.png')}")
