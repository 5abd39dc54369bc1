"""Print the clips of datasets."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.output.tables import format_counts, print_table
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count

if TYPE_CHECKING:
    from aslkit.curate.pipeline import CurateResult

_MAX_SIGNERS = 40


def print_clips(clips: Mapping[str, Any]) -> None:
    """Print the number of clips by letter, signer and split.

    Args:
        clips: the value `clips` of a summary, see `summary.summarise_clips`.
    """
    letters = list(clips["letters"])
    rows = [
        (name, *(f"{counts[letter]:,}" for letter in letters))
        for name, counts in (
            *list(clips["signers"].items())[:_MAX_SIGNERS],
            *((f"in {split}", counts) for split, counts in clips["splits"].items()),
        )
    ]
    print_table(("clips", *letters), rows)
    if len(clips["signers"]) > _MAX_SIGNERS:
        click.echo(f"… and {len(clips['signers']) - _MAX_SIGNERS:,} more signers.")
    if rejected := clips.get("rejected"):
        click.echo(f"Rejected clips: {format_counts(rejected)}; details in rejected.parquet")


def print_clip_curation(result: "CurateResult") -> None:
    """Print the result of a curation without stills: the model of the static letters cannot be trained on it."""
    if result.up_to_date:
        click.echo("The dataset is up to date.")
    click.echo(f"No images, only clips: {result.folder}")
    for note in result.summary["notes"]:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    click.echo(f"Next: record the other letters: {next_command('capture', '--letters', 'A-Y')}")
    click.echo(f"Report: {(result.folder / 'report.html').absolute().as_uri()}")


def print_clips_not_shown(count: int) -> None:
    """Print that a contact sheet does not show clips, if there are any."""
    if count:
        click.echo(
            f"{format_count(count, 'clip')} of letters with a movement: not shown. See report.html of the dataset."
        )
