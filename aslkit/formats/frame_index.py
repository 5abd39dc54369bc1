"""A session's index, frames.jsonl: one line for each frame stored or taken away, only ever appended to."""

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from aslkit.core.files import write_durably
from aslkit.core.letters import RECORDABLE
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.near_duplicate import joints_in_pixels
from aslkit.vision.perceptual_hash import FINE_BITS

INDEX_FILE: Final = "frames.jsonl"

_MANY: Final = 1 << 31
"""Pixels of a side, or bursts: no more are believed."""

_FAR: Final = 1e6
"""Frames away: no joint is."""

_MEASURED: Final = ("width", "height", "phash", "fine_hash")


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """One stored frame, as its line tells.

    Attributes:
        file: LETTER/NAME.jpg, or none/NAME.jpg, within the session's folder.
        time: when it was taken, ISO 8601 in UTC; None when unknown.
        burst: frames recorded in one go have the same number; `undo` takes them away together.
        width, height: pixels.
        phash, fine_hash: perceptual hashes of the frame, as `FrameMetrics` has them.
        hand: left or right, as the signer says or as it was seen; None without a hand.
        score: confidence in the side that was seen.
        brightness: of the hand, as `Look.brightness`.
        landmarks: 63 numbers, x, y, z of 21 joints, as in `hand_landmarker.Hand`; None without a hand.
        reasons: what the gate had against it; not empty only where the gate was off.
        recovered: written into the index after a crash, from the image alone.
    """

    file: str
    time: str | None = None
    burst: int = 0
    width: int
    height: int
    phash: int
    fine_hash: int
    hand: Literal["left", "right"] | None = None
    score: float | None = None
    brightness: float | None = None
    landmarks: tuple[float, ...] | None = None
    reasons: tuple[str, ...] = field(default=())
    recovered: bool = False

    @property
    def letter(self) -> str:
        """Which letter is signed."""
        return self.file.partition("/")[0]

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """As `Look.joints`."""
        if self.landmarks is None:
            return np.full((21, 2), np.nan, np.float32)
        points = np.array(self.landmarks, np.float32).reshape(21, 3)
        return joints_in_pixels(points, self.width, self.height) / np.float32(max(self.width, self.height))

    def line(self) -> str:
        """As it stands in the index."""
        return json.dumps(asdict(self) | {"phash": f"{self.phash:016x}", "fine_hash": f"{self.fine_hash:064x}"})

    @classmethod
    def from_metrics(
        cls, seen: FrameMetrics, *, file: str, side: Literal["left", "right"] | None = None, **other: Any
    ) -> "IndexEntry":
        """The entry of a frame in which `seen` was seen; `side` is what the signer says of the hand, if anything."""
        hand = seen.hand
        if hand is not None:
            other |= {
                "hand": side or hand.handedness,
                "score": round(hand.score, 4),
                "brightness": round(seen.brightness, 4),
                "landmarks": tuple(round(float(value), 5) for value in hand.landmarks.ravel()),
            }
        return cls(file=file, **{name: getattr(seen, name) for name in _MEASURED}, **other)

    @classmethod
    def read(cls, values: dict[str, Any]) -> "IndexEntry":
        """From a line's values; keys of a later version are passed over.

        Raises:
            ValueError, TypeError, KeyError, OverflowError: they are no entry's.
        """
        landmarks = values["landmarks"]
        entry = cls(
            **{key.name: values[key.name] for key in fields(cls) if key.name in values}
            | {
                "phash": int(values["phash"], 16),
                "fine_hash": int(values["fine_hash"], 16),
                "landmarks": None if landmarks is None else tuple(float(value) for value in landmarks),
                "reasons": tuple(values["reasons"]),
            }
        )
        letter, _, name = entry.file.partition("/")
        whole = all(isinstance(value, int) and 0 <= value < _MANY for value in (entry.width, entry.height, entry.burst))
        named = letter in RECORDABLE and name and Path(name).name == name
        sized = whole and entry.width and entry.height
        hashed = 0 <= entry.phash < 1 << 64 and 0 <= entry.fine_hash < 1 << FINE_BITS
        if not (
            named
            and sized
            and hashed
            and (entry.landmarks is None or _are_joints(entry.landmarks))
            and entry.hand in (None, "left", "right")
        ):
            raise ValueError("not an entry")
        return entry


@dataclass(kw_only=True)
class FrameIndex:
    """The frames that a session has, in the order they were stored in.

    Attributes:
        path: of the file.
        entries: by `Entry.file`.
        broken: lines that could not be read, as after a power cut.
    """

    path: Path
    entries: dict[str, IndexEntry] = field(default_factory=dict)
    broken: int = 0

    @classmethod
    def load(cls, session: Path) -> "FrameIndex":
        """Read a session's index; where there is none, no frame is listed."""
        index = cls(path=session / INDEX_FILE)
        if index.path.is_file():
            text = index.path.read_text(encoding="utf-8", errors="replace")
            for line in text.split("\n"):
                index._take(line)
            # A line is only whole with its end: one without was being written when it ended.
            index.broken += bool(text) and not text.endswith("\n") and _is_json(text.rpartition("\n")[2])
        return index

    def _take(self, line: str) -> None:
        if not line:
            return
        try:
            values = json.loads(line)
            if "removed" in values:
                self.entries.pop(values["removed"], None)
            else:
                entry = IndexEntry.read(values)
                self.entries[entry.file] = entry
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            self.broken += 1

    def repair(self) -> None:
        """Write the file anew without its broken lines, if it has any."""
        if self.broken:
            write_durably(self.path, "".join(f"{entry.line()}\n" for entry in self.entries.values()).encode())

    def add(self, entry: IndexEntry) -> None:
        """List a frame; it is on the disk when this returns."""
        self._append(entry.line())
        self.entries[entry.file] = entry

    def remove(self, file: str) -> None:
        """List it no longer."""
        self._append(json.dumps({"removed": file}))
        self.entries.pop(file, None)

    def _append(self, line: str) -> None:
        """Append a line whole, or, where the disk is full, not at all."""
        with self.path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                data = f"{line}\n".encode()
                if file.write(data) != len(data):
                    file.write(data)  # the disk filled in mid-line: this raises why
                    file.truncate(before)
                    raise OSError(f"{self.path} could not be written")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise


def _are_joints(landmarks: tuple[float, ...]) -> bool:
    return len(landmarks) == 63 and all(abs(value) < _FAR for value in landmarks)  # NaN is not


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
