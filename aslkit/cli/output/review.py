"""Print the frames to review, as a table, as JSON, or one by one with their image."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import numpy as np

from aslkit.cli.output.datasets import detect_colours
from aslkit.cli.output.stages import print_json
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count, sanitize_text

if TYPE_CHECKING:
    from aslkit.curate.review_queue import ReviewFrame
    from aslkit.vision.images import Frame

KEYS: Final = "k keep   d drop   E (capital) or r e relabel   n no letter   u undo   s skip   q quit"

_MAX_COLUMNS: Final = 100
"""Maximum width of an image in characters."""

_TEXT_LINES: Final = 8
"""Lines of the terminal that the text below an image needs."""


def print_review_list(frames: "Sequence[ReviewFrame]", total: int, *, every: bool, as_json: bool) -> None:
    """Print the number of frames by reason, or the frames themselves as JSON.

    Args:
        frames: the frames to list.
        total: number of captured frames.
        every: count also the reasons that do not make a frame doubtful.
        as_json: print JSON.
    """
    from aslkit.curate.review_queue import NOT_DOUBTFUL, describe_reason, list_reasons

    skipped = () if every else NOT_DOUBTFUL
    counts = Counter(reason for frame in frames for reason in frame.reasons if reason not in skipped)
    known = [reason for reason in list_reasons() if reason in counts]
    reasons = {reason: counts[reason] for reason in (*known, *sorted(counts.keys() - set(known)))}
    if as_json:
        listed = [asdict(frame) | {"doubtful": frame.doubtful} for frame in frames]
        print_json({"captured": total, "reasons": reasons, "frames": listed})
        return
    if reasons:
        _print_table([(reason, f"{count:,}", describe_reason(reason)) for reason, count in reasons.items()])
    decided = Counter(frame.decision.action for frame in frames if frame.decision)
    doubtful = sum(frame.doubtful for frame in frames)
    click.echo(f"{format_count(doubtful, 'frame')} to review, of {total:,} captured.")
    if decided:
        click.echo("Decided: " + ", ".join(f"{action} {count:,}" for action, count in sorted(decided.items())))
    if doubtful:
        click.echo(f"Review them in a terminal: {next_command('review')}")


def _print_table(rows: Sequence[tuple[str, str, str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Column, Table
    from rich.text import Text

    table = Table("reason", Column("frames", justify="right"), "meaning", box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(Text(sanitize_text(each, most=200)) for each in row))
    Console().print(table)


def print_decisions(counts: Counter[str], *, dataset: str, as_json: bool, undone: Sequence[str] = ()) -> None:
    """Print how many frames were decided or undone, and the next command.

    Args:
        counts: number of frames by action.
        dataset: name of the dataset to curate next.
        as_json: print JSON.
        undone: keys of the frames whose last decision was undone.
    """
    if as_json:
        print_json({"decided": dict(counts), "undone": list(undone)})
        return
    past = {"keep": "kept", "drop": "dropped", "relabel": "relabelled", "reset": "reset"}
    parts = [f"{past[action]} {count:,}" for action, count in counts.items() if count]
    if parts:
        click.echo(f"Stored: {', '.join(parts)}.")
    elif undone:
        click.echo(f"Undone: the last decision about {format_count(len(undone), 'frame')}.")
    else:
        click.echo("Nothing was changed.")
    if parts or undone:
        options = () if dataset == "custom" else ("--dataset", dataset)
        click.echo(f"Apply with: {next_command('curate', *options)}")


def show_frame(frame: "ReviewFrame", captures: Path, *, number: int, total: int) -> None:
    """Show a frame in the terminal: its image next to the one that it duplicates, if possible, and its reasons."""
    for line in _render_images([captures / key for key in (frame.key, frame.original) if key]):
        click.echo(line)
    name = sanitize_text(frame.key.rpartition("/")[2])
    signer, session = sanitize_text(frame.signer), sanitize_text(frame.session)
    click.secho(f"{number:,} of {total:,}: {frame.letter} of {signer}, session {session}, {name}", bold=True)
    for reason, detail in zip(frame.reasons, frame.details, strict=True):
        click.echo(f"  {sanitize_text(reason)}: {sanitize_text(detail, most=200)}")
    if frame.rejected:
        click.echo("  It is rejected; keep restores it, unless it is an exact duplicate or cannot be read.")
    if frame.suggested:
        click.echo(f"  If it is {frame.suggested}, press {frame.suggested}.")
    click.secho(KEYS, dim=True)


def _render_images(paths: Sequence[Path]) -> list[str]:
    """Return the lines of the images next to each other; none if the terminal has no colours or none is readable."""
    from aslkit.datasets.contact_sheet.terminal import render_image

    colours = detect_colours()
    images = [image for path in paths if colours and (image := _read_image(path)) is not None]
    if colours is None or not images:
        return []
    image = _join_images(images)
    columns, lines = shutil.get_terminal_size()
    height, width = image.shape[:2]
    across = min(columns - 1, _MAX_COLUMNS, 2 * max(lines - _TEXT_LINES, 4) * width // height)
    return render_image(image, width=max(across, 4), colours=colours)


def _read_image(path: Path) -> "Frame | None":
    from aslkit.vision.images import ImageError, decode_image, read_image_file

    try:
        return decode_image(read_image_file(path)) if path.is_file() else None
    except (ImageError, OSError):
        return None


def _join_images(images: "Sequence[Frame]") -> "Frame":
    """Return the images next to each other, scaled to the height of the first one."""
    import cv2

    height = images[0].shape[0]
    scaled = [cv2.resize(each, (max(1, each.shape[1] * height // each.shape[0]), height)) for each in images]
    return np.asarray(np.hstack(scaled), np.uint8)
