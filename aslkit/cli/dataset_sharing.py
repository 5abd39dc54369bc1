"""`aslkit dataset merge`, `push` and `pull`: one dataset of several people's, and datasets that lie elsewhere."""

import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.options import config_option, dataset_folder, json_option, next_command, workspace_option
from aslkit.core.errors import InputError
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, make_name, validate_signer

if TYPE_CHECKING:
    from aslkit.datasets.merging.join import SameSignerError
    from aslkit.datasets.merging.merge import MergeConfig, MergeInput, MergeResult
    from aslkit.datasets.privacy.prepare import PrivacyReport
    from aslkit.datasets.sharing.download import DownloadResult
    from aslkit.datasets.sharing.upload import UploadResult


@click.command()
@click.argument("datasets", nargs=-1, required=True, metavar="DATASET…", shell_complete=values.dataset)
@click.option("--to", "name", required=True, metavar="NAME", help="What to call the merged dataset.")
@click.option(
    "--rename",
    "renames",
    multiple=True,
    metavar="OLD=NEW",
    help="Call a signer otherwise; DATASET:OLD=NEW in one only.",
)
@click.option(
    "--same",
    multiple=True,
    metavar="SIGNER",
    help="In all datasets this signer is one person.",
    shell_complete=values.signer,
)
@values.hold_out_option
@click.option("--seed", type=int, help="Of the choice of who is tested on.  [default: 0]")
@click.option("--allow-unknown-licence", is_flag=True, help="Take images whose contributor stated no licence.")
@click.option("--force", is_flag=True, help="Overwrite another dataset of that name.")
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
    allow_unknown_licence: bool,
    force: bool,
    config: Path | None,
    root: Path,
    as_json: bool,
) -> None:
    """Make one dataset of several: by name, folder or URL. Their order is all one; none of them is changed.

    \b
    Example:  aslkit dataset merge mine s3://club/fingerspelling --to ours
              aslkit dataset merge mine theirs --to ours --rename theirs:maria=maria-2
    """
    from aslkit.core.config import load
    from aslkit.core.retry import redact_url
    from aslkit.curate.config import CurateConfig
    from aslkit.datasets.merging.merge import MergeConfig, MergeInput
    from aslkit.datasets.sharing.remote_storage import base_name

    workspace = Workspace(root=root)
    shares = load("curate", CurateConfig, file=config, flags={"seed": seed})
    settings = MergeConfig(
        test_share=shares.test_share,
        validation_share=shares.validation_share,
        seed=shares.seed,
        hold_out=hold_out,
        same=same,
        allow_unknown_licence=allow_unknown_licence,
    )
    given = [
        MergeInput(
            name=base_name(each) or each,
            typed=redact_url(each),
            folder=dataset_folder(each, workspace),
            renames=_renames(each, renames, datasets),
        )
        for each in datasets
    ]
    _print_merged(_merged(given, workspace.dataset(name), settings, force), as_json=as_json)


@click.command()
@values.dataset_argument
@click.argument("url", metavar="URL")
@click.option("--crop", is_flag=True, help="Pictures of the hand alone.")
@click.option("--landmarks-only", is_flag=True, help="No pictures, only landmarks.")
@click.option("--pseudonyms", is_flag=True, help="Other names for people, sessions, cameras and files.")
@click.option("--yes-faces", is_flag=True, help="Faces may be seen; everybody in the pictures agrees.")
@workspace_option
@json_option
def push(dataset: str, url: str, yes_faces: bool, root: Path, as_json: bool, **privacy: bool) -> None:
    """Put a dataset at s3://, gs://, hf:// or in a folder. The same command again goes on where it stopped.

    \b
    Example:  aslkit dataset push custom s3://club/fingerspelling --crop --pseudonyms
              aslkit dataset push custom hf://datasets/ORG/NAME --landmarks-only
    """
    from aslkit.datasets.privacy.prepare import PrivacyConfig
    from aslkit.datasets.sharing.push import stage_upload, upload_staged
    from aslkit.datasets.sharing.upload import check_upload_target

    check_upload_target(url)
    workspace = Workspace(root=root)
    folder, prepared = stage_upload(dataset_folder(dataset, workspace), workspace, PrivacyConfig(**privacy))
    if prepared.faces and not yes_faces:
        _ask_about_faces(prepared)
    _warn_of_unstated(folder)
    _print_sent(upload_staged(folder, url), prepared, as_json=as_json)


def _warn_of_unstated(folder: Path) -> None:
    from aslkit.datasets import parquet_store
    from aslkit.datasets.licences import missing_licences

    table = parquet_store.read_dataset(folder, ["licence", "consent"])
    rows = zip(table.column("licence").to_pylist(), table.column("consent").to_pylist(), strict=True)
    if said := missing_licences(rows):
        click.secho(
            f"Note: of {len(table):,} images {said}: nobody may pass them on. Ask whom they show; --licence "
            "and --consent of `aslkit capture` and `aslkit import` state it.",
            fg="yellow", err=True,
        )  # fmt: skip


def _ask_about_faces(prepared: "PrivacyReport") -> None:
    """Raises InputError where nobody can be asked: what was once published cannot be taken back."""
    seen = f"Faces are seen in {prepared.faces:,} of {prepared.images:,} images."
    if not _somebody_is_there():
        raise InputError(
            f"{seen} Send the hand alone (--crop), or no pictures (--landmarks-only); or say --yes-faces, "
            "if everybody in the pictures agrees. Nothing was sent."
        )
    click.confirm(f"{seen} Does everybody in the pictures agree that they are sent?", err=True, abort=True)


@click.command()
@click.argument("url", metavar="URL")
@click.option("--name", help="What to call the dataset here.  [default: the last part of the URL]")
@click.option("--force", is_flag=True, help="Take the place of another dataset of that name.")
@workspace_option
@json_option
def pull(url: str, name: str | None, force: bool, root: Path, as_json: bool) -> None:
    """Fetch a dataset from s3://, gs://, hf://, https://. The same command again goes on where it stopped.

    \b
    Example:  aslkit dataset pull https://example.org/fingerspelling --name theirs
    """
    from aslkit.datasets.sharing.download import download_dataset
    from aslkit.datasets.sharing.remote_storage import base_name, is_url

    where = url if is_url(url) else f"file://{Path(url).resolve().as_posix()}"  # as_uri() would write %20 for a space
    folder = Workspace(root=root).dataset(name or make_name(base_name(where)))
    _print_fetched(download_dataset(where, folder, force=force), as_json=as_json)


def _merged(given: "Sequence[MergeInput]", target: Path, settings: "MergeConfig", force: bool) -> "MergeResult":
    """Merge; where it is not known whether a signer is one person, ask, if there is somebody to ask."""
    from aslkit.datasets.merging.join import SameSignerError
    from aslkit.datasets.merging.merge import merge_datasets as run

    while True:
        try:
            return run(given, target, settings, force=force)
        except SameSignerError as error:
            if not _somebody_is_there():
                raise
            given, settings = _asked(error, given, settings)


def _somebody_is_there() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _asked(
    error: "SameSignerError", given: "Sequence[MergeInput]", settings: "MergeConfig"
) -> "tuple[Sequence[MergeInput], MergeConfig]":
    signer, last = error.signer, error.datasets[-1]
    question = f"Signer {signer!r} is in {' and in '.join(error.datasets)}, with no recording in common. One person?"
    if click.confirm(question, err=True):
        return given, replace(settings, same=(*settings.same, signer))
    other = click.prompt(f"What shall {signer!r} of {last} be called?", default=f"{signer}-2", err=True)
    other = validate_signer(other, synthetic=signer.startswith(SYNTHETIC_PREFIX))
    return [_with_other(e, signer, other) if n == error.number else e for n, e in enumerate(given)], settings


def _with_other(given: "MergeInput", signer: str, other: str) -> "MergeInput":
    """A dataset in which a signer, who may have been renamed already, is called otherwise."""
    before = [old for old, new in given.renames.items() if new == signer] or [signer]
    return replace(given, renames={**given.renames, **dict.fromkeys(before, other)})


def _renames(dataset: str, renames: Sequence[str], datasets: Sequence[str]) -> dict[str, str]:
    """Which signers of a dataset are to be called otherwise, of what --rename gave.

    Raises:
        InputError: not OLD=NEW, a name that cannot be one, or a dataset that is none of these, or may be several.
    """
    found = {}
    for text in renames:
        old, equals, new = text.rpartition("=")
        if not equals or not old:
            raise InputError(f"--rename {text!r} is not OLD=NEW, such as maria=maria-2, or theirs:maria=maria-2.")
        of, old = _meant(text, old, datasets)
        if of in (None, dataset):
            found[old] = validate_signer(new, synthetic=old.startswith(SYNTHETIC_PREFIX))
    return found


def _meant(text: str, old: str, datasets: Sequence[str]) -> tuple[str | None, str]:
    """Of DATASET:OLD the dataset, as it was typed or by its short name, and the signer; None where it is OLD alone."""
    from aslkit.core.retry import redact_url
    from aslkit.datasets.sharing.remote_storage import base_name

    for called in (str, redact_url, base_name):
        found = {each for each in datasets if old.startswith(f"{called(each)}:")}
        if len(found) > 1:
            several = " or ".join(map(redact_url, sorted(found)))
            raise InputError(f"--rename {text!r} may be of {several}. Give the dataset as you named it before.")
        if found:
            return found.pop(), old.rpartition(":")[2]
    if ":" in old:
        raise InputError(
            f"--rename {text!r}: there is no such dataset. There are: {', '.join(map(redact_url, datasets))}."
        )
    return None, old


def _print_merged(result: "MergeResult", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json, print_summary

    summary = result.summary
    if as_json:
        about = {"folder": str(result.folder), "up_to_date": result.up_to_date, "licence": result.licence}
        print_json(about | {"sources": result.sources, "copies_left_out": result.copies_left_out} | summary)
        return
    print_summary(result.folder, summary, up_to_date=result.up_to_date)
    click.echo(f"Licence of the whole: {result.licence}; each image keeps its own")
    if summary["rejected"]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in summary["rejected"].items())
        click.echo(f"Not taken: {reasons}; each with its reason in {result.folder / 'rejected.parquet'}")
    if result.copies_left_out:
        click.echo(f"Left out: {result.copies_left_out:,} varied copies, whose photograph is not in train now")
    for note in summary["notes"]:
        click.secho(f"Note: {note}", fg="yellow", err=True)
    click.echo(f"Next: {next_command('train', '--dataset', result.folder.name)}")


def _print_sent(sent: "UploadResult", prepared: "PrivacyReport", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json

    if as_json:
        print_json(asdict(sent) | {"privacy": asdict(prepared)})
        return
    if prepared.left_out:
        click.echo(f"Left out: {prepared.left_out:,} rows without a hand")
    if prepared.images:
        click.echo(f"Faces are seen in {prepared.faces:,} of {prepared.images:,} images; the card says so")
    if not sent.files_sent:
        click.echo(f"Nothing has changed; {sent.url} is as it was.")
    else:
        there = f"; {sent.files - sent.files_sent} were there already" if sent.files_sent < sent.files else ""
        click.echo(f"Sent {sent.files_sent} files ({sent.bytes_sent:,} bytes){there}: {sent.url}")
    click.echo(f"Fetch it elsewhere: {shlex.join(['aslkit', 'dataset', 'pull', sent.url])}")


def _print_fetched(fetched: "DownloadResult", *, as_json: bool) -> None:
    from aslkit.cli.output.stages import print_json

    if as_json:
        print_json(asdict(fetched))
        return
    if fetched.up_to_date:
        click.echo(f"Nothing has changed; the dataset is as it was: {fetched.folder}")
    else:
        before = (
            f"; {fetched.size - fetched.bytes_fetched:,} were here already"
            if fetched.bytes_fetched < fetched.size
            else ""
        )
        click.echo(f"Fetched {fetched.files} files ({fetched.bytes_fetched:,} bytes{before}): {fetched.folder}")
    click.echo(f"Look at it before you train: {next_command('dataset', 'verify', fetched.folder.name)}")
