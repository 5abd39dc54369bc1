"""The `aslkit` command: each command parses, calls one function and prints. Heavy imports stay inside."""

import errno
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from aslkit import __version__
from aslkit.cli.completion import completion
from aslkit.cli.curate import curate
from aslkit.cli.dataset import dataset as dataset_commands
from aslkit.cli.export import export
from aslkit.cli.live import exam, live
from aslkit.cli.runs import evaluate, runs
from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.options import config_option, json_option, workspace_option
from aslkit.cli.train import train
from aslkit.core.errors import AslkitError
from aslkit.core.letters import NO_LETTER, parse_letter, parse_letters
from aslkit.core.workspace import Workspace, make_name, validate_name, validate_signer


class Commands(click.Group):
    """Lists commands in the order of work, and turns errors of disk and devices into one clear line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order they are defined, which is the order they are used in."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a full disk or a forbidden file is no reason for a traceback. NO_COLOR is heeded."""
        if os.environ.get("NO_COLOR"):
            ctx.color = False
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _explained(error) from error


def _explained(error: OSError) -> AslkitError:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AslkitError(
            f"The disk is full{where}. Nothing half-written was left behind, and what was stored before is whole. "
            "Free some space and run the same command again."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AslkitError(
            f"{error.strerror}{where}. Allow it, or give another folder (--workspace names where to write)."
        )
    return AslkitError(f"{error.strerror or error}{where}.")


class LettersType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One or more of the 24 letters, either case."""

    name = "letters"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse them: a tuple."""
        one = param is not None and param.name == "letter"
        if one and str(value).strip().lower() == NO_LETTER:
            return (NO_LETTER,)
        return (parse_letter(value),) if one else parse_letters(value)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="aslkit")
def main() -> None:
    """Record ASL fingerspelling, build a dataset, train, and measure on people never seen.

    \b
    See it work:           aslkit demo
    With your own hand:    aslkit capture --letter A    (and B, C, …)
                           aslkit curate
                           aslkit train --dataset custom
                           aslkit live
    """


@main.command()
@workspace_option
@json_option
def demo(root: Path, as_json: bool) -> None:
    """See the whole way once, on synthetic signers: record, curate, train, measure.

    \b
    Example:  aslkit demo
    """
    from aslkit.cli.output.stages import print_demo
    from aslkit.demo import run_demo as demonstrate

    print_demo(demonstrate(root), as_json=as_json)


@main.command()
@workspace_option
@json_option
def doctor(root: Path, as_json: bool) -> None:
    """Say what is installed, what is missing, what for, and how to get it.

    \b
    Example:  aslkit doctor
    """
    from rich.console import Console

    from aslkit.doctor.render import print_results
    from aslkit.doctor.run_checks import run_checks

    findings = run_checks(root)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        print_results(findings, Console())
    if any(finding.required and finding.state != "ok" for finding in findings):
        sys.exit(1)


@main.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--signer", required=True, help="Whose hand it is.", shell_complete=values.signer)
@click.option("--session", help="Which sitting; the folder's name where not given.")
@click.option("--licence", help="Of the images, such as CC-BY-4.0.")
@click.option("--consent", help="What the signer agreed to, in a few words.")
@click.option("--mirrored", is_flag=True, help="The images are as in a mirror; they are stored unmirrored.")
@workspace_option
@json_option
def import_(
    folder: Path, signer: str, session: str | None, mirrored: bool, root: Path, as_json: bool, **stated: str
) -> None:
    """Bring in images from FOLDER, which has a folder for each letter.

    \b
    Example:  aslkit import photos --signer maria --licence CC-BY-4.0
    where photos/A/*.jpg, photos/B/*.jpg, … (either case). J, Z and others are listed and left out.
    """
    from aslkit.capture import signers
    from aslkit.capture.import_images import import_folder
    from aslkit.cli.output.stages import print_import, warn_missing_licence
    from aslkit.formats.captures import SESSION_FILE, SessionInfo

    workspace = Workspace(root=root)
    name = validate_name("session", session or make_name(folder.absolute().name))
    before = signers.load_signer(workspace, validate_signer(signer, synthetic=False))
    known = {key: stated[key] or getattr(before, key) for key in ("licence", "consent")}
    info = SessionInfo(signer=signer, session=name, camera=f"import {name}", **known)
    result = import_folder(folder, workspace=workspace, info=info, mirrored=mirrored)
    signers.save_signer(workspace, signer, replace(before, licence=known["licence"], consent=known["consent"]))
    info = SessionInfo.load(workspace.captures / signer / name / SESSION_FILE)
    warn_missing_licence(signer, licence=info.licence, consent=info.consent)
    print_import(result, info, as_json=as_json)


@main.command()
@click.option(
    "--letter",
    type=LettersType(),
    help="Which letter is signed; 'none' for hands at rest, or on their way.",
    shell_complete=values.recorded,
)
@click.option(
    "--letters",
    type=LettersType(),
    help="Several: A-Y, or A,B,C. Those that lack most come first.",
    shell_complete=values.letters,
)
@click.option(
    "--source",
    default="0",
    show_default=True,
    help="Camera number, address (rtsp://, http://), video, folder of images, or 'synthetic'.",
    shell_complete=values.source,
)
@click.option("--signer", help="Whose hand it is; your login name where not given.", shell_complete=values.signer)
@click.option("--session", help="Which sitting; today's date and the source where not given.")
@click.option("--goal", type=int, help="Frames of a letter that the signer is to have in all.  [default: 602]")
@click.option("--count", type=click.IntRange(1), help="Frames of each letter to store now, whatever the goal.")
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Letters that a run got wrong: its folder.",
    shell_complete=values.run,
)
@click.option("--interval-s", type=float, help="Seconds between frames that may be stored.  [default: 0.1]")
@click.option("--format", type=click.Choice(["jpeg", "png"]), help="Of the images.  [default: jpeg]")
@click.option("--gate/--no-gate", default=None, help="Refuse bad frames, or only note why.  [default: refuse]")
@click.option("--preview/--no-preview", default=None, help="Show a window.  [default: for a camera]")
@click.option("--web", is_flag=True, help="Record in the browser, with this or another device's camera.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where --web listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8620, show_default=True, help="Likewise.")
@click.option("--certificate", type=click.Path(dir_okay=False, path_type=Path), help="For --web: your own, PEM.")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Of the certificate, PEM.")
@click.option("--list-cameras", is_flag=True, help="Say which cameras there are, and end.")
@click.option("--licence", help="Of the images, such as CC-BY-4.0; asked once where not given.")
@click.option("--consent", help="What the signer agrees to, in a few words; asked once where not given.")
@click.option("--yes", is_flag=True, help="Don't ask: take licence and consent from the configuration.")
@config_option
@workspace_option
@json_option
def capture(root: Path, config: Path | None, as_json: bool, list_cameras: bool, **options: Any) -> None:
    """Record frames of a letter: in a window, in the browser, or from a file. Ctrl-C stops and keeps what is stored.

    \b
    Example:  aslkit capture --letter A --signer maria
              aslkit capture --letters A-Y               (walks through all that lack images)
              aslkit capture --plan custom-landmarks-mlp-1 --signer maria   (what a run got wrong)
              aslkit capture --web                       (in the browser; no window needed)
              aslkit capture --letter B --source clip.mp4 --signer maria --interval-s 0.2
    """
    from aslkit.cli.capture import CaptureOptions, run_capture
    from aslkit.cli.output.stages import print_cameras

    if list_cameras:
        from aslkit.video import cameras

        print_cameras(cameras.list_cameras(), as_json=as_json)
        return
    run_capture(CaptureOptions(workspace=Workspace(root=root), config=config, as_json=as_json, **options))


main.add_command(curate)
main.add_command(train)
main.add_command(evaluate)
main.add_command(runs)
main.add_command(export)
main.add_command(live)
main.add_command(exam)
main.add_command(dataset_commands)
main.add_command(completion)
