"""What lies under WORKSPACE/captures: SIGNER/SESSION/LETTER/FRAME.jpg, and SIGNER/SESSION/session.json beside them.

capture writes it, curate reads it; nobody changes it. A folder that somebody made by hand is as good: without a
session.json, camera, licence and consent are unknown.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import natural_key, write_durably
from aslkit.core.letters import INDEX, RECORDABLE
from aslkit.vision.images import IMAGE_SUFFIXES

SESSION_FILE: Final = "session.json"
EXAM: Final = "exam"
"""The purpose, in session.json, of a sitting that measured a recogniser: nothing is ever trained on it."""

_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, kw_only=True)
class SessionInfo:
    """Who recorded a sitting, with what, and what may be done with it.

    Attributes:
        signer, session: as the folders are called.
        camera: which device, or what else the frames came from; one for each session.
        licence: of the images, as the contributor states it; None when not stated.
        consent: what the signer agreed to, in their words; None when not stated.
    """

    signer: str
    session: str
    camera: str
    licence: str | None = None
    consent: str | None = None

    def save(self, captures: Path) -> "SessionInfo":
        """Write session.json, and return what it says now: licence and consent stated before stay where none is stated.

        Raises:
            InputError: the session exists and was recorded with another camera: that is another session.
        """
        path = captures / self.signer / self.session / SESSION_FILE
        if not path.exists():
            update_session(path, asdict(self))
            return self
        before = SessionInfo.load(path)
        if before.camera != self.camera:
            raise InputError(
                f"Session {self.session!r} of {self.signer!r} was recorded from {before.camera!r}, "
                f"not {self.camera!r}. Give this one a name of its own with --session."
            )
        now = replace(self, licence=self.licence or before.licence, consent=self.consent or before.consent)
        if before != now:
            update_session(path, asdict(now))
        return now

    @classmethod
    def load(cls, path: Path) -> "SessionInfo":
        """Read session.json; without one, only the names are known.

        Raises:
            AslkitError: it is damaged.
        """
        signer, session = path.parent.parent.name, path.parent.name
        if not path.exists():
            return cls(signer=signer, session=session, camera="unknown")
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            stated = {key: _text_or_none(values.get(key)) for key in ("licence", "consent")}
            return cls(
                signer=signer, session=session, camera=_text_or_none(values.get("camera")) or "unknown", **stated
            )
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise AslkitError(
                f"{path} is damaged ({error}). Mend it, or delete it: "
                "the frames stay, camera and licence become unknown."
            ) from error


@dataclass(frozen=True, kw_only=True)
class CapturedFrame:
    """One image file under captures."""

    path: Path
    signer: str
    session: str
    letter: str

    @property
    def key(self) -> str:
        """SIGNER/SESSION/LETTER/NAME: the frame's name in a dataset, the same on every machine."""
        name = os.fsencode(self.path.name).decode(errors="backslashreplace")
        return f"{self.signer}/{self.session}/{self.letter}/{name}"

    @property
    def captured_at(self) -> datetime | None:
        """When it was taken, UTC, where the file's name tells (as those from a camera do)."""
        try:
            second, rest = self.path.stem[:15], self.path.stem[15:]
            at = datetime.strptime(second, _STAMP).replace(tzinfo=UTC)
            return at.replace(microsecond=int(rest[:-1]) * 1000) if len(rest) == 4 and rest.endswith("Z") else None
        except ValueError:
            return None


def reject_exam_folder(session: Path) -> None:
    """Raise InputError if the folder is of a sitting that was an exam.

    Args:
        session: a folder that may have a session.json.
    """
    try:
        purpose = json.loads((session / SESSION_FILE).read_text(encoding="utf-8")).get("purpose")
    except (OSError, ValueError, AttributeError, RecursionError):
        return  # what else is wrong with it is for others to say
    if purpose == EXAM:
        raise InputError(
            f"{session} is an exam: it measures a recogniser, and none may be trained on it. Move it out of the way; "
            "to have such frames to train on, record them with `aslkit capture`."
        )


def update_session(path: Path, values: dict[str, Any]) -> None:
    """Write values into a session.json; what else it says stays."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps(before | values, indent=2, ensure_ascii=False)
    write_durably(path, f"{text}\n".encode())


def frame_timestamp(at: datetime) -> str:
    """The name of a frame taken at that moment; `CapturedFrame.captured_at` reads it again."""
    utc = at.astimezone(UTC)
    return f"{utc.strftime(_STAMP)}{utc.microsecond // 1000:03d}Z"


def walk_captures(captures: Path) -> Iterator[CapturedFrame]:
    """All frames: signers, sessions and letters by name, frames in the order they were taken in.

    Folders that are no letter of the 24, files that are no images and whatever is hidden are passed over.

    Raises:
        InputError: a session was an exam.
        OSError: a folder may not be read. It is not passed over: frames would be missing and nobody would know.
    """
    return (frame for frame in _named(captures) if frame.path.is_file())


def unopenable_files(captures: Path) -> Iterator[CapturedFrame]:
    """What is named like a frame and cannot be opened as a file: links that lead nowhere, pipes, folders.

    Raises:
        OSError: as `walk_captures`.
    """
    return (frame for frame in _named(captures) if not frame.path.is_file())


def _named(captures: Path) -> Iterator[CapturedFrame]:
    for signer in _folders(captures):
        for session in _folders(signer):
            reject_exam_folder(session)
            for folder in (path for path in _folders(session) if path.name in INDEX):
                for path in sorted(filter(_is_frame, folder.iterdir()), key=lambda p: natural_key(p.name)):
                    yield CapturedFrame(path=path, signer=signer.name, session=session.name, letter=folder.name)


def count_letters(captures: Path, signer: str) -> Counter[str]:
    """How many images of each letter a signer has, over all sessions."""
    sessions = _folders(captures / signer) if (captures / signer).is_dir() else []
    letters = [folder for session in sessions for folder in _folders(session) if folder.name in RECORDABLE]
    return Counter(folder.name for folder in letters for path in folder.iterdir() if _is_frame(path))


def _is_frame(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and path.name[0] != "."


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir() and path.name[0] != ".") if parent.is_dir() else []


def _text_or_none(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{value!r} is not text")
