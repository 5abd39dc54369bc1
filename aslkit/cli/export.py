"""The command `aslkit export`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.options import dataset_folder, json_option, run_folder, workspace_option
from aslkit.core.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.live.export.run import ModelExport


@click.command()
@click.argument("run", shell_complete=values.run)
@click.option(
    "--to", "format", type=click.Choice(["tflite", "onnx", "saved-model", "page"]), required=True, help="What."
)
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Folder.  [default: RUN/exports/FORMAT]")
@click.option(
    "--quantize",
    type=click.Choice(["none", "float16", "int8"]),
    default="none",
    show_default=True,
    help="Of tflite: a half or a quarter of the bytes. int8 needs --dataset.",
)
@click.option(
    "--dataset",
    help="Of tflite: what to calibrate int8 with, and to measure the loss on; name, folder or URL.",
    shell_complete=values.dataset,
)
@click.option("--force", is_flag=True, help="Replace what is in the folder though it is no export.")
@workspace_option
@json_option
def export(run: str, format: str, dataset: str | None, root: Path, as_json: bool, **options: Any) -> None:
    """Take the model of RUN, a run's name or folder, elsewhere: its contract inside, an example beside it.

    \b
    Example:  aslkit export custom-landmarks-mlp-1 --to onnx
              aslkit export custom-landmarks-mlp-1 --to tflite --quantize int8 --dataset custom
              aslkit export custom-landmarks-mlp-1 --to page      (runs in a browser)
    """
    from aslkit.live.export.run import export_model as write

    workspace = Workspace(root=root)
    found = dataset_folder(dataset, workspace) if dataset else None
    _print(write(run_folder(run, workspace), format=format, dataset=found, **options), as_json=as_json)


def _print(exported: "ModelExport", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(exported), default=str))
        return
    from aslkit.live.export.readme import describe_fidelity

    if exported.loss:
        click.echo(describe_fidelity(exported.loss).replace("`", ""))
        delegated = exported.loss.xnnpack_same
        if delegated is not None and delegated < exported.loss.same - 0.01:
            click.echo(
                f"Note: TensorFlow Lite's default, XNNPACK, gives the same letter in only {delegated:.2%} on this "
                "machine. Its own kernels, which example.py asks for, compute as measured: see README.md."
            )
    click.echo(f"{exported.size / 1000:,.0f} kB in {exported.to}: see README.md there.")
