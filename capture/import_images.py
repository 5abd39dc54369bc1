"""Imports images and clips recorded elsewhere, and stores them as sessions."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from aslkit.capture.import_clips import ClipSettings, RejectedClip, import_clips
from aslkit.capture.session.assign_sessions import SessionImages, assign_sessions
from aslkit.core.errors import AslkitError
from aslkit.core.files import write_bytes
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import progress_bar
from aslkit.core.sanitize import format_count
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.frame_index import FrameIndex, IndexEntry
from aslkit.formats.image_folders.class_names import Split
from aslkit.formats.image_folders.read_folder import LabelledImage
from aslkit.vision.images import ImageError, decode_image, normalize_image_file, read_image_file

__all__ = ["ImportResult", "ImportedSession", "SessionImages", "assign_sessions", "import_sessions"]

_DEFAULT_CLIPS: Final = ClipSettings()


@dataclass(kw_only=True)
class ImportedSession:
    """What was imported into a session: the frames and clips by letter, and how many were there before."""

    info: SessionInfo
    stored: Counter[str] = field(default_factory=Counter)
    already_imported: int = 0
    clips: Counter[str] = field(default_factory=Counter)
    clips_already_imported: int = 0


@dataclass(kw_only=True)
class ImportResult:
    """Result of an import.

    Attributes:
        sessions: the sessions.
        skipped: skipped files and folders, each with the reason.
        rejected_clips: clips that the quality gate rejected.
        leaked: number of images of a kept validation or test split that are also in its train split.
    """

    sessions: list[ImportedSession] = field(default_factory=list)
    skipped: list[tuple[Path, str]] = field(default_factory=list)
    rejected_clips: list[RejectedClip] = field(default_factory=list)
    leaked: int = 0

    @property
    def stored(self) -> Counter[str]:
        """Number of imported frames by letter, of all sessions."""
        return sum((session.stored for session in self.sessions), Counter())

    @property
    def clips(self) -> Counter[str]:
        """Number of imported clips by letter, of all sessions."""
        return sum((session.clips for session in self.sessions), Counter())

    @property
    def already_imported(self) -> int:
        """Number of frames that an earlier import had stored."""
        return sum(session.already_imported for session in self.sessions)

    @property
    def clips_already_imported(self) -> int:
        """Number of clips that an earlier import had stored."""
        return sum(session.clips_already_imported for session in self.sessions)


def import_sessions(
    sessions: Sequence[tuple[SessionInfo, SessionImages]],
    *,
    workspace: Workspace,
    mirrored: bool,
    clip_settings: ClipSettings = _DEFAULT_CLIPS,
) -> ImportResult:
    """Store images and clips as sessions.

    Args:
        sessions: the sessions, with camera, licence and consent, and their images.
        workspace: workspace to import into.
        mirrored: whether the images are mirrored; they are flipped before they are stored.
        clip_settings: how clips are judged and stored.

    Raises:
        AslkitError: none of the images can be read.
    """
    result = ImportResult()
    total = sum(len(images.images) for _, images in sessions)
    contents: dict[Split | None, set[str]] = {}
    with progress_bar("Importing images", total) as advance:
        for info, images in sessions:
            info.save(workspace.captures)
            session = ImportedSession(info=info)
            folder = workspace.captures / info.signer / info.session
            for image in images.images:
                if data := _read(image, mirrored, result):
                    _store(folder / image.letter, image.path.stem, data, session)
                    contents.setdefault(images.split, set()).add(hashlib.sha256(data[0]).hexdigest())
                advance()
            _index_negatives(folder, result)
            result.sessions.append(session)
    for session, (info, images) in zip(result.sessions, sessions, strict=True):
        folder = workspace.captures / info.signer / info.session
        imported = import_clips(images.clips, folder, mirrored=mirrored, settings=clip_settings)
        session.clips, session.clips_already_imported = imported.stored, imported.already_imported
        result.rejected_clips += imported.rejected
        result.skipped += imported.skipped
    if total and not contents and not result.clips and not result.clips_already_imported:
        path, reason = result.skipped[0]
        raise AslkitError(f"None of {format_count(total, 'image')} can be read. First error: {path}: {reason}.")
    train = contents.pop("train", set())
    result.leaked = sum(len(train & others) for others in contents.values())
    return result


def _read(image: LabelledImage, mirrored: bool, result: ImportResult) -> tuple[bytes, str] | None:
    """Return an image file as it is stored, and its suffix; None if it cannot be read."""
    try:
        return normalize_image_file(read_image_file(image.path), mirrored=mirrored)
    except OSError as error:
        result.skipped.append((image.path, f"cannot be read ({error.strerror})"))
    except ImageError as error:
        result.skipped.append((image.path, error.message))
    return None


def _store(folder: Path, stem: str, data: tuple[bytes, str], session: ImportedSession) -> None:
    target = _free_path(folder / f"{stem}{data[1]}", data[0])
    if target is None:
        session.already_imported += 1
        return
    write_bytes(target, data[0])
    session.stored[folder.name] += 1


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


def _index_negatives(session: Path, result: ImportResult) -> None:
    """Add the negative samples of a session to its frame index, from which training takes their hands."""
    index = FrameIndex.load(session)
    folder = session / NO_LETTER
    # Its folders are clips.
    files = sorted(path for path in folder.glob("[!.]*") if path.is_file())
    missing = [path for path in files if f"{NO_LETTER}/{path.name}" not in index.entries]
    if not missing:
        return
    from aslkit.vision.frame_metrics import measure_frame
    from aslkit.vision.hand_landmarker import create_landmarker

    with create_landmarker() as landmarker, progress_bar("Measuring negative samples", len(missing)) as advance:
        for path in missing:
            try:
                frame = decode_image(read_image_file(path))
                metrics = measure_frame(frame, landmarker.find_all(frame))
                index.add(IndexEntry.from_metrics(metrics, file=f"{NO_LETTER}/{path.name}"))
            except ImageError as error:  # a JPEG with a good header, which was stored without decoding it
                result.skipped.append((path, error.message))
            advance()
