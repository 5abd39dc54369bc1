"""Search the captures for augmented copies of the same photo, and remember the result."""

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.files import write_bytes
from aslkit.core.progress import progress_bar
from aslkit.curate.measure.engine import Engine
from aslkit.curate.measure.find_copies import find_copies
from aslkit.curate.measure.photo_copies import ComparedPhoto, prepare_photo
from aslkit.vision.images import decode_image, read_image_file, to_gray

VERSION: Final = 1
"""Version of the comparison. Increment it when the result changes."""

MIN_FRAMES_FOR_WORKERS: Final = 500
"""Fewer frames are compared in this process, because starting workers would take longer."""

Pairs = npt.NDArray[np.int64]
"""Pairs of frames, int64 (m, 2)."""

_PART_SCHEMA: Final = pa.schema(
    [
        pa.field("path", pa.binary()),
        pa.field("group", pa.int64()),
        pa.field("joints", pa.list_(pa.float32(), 42)),
    ]
)
_PAIR_SCHEMA: Final = pa.schema([pa.field("first", pa.int64()), pa.field("second", pa.int64())])


@dataclass(frozen=True, kw_only=True)
class SearchedFrames:
    """n frames in which copies are searched.

    Attributes:
        paths: n image files.
        contents: n hashes of the files.
        hands: float32 (n, 21, 2), joints in pixels; NaN without a hand.
    """

    paths: Sequence[Path]
    contents: Sequence[str]
    hands: npt.NDArray[np.float32]


def search_copies(
    frames: SearchedFrames, part: npt.NDArray[Any], group: npt.NDArray[np.int64], *, engine: Engine, cache: Path
) -> Pairs:
    """Return pairs of frames that are copies of one photo, and of which the groups are not the same yet.

    A worker needs 35 kB of memory for each frame of a part.

    Args:
        frames: n frames.
        part: integers or strings (n,), signer and letter; only frames of the same part are compared.
        group: int64 (n,), frames known to be near-duplicates.
        engine: compares the frames.
        cache: file with the pairs found in earlier searches, by part; written also if the search is interrupted.
    """
    parts = {}
    for name in np.unique(part):
        rows = np.flatnonzero(part == name)
        if len(np.unique(group[rows])) > 1:
            parts[_compute_key(frames, rows, group)] = rows
    known = _load(cache)
    found = {key: known[key] for key in parts if key in known}
    new = {key: rows for key, rows in parts.items() if key not in known}
    with progress_bar("Comparing images", sum(map(len, new.values()))) as advance:
        try:
            batches = (_to_batch(frames, rows, group) for rows in new.values())
            few = sum(map(len, new.values())) < MIN_FRAMES_FOR_WORKERS
            results = map(find_copies_in_part, batches) if few else engine.map_files(find_copies_in_part, batches)
            for (key, rows), pairs in zip(new.items(), results, strict=True):
                found[key] = np.stack([column.to_numpy() for column in pairs.columns], axis=1).tolist()
                advance(len(rows))
        finally:
            if new:
                write_bytes(cache, json.dumps(found).encode())
    pairs = [rows[np.array(found[key], np.int64)] for key, rows in parts.items() if found[key]]
    return np.concatenate(pairs) if pairs else np.zeros((0, 2), np.int64)


def find_copies_in_part(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Read and compare the frames of one part; returns the pairs of rows. Runs in a worker process."""
    cv2.setNumThreads(1)  # one worker process per core
    joints = np.stack(batch.column("joints").to_numpy(zero_copy_only=False)).reshape(-1, 21, 2)
    photos = list(map(_read, batch.column("path").to_pylist(), joints))
    pairs = np.array(list(find_copies(photos, batch.column("group").to_numpy())), np.int64).reshape(-1, 2)
    return pa.RecordBatch.from_arrays([pa.array(pairs[:, 0]), pa.array(pairs[:, 1])], schema=_PAIR_SCHEMA)


def _read(path: bytes, joints: npt.NDArray[np.float32]) -> ComparedPhoto:
    return prepare_photo(to_gray(decode_image(read_image_file(Path(os.fsdecode(path))))), joints)


def _to_batch(frames: SearchedFrames, rows: npt.NDArray[np.int64], group: npt.NDArray[np.int64]) -> pa.RecordBatch:
    paths = pa.array([os.fsencode(frames.paths[row].absolute()) for row in rows], pa.binary())
    joints = pa.FixedSizeListArray.from_arrays(pa.array(frames.hands[rows].ravel()), 42)
    return pa.RecordBatch.from_arrays([paths, pa.array(group[rows]), joints], schema=_PART_SCHEMA)


def _compute_key(frames: SearchedFrames, rows: npt.NDArray[np.int64], group: npt.NDArray[np.int64]) -> str:
    """Return a hash of everything that the pairs of a part depend on."""
    digest = hashlib.sha256(f"{VERSION} {cv2.__version__}".encode())
    digest.update("".join(frames.contents[row] for row in rows).encode())
    digest.update(np.unique(group[rows], return_inverse=True)[1].tobytes())
    digest.update(frames.hands[rows].tobytes())
    return digest.hexdigest()


def _load(cache: Path) -> dict[str, list[tuple[int, int]]]:
    """Read the cache; a missing or damaged one is empty."""
    try:
        return msgspec.json.decode(cache.read_bytes(), type=dict[str, list[tuple[int, int]]])
    except (OSError, ValueError):
        return {}
