"""Imports images recorded elsewhere, from one folder per letter."""

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
    """Result of an import.

    Attributes:
        stored: number of imported frames by letter.
        already_imported: number of frames that an earlier import had stored.
        skipped: skipped files and folders, each with the reason.
    """

    stored: Counter[str] = field(default_factory=Counter)
    already_imported: int = 0
    skipped: list[tuple[Path, str]] = field(default_factory=list)


def import_folder(source: Path, *, workspace: Workspace, info: SessionInfo, mirrored: bool) -> ImportResult:
    """Import images from one folder per letter into the captures folder.

    Args:
        source: folder with subfolders A, B, … or a, b, …; other subfolders are skipped.
        workspace: workspace to import into.
        info: signer, session and licence of the images.
        mirrored: whether the images are mirrored; they are flipped before they are stored.

    Raises:
        InputError: the folder does not exist, or has no letter folder with images.
        AslkitError: none of the images can be read.
    """
    result = ImportResult()
    files = list(_labelled_images(source, result))
    if not files:
        raise InputError(
            f"{source} contains no letter folder with images. Expected {source / 'A'}, {source / 'B'}, … "
            f"with {', '.join(sorted(IMAGE_SUFFIXES))} files."
        )
    info.save(workspace.captures)
    target = workspace.captures / info.signer / info.session
    with progress_bar(f"Importing {info.signer}", len(files)) as advance:
        for letter, path in files:
            _import_image(path, letter, target / letter, mirrored, result)
            advance()
    if not result.stored and not result.already_imported:
        path, reason = result.skipped[0]
        raise AslkitError(f"None of the {len(files)} images in {source} can be read. First error: {path}: {reason}.")
    return result


def _labelled_images(source: Path, result: ImportResult) -> Iterator[tuple[str, Path]]:
    if source.is_file():
        raise InputError(f"{source} is a file. Give a folder with one subfolder per letter.")
    if not source.is_dir():
        raise InputError(f"Folder {source} does not exist.")
    reject_exam_folder(source)
    for folder in sorted(source.iterdir()):
        letter = folder.name.upper()
        if not folder.is_dir():
            result.skipped.append((folder, "not in a letter folder"))
        elif letter not in INDEX:
            reason = "its sign is a movement" if letter in ("J", "Z") else "not a letter"
            result.skipped.append((folder, reason))
        else:
            yield from ((letter, path) for path in _images(folder, result))


def _images(folder: Path, result: ImportResult) -> Iterator[Path]:
    for path in sorted(folder.iterdir(), key=lambda p: natural_key(p.name)):
        if path.name.startswith("."):
            result.skipped.append((path, "hidden"))
        elif path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
            yield path
        else:
            result.skipped.append((path, "not an image file"))


def _import_image(path: Path, letter: str, folder: Path, mirrored: bool, result: ImportResult) -> None:
    try:
        original = read_image_file(path)
    except OSError as error:
        result.skipped.append((path, f"cannot be read ({error.strerror})"))
        return
    try:
        data, suffix = normalize_image_file(original, mirrored=mirrored)
    except ImageError as error:
        result.skipped.append((path, error.message))
        return
    target = _free_path(folder / f"{path.stem}{suffix}", data)
    if target is None:
        result.already_imported += 1
        return
    write_bytes(target, data)
    result.stored[letter] += 1


def _free_path(path: Path, data: bytes) -> Path | None:
    """Return the first of NAME, NAME-2, NAME-3, … that does not exist, or None if one of them contains `data`."""
    number, candidate = 1, path
    while candidate.exists():
        # Compared by content, so that importing a folder again adds only what is new.
        if candidate.stat().st_size == len(data) and candidate.read_bytes() == data:
            return None
        number += 1
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return candidate
