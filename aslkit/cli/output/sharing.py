"""Print the results of `aslkit dataset merge`, `push` and `pull`."""

import shlex
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from aslkit.cli.output.stages import print_json, print_summary, print_training_step
from aslkit.cli.shared.options import next_command
from aslkit.core.sanitize import format_count

if TYPE_CHECKING:
    from aslkit.datasets.merging.merge import MergeResult
    from aslkit.datasets.privacy.config import PrivacyReport
    from aslkit.datasets.sharing.download import DownloadResult
    from aslkit.datasets.sharing.upload import UploadResult


def print_merge_result(result: "MergeResult", *, as_json: bool) -> None:
    """Print what was merged, rejected and dropped."""
    summary = result.summary
    if as_json:
        values = {"folder": str(result.folder), "up_to_date": result.up_to_date, "licence": result.licence}
        print_json(values | {"sources": result.sources, "copies_left_out": result.copies_left_out} | summary)
        return
    print_summary(result.folder, summary, up_to_date=result.up_to_date)
    click.echo(f"Licence of the dataset: {result.licence}; each image keeps its own licence")
    if summary["rejected"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary["rejected"].items())
        click.echo(f"Rejected: {reasons}. See {result.folder / 'rejected.parquet'}")
    if result.copies_left_out:
        click.echo(f"Dropped: {result.copies_left_out:,} augmented copies, because their original is not in train")
    for note in summary["notes"]:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    print_training_step(result.folder.name, summary)


def print_upload_result(result: "UploadResult", report: "PrivacyReport", *, is_cropped: bool, as_json: bool) -> None:
    """Print what was uploaded, and how to download it."""
    if as_json:
        print_json(asdict(result) | {"privacy": asdict(report)})
        return
    if report.left_out:
        click.echo(f"Dropped: {format_count(report.left_out, 'row')} without a hand")
    if report.images:
        faces = f"pixelated in {report.pixelated:,}" if is_cropped else f"visible in {report.faces:,}"
        click.echo(f"Faces are {faces} of {report.images:,} images; the card states this")
    if not result.files_sent:
        click.echo(f"Nothing to upload: {result.url} is up to date.")
    else:
        reused = f"; {result.files - result.files_sent} were already there" if result.files_sent < result.files else ""
        files = format_count(result.files_sent, "file")
        click.echo(f"Uploaded {files} ({result.bytes_sent:,} bytes){reused}: {result.url}")
    click.echo(f"Download it with: {shlex.join(['aslkit', 'dataset', 'pull', result.url])}")


def print_download_result(result: "DownloadResult", *, as_json: bool) -> None:
    """Print what was downloaded."""
    if as_json:
        print_json(asdict(result))
        return
    if result.up_to_date:
        click.echo(f"Nothing to download: {result.folder} is up to date.")
    else:
        reused = result.size - result.bytes_fetched
        resumed = f"; {reused:,} were already here" if reused > 0 else ""
        files = format_count(result.files, "file")
        click.echo(f"Downloaded {files} ({result.bytes_fetched:,} bytes{resumed}): {result.folder}")
    click.echo(f"Verify it before you train: {next_command('dataset', 'verify', result.folder.name)}")
