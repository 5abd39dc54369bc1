"""The commands `aslkit dataset merge`, `push` and `pull`."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import (
    OptionWithAlias,
    config_option,
    dataset_folder,
    json_option,
    next_command,
    workspace_option,
)
from aslkit.core.errors import InputError
from aslkit.core.sanitize import format_count
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, make_name, validate_signer

if TYPE_CHECKING:
    from aslkit.datasets.merging.join import SameSignerError
    from aslkit.datasets.merging.merge import MergeConfig, MergeInput, MergeResult
    from aslkit.datasets.privacy.prepare import PrivacyReport
    from aslkit.datasets.sharing.download import DownloadResult
    from aslkit.datasets.sharing.upload import UploadResult

allow_private_option: Final = click.option(
    "--allow-unknown-licence",
    "--allow-private",
    "allow_private",
    cls=OptionWithAlias,
    is_flag=True,
    help="Accept private images and images without a licence; nobody else may get the result.",
)


@click.command()
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET…", shell_complete=completions.dataset)
@click.option("--to", "name", required=True, metavar="NAME", help="Name of the merged dataset.")
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="OLD=NEW",
    help="Rename a signer; DATASET:OLD=NEW renames in one dataset only. Can be given several times.",
)
@click.option(
    "--same",
    multiple=True,
    metavar="SIGNER",
    help="This signer is the same person in all datasets. Can be given several times.",
    shell_complete=completions.signer,
)
@completions.hold_out_option
@click.option("--seed", type=int, help="Random seed for the choice of the test signers.  [default: 0]")
@allow_private_option
@click.option("--force", is_flag=True, help="Overwrite another dataset with that name.")
@config_option
@workspace_option
@json_option
def merge(
    datasets: tuple[str, ...],
    name: str,
    renames: tuple[str, ...],
    same: tuple[str, ...],
    hold_out: tuple[str, ...],
    seed: int | None,
    allow_private: bool,
    force: bool,
    config: Path | None,
    root: Path,
    as_json: bool,
) -> None:
    """Merge datasets into a new one.

    Datasets are given by name, folder or URL. The order does not matter, and the source datasets are not changed.

    \b
    Example:  aslkit dataset merge mine s3://club/fingerspelling --to ours
              aslkit dataset merge mine theirs --to ours --rename theirs:maria=maria-2
    """
    from aslkit.core.config import load_settings
    from aslkit.curate.config import CurateConfig
    from aslkit.datasets.merging.merge import MergeConfig, MergeInput
    from aslkit.datasets.sharing.remote_storage import base_name
    from aslkit.datasets.sharing.retry import redact_url

    workspace = Workspace(root=root)
    shares = load_settings("curate", CurateConfig, file=config, flags={"seed": seed})
    settings = MergeConfig(
        test_share=shares.test_share,
        validation_share=shares.validation_share,
        seed=shares.seed,
        hold_out=hold_out,
        same=same,
        allow_private=allow_private,
    )
    inputs = [
        MergeInput(
            name=base_name(dataset) or dataset,
            reference=redact_url(dataset),
            folder=dataset_folder(dataset, workspace),
            renames=_parse_renames(dataset, renames, datasets),
        )
        for dataset in datasets
    ]
    _print_merge_result(_merge_interactively(inputs, workspace.dataset(name), settings, force), as_json=as_json)


@click.command()
@completions.dataset_argument
@click.argument("url", metavar="URL|FOLDER", required=False)
@click.option("--crop", is_flag=True, help="Crop images to the hand.")
@click.option("--landmarks-only", is_flag=True, help="Share landmarks without images.")
@click.option("--pseudonyms", is_flag=True, help="Replace the names of signers, sessions, cameras and files.")
@click.option("--yes-faces", is_flag=True, help="Share images with faces; you confirm that everyone visible agrees.")
@allow_private_option
@workspace_option
@json_option
def push(
    dataset: str, url: str | None, yes_faces: bool, allow_private: bool, root: Path, as_json: bool, **privacy: bool
) -> None:
    """Upload a dataset to s3://, gs://, hf:// or a folder.

    Run the command again to resume an interrupted upload.

    \b
    Example:  aslkit dataset push custom /media/usb/custom
              aslkit dataset push custom s3://club/fingerspelling --crop --pseudonyms
              aslkit dataset push custom hf://datasets/ORG/NAME --landmarks-only
    """
    from aslkit.datasets.privacy.prepare import PrivacyConfig
    from aslkit.datasets.sharing.push import stage_upload, upload_staged
    from aslkit.datasets.sharing.remote_storage import base_name
    from aslkit.datasets.sharing.upload import check_upload_target

    if url is None:
        command = next_command("dataset", "push", dataset, f"/media/usb/{base_name(dataset) or 'custom'}")
        raise InputError(f"Say where to. A folder is enough, such as a USB stick or a shared drive: {command}")
    check_upload_target(url)
    workspace = Workspace(root=root)
    folder, report = stage_upload(
        dataset_folder(dataset, workspace), workspace, PrivacyConfig(**privacy), allow_private=allow_private
    )
    if report.faces and not yes_faces:
        _confirm_faces(report)
    _warn_about_missing_licences(folder)
    _print_upload_result(upload_staged(folder, url), report, as_json=as_json)


def _warn_about_missing_licences(folder: Path) -> None:
    from aslkit.datasets import parquet_store
    from aslkit.datasets.licences import missing_licences

    table = parquet_store.read_dataset(folder, ["licence", "consent"])
    rows = zip(table.column("licence").to_pylist(), table.column("consent").to_pylist(), strict=True)
    if missing := missing_licences(rows):
        click.secho(
            f"Note: of {len(table):,} images, {missing}, so others may not share them. Ask the signers, state "
            "it in signers.toml of the workspace, and run `aslkit curate` again.",
            fg="yellow", err=True,
        )  # fmt: skip


def _confirm_faces(report: "PrivacyReport") -> None:
    """Ask whether images with faces may be shared, because published images cannot be withdrawn.

    Raises:
        InputError: the session is not interactive.
    """
    faces = f"Faces are visible in {report.faces:,} of {report.images:,} images."
    if not _is_interactive():
        raise InputError(
            f"{faces} Crop the images to the hand (--crop), share no images (--landmarks-only), or use --yes-faces if "
            "everyone visible agrees. Nothing was uploaded."
        )
    click.confirm(f"{faces} Does everyone visible agree to sharing them?", err=True, abort=True)


@click.command()
@click.argument("url", metavar="URL|FOLDER")
@click.option("--name", help="Name of the local dataset.  [default: the last part of the URL or path]")
@click.option("--force", is_flag=True, help="Replace another dataset with that name.")
@workspace_option
@json_option
def pull(url: str, name: str | None, force: bool, root: Path, as_json: bool) -> None:
    """Download a dataset from s3://, gs://, hf://, https:// or a folder.

    Run the command again to resume an interrupted download.

    \b
    Example:  aslkit dataset pull https://example.org/fingerspelling --name theirs
    """
    from aslkit.datasets.sharing.download import download_dataset
    from aslkit.datasets.sharing.remote_storage import base_name, is_url

    location = url if is_url(url) else f"file://{Path(url).resolve().as_posix()}"  # as_uri() would encode spaces as %20
    folder = Workspace(root=root).dataset(name or make_name(base_name(location)))
    _print_download_result(download_dataset(location, folder, force=force), as_json=as_json)


def _merge_interactively(
    inputs: "Sequence[MergeInput]", target: Path, settings: "MergeConfig", force: bool
) -> "MergeResult":
    """Merge datasets. If the same signer name is in several datasets, ask whether it is the same person.

    Raises:
        SameSignerError: it is unknown whether a signer is one person, and the session is not interactive.
    """
    from aslkit.datasets.merging.join import SameSignerError
    from aslkit.datasets.merging.merge import merge_datasets

    while True:
        try:
            return merge_datasets(inputs, target, settings, force=force)
        except SameSignerError as error:
            if not _is_interactive():
                raise
            inputs, settings = _ask_about_signer(error, inputs, settings)


def _is_interactive() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _ask_about_signer(
    error: "SameSignerError", inputs: "Sequence[MergeInput]", settings: "MergeConfig"
) -> "tuple[Sequence[MergeInput], MergeConfig]":
    signer, last = error.signer, error.datasets[-1]
    datasets = " and in ".join(error.datasets)
    question = f"Signer {signer!r} is in {datasets}, with no recording in common. Is it the same person?"
    if click.confirm(question, err=True):
        return inputs, replace(settings, same=(*settings.same, signer))
    new_name = click.prompt(f"New name for {signer!r} of {last}", default=f"{signer}-2", err=True)
    new_name = validate_signer(new_name, synthetic=signer.startswith(SYNTHETIC_PREFIX))
    renamed = [
        _add_rename(each, signer, new_name) if number == error.number else each for number, each in enumerate(inputs)
    ]
    return renamed, settings


def _add_rename(dataset: "MergeInput", signer: str, new_name: str) -> "MergeInput":
    """Rename a signer of a dataset, who may already have been renamed to `signer`."""
    old_names = [old for old, new in dataset.renames.items() if new == signer] or [signer]
    return replace(dataset, renames={**dataset.renames, **dict.fromkeys(old_names, new_name)})


def _parse_renames(dataset: str, renames: Sequence[str], datasets: Sequence[str]) -> dict[str, str]:
    """Return the new names of a dataset's signers from the values of --rename.

    Args:
        dataset: the dataset, as the user typed it.
        renames: the values of --rename.
        datasets: all datasets, as the user typed them.

    Raises:
        InputError: a value is not OLD=NEW, a name is invalid, or the dataset is unknown or ambiguous.
    """
    parsed = {}
    for text in renames:
        old, equals, new = text.rpartition("=")
        if not equals or not old:
            raise InputError(
                f"--rename {text!r} is not OLD=NEW, such as maria=maria-2, or theirs:maria=maria-2 for one dataset."
            )
        applies_to, old = _split_rename(text, old, datasets)
        if applies_to in (None, dataset):
            parsed[old] = validate_signer(new, synthetic=old.startswith(SYNTHETIC_PREFIX))
    return parsed


def _split_rename(text: str, old: str, datasets: Sequence[str]) -> tuple[str | None, str]:
    """Split DATASET:OLD into dataset and signer. The dataset is None if there is only OLD.

    DATASET can be what the user typed for the dataset, or its short name.
    """
    from aslkit.datasets.sharing.remote_storage import base_name
    from aslkit.datasets.sharing.retry import redact_url

    for to_name in (str, redact_url, base_name):
        found = {each for each in datasets if old.startswith(f"{to_name(each)}:")}
        if len(found) > 1:
            candidates = " or ".join(map(redact_url, sorted(found)))
            raise InputError(
                f"--rename {text!r} is ambiguous: it can refer to {candidates}. Write the dataset as in the arguments."
            )
        if found:
            return found.pop(), old.rpartition(":")[2]
    if ":" in old:
        raise InputError(
            f"--rename {text!r} refers to an unknown dataset. Datasets: {', '.join(map(redact_url, datasets))}."
        )
    return None, old


def _print_merge_result(result: "MergeResult", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json, print_summary

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
    click.echo(f"Next: {next_command('train', '--dataset', result.folder.name)}")


def _print_upload_result(result: "UploadResult", report: "PrivacyReport", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json

    if as_json:
        print_json(asdict(result) | {"privacy": asdict(report)})
        return
    if report.left_out:
        click.echo(f"Dropped: {format_count(report.left_out, 'row')} without a hand")
    if report.images:
        click.echo(f"Faces are visible in {report.faces:,} of {report.images:,} images; the card states this")
    if not result.files_sent:
        click.echo(f"Nothing to upload: {result.url} is up to date.")
    else:
        reused = f"; {result.files - result.files_sent} were already there" if result.files_sent < result.files else ""
        files = format_count(result.files_sent, "file")
        click.echo(f"Uploaded {files} ({result.bytes_sent:,} bytes){reused}: {result.url}")
    click.echo(f"Download it with: {shlex.join(['aslkit', 'dataset', 'pull', result.url])}")


def _print_download_result(result: "DownloadResult", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json

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
