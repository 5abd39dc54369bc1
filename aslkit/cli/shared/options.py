"""Options that several commands have, and what a user may call a dataset or a run."""

import getpass
import os
import shlex
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace


class Folder(click.Path):
    """A folder's path; an empty one, as of a variable that is unset, is no name for the working folder."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click does."""
        if value == "":
            self.fail("It is empty. Is a variable unset?", param, ctx)
        return super().convert(value, param, ctx)


workspace_option = click.option(
    "--workspace",
    "root",
    envvar="ASLKIT_WORKSPACE",
    default="data",
    show_default=True,
    show_envvar=True,
    type=Folder(),
    help="Folder for captures, datasets and runs.",
)
config_option = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file with settings of your own."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object, for programs.")


def next_command(*words: str) -> str:
    """The aslkit command to type next, fit for a shell, with the --workspace of this one where that was typed too."""
    context = click.get_current_context(silent=True)
    if context is not None and context.get_parameter_source("root") == ParameterSource.COMMANDLINE:
        words = (*words, "--workspace", str(context.params["root"]))
    return shlex.join(["aslkit", *words])


def dataset_folder(dataset: str, workspace: Workspace) -> Path:
    """Where a dataset lies that is named by its folder, its file, its name, or its URL, from which it is fetched."""
    if "://" in dataset:
        from aslkit.datasets.sharing.download import local_copy

        return local_copy(dataset, workspace)
    path = _named(dataset)
    return path if "/" in dataset or path.is_file() or (path / "data").is_dir() else workspace.dataset(dataset)


def _named(text: str) -> Path:
    """A path as typed, but for those that do not say the folder's name, which names what is made of it: `.`, `..`."""
    if not text:
        raise InputError("An empty name is no dataset's and no run's. Is a variable unset?")
    path = Path(text)
    return path.resolve() if path.name in ("", "..") else path


def run_folder(run: str, workspace: Workspace) -> Path:
    """Where a run lies that is named by its folder or its name.

    Raises:
        InputError: no such folder.
    """
    for path in (_named(run), workspace.runs / run):
        if path.is_dir():
            return path
    raise InputError(
        f"There is no run {run!r} in {workspace.runs}. `aslkit runs` lists them; `aslkit train` makes one."
    )


def newest_run(workspace: Workspace) -> Path:
    """The run that was trained last and has a model.

    Raises:
        InputError: there is none.
    """
    found = [path for path in workspace.runs.glob("*") if path.name[0] != "." and (path / "model").is_dir()]
    if not found:
        raise InputError(
            f"There is no run with a model in {workspace.runs}. `aslkit train --dataset custom` makes one."
        )
    return max(found, key=lambda path: ((path / "model").stat().st_mtime, path.name))


def login_name() -> str:
    """The user's login name, which is the signer where none is given."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # as in a container whose user has no name
        raise InputError("Whose hand is it? Give --signer.") from error
