"""The command `aslkit train`."""

from pathlib import Path
from typing import Any

import click

from aslkit.cli_options import config_option, dataset_folder, json_option, workspace_option
from aslkit.workspace import Workspace


@click.command()
@click.option("--dataset", default="custom", show_default=True, help="A dataset's name, or its folder.")
@click.option("--feature", help="What the model sees: landmarks, pixels28 or pixels64.  [default: landmarks]")
@click.option("--architecture", help="mlp or cnn.  [default: the one that goes with the feature]")
@click.option("--hold-out", multiple=True, metavar="SIGNER", help="Test on this signer; may be given again.")
@click.option("--epochs", type=int, help="At most; training stops early.  [default: 25]")
@click.option("--seed", type=int, help="Of all chance in training.  [default: 0]")
@click.option("--both-hands/--one-hand", default=None, help="Train on both mirror images.  [default: both]")
@config_option
@workspace_option
@json_option
def train(
    dataset: str, hold_out: tuple[str, ...], config: Path | None, root: Path, as_json: bool, **flags: Any
) -> None:
    """Train a recogniser and measure it on people it never saw.

    \b
    Example:  aslkit train --dataset custom
              aslkit train --dataset custom --hold-out maria --feature pixels28
    """
    from aslkit.cli_text import print_trained
    from aslkit.config import load
    from aslkit.train.config import TrainConfig
    from aslkit.train.run import train as run

    workspace = Workspace(root=root)
    folder = dataset_folder(dataset, workspace)
    settings = load("train", TrainConfig, file=config, flags=flags)
    print_trained(run(folder, runs=workspace.runs, config=settings, hold_out=hold_out), as_json=as_json)
