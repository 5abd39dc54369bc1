"""The command `aslkit train`."""

from pathlib import Path
from typing import Any, Final

import click

from aslkit.cli.output.stages import print_note
from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.options import dataset_folder, json_option, run_folder, setting_option, workspace_option
from aslkit.core.workspace import Workspace
from aslkit.train.config import TrainConfig

_BENCHMARK_OPTIONS: Final = ("deterministic", "sweep")


@click.command()
@click.option(
    "--dataset", default="custom", show_default=True, help="Name or folder of the dataset.",
    shell_complete=completions.dataset_or_sign_mnist,
)  # fmt: skip
@setting_option(TrainConfig, "feature", shell_complete=completions.feature)
@setting_option(TrainConfig, "architecture", shell_complete=completions.architecture)
@completions.hold_out_option
@click.option(
    "--cv",
    type=click.Choice(["signer", "session", "block"]),
    help="Cross-validation: hold out each signer (session, block of time) in turn. The final model is trained on all.",
)
@click.option("--curve", is_flag=True, help="With --cv signer: also measure the learning curve, which takes longer.")
@click.option("--quick", is_flag=True, help="Omit comparisons: training on a random split, and from scratch.")
@setting_option(TrainConfig, "start", metavar="RUN", shell_complete=completions.run)
@click.option("--from-scratch", is_flag=True, help="Start with random weights; the same as --start ''.")
@setting_option(TrainConfig, "epochs")
@setting_option(TrainConfig, "seed")
@setting_option(TrainConfig, "both_hands", "--both-hands/--one-hand")
@setting_option(TrainConfig, "synthetic")
@click.option(
    "--config", help="TOML file with your own settings; for the benchmark, a recipe.", shell_complete=completions.recipe
)
@click.option(
    "--ranks", type=click.IntRange(1),
    help="Processes that train together, started by Horovod on Spark.  [default: 1; benchmark: at most 2]",
)  # fmt: skip
@click.option("--master", help="Spark master, e.g. spark://host:7077.  [default: local[*], this computer]")
@click.option(
    "--checkpoints", metavar="FOLDER",
    help="Folder that all ranks can read and write, e.g. s3://bucket/folder.  [default: the run's folder]",
)  # fmt: skip
@click.option("--deterministic", is_flag=True, help="Benchmark: bit-identical results, in one process.")
@click.option(
    "--resume", metavar="RUN", help="Resume an interrupted run, by name or folder.", shell_complete=completions.run
)
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard logs into the run's folder.")
@click.option(
    "--sweep",
    metavar="GRID",
    help="Benchmark: train all combinations of a TOML file, e.g. reference-grid.",
    shell_complete=completions.grid,
)
@workspace_option
@json_option
def train(
    dataset: str,
    hold_out: tuple[str, ...],
    cv: Any,
    curve: bool,
    quick: bool,
    config: str | None,
    root: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Train a recogniser and measure it on unseen signers.

    With Sign Language MNIST, or another dataset with a published split, this runs `aslkit benchmark`.

    \b
    Example:  aslkit train --dataset custom
              aslkit train --dataset custom --cv signer
              aslkit train --dataset custom --hold-out maria --feature hand28
              aslkit train --dataset sign-mnist
    """
    from aslkit.cli import benchmark

    workspace = Workspace(root=root)
    benchmark_options = {name: options.pop(name) for name in _BENCHMARK_OPTIONS}
    resume, tensorboard = options.pop("resume"), options.pop("tensorboard")
    ranks, master, checkpoints = (options.pop(name) for name in ("ranks", "master", "checkpoints"))
    options["start"] = _parse_start(options["start"], scratch=options.pop("from_scratch"))
    folder = benchmark.ensure_sign_mnist(dataset, workspace) or dataset_folder(dataset, workspace)
    if benchmark.is_benchmark(folder):
        request = benchmark.BenchmarkRequest(
            dataset=dataset, folder=folder, workspace=workspace, config=config, as_json=as_json,
            feature=options["feature"], architecture=options["architecture"], seed=options["seed"], resume=resume,
            ranks=ranks, master=master, checkpoints=checkpoints, **benchmark_options,
        )  # fmt: skip
        training_options = {
            "--hold-out": hold_out,
            "--cv": cv,
            "--curve": curve or None,
            "--quick": quick or None,
            "--start or --from-scratch": options["start"],
            "--tensorboard": tensorboard or None,
            "--epochs": options["epochs"],
            "--both-hands" if options["both_hands"] else "--one-hand": options["both_hands"],
            "--synthetic" if options["synthetic"] else "--no-synthetic": options["synthetic"],
        }
        if given := [name for name, value in training_options.items() if value not in (None, ())]:
            raise click.UsageError(
                f"{given[0]} has no effect on the benchmark: the signers of {folder.name} are unknown, and the recipe "
                "(--config) sets the models' parameters."
            )
        benchmark.run_benchmark_command(request)
        return
    if given := [f"--{name}" for name, value in benchmark_options.items() if value]:
        raise click.UsageError(
            f"{given[0]} requires a dataset with a published split, such as sign-mnist; {folder.name} has none."
        )
    if master and (ranks or 1) == 1:
        raise click.UsageError("--master needs --ranks 2 or more: one process trains without Spark.")
    arguments = {
        "hold_out": hold_out, "cv": cv, "curve": curve, "quick": quick, "tensorboard": tensorboard,
        "resume": run_folder(resume, workspace) if resume else None,
        "ranks": ranks or 1, "master": master or "local[*]", "checkpoints": checkpoints or "",
    }  # fmt: skip
    _train(folder, workspace, config, arguments, options, as_json=as_json)


def _parse_start(run: str | None, *, scratch: bool) -> str | None:
    if run is not None and scratch:
        raise click.UsageError("Give --start or --from-scratch, not both.")
    return "" if scratch else run


def _train(
    folder: Path,
    workspace: Workspace,
    config: str | None,
    arguments: dict[str, Any],
    flags: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from aslkit.cli.output.runs import print_training
    from aslkit.core.config import load_settings
    from aslkit.train import pipeline

    settings = load_settings("train", TrainConfig, file=Path(config) if config else None, flags=flags)
    result = pipeline.train(
        folder,
        runs=workspace.runs,
        config=settings,
        captures=workspace.captures,
        on_message=print_note,
        **arguments,
    )
    print_training(result, as_json=as_json)
