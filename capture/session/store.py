"""One session's folder while somebody records into it: whole at every moment, whatever happens."""

import json
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

from aslkit.core.errors import AslkitError
from aslkit.core.files import is_partial, write_durably
from aslkit.core.letters import RECORDABLE
from aslkit.core.progress import progress_bar
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import CapturedFrame, SessionInfo, update_session
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import IMAGE_SUFFIXES, Frame, ImageError, decode_image, read_image_file

TRASH: Final = ".trash"
"""Beside the letters; hidden, so that no later step sees it."""

_LOCK_FILE: Final = ".lock"


@dataclass(kw_only=True)
class RecoveryReport:
    """What an interrupted recording had left, and what became of it.

    Attributes:
        half_written: files that were being written, removed.
        relisted: whole images that the index did not have; it has them now.
        damaged: images that cannot be decoded, moved to the trash.
        missing: listed frames whose image is gone; they are listed no longer.
        broken_lines: of the index, dropped.
    """

    half_written: int = 0
    relisted: int = 0
    damaged: int = 0
    missing: int = 0
    broken_lines: int = 0

    def __str__(self) -> str:
        told = {
            "half-written files removed": self.half_written,
            "frames put back into the index": self.relisted,
            "damaged images moved to the trash": self.damaged,
            "frames no longer listed, their images being gone": self.missing,
            "broken lines of the index dropped": self.broken_lines,
        }
        return ", ".join(f"{number:,} {what}" for what, number in told.items() if number)


class Session:
    """A session's folder, open for recording by this process alone.

    Attributes:
        info: who, when, with what, under which licence: as its session.json says.
        folder: SIGNER/SESSION under the captures.
        recovered: what was mended when it was opened.
    """

    def __init__(self, info: SessionInfo, folder: Path) -> None:
        self.info = info
        self.folder = folder
        self.recovered = RecoveryReport()
        self._index = FrameIndex.load(folder)

    @classmethod
    @contextmanager
    def open(
        cls, workspace: Workspace, info: SessionInfo, *, look_at: Callable[[Frame], FrameMetrics]
    ) -> Iterator[Self]:
        """Open the session, mend what an interruption left, and keep others out until the block ends.

        Args:
            workspace: where captures lie.
            info: of the session; what was stated before stays.
            look_at: measures a frame that the index does not have.

        Raises:
            AslkitError: another process records into it.
            InputError: it was recorded with another camera.
        """
        from filelock import FileLock, Timeout

        folder = workspace.captures / info.signer / info.session
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / _LOCK_FILE)
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise AslkitError(
                f"Another aslkit is recording into session {info.session!r} of {info.signer!r}. "
                "Stop it first, or give this one a session of its own with --session."
            ) from error
        try:
            session = cls(info.save(workspace.captures), folder)
            session._recover(look_at)
            yield session
        finally:
            lock.release()

    @property
    def entries(self) -> list[IndexEntry]:
        """What it holds, in the order it was stored in."""
        return list(self._index.entries.values())

    def path(self, entry: IndexEntry) -> Path:
        """Where the image lies."""
        return self.folder / entry.file

    def free_name(self, letter: str, name: str, suffix: str, *, taken: Container[str] = ()) -> str:
        """LETTER/NAME.jpg, or NAME-1, NAME-2, … where that is `taken`, on the disk or in the trash."""
        names = (f"{letter}/{name}{f'-{n}' if n else ''}{suffix}" for n in count())
        places = (self.folder, self.folder / TRASH)
        return next(file for file in names if file not in taken and not any((p / file).exists() for p in places))

    def add(self, entry: IndexEntry, data: bytes) -> None:
        """Store an image and list it; when this returns, both are on the disk.

        Raises:
            OSError: they could not be written; then neither is there.
        """
        path = self.path(entry)
        write_durably(path, data)
        try:
            self._index.add(entry)
        except OSError:
            path.unlink()
            raise

    def trash(self, entries: Iterable[IndexEntry]) -> None:
        """Take frames out of the index, and their images into the trash, from where a user may bring them back."""
        for entry in entries:
            # In this order: where it is interrupted between the two, the next opening finishes it.
            with suppress(FileNotFoundError):  # somebody was quicker
                self._to_trash(entry.file)
            self._index.remove(entry.file)

    def _to_trash(self, file: str) -> None:
        target = self.folder / TRASH / file
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).replace(target)

    def update_info(self, about: dict[str, Any], recording: dict[str, Any]) -> None:
        """Write into session.json: what is true of the whole session, and how the recording that runs now goes."""
        path = self.folder / "session.json"
        values = json.loads(path.read_text(encoding="utf-8"))
        recordings = [each for each in values.get("recordings", []) if each["started"] != recording["started"]]
        update_session(
            path, {"started": recording["started"], **values, **about, "recordings": [*recordings, recording]}
        )

    def _recover(self, look_at: Callable[[Frame], FrameMetrics]) -> None:
        done = self.recovered
        done.broken_lines = self._index.broken
        self._index.repair()
        there = set()
        for path in self._images():
            if is_partial(path.name):
                path.unlink()
                done.half_written += 1
            else:
                there.add(f"{path.parent.name}/{path.name}")
        for file in [file for file in self._index.entries if file not in there]:
            self._index.remove(file)
            done.missing += 1
        unlisted = sorted(there - set(self._index.entries))
        with progress_bar("Looking at frames without an index", len(unlisted)) as advance:
            for file in unlisted:
                self._relist(file, look_at)
                advance()

    def _relist(self, file: str, look_at: Callable[[Frame], FrameMetrics]) -> None:
        path = self.folder / file
        frame = CapturedFrame(path=path, signer=self.info.signer, session=self.info.session, letter=path.parent.name)
        try:
            seen = look_at(decode_image(read_image_file(path)))
        except ImageError:
            self._to_trash(file)
            self.recovered.damaged += 1
            return
        self._index.add(IndexEntry.from_metrics(seen, file=file, time=format_time(frame.captured_at), recovered=True))
        self.recovered.relisted += 1

    def _images(self) -> Iterator[Path]:
        yield from (path for path in self.folder.iterdir() if is_partial(path.name))
        for folder in sorted(path for path in self.folder.iterdir() if path.name in RECORDABLE and path.is_dir()):
            for path in folder.iterdir():
                if is_partial(path.name) or (path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."):
                    yield path


def format_time(at: datetime | None) -> str | None:
    """A moment as files tell it."""
    return None if at is None else at.isoformat(timespec="milliseconds")


def load_earlier_frames(workspace: Workspace, signer: str, *, but: str) -> list[IndexEntry]:
    """What the signer's other sessions hold, as far as their indexes tell.

    Args:
        workspace: where captures lie.
        signer: whose.
        but: a session that is left out.
    """
    folder = workspace.captures / signer
    sessions = (path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".") if folder.is_dir() else ()
    others = (session for session in sorted(sessions) if session.name != but)
    return [e for other in others for e in FrameIndex.load(other).entries.values() if (other / e.file).exists()]
