"""The commands `aslkit live` and `aslkit exam`."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.labels_option import labels_option
from aslkit.cli.shared.option_conflicts import check_web_options, reject_options
from aslkit.cli.shared.options import (
    config_option,
    json_option,
    run_or_newest,
    source_option,
    web_options,
    workspace_option,
)
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace, make_name, validate_signer

if TYPE_CHECKING:
    from aslkit.live.speller import Event


mirrored_option: Final = click.option(
    "--mirrored", is_flag=True, help="The source is mirrored, as in a selfie; its frames are unmirrored."
)


@click.command()
@click.argument("run", required=False, shell_complete=completions.run)
@source_option
@click.option(
    "--letter",
    default="A",
    show_default=True,
    help="Letter that the synthetic signer shows.",
    shell_complete=completions.letter,
)
@mirrored_option
@click.option("--preview/--no-preview", default=None, help="Show a window.  [default: for a camera]")
@click.option("--limit-s", type=click.FloatRange(0), help="Stop after this many seconds.  [default: never]")
@click.option("--words/--no-words", default=None, help="Suggest and correct words.  [default: words]")
@click.option(
    "--word-file",
    type=click.Path(path_type=Path),
    help="File with your own words and names, one per line, of the letters A to Z.",
)
@click.option("--speak", is_flag=True, help="Speak each word when a space ends it.")
@click.option("--copy", is_flag=True, help="Copy the text to the clipboard at the end.")
@web_options(port=8621, description="Recognise in the browser, with the camera of this or another device.")
@config_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="Print each event as one line of JSON.")
def live(run: str | None, root: Path, config: Path | None, as_json: bool, web: bool, **options: Any) -> None:
    """Spell at the webcam.

    RUN is a run's name or folder, or `starter`, the model that aslkit ships (default: the newest run, or else starter).

    Hold a letter for half a second to type it. Draw J and Z in the air. Relax your hand before signing the same letter
    again. Take your hand out of the image for a space. Ctrl-C or q stops and prints the text.

    A space also corrects the word before it, if another word is far likelier than what was read. Names and unknown
    words stay as they are. In the window, u undoes a correction, and Tab takes the suggested word.

    \b
    Example:  aslkit live
              aslkit live custom-both-mlp-1 --speak
              aslkit live --web                         (in the browser, without a window)
              aslkit live --word-file names.txt
              aslkit live --source clip.mp4 --json      (events for another program)
    """
    from aslkit.core.config import load_settings
    from aslkit.core.letters import parse_alphabet_letter
    from aslkit.live.config import LiveConfig
    from aslkit.live.text_output import copy_text, find_clipboard, find_voice
    from aslkit.live.words.lexicon import load_words

    check_web_options(web=web, unused=("source", "letter", "mirrored", "preview", "limit_s"))
    if options["source"] != "synthetic":
        reject_options(("letter",), "requires --source synthetic")
    workspace = Workspace(root=root)
    folder = run_or_newest(run, workspace)
    words, word_file = options.pop("words"), options.pop("word_file")
    if word_file is not None and words is False:
        raise click.UsageError("--word-file needs words. Leave out --no-words.")
    flags = {"words": words, "word_file": None if word_file is None else str(word_file)}
    settings = load_settings("live", LiveConfig, file=config, flags=flags)
    load_words(settings)  # a word file that cannot be read is reported before the camera is opened
    speak, copy, letter = options.pop("speak"), options.pop("copy"), parse_alphabet_letter(options.pop("letter"))
    if speak:
        find_voice()
    if copy:
        find_clipboard()
    on_event = _create_event_handler(as_json=as_json, speak=speak)
    if web:
        from aslkit.cli.shared.open_studio import open_studio
        from aslkit.studio.studio import StudioOptions

        opened = StudioOptions(part="try", run=folder)
        text = open_studio(
            workspace, config, opened, options, flags={"live": flags}, on_event=on_event
        ).reading.last_text
        click.echo(json.dumps({"event": "end", "text": text}) if as_json else text)
    else:
        from aslkit.live import run as live_run

        result = live_run.live(
            folder, source=options["source"], config=settings, on_event=on_event, on_message=_print_message,
            letter=letter, mirrored=options["mirrored"], limit_s=options["limit_s"],
            windowed=_is_windowed(options["preview"], options["source"], as_json=as_json),
        )  # fmt: skip
        text = result.text
        click.echo(json.dumps(result.to_dict()) if as_json else text)
    if copy:
        copy_text(text)


@click.command()
@click.argument("run", required=False, shell_complete=completions.run)
@source_option
@click.option(
    "--letters",
    help="Letters to prompt: A-Z, or A,B,C.  [default: A-Z; A-Y without a camera]",
    shell_complete=completions.letters,
)
@click.option(
    "--letter",
    help="Letter that the video, unlabelled images or the synthetic signer show.",
    shell_complete=completions.letter,
)
@click.option(
    "--times",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="How often each letter is prompted; for a folder or video, the maximum number of images per letter.",
)
@click.option(
    "--rest-s", type=click.FloatRange(0, 600), default=30, show_default=True, help="Seconds of rest at the end."
)
@click.option(
    "--signer",
    help="Who is signing.  [default: asked at a camera; otherwise the name of the folder, video or synthetic signer]",
    shell_complete=completions.signer,
)
@labels_option
@mirrored_option
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the random order.")
@click.option(
    "--preview/--no-preview", default=True, help="Show the prompts in a window or in the terminal.  [default: window]"
)
@config_option
@workspace_option
@json_option
def exam(
    run: str | None, source: str, letters: str | None, letter: str | None, times: int, rest_s: float,
    signer: str | None, labels: dict[str, str] | None, mirrored: bool, seed: int, preview: bool, config: Path | None,
    root: Path, as_json: bool,
) -> None:  # fmt: skip
    """Test a model on your own hand: sign the prompted letters and get a score.

    RUN is a run's name or folder, or `starter`, the model that aslkit ships (default: the newest run, or else starter).

    Letters come in random order, followed by a rest in which no letter should be predicted. Letters that the model was
    not trained on are left out. A folder of photographs that `aslkit import` can read, or a video of one --letter, is
    scored in the same way; of a folder with train and test, only test. Exam frames are never used for training.

    \b
    Example:  aslkit exam
              aslkit exam custom-both-mlp-1 --times 3 --seed 7
              aslkit exam --source photos --times 20       (photos/A/*.jpg, photos/B/*.jpg, …)
    """
    import numpy as np

    from aslkit.cli.output.runs import print_exam
    from aslkit.core.config import load_settings
    from aslkit.core.letters import MOTION_LETTERS, parse_alphabet_letter, parse_alphabet_letters
    from aslkit.live.config import LiveConfig
    from aslkit.live.exam.result_folder import ExamFolder
    from aslkit.live.exam.run import run_exam
    from aslkit.live.exam.scoring import shuffle_letters
    from aslkit.video.source_kind import LIVE_KINDS, camera_name, source_kind

    kind = source_kind(source)
    if letter is not None:
        reject_options(("letters",), "cannot be combined with --letter")
    if kind not in LIVE_KINDS:
        reject_options(("preview", "rest_s"), "requires a camera")
    if kind != "folder":
        reject_options(("labels",), "requires a folder of images")
    workspace = Workspace(root=root)
    folder = run_or_newest(run, workspace)
    settings = load_settings("live", LiveConfig, file=config)
    if kind in ("video", "synthetic") and letter is None:
        raise click.UsageError(f"Give the --letter that {source} shows.")
    everything = "A-Z" if kind in LIVE_KINDS else "A-Y"
    asked = parse_alphabet_letters(letters or everything) if letter is None else (parse_alphabet_letter(letter),)
    if kind not in LIVE_KINDS and (drawn := [each for each in asked if each in MOTION_LETTERS]):
        raise InputError(f"{' and '.join(drawn)} can only be tested at a camera, not with a {kind} source.")
    chosen_letters, not_trained = _split_by_training(asked, folder)
    signer_name = _exam_signer(signer, source, workspace)
    metadata = {
        "run": folder.name, "signer": signer_name, "source": camera_name(source), "seed": seed, "times": times,
        "not_trained": not_trained,
    }  # fmt: skip
    rng = np.random.default_rng(seed)
    result = run_exam(
        folder, source=source, prompts=shuffle_letters(chosen_letters, times, rng), letters=chosen_letters,
        times=times, rng=rng, config=settings, rest_s=rest_s, windowed=preview, on_message=_print_message,
        folder=ExamFolder.new(workspace, name=f"{folder.name}-{signer_name}", signer=signer_name, metadata=metadata),
        labels=labels, single_letter=letter is not None, mirrored=mirrored,
    )  # fmt: skip
    print_exam(result, as_json=as_json)


def _split_by_training(letters: tuple[str, ...], run: Path) -> tuple[tuple[str, ...], list[str]]:
    """Split letters into those that a run was trained on, and the others, which are reported.

    Raises:
        InputError: the run was trained on none of them.
    """
    from aslkit.live.exam.known_letters import known_letters

    trained = known_letters(run) or letters
    known, others = (
        tuple(each for each in letters if each in trained),
        [each for each in letters if each not in trained],
    )
    if not known:
        raise InputError(f"{run.name} was not trained on {' '.join(others)}, only on {' '.join(trained)}.")
    if others:
        _print_message(f"Left out, because {run.name} was not trained on them: {' '.join(others)}")
    return known, others


def _is_windowed(preview: bool | None, source: str, *, as_json: bool) -> bool:
    """Return whether to show a window: by default for a camera, but not with --json."""
    from aslkit.video.source_kind import LIVE_KINDS, source_kind

    return preview if preview is not None else source_kind(source) in LIVE_KINDS and not as_json


def _exam_signer(signer: str | None, source: str, workspace: Workspace) -> str:
    """Return the signer: as given, named after the source, or asked.

    Raises:
        InputError: the name is invalid, or nobody can be asked.
    """
    from aslkit.cli.shared.ask_signer import ask_name, can_prompt
    from aslkit.live.frame_loop import SYNTHETIC_SIGNER
    from aslkit.video.source_kind import source_kind

    kind = source_kind(source)
    if signer is None and kind == "synthetic":
        signer = SYNTHETIC_SIGNER
    elif signer is None:
        if kind in ("folder", "video"):
            signer = make_name(Path(source).absolute().name)
        elif not can_prompt():
            raise InputError("Who is signing? Give --signer.")
        else:
            signer = ask_name(workspace)
    return validate_signer(signer, synthetic=kind == "synthetic")


def _create_event_handler(*, as_json: bool, speak: bool) -> "Callable[[Event], None]":
    """Return a function that prints events as JSON and speaks words; if speaking fails, recognition continues."""
    from aslkit.live.text_output import speak_text

    def handle(event: "Event") -> None:
        nonlocal speak
        if as_json:
            click.echo(json.dumps(event.to_dict()))
            sys.stdout.flush()
        if speak and event.kind == "space":
            try:
                speak_text(event.text.split()[-1])
            except AslkitError as error:
                speak = False
                _print_message(f"{error.message} Words are no longer spoken.")

    return handle


def _print_message(text: str) -> None:
    click.echo(text, err=True)
