"""The command `aslkit curate`."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
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
    setting_option,
    workspace_option,
)
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig

if TYPE_CHECKING:
    from aslkit.curate.measure.engine import Engine

_NOT_WITH_AUDIT: Final = (
    "dataset", "hold_out", "with_synthetic", "keep_per_group", "augment", "restore", "processes", "engine", "master",
    "rebuild",
)  # fmt: skip


class CopiesType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number or "none"."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse the value."""
        return 0 if value == "none" else int(click.INT.convert(value, param, ctx))


@click.command()
@click.option(
    "--name", "--dataset", "dataset", cls=OptionWithAlias, default="custom", show_default=True,
    help="Name of the dataset.", shell_complete=completions.dataset,
)  # fmt: skip
@completions.hold_out_option
@click.option("--with-synthetic", is_flag=True, help="Include synthetic signers next to real ones.")
@setting_option(CurateConfig, "group_distance")
@setting_option(CurateConfig, "keep_per_group")
@setting_option(CurateConfig, "augment", type=CopiesType())
@click.option("--restore", multiple=True, metavar="REASON", help="Keep frames dropped for this reason, e.g. 'blurred'.")
@click.option("--processes", type=click.IntRange(1), help="Worker processes.  [default: one per core]")
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True,
    help="Run on this computer or on Spark.",
)  # fmt: skip
@click.option("--master", help="Spark master, e.g. spark://host:7077.  [default: local[*], this computer]")
@setting_option(CurateConfig, "seed")
@click.option("--rebuild", is_flag=True, help="Measure all images again and rebuild the dataset.")
@click.option(
    "--audit",
    metavar="DATASET",
    shell_complete=completions.dataset,
    help="Only measure the data leakage of a dataset, of Sign Language MNIST, or of folders of letters.",
)
@click.option("--renumbered", is_flag=True, help="With --audit: Sign Language MNIST with labels 0–23.")
@config_option
@workspace_option
@json_option
def curate(
    dataset: str,
    hold_out: tuple[str, ...],
    restore: tuple[str, ...],
    with_synthetic: bool,
    processes: int | None,
    engine: str,
    master: str | None,
    rebuild: bool,
    audit: str | None,
    renumbered: bool,
    config: Path | None,
    root: Path,
    as_json: bool,
    **flags: Any,
) -> None:
    """Build a clean Parquet dataset from the captures, split by signer.

    \b
    Example:  aslkit curate
              aslkit curate --dataset club --hold-out maria
              aslkit curate --audit sign-language-mnist.zip
              aslkit curate --engine spark --master spark://host:7077
    """
    from aslkit.cli.output.clips import print_clip_curation, print_clips
    from aslkit.cli.output.stages import print_audit, print_curation
    from aslkit.core.config import load_settings
    from aslkit.curate import pipeline
    from aslkit.curate.filter.checks import CheckConfig

    if audit is None:
        reject_options(("renumbered",), "requires --audit")
    else:
        reject_options(_NOT_WITH_AUDIT, "cannot be combined with --audit")
    settings = load_settings("curate", CurateConfig, file=config, flags=flags)
    if audit is not None:
        from aslkit.curate.report.leakage import audit_dataset

        folder = dataset_folder(audit, Workspace(root=root))
        result = audit_dataset(folder, distance=settings.group_distance, seed=settings.seed, renumbered=renumbered)
        print_audit(result, distance=settings.group_distance, as_json=as_json)
        return
    with _open_engine(engine, master, processes) as opened:
        curated = pipeline.curate(
            Workspace(root=root),
            name=dataset,
            config=settings,
            checks=load_settings("checks", CheckConfig, file=config),
            hold_out=hold_out,
            restore=restore,
            with_synthetic=with_synthetic,
            rebuild=rebuild,
            engine=opened,
            on_message=partial(click.echo, err=True),
        )
    if not as_json and "clips" in curated.summary:
        print_clips(curated.summary["clips"])
    if curated.summary["frames"] or as_json:
        print_curation(curated, as_json=as_json)
    else:
        print_clip_curation(curated)


def _open_engine(engine: str, master: str | None, processes: int | None) -> "AbstractContextManager[Engine]":
    from aslkit.curate.measure.engine import Local

    if engine == "local":
        if master is not None:
            raise click.UsageError("--master requires --engine spark.")
        return nullcontext(Local(processes=processes))
    if processes is not None:
        raise click.UsageError("--processes requires --engine local; on Spark, the master sets the number of workers.")
    from aslkit.curate.measure.spark_engine import spark_engine

    return spark_engine(master or "local[*]")
