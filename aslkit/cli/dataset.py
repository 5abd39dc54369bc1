"""`aslkit dataset …`: look at a dataset, check it, take it elsewhere, share it."""

import sys
from functools import partial
from pathlib import Path

import click

from aslkit.cli.dataset_sharing import merge, pull, push
from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.options import dataset_folder, json_option, workspace_option
from aslkit.core.workspace import Workspace


@click.group()
def dataset() -> None:
    """Look at datasets, check them, merge and share them.

    \b
    Example:  aslkit dataset info custom
              aslkit dataset verify custom
    """


@dataset.command()
@values.dataset_argument
@workspace_option
@json_option
def info(dataset: str, root: Path, as_json: bool) -> None:
    """Say what a dataset holds: splits, signers, letters, licences, and how it was made.

    \b
    Example:  aslkit dataset info custom
    """
    from aslkit.cli.output.datasets import print_info
    from aslkit.datasets.info import summarise_folder as count

    print_info(count(dataset_folder(dataset, Workspace(root=root))), as_json=as_json)


@dataset.command()
@values.dataset_argument
@click.option("--processes", type=click.IntRange(1), help="How many look at images.  [default: one a core]")
@workspace_option
@json_option
def verify(dataset: str, processes: int | None, root: Path, as_json: bool) -> None:
    """Check a dataset, also one that a stranger sent: files, columns, images, splits, card. Problems end with 1.

    \b
    Example:  aslkit dataset verify custom
              aslkit dataset verify downloads/theirs --json
    """
    from aslkit.cli.output.datasets import print_verify_report
    from aslkit.datasets.verify.run import verify_dataset as check

    found = check(dataset_folder(dataset, Workspace(root=root)), processes=processes)
    print_verify_report(found, as_json=as_json)
    if found.problems:
        sys.exit(1)


@dataset.command()
@click.argument("known", metavar="sign-mnist", type=click.Choice(["sign-mnist"]))
@click.option("--from", "source", type=click.Path(path_type=Path), help="Zip, folder or CSV; from Kaggle without.")
@click.option("--renumbered", is_flag=True, help="Its labels are 0–23, without the gap where J would be.")
@click.option("--partial", is_flag=True, help="Take it though it has not the published number of rows.")
@click.option("--name", default="sign-mnist", show_default=True, help="What to call the dataset.")
@workspace_option
@json_option
def get(known: str, source: Path | None, renumbered: bool, partial: bool, name: str, root: Path, as_json: bool) -> None:
    """Fetch a known dataset, so far Sign Language MNIST, and write it as Parquet.

    \b
    Example:  aslkit dataset get sign-mnist
              aslkit dataset get sign-mnist --from sign-language-mnist.zip
    """
    from aslkit.cli.output.datasets import print_sign_mnist
    from aslkit.datasets.sign_mnist.fetch import fetch_sign_mnist

    folder = Workspace(root=root).dataset(name)
    print_sign_mnist(fetch_sign_mnist(folder, source=source, renumbered=renumbered, partial=partial), as_json=as_json)


@dataset.command()
@values.dataset_argument
@click.option(
    "--format", required=True, type=click.Choice(["imagefolder", "webdataset", "csv28", "landmarks"]), help="Which."
)
@click.option("--to", required=True, type=click.Path(path_type=Path), help="Folder to write.")
@click.option("--split", "splits", multiple=True, type=click.Choice(["train", "validation", "test"]), help="Only this.")
@click.option("--force", is_flag=True, help="Replace what lies in the folder though it is no export.")
@workspace_option
@json_option
def export(
    dataset: str, format: str, to: Path, splits: tuple[str, ...], force: bool, root: Path, as_json: bool
) -> None:
    """Write a dataset as folders of images, tar shards (WebDataset), 28×28 CSV as Sign Language MNIST, or landmarks.

    \b
    Example:  aslkit dataset export custom --format imagefolder --to images
              aslkit dataset export custom --format csv28 --to csv --split test
    """
    from aslkit.cli.output.datasets import print_export
    from aslkit.datasets.exporters.run import export_dataset as write

    folder = dataset_folder(dataset, Workspace(root=root))
    print_export(write(folder, format=format, to=to, splits=splits, force=force), as_json=as_json)


for command in (merge, push, pull):
    dataset.add_command(command)


@dataset.command()
@values.dataset_argument
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="A .png or .html file; without, here.")
@click.option("--letter", help="Only this letter.", shell_complete=values.letter)
@click.option("--signer", help="Only this signer.", shell_complete=values.signer)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Only this split.")
@click.option(
    "--count",
    type=click.IntRange(1),
    help="Images of each letter.  [default: what has room; 8 in a file, 48 of one letter]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the choice of images.")
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
    """Show a few hands of each letter: in the terminal, or as a picture or a page.

    \b
    Example:  aslkit dataset show custom
              aslkit dataset show custom --to letters.png
              aslkit dataset show custom --letter M --signer maria --to m.html
    """
    import numpy as np

    from aslkit.cli.output.datasets import print_contact_sheet, show_in_terminal
    from aslkit.core.letters import parse_letter
    from aslkit.datasets import parquet_store
    from aslkit.datasets.contact_sheet import write as contact_sheet
    from aslkit.datasets.contact_sheet.select import select_tiles

    folder = dataset_folder(dataset, Workspace(root=root))
    parquet_store.list_files(folder)  # that there is no dataset is said before that there is no terminal
    choose = partial(
        select_tiles,
        folder,
        letter=parse_letter(letter) if letter else None,
        signer=signer,
        split=split,
        rng=np.random.default_rng(seed),
    )
    if to is None:
        show_in_terminal(choose, count, one=letter is not None, as_json=as_json)
    else:
        many = count or (48 if letter else 8)
        print_contact_sheet(to, contact_sheet.write_contact_sheet(to, partial(choose, count=many)), as_json=as_json)
