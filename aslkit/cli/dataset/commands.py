"""The commands that inspect, verify and export a dataset, and the group `aslkit dataset`."""

import sys
from functools import partial
from pathlib import Path

import click

from aslkit.cli.dataset.sharing import merge, pull, push
from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import Folder, dataset_folder, json_option, workspace_option
from aslkit.core.errors import AslkitError
from aslkit.core.sanitize import sanitize_text
from aslkit.core.workspace import Workspace


@click.group()
def dataset() -> None:
    """Inspect, verify, export, merge and share datasets.

    \b
    Example:  aslkit dataset info custom
              aslkit dataset verify custom
    """


@dataset.command()
@completions.dataset_argument
@workspace_option
@json_option
def info(dataset: str, root: Path, as_json: bool) -> None:
    """Show splits, signers, letters, licences and provenance of a dataset.

    \b
    Example:  aslkit dataset info custom
    """
    from aslkit.cli.output.datasets import print_info
    from aslkit.datasets.info import summarise_folder

    summary = summarise_folder(dataset_folder(dataset, Workspace(root=root)))
    print_info(summary, as_json=as_json)
    if summary.private_signers and not as_json:
        signers = sanitize_text(", ".join(summary.private_signers))
        click.echo(f"Private: only the signers may use the images of {signers}. Do not share this dataset.")


@dataset.command(name="list")
@workspace_option
@json_option
def list_datasets(root: Path, as_json: bool) -> None:
    """List the datasets of a workspace.

    \b
    Example:  aslkit dataset list
    """
    from aslkit.cli.output.datasets import print_list
    from aslkit.datasets.info import summarise_folder
    from aslkit.datasets.parquet_store import list_datasets

    folder, infos, errors = Workspace(root=root).datasets, [], []
    for each in list_datasets(folder):
        try:
            infos.append(summarise_folder(each))
        except AslkitError as error:
            errors.append(f"Not listed: {error.message}")
    print_list(infos, folder, as_json=as_json)
    for message in errors:
        click.secho(message, fg="yellow", err=True)


@dataset.command()
@completions.dataset_argument
@click.option("--processes", type=click.IntRange(1), help="Number of processes.  [default: one per core]")
@workspace_option
@json_option
def verify(dataset: str, processes: int | None, root: Path, as_json: bool) -> None:
    """Verify a dataset, for example from an untrusted source.

    Checks the files, columns, images, splits and card. The exit code is 1 if there are problems.

    \b
    Example:  aslkit dataset verify custom
              aslkit dataset verify downloads/theirs --json
    """
    from aslkit.cli.output.datasets import print_verify_report
    from aslkit.datasets.verify.run import verify_dataset

    report = verify_dataset(dataset_folder(dataset, Workspace(root=root)), processes=processes)
    print_verify_report(report, as_json=as_json)
    if report.problems:
        sys.exit(1)


@dataset.command()
@click.argument("known", metavar="sign-mnist", type=click.Choice(["sign-mnist"]))
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="Zip file, folder or CSV file.  [default: download from Kaggle]",
)
@click.option("--renumbered", is_flag=True, help="The labels are 0–23, without the gap for J.")
@click.option("--partial", is_flag=True, help="Accept files that do not have the published number of rows.")
@click.option("--name", default="sign-mnist", show_default=True, help="Name of the dataset.")
@workspace_option
@json_option
def get(known: str, source: Path | None, renumbered: bool, partial: bool, name: str, root: Path, as_json: bool) -> None:
    """Download Sign Language MNIST and convert it to a dataset.

    \b
    Example:  aslkit dataset get sign-mnist
              aslkit dataset get sign-mnist --from sign-language-mnist.zip
    """
    from aslkit.cli.output.datasets import print_sign_mnist
    from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist

    folder = Workspace(root=root).dataset(name)
    print_sign_mnist(fetch_sign_mnist(folder, source=source, renumbered=renumbered, partial=partial), as_json=as_json)


@dataset.command()
@completions.dataset_argument
@click.option(
    "--format",
    required=True,
    type=click.Choice(["imagefolder", "webdataset", "csv28", "landmarks"]),
    help="Export format.",
)
@click.option("--to", required=True, type=Folder(), help="Folder to write.")
@click.option(
    "--split",
    "splits",
    multiple=True,
    type=click.Choice(["train", "validation", "test"]),
    help="Export only this split. Can be given several times.",
)
@click.option("--force", is_flag=True, help="Replace the folder even if it is not an export.")
@workspace_option
@json_option
def export(
    dataset: str, format: str, to: Path, splits: tuple[str, ...], force: bool, root: Path, as_json: bool
) -> None:
    """Export a dataset to images, tar shards or CSV files.

    Formats: one image folder per letter, WebDataset tar shards, 28×28 pixels as CSV like Sign Language MNIST, or
    landmarks as CSV.

    \b
    Example:  aslkit dataset export custom --format imagefolder --to images
              aslkit dataset export custom --format csv28 --to csv --split test
    """
    from aslkit.cli.output.datasets import print_export
    from aslkit.datasets.exporters.run import export_dataset

    folder = dataset_folder(dataset, Workspace(root=root))
    print_export(export_dataset(folder, format=format, to=to, splits=splits, force=force), as_json=as_json)


for command in (merge, push, pull):
    dataset.add_command(command)


@dataset.command()
@completions.dataset_argument
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="A .png or .html file.  [default: the terminal]"
)
@click.option("--letter", help="Show only this letter.", shell_complete=completions.letter)
@click.option("--signer", help="Show only this signer.", shell_complete=completions.signer)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Show only this split.")
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Images of each letter.  [default: as many as fit; in a file 8, or 48 of one letter]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed for the selection of images.")
@workspace_option
@json_option
def show(
    dataset: str,
    to: Path | None,
    letter: str | None,
    signer: str | None,
    split: str | None,
    count: int | None,
    seed: int,
    root: Path,
    as_json: bool,
) -> None:
    """Show sample images of each letter. Clips are not shown.

    They are shown in the terminal, or written to a PNG image or an HTML page: to NAME.png if the terminal shows no
    images.

    \b
    Example:  aslkit dataset show custom
              aslkit dataset show custom --to letters.png
              aslkit dataset show custom --letter M --signer maria --to m.html
    """
    import numpy as np

    from aslkit.cli.output.clips import print_clips_not_shown
    from aslkit.cli.output.datasets import print_contact_sheet, show_in_terminal
    from aslkit.core.letters import parse_letter
    from aslkit.datasets import parquet_store
    from aslkit.datasets.clips import count_clips
    from aslkit.datasets.contact_sheet.select import select_tiles
    from aslkit.datasets.contact_sheet.write import write_contact_sheet

    folder = dataset_folder(dataset, Workspace(root=root))
    parquet_store.list_files(folder)  # report a missing dataset before a missing terminal
    select = partial(
        select_tiles,
        folder,
        letter=parse_letter(letter) if letter else None,
        signer=signer,
        split=split,
        rng=np.random.default_rng(seed),
    )
    shown = to is None and not as_json and show_in_terminal(select, count, single_letter=letter is not None)
    if not shown:
        to = to or Path(f"{folder.absolute().name}.png")
        count = count or (48 if letter else 8)
        print_contact_sheet(to, write_contact_sheet(to, partial(select, count=count)), as_json=as_json)
    if not as_json:
        print_clips_not_shown(count_clips(folder))
