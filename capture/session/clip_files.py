"""The clips of a session on disk: naming, writing, removing, restoring, and repair after a crash."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.core.files import is_partial, remove
from aslkit.core.letters import CLIP_LETTERS
from aslkit.formats.captures import list_folders
from aslkit.formats.clips import ClipFrame, list_clip_folders, read_clip, write_clip

TRASH: Final = ".trash"
"""Folder for removed frames and clips, next to the letter folders. It is hidden, so that later stages ignore it."""


@dataclass(frozen=True, kw_only=True)
class ClipEntry:
    """A stored clip.

    Attributes:
        file: LETTER/CLIP, its folder below that of the session.
        burst: number of the recorded burst; clips and frames of a burst are undone together. 0 for earlier recordings.
        poster: file name of the middle frame.
    """

    file: str
    burst: int
    poster: str

    @property
    def letter(self) -> str:
        """J, Z or none."""
        return self.file.partition("/")[0]


class ClipFolder:
    """The clips of a session. Not thread-safe.

    Args:
        session: folder of the session.
    """

    def __init__(self, session: Path) -> None:
        self._session = session

    def list_entries(self) -> list[ClipEntry]:
        """Return the clips, by letter, then in natural order.

        Raises:
            AslkitError: a clip is damaged; see `recover_clips`.
        """
        return [
            ClipEntry(file=f"{folder.parent.name}/{folder.name}", burst=0, poster=_poster(read_clip(folder).frames))
            for folder in list_clip_folders(self._session)
        ]

    def free_name(self, letter: str, name: str, *, taken: Container[str] = ()) -> str:
        """Return LETTER/NAME, or NAME-1, NAME-2, … if the name is in `taken`, on disk or in the trash."""
        names = (f"{letter}/{name}{f'-{n}' if n else ''}" for n in count())
        folders = (self._session, self._session / TRASH)
        return next(
            file for file in names if file not in taken and not any((folder / file).exists() for folder in folders)
        )

    def add(self, file: str, lines: Sequence[tuple[ClipFrame, bytes]], *, burst: int) -> ClipEntry:
        """Write a clip; it is on disk when this returns.

        Raises:
            OSError: the clip could not be written. Nothing is left behind.
        """
        write_clip(self._session / file, lines)
        return ClipEntry(file=file, burst=burst, poster=_poster([line for line, _ in lines]))

    def trash(self, entry: ClipEntry) -> None:
        """Move a clip to the trash, from which users can restore it."""
        move_to_trash(self._session, entry.file)

    def restore(self, entry: ClipEntry) -> bool:
        """Move a clip back from the trash; False if it is gone."""
        try:
            (self._session / TRASH / entry.file).rename(self._session / entry.file)
        except FileNotFoundError:  # deleted by the user in the meantime
            return False
        return True


def move_to_trash(session: Path, file: str) -> None:
    """Move an image or a clip of a session to the trash. One that the user has deleted is ignored."""
    target = session / TRASH / file
    target.parent.mkdir(parents=True, exist_ok=True)
    if (session / file).is_dir():
        remove(target)  # a folder cannot be replaced
    try:
        (session / file).replace(target)
    except FileNotFoundError:
        return


def recover_clips(session: Path) -> tuple[int, int]:
    """Repair the clips of a session after an interrupted recording.

    Returns:
        The number of incomplete clips, which are deleted, and of damaged ones, which are moved to the trash.
    """
    incomplete = damaged = 0
    for path in _partial_folders(session):
        remove(path)
        incomplete += 1
    for folder in list_clip_folders(session):
        try:
            read_clip(folder)
        except AslkitError:
            # Not deleted: the user may be able to repair it.
            move_to_trash(session, f"{folder.parent.name}/{folder.name}")
            damaged += 1
    return incomplete, damaged


def _partial_folders(session: Path) -> Iterator[Path]:
    for folder in (path for path in list_folders(session) if path.name in CLIP_LETTERS):
        yield from [path for path in folder.iterdir() if is_partial(path.name) and path.is_dir()]


def _poster(frames: Sequence[ClipFrame]) -> str:
    return frames[len(frames) // 2].file
