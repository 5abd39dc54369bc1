"""The commands `aslkit live` and `aslkit exam`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli_options import config_option, newest_run, run_folder, workspace_option
from aslkit.workspace import Workspace

if TYPE_CHECKING:
    from aslkit.live.speller import Event

_source = click.option(
    "--source",
    default="0",
    show_default=True,
    help="Camera number, address (rtsp://, http://), video, folder of images, or 'synthetic'.",
)


@click.command()
@click.argument("run", required=False)
@_source
@click.option("--letter", default="A", show_default=True, help="What the synthetic signer shows.")
@click.option("--preview/--no-preview", default=None, help="Show a window.  [default: for a camera]")
@click.option("--limit-s", type=click.FloatRange(0), help="End after so many seconds.  [default: never]")
@click.option("--speak", is_flag=True, help="Say each word when a space ends it.")
@click.option("--copy", is_flag=True, help="Put the text on the clipboard at the end.")
@click.option("--web", is_flag=True, help="Show it in the browser, with this or another device's camera.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where --web listens.")
@click.option("--port", type=click.IntRange(0, 65535), default=8621, show_default=True, help="Likewise.")
@click.option("--certificate", type=click.Path(dir_okay=False, path_type=Path), help="For --web: your own, PEM.")
@click.option("--key", type=click.Path(dir_okay=False, path_type=Path), help="Of the certificate, PEM.")
@config_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="Print each event as a line of JSON, as it happens.")
def live(run: str | None, root: Path, config: Path | None, as_json: bool, web: bool, **options: Any) -> None:
    """Spell at the webcam: RUN, a run's name or folder, reads your hand. The newest where not given.

    A letter is taken when you hold it for half a second; relax the hand to sign the same one again. Take the hand away
    for a space. Without a hand or a letter it says nothing. Ctrl-C or q ends, and prints the text.

    \b
    Example:  aslkit live
              aslkit live custom-landmarks-mlp-1 --speak
              aslkit live --web                         (in the browser; no window needed)
              aslkit live --source clip.mp4 --json      (events for another program)
    """
    from aslkit.config import load
    from aslkit.letters import parse_letter
    from aslkit.live.config import LiveConfig

    workspace = Workspace(root=root)
    folder = run_folder(run, workspace) if run else newest_run(workspace)
    settings = load("live", LiveConfig, file=config)
    heard = _heard(as_json=as_json, aloud=options.pop("speak"))
    copied, letter = options.pop("copy"), parse_letter(options.pop("letter"))
    if web:
        from aslkit.live.web.serve import live_in_browser

        where = {name: options[name] for name in ("host", "port", "certificate", "key")}
        lived = live_in_browser(folder, config=settings, heard=heard, announce=_warn, **where)
    else:
        from aslkit.live.live import live as read
        from aslkit.sources import LIVE, kind_of

        preview = options["preview"]
        windowed = preview if preview is not None else kind_of(options["source"]) in LIVE and not as_json
        lived = read(
            folder, source=options["source"], config=settings, heard=heard, warn=_warn, windowed=windowed,
            letter=letter, limit_s=options["limit_s"],
        )  # fmt: skip
    if copied:
        from aslkit.live.voice import copy

        copy(lived.text)
    click.echo(json.dumps(lived.as_json()) if as_json else lived.text)


def _heard(*, as_json: bool, aloud: bool) -> "Callable[[Event], None]":
    """Tells programs each event, and a voice each word that is complete."""

    def heard(event: "Event") -> None:
        if as_json:
            click.echo(json.dumps(event.as_json()))
            sys.stdout.flush()
        if aloud and event.kind == "space":
            from aslkit.live.voice import speak

            speak(event.text.split()[-1])

    return heard


def _warn(text: str) -> None:
    click.echo(text, err=True)
