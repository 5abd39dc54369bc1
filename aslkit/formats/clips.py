"""Clips in captures: SIGNER/SESSION/LETTER/CLIP/ with the frames of one movement and frames.jsonl.

LETTER is J, Z or none. frames.jsonl has one line per frame, in order: its file, time and landmarks. `aslkit capture`
and `aslkit import` write clips, `aslkit curate` and `aslkit train` read them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from aslkit.core.errors import AslkitError
from aslkit.core.files import atomic_write, natural_key
from aslkit.core.letters import CLIP_LETTERS, MAX_MOVEMENT_S, MIN_MOVEMENT_S
from aslkit.core.workspace import compose
from aslkit.formats.captures import list_folders, reject_exam_folder
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import IMAGE_SUFFIXES

CLIP_INDEX_FILE: Final = "frames.jsonl"

MIN_CLIP_S: Final = MIN_MOVEMENT_S
MAX_CLIP_S: Final = MAX_MOVEMENT_S
"""Shortest and longest clip, seconds."""

MAX_CLIP_FRAMES: Final = 400
"""More frames in one clip are treated as damage: 2.5 s at 120 frames per second have 300."""

MIN_CLIP_FRAMES: Final = 2
"""One frame shows no movement."""

_MAX_SIDE: Final = 1 << 16
_MAX_COORDINATE: Final = 1e6

_Side = Annotated[int, Meta(gt=0, lt=_MAX_SIDE)]
_Coordinate = Annotated[float, Meta(gt=-_MAX_COORDINATE, lt=_MAX_COORDINATE)]


class ClipFrame(msgspec.Struct, kw_only=True, frozen=True, omit_defaults=True):
    """One frame of a clip: a line of frames.jsonl.

    Attributes:
        file: name of the image in the folder of the clip.
        time_ms: time since the first frame of the clip, milliseconds.
        width, height: size of the image, pixels.
        hand: the hand that signs; None if no hand was found.
        score: confidence of the handedness, 0–1; None without a hand.
        landmarks: 63 numbers, x, y, z of 21 joints, as in `hand_landmarker.Hand`; None without a hand.
    """

    file: str
    time_ms: Annotated[int, Meta(ge=0, lt=1 << 31)]
    width: _Side
    height: _Side
    hand: Literal["left", "right"] | None = None
    score: float | None = None
    landmarks: Annotated[tuple[_Coordinate, ...], Meta(min_length=63, max_length=63)] | None = None

    @classmethod
    def from_hand(cls, hand: Hand | None, *, file: str, time_ms: int, width: int, height: int) -> "ClipFrame":
        """Create the line of a frame from the hand that was found in it; None if there was none."""
        if hand is None:
            return cls(file=file, time_ms=time_ms, width=width, height=height)
        landmarks = tuple(round(float(value), 5) for value in hand.landmarks.ravel())
        return cls(
            file=file, time_ms=time_ms, width=width, height=height, hand=hand.handedness, score=round(hand.score, 4),
            landmarks=landmarks,
        )  # fmt: skip

    def to_hand(self) -> Hand | None:
        """Return the hand; None without one."""
        if self.landmarks is None or self.hand is None:
            return None
        landmarks = np.array(self.landmarks, np.float32).reshape(21, 3)
        return Hand(landmarks=landmarks, handedness=self.hand, score=self.score or 0.5)


@dataclass(frozen=True, kw_only=True)
class CapturedClip:
    """A clip in the captures folder.

    Attributes:
        folder: folder of the clip.
        signer, session: names of the signer and the session.
        letter: "J", "Z", or "none" for a movement that is no letter.
        frames: its frames, in order.
    """

    folder: Path
    signer: str
    session: str
    letter: str
    frames: tuple[ClipFrame, ...]

    @property
    def key(self) -> str:
        """SIGNER/SESSION/LETTER/CLIP, which identifies the clip on every machine."""
        name = os.fsencode(self.folder.name).decode(errors="backslashreplace")
        return f"{self.signer}/{self.session}/{self.letter}/{name}"

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame, seconds."""
        return (self.frames[-1].time_ms - self.frames[0].time_ms) / 1000


def clip_landmarks(frames: Sequence[ClipFrame]) -> npt.NDArray[np.float32]:
    """Return the landmarks of n frames, float32 (n, 21, 3), as `Hand.landmarks`; NaN without a hand."""
    landmarks = np.full((len(frames), 21, 3), np.nan, np.float32)
    for row, frame in enumerate(frames):
        if frame.landmarks is not None:
            landmarks[row] = np.array(frame.landmarks, np.float32).reshape(21, 3)
    return landmarks


def write_clip(folder: Path, frames: Sequence[tuple[ClipFrame, bytes]]) -> None:
    """Write a clip atomically: after a crash, the folder is complete or does not exist.

    Args:
        folder: SESSION/LETTER/CLIP; it must not exist.
        frames: line and encoded image of each frame, in order.

    Raises:
        OSError: the disk is full.
    """
    lines = b"".join(msgspec.json.encode(frame) + b"\n" for frame, _ in frames)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(folder) as partial:
        partial.mkdir()
        for frame, image in frames:
            (partial / frame.file).write_bytes(image)
        (partial / CLIP_INDEX_FILE).write_bytes(lines)


def read_clip(folder: Path) -> CapturedClip:
    """Read a clip, SIGNER/SESSION/LETTER/CLIP.

    Raises:
        AslkitError: frames.jsonl is missing or damaged, or an image is missing.
    """
    session = folder.parents[1]
    try:
        lines = (folder / CLIP_INDEX_FILE).read_bytes().splitlines()
        frames = tuple(msgspec.json.decode(line, type=ClipFrame) for line in lines[: MAX_CLIP_FRAMES + 1])
        _check_frames(folder, frames)
    except (OSError, ValueError, RecursionError) as error:
        raise AslkitError(
            f"The clip {folder} is damaged: {str(error)[:200]}. Delete the folder, and record the clip again."
        ) from error
    return CapturedClip(
        folder=folder, signer=compose(session.parent.name), session=compose(session.name), letter=folder.parent.name,
        frames=frames,
    )  # fmt: skip


def _check_frames(folder: Path, frames: Sequence[ClipFrame]) -> None:
    """Raise ValueError if the frames are no clip."""
    if not MIN_CLIP_FRAMES <= len(frames) <= MAX_CLIP_FRAMES:
        raise ValueError(f"it has {len(frames)} frames, not {MIN_CLIP_FRAMES} to {MAX_CLIP_FRAMES}")
    for frame in frames:
        # A path such as ../x in a copied index must not lead to other files.
        if Path(frame.file).name != frame.file or Path(frame.file).suffix.lower() not in IMAGE_SUFFIXES:
            raise ValueError(f"{frame.file!r:.60} is not the name of an image")
        if not (folder / frame.file).is_file():
            raise ValueError(f"{frame.file} is missing")
    if any(later.time_ms <= earlier.time_ms for earlier, later in pairwise(frames)):
        raise ValueError("the times of its frames do not increase")


def list_clip_folders(session: Path) -> list[Path]:
    """Return the folders of the clips of a session, by letter, then in natural order."""
    return [
        folder
        for letter in CLIP_LETTERS
        for folder in sorted(list_folders(session / letter), key=lambda path: natural_key(path.name))
    ]


def walk_clips(captures: Path, *, signer: str | None = None) -> Iterator[Path]:
    """Yield the folders of all clips, or of those of one signer, sorted by signer and session; see `read_clip`.

    Raises:
        InputError: a session is an exam.
    """
    signers = list_folders(captures) if signer is None else [captures / signer]
    for folder in signers:
        for session in list_folders(folder):
            reject_exam_folder(session)
            yield from list_clip_folders(session)
