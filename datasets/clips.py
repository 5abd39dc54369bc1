"""Read the clips of a dataset: the movements of the letters J and Z, with landmarks and times."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.core.letters import LABELS, MOTION_LETTERS
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store

_SAME_IN_CLIP: Final = ("label", "signer", "session", "split")
_COLUMNS: Final = (
    "clip", "time_ms", "label", "signer", "session", "handedness", "landmarks", "width", "height", "group",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DatasetClip:
    """A clip of n frames, sorted by time.

    Attributes:
        name: SIGNER/SESSION/LETTER/CLIP, which identifies the clip in the dataset.
        letter: "J" or "Z".
        signer, session: names of the signer and the session.
        split: "train", "validation" or "test".
        time_ms: time since the first frame of the clip, milliseconds, int64 (n,), increasing.
        landmarks: as `Hand.landmarks`, float32 (n, 21, 3); NaN without a hand.
        left: whether the hand is a left hand, bool (n,); False without a hand.
        width, height: size of the frames, pixels, int64 (n,).
        group: near-duplicate group; clips of the same recording have the same one. None if it is unknown.
    """

    name: str
    letter: str
    signer: str
    session: str
    split: str
    time_ms: npt.NDArray[np.int64]
    landmarks: npt.NDArray[np.float32]
    left: npt.NDArray[np.bool_]
    width: npt.NDArray[np.int64]
    height: npt.NDArray[np.int64]
    group: int | None = None

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.time_ms)


def load_clips(folder: Path) -> list[DatasetClip]:
    """Read the clips of a dataset, sorted by name in natural order. Images are not read.

    Returns:
        The clips; none for a dataset of schema version 1.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: the dataset is damaged, or a clip is inconsistent: it has several signers, sessions, letters or
            splits, another letter than J or Z, times that do not increase, or undefined landmarks.
    """
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for table in _iter_clip_rows(folder):
        for row in table.to_pylist():
            rows[row["clip"]].append(row)
    return [_make_clip(folder, name, rows[name]) for name in sorted(rows, key=natural_key)]


def count_clips(folder: Path) -> int:
    """Return the number of clips in a dataset.

    Raises:
        InputError, AslkitError: see `load_clips`.
    """
    names = (table.column("clip") for table in parquet_store.iter_row_groups(folder, ["clip"]))
    return len({name for column in names for name in column.unique().to_pylist() if name is not None})


def _iter_clip_rows(folder: Path) -> Iterator[pa.Table]:
    """Yield the rows of clips, with a column "split"."""
    for path in parquet_store.list_files(folder):
        # The names alone are small: the landmarks are read only of row groups that contain clips.
        for number, names in enumerate(parquet_store.iter_file_row_groups(path, ["clip"])):
            in_clip = names.column("clip").is_valid()
            if pc.any(in_clip).as_py():
                table = parquet_store.read_row_group(path, number, _COLUMNS).filter(in_clip)
                yield table.append_column("split", pa.array([path.name.split("-")[0]] * len(table), pa.string()))


def _make_clip(folder: Path, name: str, rows: list[dict[str, Any]]) -> DatasetClip:
    """Return the clip of these rows, or raise AslkitError if they are inconsistent."""
    problem = _find_problem(rows)
    rows.sort(key=lambda row: row["time_ms"] or 0)
    time_ms = np.array([row["time_ms"] or 0 for row in rows], np.int64)
    landmarks = np.full((len(rows), 21, 3), np.nan, np.float32)
    for index, row in enumerate(rows):
        if row["landmarks"] is not None:
            landmarks[index] = np.array(row["landmarks"], np.float32).reshape(21, 3)
            problem = problem or ("" if np.isfinite(landmarks[index]).all() else "landmarks that are not numbers")
    if problem or (np.diff(time_ms) <= 0).any():
        raise AslkitError(
            f"The clip {sanitize_text(name)} of {folder} has {problem or 'times that do not increase'}. "
            "`aslkit dataset verify` lists all problems."
        )
    first = rows[0]
    return DatasetClip(
        name=name,
        letter=LABELS[first["label"]],
        signer=first["signer"],
        session=first["session"],
        split=first["split"],
        time_ms=time_ms,
        landmarks=landmarks,
        left=np.array([row["landmarks"] is not None and row["handedness"] == "left" for row in rows], bool),
        width=np.array([row["width"] for row in rows], np.int64),
        height=np.array([row["height"] for row in rows], np.int64),
        group=first["group"],
    )


def _find_problem(rows: list[dict[str, Any]]) -> str:
    """Return what is inconsistent in the rows of a clip; empty if nothing is."""
    for name in _SAME_IN_CLIP:
        if len({row[name] for row in rows}) > 1:
            return f"several values of {name}"
    if any(row[name] is None for row in rows for name in ("time_ms", "signer", "session", "width", "height")):
        return "no value of time_ms, signer, session, width or height in a row"
    label = rows[0]["label"]
    if label not in range(len(LABELS)) or LABELS[label] not in MOTION_LETTERS:
        return f"label {label}, which is not {' or '.join(MOTION_LETTERS)}"
    return ""
