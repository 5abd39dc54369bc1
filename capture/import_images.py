"""Bringing in images that were recorded elsewhere: a folder for each letter."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import natural_key, write_bytes
from aslkit.core.letters import INDEX
from aslkit.core.progress import progress_bar
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, reject_exam_folder
from aslkit.vision.images import IMAGE_SUFFIXES, ImageError, normalize_image_file, read_image_file


@dataclass(kw_only=True)
class ImportResult:
    """What an import did.

    Attributes:
        stored: frames by letter, written now.
        already_there: frames that an earlier import had brought, left as they are.
        left_out: file or folder, and why.
    """

    stored: Counter[str] = field(default_factory=Counter)
    already_there: int = 0
    left_out: list[tuple[Path, str]] = field(default_factory=list)


def import_folder(source: Path, *, workspace: Workspace, info: SessionInfo, mirrored: bool) -> ImportResult:
    """Copy a folder of images, one folder for each letter in either case, into the captures.

    Args:
        source: holds folders A, B, … or a, b, …; others are left out and listed.
        workspace: where to.
        info: who is seen, when, and under which licence.
        mirrored: the images are as in a mirror; they are stored unmirrored.

    Raises:
        InputError: no such folder, or none of a letter in it.
        AslkitError: not one image of a letter could be taken.
    """
    result = ImportResult()
    files = list(_labelled(source, result))
    if not files:
        raise InputError(
            f"{source} holds no folder of a letter with images in it. Expected {source / 'A'}, {source / 'B'}, … "
            f"with {', '.join(sorted(IMAGE_SUFFIXES))} inside."
        )
    info.save(workspace.captures)
    target = workspace.captures / info.signer / info.session
    with progress_bar(f"Importing {info.signer}", len(files)) as advance:
        for letter, path in files:
            _take(path, letter, target / letter, mirrored, result)
            advance()
    if not result.stored and not result.already_there:
        path, why = result.left_out[0]
        raise AslkitError(f"None of the {len(files)} images in {source} can be read. The first: {path}: {why}.")
    return result


def _labelled(source: Path, result: ImportResult) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        raise InputError(f"{source} is a file. Give the folder that holds a folder for each letter.")
    if not source.is_dir():
        raise InputError(f"There is no folder {source}.")
    reject_exam_folder(source)
    for folder in sorted(source.iterdir()):
        letter = folder.name.upper()
        if not folder.is_dir():
            result.left_out.append((folder, "not in a letter's folder"))
        elif letter not in INDEX:
            moving = "its sign moves" if letter in ("J", "Z") else "not a letter"
            result.left_out.append((folder, moving))
        else:
            yield from ((letter, path) for path in _images(folder, result))


def _images(folder: Path, result: ImportResult) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda p: natural_key(p.name)):
        if path.name.startswith("."):
            result.left_out.append((path, "hidden"))
        elif path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            yield path
        else:
            result.left_out.append((path, "not an image file"))


def _take(path: Path, letter: str, folder: Path, mirrored: bool, result: ImportResult) -> None:
    try:
        original = read_image_file(path)
    except OSError as error:
        result.left_out.append((path, f"cannot be read ({error.strerror})"))
        return
    try:
        data, suffix = normalize_image_file(original, mirrored=mirrored)
    except ImageError as error:
        result.left_out.append((path, error.message))
        return
    target = _free_place(folder / f"{path.stem}{suffix}", data)
    if target is None:
        result.already_there += 1
        return
    write_bytes(target, data)
    result.stored[letter] += 1


def _free_place(path: Path, data: bytes) -> Path | None:
    """Where `data` can go, or None where it is already: another image of the same name is not overwritten."""
    number, place = 1, path
    while place.exists():
        if place.stat().st_size == len(data) and place.read_bytes() == data:
            return None
        number += 1
        place = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return place
