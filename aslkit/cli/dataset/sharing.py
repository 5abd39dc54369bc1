"""The commands `aslkit dataset merge`, `push` and `pull`."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.option_conflicts import reject_options
from aslkit.cli.shared.options import (
    OptionWithAlias,
    config_option,
    dataset_folder,
    json_option,
    next_command,
    workspace_option,
)
from aslkit.cli.shared.rename_option import parse_renames
from aslkit.core.errors import InputError
from aslkit.core.workspace import SYNTHETIC_PREFIX, Workspace, compose, make_name, validate_signer
from aslkit.datasets.privacy.config import DEFAULT_CROP_SIZE, MAX_CROP_SIZE, MIN_CROP_SIZE, PrivacyConfig, PrivacyReport

if TYPE_CHECKING:
    from aslkit.datasets.merging.join import SameSignerError
    from aslkit.datasets.merging.merge import MergeConfig, MergeInput, MergeResult

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
    from aslkit.cli.output.clips import print_clips
    from aslkit.cli.output.sharing import print_merge_result
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
        same=tuple(map(compose, same)),
        allow_private=allow_private,
    )
    inputs = [
        MergeInput(
            name=base_name(dataset) or dataset,
            reference=redact_url(dataset),
            folder=dataset_folder(dataset, workspace),
            renames=parse_renames(dataset, renames, datasets),
        )
        for dataset in datasets
    ]
    result = _merge_interactively(inputs, workspace.dataset(name), settings, force)
    if "clips" in result.summary and not as_json:
        print_clips(result.summary["clips"])
    print_merge_result(result, as_json=as_json)


@click.command()
@completions.dataset_argument
@click.argument("url", metavar="URL|FOLDER", required=False)
@click.option("--crop", is_flag=True, help="Crop images to the hand, and pixelate faces.")
@click.option(
    "--crop-size",
    type=click.IntRange(MIN_CROP_SIZE, MAX_CROP_SIZE),
    default=DEFAULT_CROP_SIZE,
    show_default=True,
    help="With --crop: maximum side of a crop in pixels. Larger crops are scaled down.",
)
@click.option("--landmarks-only", is_flag=True, help="Share landmarks without images.")
@click.option("--pseudonyms", is_flag=True, help="Replace the names of signers, sessions, cameras and files.")
@click.option("--yes-faces", is_flag=True, help="Share images with faces; you confirm that everyone visible agrees.")
@allow_private_option
@workspace_option
@json_option
def push(
    dataset: str, url: str | None, yes_faces: bool, allow_private: bool, root: Path, as_json: bool, **privacy: Any
) -> None:
    """Upload a dataset to s3://, gs://, hf:// or a folder.

    Run the command again to resume an interrupted upload.

    \b
    Example:  aslkit dataset push custom /media/usb/custom
              aslkit dataset push custom s3://club/fingerspelling --crop --pseudonyms
              aslkit dataset push custom hf://datasets/ORG/NAME --landmarks-only
    """
    from aslkit.cli.output.sharing import print_upload_result
    from aslkit.datasets.sharing.push import stage_upload, upload_staged
    from aslkit.datasets.sharing.remote_storage import base_name
    from aslkit.datasets.sharing.upload import check_upload_target

    if not privacy["crop"]:
        reject_options(("crop_size",), "requires --crop")
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
    print_upload_result(upload_staged(folder, url), report, is_cropped=privacy["crop"], as_json=as_json)


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


def _confirm_faces(report: PrivacyReport) -> None:
    """Ask whether images with faces may be shared, because published images cannot be withdrawn.

    Raises:
        InputError: the session is not interactive.
    """
    faces = f"Faces are visible in {report.faces:,} of {report.images:,} images."
    if not _is_interactive():
        raise InputError(
            f"{faces} Crop the images and pixelate the faces (--crop), share no images (--landmarks-only), or use "
            "--yes-faces if everyone visible agrees. Nothing was uploaded."
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
    from aslkit.cli.output.sharing import print_download_result
    from aslkit.datasets.sharing.download import download_dataset
    from aslkit.datasets.sharing.remote_storage import base_name, local_folder

    source = local_folder(url)
    location = url if source is None else f"file://{source.resolve().as_posix()}"
    folder = Workspace(root=root).dataset(name or make_name(base_name(location)))
    print_download_result(download_dataset(location, folder, force=force), as_json=as_json)


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
