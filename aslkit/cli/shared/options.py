"""Options that several commands share, options generated from settings, and names that become paths."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from click.core import ParameterSource

from aslkit.cli.shared.shell_completion import complete_from
from aslkit.core.config import Setting, list_settings
from aslkit.core.errors import InputError
from aslkit.core.installation import aslkit_command
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.formats.run_folder import find_newest_run
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN

Command = TypeVar("Command", bound=Callable[..., Any])


class Folder(click.Path):
    """Path of a folder. An empty path is an error, since it usually comes from an unset variable."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert the value to a path."""
        if value == "":
            self.fail("The path is empty. Is a variable unset?", param, ctx)
        return super().convert(value, param, ctx)


class OptionWithAlias(click.Option):
    """An option whose last name is shown in the help. The other names keep working."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help text."""
        names, self.opts = self.opts, self.opts[-1:]
        try:
            return super().get_help_record(ctx)
        finally:
            self.opts = names


WORKSPACE_META: Final = "aslkit.workspace"
"""Key of the workspace in the `meta` of click's contexts, for messages after a command has failed."""


def _remember_workspace(context: click.Context, _: click.Parameter, value: Path) -> Path:
    context.meta[WORKSPACE_META] = value
    return value


workspace_option: Final = click.option(
    "--workspace",
    "root",
    envvar="ASLKIT_WORKSPACE",
    default="data",
    show_default=True,
    show_envvar=True,
    type=Folder(),
    callback=_remember_workspace,
    help="Folder with captures, datasets and runs.",
)
config_option: Final = click.option(
    "--config", type=click.Path(dir_okay=False, path_type=Path), help="TOML file with your own settings."
)
json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON object for programs.")


def setting_option(settings: type[Any], name: str, *flags: str, **extra: Any) -> Callable[[Command], Command]:
    """Return a click option generated from a field of a settings dataclass: type, range, help text and default.

    The value is None if the option is not given, so that a TOML file can decide.

    Args:
        settings: the dataclass.
        name: of the field.
        flags: of the option, if not `--NAME` (or `--NAME/--no-NAME` for a switch).
        extra: more arguments for `click.option`, such as `shell_complete`.
    """
    setting = list_settings(settings)[name]
    dashed = name.replace("_", "-")
    if not flags:
        flags = (f"--{dashed}/--no-{dashed}",) if setting.type is bool else (f"--{dashed}",)
    if setting.type is not bool:
        extra.setdefault("type", _click_type(setting))
    extra.setdefault("help", f"{setting.description}  [default: {_format_default(setting)}]")
    return click.option(*flags, name, default=None, **extra)


def _click_type(setting: Setting) -> Any:
    if setting.choices:
        return click.Choice(setting.choices)
    if setting.low is not None and setting.type is int:
        return click.IntRange(int(setting.low), None if setting.high is None else int(setting.high))
    if setting.low is not None and setting.type is float:
        return click.FloatRange(setting.low, setting.high)
    return setting.type


def _format_default(setting: Setting) -> str:
    if setting.type is bool:
        return "yes" if setting.default else "no"
    return str(setting.default)


def web_options(*, port: int, description: str) -> Callable[[Command], Command]:
    """Return a decorator that adds --web and its options.

    Args:
        port: default port.
        description: help text of --web.
    """
    options = (
        click.option("--web", is_flag=True, help=description),
        click.option("--host", default="127.0.0.1", show_default=True, help="With --web: address to listen on."),
        click.option(
            "--port", type=click.IntRange(0, 65535), default=port, show_default=True,
            help="With --web: port to listen on.",
        ),
        click.option(
            "--certificate", type=click.Path(dir_okay=False, path_type=Path), help="With --web: TLS certificate, PEM."
        ),
        click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="With --web: its key, PEM."),
    )  # fmt: skip

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def _normalise_source(context: click.Context, param: click.Parameter, value: str) -> str:
    if context.resilient_parsing:  # shell completion, which must be fast
        return value
    from aslkit.formats.image_folders.advice import explain_file, is_archive
    from aslkit.video.source_kind import normalise_source

    source = normalise_source(value)
    if is_archive(Path(source)) and Path(source).is_file():
        raise InputError(explain_file(Path(source)))
    return source


source_option: Final = click.option(
    "--source",
    default="0",
    callback=_normalise_source,
    show_default=True,
    help="Camera number, URL (rtsp://, http://), video file, image folder, or 'synthetic'.",
    shell_complete=complete_from("0", "synthetic", otherwise="file"),
)


def next_command(*words: str, workspace: Path | None = None) -> str:
    """Return an aslkit command to run next, which works as printed in the user's shell.

    Args:
        words: of the command, such as "train", "--dataset", "custom".
        workspace: for --workspace; default: the one that was given to this command, if any.
    """
    context = click.get_current_context(silent=True)
    if (
        workspace is None
        and context is not None
        and context.get_parameter_source("root") == ParameterSource.COMMANDLINE
    ):
        workspace = context.params["root"]
    if workspace is not None:
        words = (*words, "--workspace", str(workspace))
    return f"{aslkit_command()} {shlex.join(words)}"


def dataset_folder(dataset: str, workspace: Workspace) -> Path:
    """Return the folder of a dataset given by folder, file, name or URL; a URL is downloaded first.

    A name is that of a dataset of the workspace, or else of a folder here.
    """
    if "://" in dataset:
        from aslkit.datasets.sharing.download import local_copy

        return local_copy(dataset, workspace)
    path = _parse_path(dataset)
    is_path = "/" in dataset or path.is_file() or (path / "data").is_dir()
    return path if is_path or (path.is_dir() and not _is_dataset(dataset, workspace)) else workspace.dataset(dataset)


def _is_dataset(name: str, workspace: Workspace) -> bool:
    try:
        return workspace.dataset(name).is_dir()
    except InputError:
        return False


def _parse_path(text: str) -> Path:
    """Return a path, resolved if it is `.` or `..`: outputs are named after the folder."""
    if not text:
        raise InputError("The name is empty. Is a variable unset?")
    path = Path(text)
    return path.resolve() if path.name in ("", "..") else path


def run_folder(run: str, workspace: Workspace) -> Path:
    """Return the folder of a run given by folder or name, or of the starter model.

    Raises:
        InputError: no such folder.
    """
    for path in (_parse_path(run), workspace.runs / run):
        if path.is_dir():
            return path
    if run == STARTER_NAME:
        return STARTER_RUN
    raise InputError(f"There is no run {run!r} in {workspace.runs}. List the runs with `aslkit runs`.")


def run_or_newest(run: str | None, workspace: Workspace) -> Path:
    """Return the folder of a run, by default of the most recent one that has a model, or else of the starter model.

    States on standard error which model was chosen by default.
    """
    if run is not None:
        folder = run_folder(run, workspace)
        if any(path.is_dir() and path.name.upper() in LETTERS for path in folder.iterdir()):
            raise InputError(f"{folder} contains images, not a run. Images are given with --source {shlex.quote(run)}.")
        return folder
    newest = find_newest_run(workspace.runs)
    if newest is None:
        click.echo("Model: starter, which aslkit ships. Your own: aslkit train --dataset custom", err=True)
        return STARTER_RUN
    click.echo(f"Model: {newest.name}, your newest run.", err=True)
    return newest
