"""What `aslkit capture` and `import` print: text for people, or with --json one object."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.output.stages import MAX_LISTED, print_json, print_note
from aslkit.cli.shared.options import next_command
from aslkit.core.letters import LETTERS, NO_LETTER
from aslkit.core.sanitize import format_count

if TYPE_CHECKING:
    from aslkit.capture.config import CaptureConfig
    from aslkit.capture.import_images import ImportResult
    from aslkit.capture.session.lifecycle import RecordingResult
    from aslkit.formats.captures import SessionInfo
    from aslkit.formats.image_folders.read_folder import ImageFolder
    from aslkit.video.cameras import Camera


def print_import(result: "ImportResult", found: "ImageFolder", *, keep_split: bool, as_json: bool) -> None:
    """Print how many images were imported, and which were skipped and why."""
    if as_json:
        print_json(_import_values(result))
        return
    for session in result.sessions:
        numbers = [number for letter, number in session.stored.items() if letter != NO_LETTER]
        imported = f"{format_count(sum(numbers), 'frame')} of {format_count(len(numbers), 'letter')}"
        imported = "nothing" if not found.images else imported
        clips = ", ".join(f"{format_count(number, 'clip')} of {letter}" for letter, number in session.clips.items())
        whole = " and ".join(filter(None, [imported if numbers or not clips else "", clips]))
        click.echo(f"Imported {whole} for {session.info.signer}, session {session.info.session}.")
    if negatives := result.stored[NO_LETTER]:
        names = f", from {', '.join(sorted(found.negatives))}" if found.negatives else ""
        click.echo(f"Negative samples ({NO_LETTER}): {format_count(negatives, 'frame')}{names}.")
    for already, unit in ((result.already_imported, "frame"), (result.clips_already_imported, "clip")):
        if already:
            click.echo(f"Already there: {format_count(already, unit)}.")
    _print_rejected_clips(result)
    for reason, count in Counter(reason for _, reason in result.skipped).most_common():
        paths = [path for path, its_reason in result.skipped if its_reason == reason]
        more = f", and {count - MAX_LISTED} more" if count > MAX_LISTED else ""
        click.echo(f"Skipped, {reason}: {', '.join(_shorten(path) for path in paths[:MAX_LISTED])}{more}.")
    missing = [letter for letter in LETTERS if letter not in result.stored]
    if missing and found.images and not result.already_imported:
        click.echo(f"No images of: {' '.join(missing)}.")
    _print_split_notes(result, found, keep_split=keep_split)
    click.echo(f"Next: {next_command('curate')}")


def _print_rejected_clips(result: "ImportResult") -> None:
    for message, count in Counter(clip.message for clip in result.rejected_clips).most_common():
        clips = [clip for clip in result.rejected_clips if clip.message == message]
        places = ", ".join(f"{_shorten(clip.path)} at {clip.start_s:.1f} s" for clip in clips[:MAX_LISTED])
        more = f", and {count - MAX_LISTED} more" if count > MAX_LISTED else ""
        click.echo(f"Rejected clips: {places}{more}. {message}")


def _import_values(result: "ImportResult") -> dict[str, Any]:
    sessions = [
        {
            "stored": session.stored, "already_there": session.already_imported, "clips": session.clips,
            "clips_already_there": session.clips_already_imported,
        } | asdict(session.info)
        for session in result.sessions
    ]  # fmt: skip
    skipped = [{"path": str(path), "reason": reason} for path, reason in result.skipped]
    # Of the first session at the top level, where versions before several signers wrote it.
    totals = {
        "stored": result.stored, "already_there": result.already_imported, "left_out": skipped, "clips": result.clips,
        "clips_already_there": result.clips_already_imported,
        "rejected_clips": [asdict(clip) for clip in result.rejected_clips],
    }  # fmt: skip
    return sessions[0] | totals | {"leaked": result.leaked, "sessions": sessions}


def _print_split_notes(result: "ImportResult", found: "ImageFolder", *, keep_split: bool) -> None:
    if found.splits and not keep_split:
        print_note(
            f"The images of {', '.join(found.splits)} were merged: `aslkit curate` makes a split of its own. "
            "--keep-split keeps the one of the folder."
        )
    if not keep_split:
        return
    splits: dict[str, set[str | None]] = {}
    for session in result.sessions:
        splits.setdefault(session.info.signer, set()).add(session.info.split)
    if shared := [signer for signer, names in splits.items() if "train" in names and len(names) > 1]:
        print_note(
            f"The split shows {', '.join(shared)} in train and in another part, so accuracy on it says nothing about "
            "unseen signers."
        )
    if result.leaked:
        print_note(f"In validation or test and also in train: {format_count(result.leaked, 'image')}.")


def print_recording(
    result: "RecordingResult", info: "SessionInfo", settings: "CaptureConfig", *, as_json: bool
) -> None:
    """Print how many frames and clips were stored, which were rejected and why, and the next command."""
    if as_json:
        values = {
            "stored": result.stored, "letters": result.letters, "clips": result.clips, "refused": result.rejected,
            "refused_clips": result.rejected_clips, "goal": settings.goal, "clip_goal": settings.clip_goal,
        }  # fmt: skip
        state = {
            "ended": result.end_reason, "folder": str(result.folder), "recovered": asdict(result.recovered),
            "report": result.report,
        }  # fmt: skip
        print_json(values | state | asdict(info))
        return
    if recovered := str(result.recovered):
        click.echo(f"An earlier recording was interrupted. Recovered: {recovered}.")
    for numbers, unit, goal in (
        (result.letters, "frame", settings.goal),
        (result.clips, "clip", settings.clip_goal),
    ):
        for letter, number in sorted(numbers.items()):
            stored = format_count(number, unit)
            click.echo(f"Stored {stored} of {letter}; {info.signer} has {result.counts[letter]:,} of {goal:,}.")
    has_stored = bool(result.letters or result.clips)
    if not has_stored:
        click.echo(f"Nothing was stored ({result.end_reason}).")
    else:
        click.echo(f"Folder: {result.folder} ({result.end_reason}).")
    for title, rejected in (("Rejected", result.rejected), ("Rejected clips", result.rejected_clips)):
        if rejected:
            reasons = ", ".join(f"{reason} {number:,}" for reason, number in Counter(rejected).most_common())
            click.echo(f"{title}: {reasons}.")
    if dropped := result.report.get("dropped"):
        click.echo(f"Skipped because this computer is too slow: {dropped:,} of {result.report['seen']:,} frames.")
    for note in result.report.get("notes", []):
        print_note(note)
    if has_stored:
        click.echo(f"Next: record another letter, or {next_command('curate')}")


def print_cameras(found: list["Camera"], *, as_json: bool) -> None:
    """Print the cameras of this computer."""
    if as_json:
        print_json([asdict(camera) for camera in found])
    elif not found:
        click.echo("No camera found. Connect one, or use a phone's camera in the browser: aslkit capture --web")
    else:
        for camera in found:
            click.echo(f"--source {camera.number}  {camera.name}  ({camera.state})")


def _shorten(path: Path) -> str:
    """Return the last two parts of a path, printable: file names can contain control characters."""
    return "".join(character if character.isprintable() else "\ufffd" for character in "/".join(path.parts[-2:]))
