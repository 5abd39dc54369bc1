"""The commands `aslkit evaluate` and `aslkit runs`."""

from pathlib import Path

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import dataset_folder, json_option, run_folder, run_or_newest, workspace_option
from aslkit.core.workspace import Workspace


@click.command()
@click.argument("run", required=False, shell_complete=completions.run)
@click.option(
    "--dataset",
    required=True,
    help="Name, folder or URL of the dataset.",
    shell_complete=completions.dataset,
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Seed of the synthetic frames without a letter, and of the bootstrap.",
)
@workspace_option
@json_option
def evaluate(run: str | None, dataset: str, seed: int, root: Path, as_json: bool) -> None:
    """Measure a run on the signers of a dataset that it was not trained on.

    RUN is a run's name or folder, or `starter`, the model that aslkit ships (default: the newest run, or else starter).
    A run that was trained on all signers of the dataset is measured on all of them.

    \b
    Example:  aslkit evaluate custom-both-mlp-1 --dataset theirs
              aslkit evaluate starter --dataset custom
    """
    from aslkit.cli.output.runs import print_evaluation
    from aslkit.inference.starter import output_folder
    from aslkit.train.evaluate_run import evaluate_run

    workspace = Workspace(root=root)
    folder = run_or_newest(run, workspace)
    into = output_folder(folder, workspace.root)
    result = evaluate_run(folder, dataset_folder(dataset, workspace), seed=seed, into=into)
    print_evaluation(result, as_json=as_json)


@click.command()
@click.argument("run", nargs=-1, shell_complete=completions.run)
@workspace_option
@json_option
def runs(run: tuple[str, ...], root: Path, as_json: bool) -> None:
    """List all runs, best first, or compare the given RUNs.

    \b
    Example:  aslkit runs
              aslkit runs custom-both-mlp-1 custom-pixels28-cnn-1
    """
    from aslkit.cli.output.runs import print_runs
    from aslkit.train.reporting.read_runs import list_runs, read_started_run

    workspace = Workspace(root=root)
    found = [read_started_run(run_folder(name, workspace)) for name in run] if run else list_runs(workspace.runs)
    print_runs(found, compare=bool(run), as_json=as_json)
