"""The command `aslkit curate`."""

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.option_conflicts import reject_options
from aslkit.cli.shared.options import config_option, dataset_folder, json_option, workspace_option
from aslkit.core.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.curate.measure.engine import Engine


_OF_CURATION: Final = (
    "name", "hold_out", "with_synthetic", "keep_per_group", "augment", "restore", "processes", "engine", "master",
    "rebuild",
)  # fmt: skip
"""Without effect on an audit."""


class CopiesType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A number, or none."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse it."""
        return 0 if value == "none" else int(click.INT.convert(value, param, ctx))


@click.command()
@click.option(
    "--name", default="custom", show_default=True, help="What to call the dataset.", shell_complete=values.dataset
)
@values.hold_out_option
@click.option("--with-synthetic", is_flag=True, help="Take synthetic signers too, beside real ones.")
@click.option("--group-distance", type=int, help="Bits of 64 up to which frames are near-duplicates.  [default: 4]")
@click.option("--keep-per-group", type=int, help="Of near-duplicates take so many, the sharpest.  [default: 0, all]")
@click.option("--augment", type=CopiesType(), help="Varied copies of each frame in train, or 'none'.  [default: none]")
@click.option("--restore", multiple=True, metavar="REASON", help="Take what was dropped for this reason, as 'blurred'.")
@click.option("--processes", type=click.IntRange(1), help="How many look at images.  [default: one a core]")
@click.option(
    "--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True, help="What runs it."
)
@click.option("--master", help="Of Spark, as spark://host:7077.  [default: local[*], this machine]")
@click.option("--seed", type=int, help="Of the choice of who is tested on.  [default: 0]")
@click.option("--rebuild", is_flag=True, help="Write the dataset anew even if nothing has changed.")
@click.option(
    "--audit",
    metavar="DATASET",
    shell_complete=values.dataset,
    help="Only measure how much of a test can be remembered: of a dataset, Sign Language MNIST, or folders of letters.",
)
@click.option("--renumbered", is_flag=True, help="With --audit: Sign Language MNIST with labels 0–23.")
@config_option
@workspace_option
@json_option
def curate(
    name: str,
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
    """Turn the captures into a clean, split Parquet dataset.

    \b
    Example:  aslkit curate
              aslkit curate --hold-out maria
              aslkit curate --audit sign-language-mnist.zip
              aslkit curate --engine spark --master spark://host:7077
    """
    from aslkit.cli.output.stages import print_audit, print_curation
    from aslkit.core.config import load
    from aslkit.curate.config import CurateConfig
    from aslkit.curate.filter.checks import CheckConfig
    from aslkit.curate.pipeline import curate as build

    if audit is None:
        reject_options(("renumbered",), "goes with --audit")
    else:
        reject_options(_OF_CURATION, "does not go with --audit")
    settings = load("curate", CurateConfig, file=config, flags=flags)
    if audit is not None:
        from aslkit.curate.report.leakage import audit_dataset as measure

        found = measure(
            dataset_folder(audit, Workspace(root=root)),
            distance=settings.group_distance,
            seed=settings.seed,
            renumbered=renumbered,
        )
        print_audit(found, distance=settings.group_distance, as_json=as_json)
        return
    with _engine(engine, master, processes) as engine_:
        curated = build(
            Workspace(root=root),
            name=name,
            config=settings,
            checks=load("checks", CheckConfig, file=config),
            hold_out=hold_out,
            restore=restore,
            with_synthetic=with_synthetic,
            rebuild=rebuild,
            engine=engine_,
        )
    print_curation(curated, as_json=as_json)


def _engine(engine: str, master: str | None, processes: int | None) -> "AbstractContextManager[Engine]":
    """What runs curation, as its options say."""
    from aslkit.curate.measure.engine import Local

    if engine == "local":
        if master is not None:
            raise click.UsageError("--master goes with --engine spark.")
        return nullcontext(Local(processes=processes))
    if processes is not None:
        raise click.UsageError("--processes goes with --engine local; Spark's master says how many there are.")
    from aslkit.curate.measure.spark_engine import spark_engine

    return spark_engine(master or "local[*]")
