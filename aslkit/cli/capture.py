"""The commands `aslkit capture` and `aslkit import`."""

import re
from pathlib import Path
from typing import Any

import click

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.cli.output.captures import print_cameras, print_import, print_recording
from aslkit.cli.shared import shell_completion as completions
from aslkit.cli.shared.labels_option import labels_option
from aslkit.cli.shared.licence_option import licence_option
from aslkit.cli.shared.options import (
    config_option,
    json_option,
    setting_option,
    source_option,
    web_options,
    workspace_option,
)
from aslkit.core.letters import NO_LETTER, parse_alphabet_letter, parse_alphabet_letters
from aslkit.core.workspace import Workspace


class LettersType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """One or several letters, upper or lower case."""

    name = "letters"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Parse the value to a tuple of letters."""
        one = param is not None and param.name == "letter"
        if one and str(value).strip().lower() == NO_LETTER:
            return (NO_LETTER,)
        return (parse_alphabet_letter(value),) if one else parse_alphabet_letters(value)


class TimeType(click.ParamType):  # type: ignore[type-arg,unused-ignore]
    """A time in a video: seconds, or minutes and seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Convert 75, 75.5, 1:15 or 0:01:15 to seconds."""
        if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d+)?", str(value).strip()):
            self.fail(f"'{value}' is not a time. Give seconds, or minutes and seconds: 75 or 1:15.", param, ctx)
        seconds = 0.0
        for part in str(value).strip().split(":"):
            seconds = 60 * seconds + float(part)
        return seconds


@click.command()
@click.option(
    "--letter",
    type=LettersType(),
    help="Letter to record; 'none' for negative samples: rest poses and transitions.  [default in a window or browser: "
    "all]",
    shell_complete=completions.letter_or_none,
)
@click.option(
    "--letters",
    type=LettersType(),
    help="Several letters: A-Y (without J and Z), A-Z, or A,B,C. Those with the fewest frames come first.",
    shell_complete=completions.letters_to_record,
)
@source_option
@click.option("--start", "start_s", type=TimeType(), help="Where in a video to start: seconds, or 1:15.")
@click.option("--end", "end_s", type=TimeType(), help="Where in a video to end: seconds, or 1:15.")
@click.option("--mirrored", is_flag=True, help="The source is mirrored, as in a selfie; frames are stored unmirrored.")
@click.option("--signer", help="Who is signing. Asked if not given.", shell_complete=completions.signer)
@click.option("--session", help="Name of the recording session.  [default: today's date and the source]")
@click.option("--clips", is_flag=True, help="With --letter none: record movements as clips, not single frames.")
@setting_option(CaptureConfig, "goal")
@setting_option(CaptureConfig, "clip_goal")
@click.option(
    "--count", type=click.IntRange(1), help="Frames or clips of each letter to store now, regardless of the goals."
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Record the letters that a run recommends, by its name or folder.",
    shell_complete=completions.run,
)
@setting_option(CaptureConfig, "interval_s")
@setting_option(CaptureConfig, "clip_fps")
@setting_option(CaptureConfig, "format")
@setting_option(GateConfig, "enabled", "--gate/--no-gate")
@click.option("--preview/--no-preview", default=None, help="Show a window.  [default: for a camera]")
@web_options(port=8620, description="Record in the browser, with the camera of this or another device.")
@click.option("--list-cameras", is_flag=True, help="List the cameras and exit.")
@licence_option
@click.option("--consent", help="What the signer agrees to, in a few words.  [default: a sentence for the licence]")
@click.option("--yes", is_flag=True, help="Do not ask: use licence and consent of the settings; private by default.")
@config_option
@workspace_option
@json_option
def capture(root: Path, config: Path | None, as_json: bool, list_cameras: bool, **options: Any) -> None:
    """Record frames of a letter: in a window, in the browser, or from a file. Ctrl-C stops; stored frames are kept.

    J and Z are movements, which are recorded as clips: hold space, sign, release. Without a window, a source of at most
    2.5 s is one clip. Longer ones and cameras are cut into movements: rest for half a second before and after each.
    Negative samples (none) with --clips are movements that are no letter, such as waving.

    \b
    Example:  aslkit capture --letter A --signer maria
              aslkit capture --letters A-Y               (all letters that need more frames)
              aslkit capture --letters J,Z               (clips of the letters that are movements)
              aslkit capture --letter none --clips       (clips of movements that are no letter)
              aslkit capture --plan custom-both-mlp-1 --signer maria   (what a run recommends)
              aslkit capture --web                       (in the browser, without a window)
              aslkit capture --letter B --source clip.mp4 --signer maria --start 0:10 --end 0:25
              aslkit capture --letter J --source movements.mp4 --signer maria
    """
    if list_cameras:
        from aslkit.video import cameras

        print_cameras(cameras.list_cameras(), as_json=as_json)
        return
    from aslkit.cli.shared.capture_options import CaptureOptions, record_with_options

    options["gate"] = options.pop("enabled")
    checked = CaptureOptions(workspace=Workspace(root=root), config=config, as_json=as_json, **options)
    result, settings = record_with_options(checked)
    print_recording(result, result.info, settings, as_json=as_json)


@click.command("import")
@click.argument("folders", metavar="FOLDER", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--signer", help="Who is signing.  [default: the folders' names]", shell_complete=completions.signer)
@click.option(
    "--signer-from",
    metavar="REGEX",
    help="Read the signer from each image's path below FOLDER: the group or the whole match, such as 'hand\\d+'.",
)
@click.option("--one-signer", is_flag=True, help="All folders show --signer, even if their names look like signers.")
@click.option("--session", help="Name of the recording session.  [default: the folder's name]")
@labels_option
@click.option("--keep-split", is_flag=True, help="Keep the split of folders train, valid and test.")
@licence_option
@click.option("--consent", help="What the signers agreed to, in a few words.  [default: a sentence for the licence]")
@click.option("--mirrored", is_flag=True, help="The images are mirrored, as in a selfie; they are stored unmirrored.")
@click.option(
    "--clip-fps",
    type=click.FloatRange(1, 240),
    default=30.0,
    show_default=True,
    help="Frame rate of folders that have the frames of a clip.",
)
@workspace_option
@json_option
def import_images(root: Path, as_json: bool, **options: Any) -> None:
    """Import images and clips from FOLDER, in which folders, file names or label files tell the letters.

    \b
    photos/A/*.jpg                 one folder per letter, upper or lower case
    photos/maria/A/*.jpg           of several signers
    photos/train/A, photos/test/A  with a split
    photos/A_1.jpg                 file names that begin with the letter
    photos/_classes.csv            label files: also COCO and YOLO
    photos/J/*.mp4                 videos of J, Z and negative samples (none)
    photos/J/CLIP/*.jpg            the same as frames, one folder per clip

    Folders `none`, `nothing`, `blank` and `background` become negative samples. Others are skipped.

    A video of at most 2.5 s is one clip. A longer one is cut into movements: the hand must rest before and after each.
    Clips that are too short, too dark or hardly move are rejected and listed.

    \b
    Example:  aslkit import photos --signer maria --licence CC-BY-4.0
              aslkit import photos --signer-from 'hand\\d+'   (photos/A/hand1_x.jpg: signers hand1, hand2, …)
              aslkit import photos --signer maria --labels 0=A,1=B
    """
    from aslkit.cli.shared.import_options import ImportOptions, import_with_options

    checked = ImportOptions(workspace=Workspace(root=root), **options)
    result, found = import_with_options(checked)
    print_import(result, found, keep_split=checked.keep_split, as_json=as_json)
