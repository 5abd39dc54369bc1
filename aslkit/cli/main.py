"""The `aslkit` command. Each command parses its options, calls one function and prints the result.

Heavy imports (OpenCV, MediaPipe, TensorFlow, Spark) stay inside functions, so that `aslkit --help` is fast.
"""

import errno
import json
import os
import sys
from dataclasses import asdict
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from aslkit import __version__
from aslkit.cli.benchmark import benchmark
from aslkit.cli.capture import capture, import_images
from aslkit.cli.completion import completion
from aslkit.cli.curate import curate
from aslkit.cli.dataset.commands import dataset as dataset_commands
from aslkit.cli.export import export
from aslkit.cli.live import exam, live
from aslkit.cli.review import review
from aslkit.cli.runs import evaluate, runs
from aslkit.cli.shared.options import WORKSPACE_META, json_option, workspace_option
from aslkit.cli.shared.terminal import expand_home, use_readable_replacements
from aslkit.cli.studio import studio
from aslkit.cli.train import train
from aslkit.core.errors import AslkitError


class Commands(click.Group):
    """Lists commands in the order of use, and reports errors of the operating system in one line."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command line."""
        use_readable_replacements()
        return super().main(*args, **extra)

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> click.Context:
        """Parse the arguments."""
        return super().make_context(info_name, expand_home(args), *rest, **extra)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which they were added."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command. A full disk or a missing permission is an error message, not a traceback."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            # click suggests options that are hardly similar, such as --feature for --leter.
            near = get_close_matches(error.option_name, error.possibilities or (), n=1, cutoff=0.8)
            raise click.NoSuchOption(error.option_name, possibilities=near, ctx=error.ctx) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _describe_os_error(error, ctx.meta.get(WORKSPACE_META)) from error


def _describe_os_error(error: OSError, workspace: Path | None) -> AslkitError:
    path = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AslkitError(
            f"The disk is full{path}. Files that were stored before are complete; no partial file was left behind. "
            "Free some space and run the same command again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AslkitError(
            f"{error.strerror}{path}. Change the permissions, or use another folder (--workspace sets where to write)."
        )
    if workspace is not None and _is_missing_workspace(error, workspace):
        return AslkitError(
            f"The workspace {workspace} cannot be created ({error.strerror}). Set another with --workspace, or with "
            "the variable ASLKIT_WORKSPACE."
        )
    return AslkitError(f"{error.strerror or error}{path}.")


def _is_missing_workspace(error: OSError, workspace: Path) -> bool:
    """Return whether an error is about a workspace that does not exist, or a folder in it or above it."""
    if not isinstance(error.filename, str | os.PathLike) or os.path.lexists(workspace):
        return False
    folder, path = workspace.absolute(), Path(error.filename).absolute()
    return path.is_relative_to(folder) or folder.is_relative_to(path)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aslkit")
def main() -> None:
    """Record ASL fingerspelling, build a dataset, train a recogniser, and measure it on unseen signers.

    \b
    See it work:           aslkit demo
    In the browser:        aslkit studio
    With your own hand:    aslkit capture --letter A    (and B, C, …)
                           aslkit curate
                           aslkit train --dataset custom
                           aslkit live
    """


@click.command()
@workspace_option
@json_option
def demo(root: Path, as_json: bool) -> None:
    """Run all stages once on synthetic signers: record, curate, train, measure.

    \b
    Example:  aslkit demo
    """
    from aslkit.cli.output.stages import print_demo
    from aslkit.demo import run_demo

    print_demo(run_demo(root), as_json=as_json)


@click.command()
@workspace_option
@json_option
def doctor(root: Path, as_json: bool) -> None:
    """Check this computer: what is installed, what is missing, what needs it, and how to install it.

    \b
    Example:  aslkit doctor
    """
    from rich.console import Console

    from aslkit.doctor.render import print_results
    from aslkit.doctor.run_checks import run_checks

    results = run_checks(root)
    if as_json:
        click.echo(json.dumps([asdict(result) for result in results], indent=2))
    else:
        print_results(results, Console())
    if any(result.required and result.state != "ok" for result in results):
        sys.exit(1)


for command in (
    demo, doctor, studio, import_images, capture, curate, review, train, benchmark, evaluate, runs, export, live, exam,
    dataset_commands, completion,
):  # fmt: skip
    main.add_command(command)
