"""The frame index of a session, frames.jsonl: an append-only log with one line per stored or removed frame."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Meta

from aslkit.core.files import write_durably
from aslkit.core.letters import RECORDABLE
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.near_duplicate import joints_in_pixels
from aslkit.vision.perceptual_hash import FINE_BITS

INDEX_FILE: Final = "frames.jsonl"

_MAX_INTEGER: Final = 1 << 31
"""Larger widths, heights and burst numbers are treated as damage."""

_MAX_COORDINATE: Final = 1e6
"""Landmark coordinates beyond this, in units of the frame size, are treated as damage."""

_Side = Annotated[int, Meta(gt=0, lt=_MAX_INTEGER)]
_Coordinate = Annotated[float, Meta(gt=-_MAX_COORDINATE, lt=_MAX_COORDINATE)]

_METRICS_FIELDS: Final = ("width", "height", "phash", "fine_hash")


@dataclass(frozen=True, kw_only=True)
class IndexEntry:
    """The index entry of a stored frame.

    Attributes:
        file: path relative to the session folder, such as A/NAME.jpg, or none/NAME.jpg for a negative sample.
        time: time at which the frame was taken, ISO 8601, UTC; None if unknown.
        burst: number of the burst. Undo removes all frames of a burst together.
        width, height: size of the image, pixels.
        phash, fine_hash: perceptual hashes of the frame, see `FrameMetrics`.
        hand: "left" or "right", as confirmed by the signer or as detected; None without a hand.
        score: confidence of the detected handedness, 0–1.
        brightness: brightness of the hand, see `FrameMetrics.brightness`.
        landmarks: 63 numbers, x, y, z of 21 joints, as in `hand_landmarker.Hand`; None without a hand.
        reasons: reasons for which the quality gate would reject the frame; only set if the gate is off.
        recovered: whether the entry was restored from the image after a crash.
    """

    file: str
    time: str | None = None
    burst: Annotated[int, Meta(ge=0, lt=_MAX_INTEGER)] = 0
    width: _Side
    height: _Side
    phash: int
    fine_hash: int
    hand: Literal["left", "right"] | None = None
    score: float | None = None
    brightness: float | None = None
    landmarks: Annotated[tuple[_Coordinate, ...], Meta(min_length=63, max_length=63)] | None = None
    reasons: tuple[str, ...] = field(default=())
    recovered: bool = False

    @property
    def letter(self) -> str:
        """The letter that the frame shows, or "none"."""
        return self.file.partition("/")[0]

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Hand joints, float32 (21, 2), see `FrameMetrics.joints`; NaN without a hand."""
        if self.landmarks is None:
            return np.full((21, 2), np.nan, np.float32)
        points = np.array(self.landmarks, np.float32).reshape(21, 3)
        return joints_in_pixels(points, self.width, self.height) / np.float32(max(self.width, self.height))

    def to_json(self) -> str:
        """Return the line of the index, without line break."""
        return json.dumps(asdict(self) | {"phash": f"{self.phash:016x}", "fine_hash": f"{self.fine_hash:064x}"})

    @classmethod
    def from_metrics(
        cls, metrics: FrameMetrics, *, file: str, side: Literal["left", "right"] | None = None, **other: Any
    ) -> "IndexEntry":
        """Create the entry of a frame from its metrics.

        Args:
            metrics: metrics of the frame.
            file: see `IndexEntry.file`.
            side: handedness confirmed by the signer; None uses the detected one.
            other: further attributes of the entry.
        """
        hand = metrics.hand
        if hand is not None:
            other |= {
                "hand": side or hand.handedness,
                "score": round(hand.score, 4),
                "brightness": round(metrics.brightness, 4),
                "landmarks": tuple(round(float(value), 5) for value in hand.landmarks.ravel()),
            }
        return cls(file=file, **{name: getattr(metrics, name) for name in _METRICS_FIELDS}, **other)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "IndexEntry":
        """Create an entry from the parsed JSON of a line; unknown keys of later versions are ignored.

        Raises:
            ValueError, TypeError, KeyError: the values are not a valid entry.
        """
        hashes = {name: int(values[name], 16) for name in ("phash", "fine_hash")}
        entry = msgspec.convert(values | hashes, cls)
        letter, _, name = entry.file.partition("/")
        # A path such as A/../../x in a copied index must not make undo move other files.
        if letter not in RECORDABLE or not name or Path(name).name != name:
            raise ValueError(f"{entry.file!r:.60} is not the path of a frame")
        # Python's integers have any size, but a larger one would not fit into NumPy's uint64.
        if not (0 <= entry.phash < 1 << 64 and 0 <= entry.fine_hash < 1 << FINE_BITS):
            raise ValueError("a hash has too many bits")
        return entry


@dataclass(kw_only=True)
class FrameIndex:
    """The stored frames of a session, in the order in which they were stored.

    Attributes:
        path: path of the index file.
        entries: entries by `IndexEntry.file`.
        broken_lines: number of lines that could not be parsed, for example after a power failure.
    """

    path: Path
    entries: dict[str, IndexEntry] = field(default_factory=dict)
    broken_lines: int = 0

    @classmethod
    def load(cls, session: Path) -> "FrameIndex":
        """Read the index of a session folder; it is empty if the file does not exist."""
        index = cls(path=session / INDEX_FILE)
        if index.path.is_file():
            text = index.path.read_text(encoding="utf-8", errors="replace")
            # Not splitlines(), which also splits at other separators than the one that `_append` writes.
            for line in text.split("\n"):
                index._apply(line)
            # A last line without line break was being written when the process ended; it may still be valid JSON.
            index.broken_lines += bool(text) and not text.endswith("\n") and _is_json(text.rpartition("\n")[2])
        return index

    def _apply(self, line: str) -> None:
        if not line:
            return
        try:
            values = json.loads(line)  # msgspec rejects the surrogates in the JSON of undecodable file names
            if "removed" in values:
                self.entries.pop(values["removed"], None)
            else:
                entry = IndexEntry.from_dict(values)
                self.entries[entry.file] = entry
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.broken_lines += 1

    def repair(self) -> None:
        """Rewrite the file without its broken lines, if it has any."""
        if self.broken_lines:
            write_durably(self.path, "".join(f"{entry.to_json()}\n" for entry in self.entries.values()).encode())

    def add(self, entry: IndexEntry) -> None:
        """Add an entry. It is on disk when this returns."""
        # On disk first: the entry must not be counted in memory if the disk is full.
        self._append(entry.to_json())
        self.entries[entry.file] = entry

    def remove(self, file: str) -> None:
        """Remove the entry of a file, if there is one."""
        self._append(json.dumps({"removed": file}))
        self.entries.pop(file, None)

    def _append(self, line: str) -> None:
        """Append a line atomically: if the disk is full, nothing is appended."""
        # Unbuffered, so that an error occurs in write, and not when the file is closed.
        with self.path.open("ab", buffering=0) as file:
            size = file.tell()
            try:
                data = f"{line}\n".encode()
                if file.write(data) != len(data):
                    file.write(data)  # short write: the second attempt raises the cause, such as a full disk
                    file.truncate(size)
                    raise OSError(f"{self.path} could not be written")
                os.fsync(file.fileno())
            except OSError:
                file.truncate(size)
                raise


def _is_json(text: str) -> bool:
    try:
        msgspec.json.decode(text)
    except ValueError:
        return False
    return True
