"""The captures folder: SIGNER/SESSION/LETTER/FRAME.jpg and SIGNER/SESSION/session.json in WORKSPACE/captures.

`aslkit capture` and `aslkit import` write it, `aslkit curate` reads it. Folders created by hand also work: without a
session.json, camera, licence and consent are unknown.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import natural_key, write_durably
from aslkit.core.letters import INDEX, RECORDABLE
from aslkit.core.workspace import compose
from aslkit.vision.images import IMAGE_SUFFIXES

SESSION_FILE: Final = "session.json"
EXAM_PURPOSE: Final = "exam"
"""Value of "purpose" in the session.json of an exam. Its frames evaluate a recogniser and must not be trained on."""

_TIMESTAMP_FORMAT: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, kw_only=True)
class SessionInfo:
    """Description of a recording session, stored in session.json.

    Attributes:
        signer, session: names of the signer and the session, which are also the folder names.
        camera: camera or other source of the frames; every session has exactly one.
        licence: licence of the images, as stated at the recording; None if not stated.
        consent: what the signer agreed to at the recording; None if not stated.
        split: "train", "validation" or "test", in the dataset from which the images were imported with --keep-split.
    """

    signer: str
    session: str
    camera: str
    licence: str | None = None
    consent: str | None = None
    split: Literal["train", "validation", "test"] | None = None

    @property
    def is_recorded(self) -> bool:
        """Whether aslkit recorded the frames itself; False for images from elsewhere, or of unknown origin."""
        kind = self.camera.partition(" ")[0]  # as `source_kind.camera_name` and `aslkit import` write it
        return kind not in ("unknown", "import", "folder")

    def save(self, captures: Path) -> "SessionInfo":
        """Write session.json, and return the merged session info.

        A licence or consent stored earlier is kept if this object states none.

        Raises:
            InputError: the session exists and was recorded with another camera.
        """
        path = captures / self.signer / self.session / SESSION_FILE
        if not path.exists():
            update_session(path, self._values())
            return self
        before = SessionInfo.load(path)
        if before.camera != self.camera:
            raise InputError(
                f"Session {self.session!r} of {self.signer!r} was recorded from {before.camera!r}, "
                f"not {self.camera!r}. Give the new session another name with --session."
            )
        merged = replace(self, licence=self.licence or before.licence, consent=self.consent or before.consent)
        if before.split != self.split:
            raise InputError(
                f"Session {self.session!r} of {self.signer!r} has images of the split {before.split or 'none'}, not "
                f"{self.split or 'none'}. Give the new session another name with --session."
            )
        if before != merged:
            update_session(path, merged._values())
        return merged

    def _values(self) -> dict[str, Any]:
        values = asdict(self)
        return values if self.split else {key: value for key, value in values.items() if key != "split"}

    @classmethod
    def load(cls, path: Path) -> "SessionInfo":
        """Read session.json. If it is missing, only the names of signer and session are known.

        Raises:
            AslkitError: the file is damaged.
        """
        signer, session = compose(path.parent.parent.name), compose(path.parent.name)
        if not path.exists():
            return cls(signer=signer, session=session, camera="unknown")
        try:
            file = msgspec.json.decode(path.read_bytes(), type=_SessionFile)
        except (ValueError, RecursionError) as error:
            raise AslkitError(
                f"{path} is damaged ({error}). Repair or delete it. "
                "Deleting it keeps the frames, but camera, licence and consent become unknown."
            ) from error
        camera = file.camera or "unknown"
        return cls(
            signer=signer, session=session, camera=camera, licence=file.licence, consent=file.consent, split=file.split
        )


class _SessionFile(msgspec.Struct):
    """What this module reads from session.json."""

    camera: str | None = None
    licence: str | None = None
    consent: str | None = None
    purpose: str | None = None
    split: Literal["train", "validation", "test"] | None = None


@dataclass(frozen=True, kw_only=True)
class CapturedFrame:
    """An image file in the captures folder.

    Attributes:
        path: path of the file.
        signer, session: names of the signer and the session.
        letter: the letter that the frame shows.
        folder_letter: name of the frame's folder, if a person decided that it shows another letter.
    """

    path: Path
    signer: str
    session: str
    letter: str
    folder_letter: str | None = None

    @property
    def key(self) -> str:
        """SIGNER/SESSION/LETTER/NAME in captures, which identifies the frame in a dataset on every machine."""
        # A file name need not be valid UTF-8, but text in Parquet must be.
        name = os.fsencode(self.path.name).decode(errors="backslashreplace")
        return f"{self.signer}/{self.session}/{self.folder_letter or self.letter}/{name}"

    @property
    def captured_at(self) -> datetime | None:
        """Capture time, UTC, read from the file name; None if the name was not created by `frame_timestamp`."""
        try:
            seconds, rest = self.path.stem[:15], self.path.stem[15:]
            time = datetime.strptime(seconds, _TIMESTAMP_FORMAT).replace(tzinfo=UTC)
            return time.replace(microsecond=int(rest[:-1]) * 1000) if len(rest) == 4 and rest.endswith("Z") else None
        except ValueError:
            return None


def reject_exam_folder(session: Path) -> None:
    """Check that a folder is not the session of an exam.

    Args:
        session: session folder, with or without a session.json.

    Raises:
        InputError: the folder belongs to an exam.
    """
    try:
        purpose = msgspec.json.decode((session / SESSION_FILE).read_bytes(), type=_SessionFile).purpose
    except (OSError, ValueError, RecursionError):
        return  # SessionInfo.load reports a damaged session.json
    if purpose == EXAM_PURPOSE:
        raise InputError(
            f"{session} is an exam, which evaluates a recogniser and must not be used for training. Move it elsewhere; "
            "record training frames with `aslkit capture`."
        )


def update_session(path: Path, values: dict[str, Any]) -> None:
    """Update keys of a session.json, and keep all others."""
    before = msgspec.json.decode(path.read_bytes(), type=dict[str, Any]) if path.exists() else {}
    # Unknown keys are kept: they may come from the user or a later version.
    text = json.dumps(before | values, indent=2, ensure_ascii=False)
    write_durably(path, f"{text}\n".encode())


def frame_timestamp(time: datetime) -> str:
    """Return the name of a frame taken at this time; `CapturedFrame.captured_at` parses it."""
    utc = time.astimezone(UTC)
    return f"{utc.strftime(_TIMESTAMP_FORMAT)}{utc.microsecond // 1000:03d}Z"


def walk_captures(captures: Path) -> Iterator[CapturedFrame]:
    """Yield all frames, sorted by signer, session and letter, then by file name in natural order.

    Skips folders that are not one of the 24 letters, files that are not images, and hidden files.

    Raises:
        InputError: a session is an exam.
        OSError: a folder cannot be read. Skipping it would silently lose frames.
    """
    return (frame for frame in _image_paths(captures) if frame.path.is_file())


def unopenable_files(captures: Path) -> Iterator[CapturedFrame]:
    """Yield paths named like frames that are not regular files, such as broken links, pipes and folders.

    Raises:
        InputError, OSError: see `walk_captures`.
    """
    return (frame for frame in _image_paths(captures) if not frame.path.is_file())


def _image_paths(captures: Path) -> Iterator[CapturedFrame]:
    for signer in list_folders(captures):
        for session in list_folders(signer):
            reject_exam_folder(session)
            for folder in (path for path in list_folders(session) if path.name in INDEX):
                for path in sorted(filter(_is_frame, folder.iterdir()), key=lambda p: natural_key(p.name)):
                    yield CapturedFrame(
                        path=path, signer=compose(signer.name), session=compose(session.name), letter=folder.name
                    )


def count_letters(captures: Path, signer: str) -> Counter[str]:
    """Count the images of each letter that a signer has, over all sessions."""
    return Counter(frame.letter for frame in walk_signer(captures, signer))


def walk_signer(captures: Path, signer: str) -> Iterator[CapturedFrame]:
    """Yield all images of a signer, in no particular order; their letter can also be "none"."""
    for session in list_folders(captures / signer):
        for folder in (path for path in list_folders(session) if path.name in RECORDABLE):
            for path in filter(_is_frame, folder.iterdir()):
                yield CapturedFrame(
                    path=path, signer=compose(signer), session=compose(session.name), letter=folder.name
                )


def _is_frame(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."


def list_folders(parent: Path) -> list[Path]:
    """Return the folders in a folder, sorted, without hidden ones; empty if it does not exist."""
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".") if parent.is_dir() else []
