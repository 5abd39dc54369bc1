"""The folder of a session during a recording. It is consistent at any time, even after a crash."""

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from aslkit.capture.session.clip_files import TRASH, move_to_trash, recover_clips
from aslkit.core.errors import AslkitError
from aslkit.core.files import is_partial, write_durably
from aslkit.core.letters import RECORDABLE
from aslkit.core.progress import progress_bar
from aslkit.core.workspace import Workspace, compose
from aslkit.formats.captures import CapturedFrame, SessionInfo, update_session
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.formats.reviews import load_decisions
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import IMAGE_SUFFIXES, Frame, ImageError, decode_image, read_image_file

_LOCK_FILE: Final = ".lock"


@dataclass(kw_only=True)
class RecoveryReport:
    """What was repaired after an interrupted recording.

    Attributes:
        half_written: number of incompletely written files, which were deleted.
        relisted: number of complete images that were missing in the index, and were added to it.
        damaged: number of images that cannot be decoded, and were moved to the trash.
        missing: number of index entries without an image, which were removed.
        broken_lines: number of broken lines in the index, which were removed.
        half_clips: number of incompletely written clips, which were deleted.
        damaged_clips: number of clips that cannot be read, and were moved to the trash.
    """

    half_written: int = 0
    relisted: int = 0
    damaged: int = 0
    missing: int = 0
    broken_lines: int = 0
    half_clips: int = 0
    damaged_clips: int = 0

    def __str__(self) -> str:
        repairs = {
            "incomplete files deleted": self.half_written,
            "frames added to the index": self.relisted,
            "damaged images moved to the trash": self.damaged,
            "index entries without an image removed": self.missing,
            "broken index lines removed": self.broken_lines,
            "incomplete clips deleted": self.half_clips,
            "damaged clips moved to the trash": self.damaged_clips,
        }
        return ", ".join(f"{number:,} {repair}" for repair, number in repairs.items() if number)


class Session:
    """The folder of a session, locked for recording by this process.

    Attributes:
        info: description of the session, as stored in session.json.
        folder: SIGNER/SESSION in the captures folder.
        recovered: what was repaired when the session was opened.
    """

    def __init__(self, info: SessionInfo, folder: Path) -> None:
        self.info = info
        self.folder = folder
        self.recovered = RecoveryReport()
        self._index = FrameIndex.load(folder)

    @classmethod
    @contextmanager
    def open(
        cls, workspace: Workspace, info: SessionInfo, *, measure: Callable[[Frame], FrameMetrics]
    ) -> Iterator[Self]:
        """Open the session, repair it after an interruption, and lock it until the end of the block.

        Args:
            workspace: workspace with the captures folder.
            info: description of the session; see `SessionInfo.save` for how it is merged with an existing one.
            measure: measures frames that are missing in the index.

        Raises:
            AslkitError: another process is recording into the session.
            InputError: the session was recorded with another camera.
        """
        from filelock import FileLock, Timeout

        folder = workspace.captures / info.signer / info.session
        folder.mkdir(parents=True, exist_ok=True)
        # The operating system releases it when the process ends, also after a crash.
        lock = FileLock(folder / _LOCK_FILE, thread_local=False)  # requests of a page run in any thread
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise AslkitError(
                f"Another aslkit process is recording into session {info.session!r} of {info.signer!r}. "
                "Stop it first, or choose another session with --session."
            ) from error
        try:
            session = cls(info.save(workspace.captures), folder)
            # Under the lock, because the incomplete files of another running recording must not be deleted.
            session._recover(measure)
            yield session
        finally:
            lock.release()

    @property
    def entries(self) -> list[IndexEntry]:
        """The stored frames, in the order in which they were stored."""
        return list(self._index.entries.values())

    def path(self, entry: IndexEntry) -> Path:
        """Return the path of a frame's image."""
        return self.folder / entry.file

    def free_name(self, letter: str, name: str, suffix: str, *, taken: Container[str] = ()) -> str:
        """Return LETTER/NAME.jpg, or NAME-1, NAME-2, … if the name is in `taken`, on disk or in the trash."""
        names = (f"{letter}/{name}{f'-{n}' if n else ''}{suffix}" for n in count())
        folders = (self.folder, self.folder / TRASH)
        return next(
            file for file in names if file not in taken and not any((folder / file).exists() for folder in folders)
        )

    def add(self, entry: IndexEntry, data: bytes) -> None:
        """Store an image and its index entry. Both are on disk when this returns.

        Raises:
            OSError: the frame could not be written. Neither image nor entry is left behind.
        """
        path = self.path(entry)
        # Image first: an image without an entry is recovered at the next start, an entry without an image is lost.
        write_durably(path, data)
        try:
            self._index.add(entry)
        except OSError:
            path.unlink()
            raise

    def trash(self, entries: Iterable[IndexEntry]) -> None:
        """Remove frames from the index and move their images to the trash, from which users can restore them."""
        for entry in entries:
            # Image first: if the process is killed in between, _recover removes the entry without an image.
            move_to_trash(self.folder, entry.file)
            self._index.remove(entry.file)

    def restore(self, entry: IndexEntry) -> bool:
        """Move an image back from the trash and add its frame to the index; False if it is gone."""
        try:
            (self.folder / TRASH / entry.file).rename(self.folder / entry.file)
        except FileNotFoundError:  # deleted by the user in the meantime
            return False
        self._index.add(entry)
        return True

    def update_info(self, session_values: dict[str, Any], recording: dict[str, Any]) -> None:
        """Update session.json.

        Args:
            session_values: keys that describe the whole session.
            recording: summary of the current recording, identified by its key "started".
        """
        path = self.folder / "session.json"
        values = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        # The entry written at the start of this recording is replaced by the one at its end.
        others = [other for other in values.get("recordings", []) if other["started"] != recording["started"]]
        update_session(
            path, {"started": recording["started"], **values, **session_values, "recordings": [*others, recording]}
        )

    def state_licence(self, licence: str, consent: str | None) -> None:
        """Store licence and consent in session.json."""
        self.info = replace(self.info, licence=licence, consent=consent).save(self.folder.parent.parent)

    def _recover(self, measure: Callable[[Frame], FrameMetrics]) -> None:
        report = self.recovered
        # First, because what is left of a clip must not be taken for frames.
        report.half_clips, report.damaged_clips = recover_clips(self.folder)
        report.broken_lines = self._index.broken_lines
        # Before anything is appended: a line after an incomplete one would be lost with it.
        self._index.repair()
        images = set()
        for path in self._image_paths():
            if is_partial(path.name):
                path.unlink()
                report.half_written += 1
            else:
                images.add(f"{path.parent.name}/{path.name}")
        for file in [file for file in self._index.entries if file not in images]:
            self._index.remove(file)
            report.missing += 1
        missing_entries = sorted(images - set(self._index.entries))
        with progress_bar("Recovering frames", len(missing_entries)) as advance:
            for file in missing_entries:
                self._add_to_index(file, measure)
                advance()

    def _add_to_index(self, file: str, measure: Callable[[Frame], FrameMetrics]) -> None:
        path = self.folder / file
        frame = CapturedFrame(path=path, signer=self.info.signer, session=self.info.session, letter=path.parent.name)
        try:
            metrics = measure(decode_image(read_image_file(path)))
        except ImageError:
            # Not deleted: the user may be able to repair it.
            move_to_trash(self.folder, file)
            self.recovered.damaged += 1
            return
        self._index.add(
            IndexEntry.from_metrics(metrics, file=file, time=format_time(frame.captured_at), recovered=True)
        )
        self.recovered.relisted += 1

    def _image_paths(self) -> Iterator[Path]:
        yield from (path for path in self.folder.iterdir() if is_partial(path.name))
        for folder in sorted(path for path in self.folder.iterdir() if path.name in RECORDABLE and path.is_dir()):
            for path in folder.iterdir():
                if is_partial(path.name) or (path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."):
                    yield path


def format_time(time: datetime | None) -> str | None:
    """Format a time for files: ISO 8601 with milliseconds."""
    return None if time is None else time.isoformat(timespec="milliseconds")


def load_earlier_frames(workspace: Workspace, signer: str, *, exclude: str) -> list[IndexEntry]:
    """Return the index entries of a signer's other sessions. Sessions without an index have none.

    Frames that people dropped or relabelled are skipped, so that similar ones can be recorded again.

    Args:
        workspace: workspace with the captures folder.
        signer: name of the signer.
        exclude: name of the session to exclude.
    """
    folder = workspace.captures / signer
    decisions = load_decisions(workspace)
    removed = {key for key, decision in decisions.items() if decision.action in ("drop", "relabel")}
    sessions = (path for path in folder.iterdir() if path.is_dir() and path.name[0] != ".") if folder.is_dir() else ()
    return [
        entry
        for session in sorted(sessions)
        if session.name != exclude
        for entry in FrameIndex.load(session).entries.values()
        if (session / entry.file).exists() and f"{signer}/{compose(session.name)}/{entry.file}" not in removed
    ]
