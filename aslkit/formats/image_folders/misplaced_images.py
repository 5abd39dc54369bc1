"""Find images in the captures folder that are not where `walk_captures` expects them, and say where they belong."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from aslkit.core.letters import CLIP_LETTERS, INDEX, MOTION_LETTERS, NO_LETTER
from aslkit.formats.captures import CapturedFrame, list_folders
from aslkit.formats.clips import CLIP_INDEX_FILE
from aslkit.vision.images import IMAGE_SUFFIXES

LAYOUT: Final = "SIGNER/SESSION/LETTER/NAME"


@dataclass(frozen=True, kw_only=True)
class MisplacedImage(CapturedFrame):
    """An image in the wrong folder; what is unknown of signer, session and letter is empty.

    Attributes:
        location: path below the captures folder, with slashes.
        advice: where it belongs.
    """

    location: str
    advice: str

    @property
    def key(self) -> str:
        """The path below the captures folder, which is no SIGNER/SESSION/LETTER/NAME."""
        return self.location


def misplaced_images(captures: Path) -> Iterator[MisplacedImage]:
    """Yield the images that `walk_captures` skips because of their folder, sorted by path.

    Hidden files, negative samples (SIGNER/SESSION/none) and the frames of clips are no misplaced images.

    Raises:
        OSError: a folder cannot be read.
    """
    for path in _image_files(captures, frozenset()):
        relative = PurePosixPath(path.relative_to(captures).as_posix().encode(errors="backslashreplace").decode())
        if advice := _advise_clip(path, relative) if _is_in_clip(relative) else _advise(relative):
            signer, session, letter = [*relative.parts[:-1], "", "", ""][:3] if len(relative.parts) > 1 else [""] * 3
            yield MisplacedImage(
                path=path,
                signer=signer,
                session=session if len(relative.parts) == 4 else "",
                letter=letter if letter in INDEX else "",
                location=str(relative),
                advice=advice,
            )


def _image_files(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """Yield all image files below a folder; links that lead back to a folder above are not followed."""
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "." and path.is_file():
            yield path
    for subfolder in list_folders(folder):
        yield from _image_files(subfolder, above | {real})


def _is_in_clip(path: PurePosixPath) -> bool:
    return len(path.parts) == 5 and path.parts[2] in CLIP_LETTERS


def _advise_clip(path: Path, relative: PurePosixPath) -> str:
    """Return what is wrong with a frame of a clip, SIGNER/SESSION/LETTER/CLIP/NAME; empty if nothing is."""
    if (path.parent / CLIP_INDEX_FILE).is_file():
        return ""
    return f"{relative.parent} has no {CLIP_INDEX_FILE} with the times of its frames; add the clip with `aslkit import`"


def _advise(path: PurePosixPath) -> str:
    """Return where an image belongs; empty if it is in the right folder."""
    *folders, name = path.parts
    last = folders[-1] if folders else ""
    if len(folders) == 3 and last in (*INDEX, NO_LETTER):
        return ""
    if len(folders) == 3 and last in MOTION_LETTERS:
        return f"{last} is signed with a movement; record clips with `aslkit capture --letter {last}`"
    letter = next((each for each in (last, last.upper()) if each in INDEX), "")
    if not letter:
        found = f"{last!r} is not one of the 24 letters; " if len(folders) == 3 else ""
        return f"{found}expected {LAYOUT}"
    if len(folders) == 2:
        return f"no folder for the session; expected {folders[0]}/SESSION/{letter}/{name}"
    if len(folders) == 3:
        return f"letters are uppercase; expected {'/'.join(folders[:2])}/{letter}/{name}"
    return f"expected {LAYOUT}"
