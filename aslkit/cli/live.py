"""The commands `aslkit live` and `aslkit exam`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aslkit.cli.shared import shell_completion as values
from aslkit.cli.shared.option_conflicts import check_web_options, reject_options
from aslkit.cli.shared.options import config_option, json_option, login_name, newest_run, run_folder, workspace_option
from aslkit.core.errors import AslkitError
from aslkit.core.workspace import Workspace, make_name, validate_signer

if TYPE_CHECKING:
    from aslkit.live.speller import Event

_source = click.option(
    "--source",
    default="0",
    show_default=True,
    help="Camera number, address (rtsp://, http://), video, folder of images, or 'synthetic'.",
    shell_complete=values.source,
)


@click.command()
@click.argument("run", required=False, shell_complete=values.run)
@_source
@click.option(
    "--letter",
    default="A",
    show_default=True,
    help="What the synthetic signer shows.",
    shell_complete=values.letter,
)
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
    from aslkit.core.config import load
    from aslkit.core.letters import parse_letter
    from aslkit.live.config import LiveConfig
    from aslkit.live.text_output import copy_text, find_clipboard, find_voice

    check_web_options(web=web, unused=("source", "letter", "preview", "limit_s"))
    if options["source"] != "synthetic":
        reject_options(("letter",), "goes with --source synthetic")
    workspace = Workspace(root=root)
    folder = run_folder(run, workspace) if run is not None else newest_run(workspace)
    settings = load("live", LiveConfig, file=config)
    aloud, copied, letter = options.pop("speak"), options.pop("copy"), parse_letter(options.pop("letter"))
    if aloud:
        find_voice()
    if copied:
        find_clipboard()
    heard = _heard(as_json=as_json, aloud=aloud)
    if web:
        from aslkit.live.web.serve import live_in_browser

        where = {name: options[name] for name in ("host", "port", "certificate", "key")}
        lived = live_in_browser(folder, config=settings, on_event=heard, on_message=_warn, **where)
    else:
        from aslkit.live.run import live as read

        lived = read(
            folder, source=options["source"], config=settings, on_event=heard, on_message=_warn, letter=letter,
            windowed=_windowed(options["preview"], options["source"], as_json=as_json), limit_s=options["limit_s"],
        )  # fmt: skip
    click.echo(json.dumps(lived.as_json()) if as_json else lived.text)
    if copied:
        copy_text(lived.text)


@click.command()
@click.argument("run", required=False, shell_complete=values.run)
@_source
@click.option(
    "--letters",
    default="A-Y",
    show_default=True,
    help="Which to ask for: A-Y, or A,B,C.",
    shell_complete=values.letters,
)
@click.option("--letter", help="Which one a video shows, or the synthetic signer.", shell_complete=values.letter)
@click.option("--times", type=click.IntRange(1), default=2, show_default=True, help="How often each is asked for.")
@click.option("--rest-s", type=click.FloatRange(0, 600), default=30, show_default=True, help="Rest at the end.")
@click.option(
    "--signer",
    help="Who is examined; your login name where not given, or that of the folder, video or synthetic signer.",
    shell_complete=values.signer,
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of the letters.")
@click.option("--preview/--no-preview", default=True, help="Show a window, or ask in words.  [default: a window]")
@config_option
@workspace_option
@json_option
def exam(
    run: str | None, source: str, letters: str, letter: str | None, times: int, rest_s: float, signer: str | None,
    seed: int, preview: bool, config: Path | None, root: Path, as_json: bool,
) -> None:  # fmt: skip
    """Be examined: sign the letters that RUN, the newest where not given, asks for, and see what it says of you.

    Letters come in random order; then you rest, and it should say nothing. A folder of photographs with a folder for
    each letter, or a video of one --letter, gives the same score without you. Nothing is ever trained on an exam.

    \b
    Example:  aslkit exam
              aslkit exam custom-landmarks-mlp-1 --times 3 --seed 7
              aslkit exam --source photos --times 20       (photos/A/*.jpg, photos/B/*.jpg, …)
    """
    import numpy as np

    from aslkit.core.config import load
    from aslkit.core.letters import parse_letter, parse_letters
    from aslkit.live.config import LiveConfig
    from aslkit.live.exam.result_folder import ExamFolder, render_report
    from aslkit.live.exam.run import run_exam
    from aslkit.live.exam.scoring import letter_order
    from aslkit.video.sources import LIVE, camera_name, source_kind

    kind = source_kind(source)
    if letter is not None:
        reject_options(("letters",), "does not go with --letter")
    if kind not in LIVE:
        reject_options(("preview", "rest_s"), "goes with a camera")
    workspace = Workspace(root=root)
    folder = run_folder(run, workspace) if run is not None else newest_run(workspace)
    settings = load("live", LiveConfig, file=config)
    if kind in ("video", "synthetic") and letter is None:
        raise click.UsageError(f"Which letter does {source} show? Give --letter.")
    asked = (parse_letter(letter),) if letter is not None else parse_letters(letters)
    who = _examined(signer, source)
    about = {"run": folder.name, "signer": who, "source": camera_name(source), "seed": seed, "times": times}
    rng = np.random.default_rng(seed)
    result = run_exam(
        folder, source=source, asked=letter_order(asked, times, rng), letters=asked, times=times, rng=rng, config=settings,
        rest_s=rest_s, windowed=preview, on_message=_warn,
        folder=ExamFolder.new(workspace, name=f"{folder.name}-{who}", signer=who, about=about),
    )  # fmt: skip
    click.echo(json.dumps(result, indent=2) if as_json else render_report(result) + f"\n{result['folder']}")


def _windowed(preview: bool | None, source: str, *, as_json: bool) -> bool:
    """Whether live shows a window: as was said, or else for a camera, unless a program listens."""
    from aslkit.video.sources import LIVE, source_kind

    return preview if preview is not None else source_kind(source) in LIVE and not as_json


def _examined(signer: str | None, source: str) -> str:
    """Who is examined, where not given: whom the source is drawn as or named after, or who is logged in."""
    from aslkit.live.frame_loop import SIGNER
    from aslkit.video.sources import source_kind

    kind = source_kind(source)
    if signer is None and kind == "synthetic":
        signer = SIGNER
    elif signer is None:
        signer = make_name(Path(source).absolute().name) if kind in ("folder", "video") else login_name()
    return validate_signer(signer, synthetic=kind == "synthetic")


def _heard(*, as_json: bool, aloud: bool) -> "Callable[[Event], None]":
    """Tells programs each event, and a voice each word that is complete, until it fails: spelling goes on."""
    from aslkit.live.text_output import speak_text

    def heard(event: "Event") -> None:
        nonlocal aloud
        if as_json:
            click.echo(json.dumps(event.as_json()))
            sys.stdout.flush()
        if aloud and event.kind == "space":
            try:
                speak_text(event.text.split()[-1])
            except AslkitError as error:
                aloud = False
                _warn(f"{error.message} No more words are spoken.")

    return heard


def _warn(text: str) -> None:
    click.echo(text, err=True)
