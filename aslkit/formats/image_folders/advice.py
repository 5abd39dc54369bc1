"""Messages about folders and files whose images cannot be imported as they are: what they contain, and what to type."""

import shlex
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Final

from aslkit.core.files import natural_key
from aslkit.core.letters import LETTERS
from aslkit.core.sanitize import format_count
from aslkit.formats.image_folders.class_names import parse_class, propose_labels
from aslkit.vision.image_formats import is_image_file

VIDEO: Final = "a video"
"""Reason for which videos are left out."""

VIDEO_SUFFIXES: Final = frozenset({".avi", ".mp4", ".mov", ".mkv", ".webm", ".m4v", ".mjpg", ".3gp", ".mts"})

_UNPACK_COMMANDS: Final = {
    ".zip": "python -m zipfile -e {archive} {folder}",
    **dict.fromkeys((".tar", ".tgz", ".gz", ".bz2", ".xz"), "python -m tarfile -e {archive} {folder}"),
    ".7z": "7z x {archive} -o{folder}",
    ".rar": "unrar x {archive} {folder}/",
}

_MAX_LISTED: Final = 5


def is_archive(path: Path) -> bool:
    """Return whether a file is named like an archive."""
    return path.suffix.lower() in _UNPACK_COMMANDS


def explain_file(path: Path) -> str:
    """Return the message for a file that was given instead of a folder."""
    suffix, folder = path.suffix.lower(), path.with_name(path.name.partition(".")[0])
    quoted, target = shlex.quote(str(path)), shlex.quote(str(folder))
    if suffix in _UNPACK_COMMANDS:
        command = _UNPACK_COMMANDS[suffix].format(archive=quoted, folder=target)
        return f"{path} is an archive. Unpack it with `{command}`, then give {target}."
    if suffix in VIDEO_SUFFIXES:
        return f"{path} is a video. Record its frames with `aslkit capture {_video_options(path)} --signer NAME`."
    if suffix == ".csv":
        return f"{path} is a CSV file. To get Sign Language MNIST: `aslkit dataset get sign-mnist --from {quoted}`."
    if is_image_file(path):
        folder = path.parent.parent if parse_class(path.parent.name, {}) else path.parent
        return f"{path} is a single image. Give a folder: {folder}"
    return f"{path} is a file. Give a folder with one subfolder per letter."


def explain_empty_folder(source: Path, unknown: Collection[str], skipped: Sequence[tuple[Path, str]]) -> str:
    """Return the message for a folder without images of letters.

    Args:
        source: the folder.
        unknown: names of its classes that are no letters.
        skipped: its files and folders, each with the reason why it cannot be used.
    """
    videos = [path for path, reason in skipped if reason == VIDEO]
    if videos:
        number, options = format_count(len(videos), "video"), _video_options(videos[0])
        return f"{source} contains no images, but {number}. Give each to `aslkit capture` or `aslkit exam`: {options}"
    if unknown:
        names = sorted(unknown, key=natural_key)
        classes, are = ("class", "is not a letter") if len(names) == 1 else ("classes", "are not letters")
        return f"{source} has images of the {classes} {_join(names)}, which {are}. {_propose(names)}"
    if any(reason == "not in a letter folder" for _, reason in skipped):
        folder = source / "A"
        return f"{source} contains images, but not their letters. Put them in one folder per letter, such as {folder}."
    if reasons := sorted({reason for _, reason in skipped if "not a letter" in reason or "movement" in reason}):
        return (
            f"{source} contains no images of the 24 static letters. What it contains is left out: {'; '.join(reasons)}."
        )
    if archives := [path for path, _ in skipped if is_archive(path)]:
        return f"{source} contains no images. {explain_file(archives[0])}"
    if not any(path.name[0] != "." for path in source.iterdir()):
        return f"{source} is empty. Put the images in one folder per letter, such as {source / 'A'}."
    return f"{source} contains no letter folder with images. Expected {source / 'A'}, {source / 'B'}, …"


def _propose(names: Sequence[str]) -> str:
    proposals = propose_labels(names)
    if not proposals:
        return (
            f"aslkit recognises {' '.join(LETTERS)}. If a name means one of them, add --labels, such as {names[0]}=A."
        )
    option = shlex.quote(",".join(f"{name}={letter}" for name, letter in proposals.items()))
    meanings = [f"{name} is {letter}" for name, letter in proposals.items()]
    digits = " Signed digits cannot be used." if all(name in set("0123456789") for name in names) else ""
    return f"If {_join(meanings)}, add --labels {option}.{digits}"


def _video_options(video: Path) -> str:
    meaning = parse_class(video.parent.name, {})
    letter = meaning.letter if meaning and meaning.letter else "A"
    return f"--letter {letter} --source {shlex.quote(str(video))}"


def _join(items: Iterable[str]) -> str:
    listed = list(items)
    if len(listed) > _MAX_LISTED:
        return f"{', '.join(listed[:_MAX_LISTED])}, …"
    return " and ".join(filter(None, (", ".join(listed[:-1]), listed[-1])))
