"""The command `aslkit train`."""

from pathlib import Path
from typing import Any

import click

from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.options import dataset_folder, json_option, run_folder, workspace_option
from aslkit.core.workspace import Workspace


@click.command()
@click.option(
    "--dataset",
    default="custom",
    show_default=True,
    help="A dataset's name, or its folder.",
    shell_complete=values.dataset_or_sign_mnist,
)
@click.option(
    "--feature",
    help="What the model sees: landmarks, hand28, hand64, pixels28, pixels64, auto.  [default: landmarks]",
    shell_complete=values.feature,
)
@click.option(
    "--architecture",
    help="mlp, cnn or cnn-bn.  [default: goes with the feature; of pixels the benchmark's best]",
    shell_complete=values.architecture,
)
@values.hold_out_option
@click.option(
    "--cv",
    type=click.Choice(["signer", "session", "block"]),
    help="Leave each one out in turn, and measure on all; the model kept learns from all.",
)
@click.option("--curve", is_flag=True, help="With --cv signer: learn from fewer people and images too; takes longer.")
@click.option(
    "--start",
    metavar="RUN",
    help="Pixels: begin with this run's network.  [default: the newest benchmark's best]",
    shell_complete=values.run,
)
@click.option("--from-scratch", is_flag=True, help="Pixels: begin with nothing learned elsewhere.")
@click.option("--epochs", type=int, help="At most; training stops early.  [default: 25]")
@click.option("--seed", type=int, help="Of all chance in training.  [default: 0]")
@click.option("--both-hands/--one-hand", default=None, help="Train on both mirror images.  [default: both]")
@click.option(
    "--synthetic/--no-synthetic",
    default=None,
    help="Landmarks: learn from synthetic signers too, beside real ones.  [default: yes]",
)
@click.option(
    "--config",
    help="TOML file with settings of your own; for the benchmark a recipe.",
    shell_complete=values.recipe,
)
@click.option("--ranks", type=click.IntRange(1), help="Benchmark: processes of a network.  [default: 2, 1 on one core]")
@click.option("--master", help="Benchmark: of Spark, as spark://host:7077.  [default: local[*], this machine]")
@click.option(
    "--checkpoints",
    metavar="FOLDER",
    help="Benchmark: where all ranks can read and write, as s3://bucket/folder.  [default: the run's folder]",
)
@click.option(
    "--deterministic", is_flag=True, help="Benchmark: networks in one process, the same to the bit each time."
)
@click.option(
    "--resume",
    metavar="RUN",
    help="Go on with an interrupted run, by its name or folder.",
    shell_complete=values.run,
)
@click.option("--tensorboard", is_flag=True, help="Write what TensorBoard shows into the run's folder.")
@click.option(
    "--sweep",
    metavar="GRID",
    help="Benchmark: try all combinations of a TOML file, as reference-grid.",
    shell_complete=values.grid,
)
@workspace_option
@json_option
def train(
    dataset: str,
    hold_out: tuple[str, ...],
    cv: Any,
    curve: bool,
    config: str | None,
    root: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a recogniser and measure it on people it never saw.

    With Sign Language MNIST, or another dataset whose split is published, this is the benchmark: several models, on
    Spark and Horovod, and a leaderboard.

    \b
    Example:  aslkit train --dataset custom
              aslkit train --dataset custom --cv signer
              aslkit train --dataset custom --hold-out maria --feature hand28
              aslkit train --dataset sign-mnist
              aslkit train --dataset sign-mnist --config reference
              aslkit train --dataset sign-mnist --sweep reference-grid
    """
    from aslkit.cli import benchmark as cli_benchmark

    workspace = Workspace(root=root)
    of_benchmark = {name: options.pop(name) for name in ("ranks", "master", "checkpoints", "deterministic", "sweep")}
    resume, tensorboard = options.pop("resume"), options.pop("tensorboard")
    options["start"] = _start(options["start"], scratch=options.pop("from_scratch"))
    folder = cli_benchmark.ensure_sign_mnist(dataset, workspace) or dataset_folder(dataset, workspace)
    if cli_benchmark.is_benchmark(folder):
        asked = cli_benchmark.BenchmarkRequest(
            dataset=dataset, folder=folder, workspace=workspace, config=config, as_json=as_json,
            feature=options["feature"], architecture=options["architecture"], seed=options["seed"], resume=resume,
            **of_benchmark,
        )  # fmt: skip
        not_of_it = {
            "--hold-out": hold_out,
            "--cv": cv,
            "--curve": curve or None,
            "--start or --from-scratch": options["start"],
            "--tensorboard": tensorboard or None,
            "--epochs": options["epochs"],
            "--both-hands" if options["both_hands"] else "--one-hand": options["both_hands"],
            "--synthetic" if options["synthetic"] else "--no-synthetic": options["synthetic"],
        }
        cli_benchmark.run_benchmark_command(
            asked, refused=[name for name, value in not_of_it.items() if value not in (None, ())]
        )
        return
    if given := [f"--{name}" for name, value in of_benchmark.items() if value]:
        raise click.UsageError(
            f"{given[0]} goes with a dataset whose split is published, as sign-mnist, not with {folder.name}."
        )
    wanted = {
        "hold_out": hold_out, "cv": cv, "curve": curve, "tensorboard": tensorboard,
        "resume": run_folder(resume, workspace) if resume else None,
    }  # fmt: skip
    _train(folder, workspace, config, wanted, options, as_json=as_json)


def _start(run: str | None, *, scratch: bool) -> str | None:
    if run is not None and scratch:
        raise click.UsageError("Give --start or --from-scratch, not both.")
    return "" if scratch else run


def _train(
    folder: Path,
    workspace: Workspace,
    config: str | None,
    asked: dict[str, Any],
    flags: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from aslkit.cli.output.runs import print_training
    from aslkit.core.config import load
    from aslkit.train.config import TrainConfig
    from aslkit.train.pipeline import train as run

    settings = load("train", TrainConfig, file=Path(config) if config else None, flags=flags)

    def note(text: str) -> None:
        click.secho(f"Note: {text}", fg="yellow", err=True)

    done = run(
        folder,
        runs=workspace.runs,
        config=settings,
        captures=workspace.captures,
        on_message=note,
        **asked,
    )
    print_training(done, as_json=as_json)
