"""The command `aslkit export`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import Folder, dataset_folder, json_option, run_or_newest, workspace_option
from aslkit.core.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.live.export.result import ModelExport


@click.command()
@click.argument("run", required=False, shell_complete=completions.run)
@click.option(
    "--to", "format", type=click.Choice(["tflite", "onnx", "saved-model", "page"]), required=True, help="Format."
)
@click.option("--into", type=Folder(), help="Output folder.  [default: RUN/exports/FORMAT]")
@click.option(
    "--quantize",
    type=click.Choice(["none", "float16", "int8"]),
    default="none",
    show_default=True,
    help="tflite: weights of half (float16) or a quarter (int8) of the size. int8 needs --dataset.",
)
@click.option(
    "--dataset",
    help="tflite: dataset to calibrate int8 and to measure the accuracy; name, folder or URL.",
    shell_complete=completions.dataset,
)
@click.option("--force", is_flag=True, help="Replace the output folder even if it was not created by an export.")
@workspace_option
@json_option
def export(run: str | None, format: str, dataset: str | None, root: Path, as_json: bool, **options: Any) -> None:
    """Export the model of a run, with its preprocessing settings and an example program.

    RUN is a run's name or folder, or `starter`, the model that aslkit ships (default: the newest run, or else starter).

    \b
    Example:  aslkit export custom-both-mlp-1 --to onnx
              aslkit export custom-both-mlp-1 --to tflite --quantize int8 --dataset custom
              aslkit export custom-both-mlp-1 --to page      (recognises in a browser)
    """
    from aslkit.inference.starter import output_folder
    from aslkit.live.export.run import export_model

    workspace = Workspace(root=root)
    found = dataset_folder(dataset, workspace) if dataset else None
    folder = run_or_newest(run, workspace)
    exports = output_folder(folder, workspace.root) / "exports"
    _print_export(export_model(folder, format=format, exports=exports, dataset=found, **options), as_json=as_json)


def _print_export(exported: "ModelExport", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(asdict(exported), default=str))
        return
    from aslkit.live.export.readme import describe_fidelity

    if exported.loss:
        click.echo(describe_fidelity(exported.loss).replace("`", ""))
        delegated = exported.loss.xnnpack_same
        if delegated is not None and delegated < exported.loss.same - 0.01:
            click.echo(
                f"Note: TensorFlow Lite's default, XNNPACK, gives the same letter for only {delegated:.2%} of the "
                "frames on this computer. example.py uses the built-in kernels instead; see README.md."
            )
    click.echo(f"{exported.size / 1000:,.0f} kB written to {exported.to}. Start with its README.md.")
