"""Group the near-duplicates and copies among the captured frames."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa

from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure.copy_search import Pairs, SearchedFrames, search_copies
from aslkit.curate.measure.engine import Engine
from aslkit.curate.measure.find_copies import family_names
from aslkit.curate.measure.near_duplicates import Integers, merge_groups, number_groups
from aslkit.curate.measure.table import group_features
from aslkit.formats.captures import CapturedFrame, SessionInfo


def group_frames(
    frames: Sequence[CapturedFrame],
    measurements: pa.Table,
    sessions: Mapping[tuple[str, str], SessionInfo],
    *,
    limits: NearDuplicateLimits,
    engine: Engine,
    cache: Path,
) -> Integers:
    """Return the near-duplicate group of each frame, int64 (n,), numbered from 0 in the order of their first frames.

    Two frames of the same signer and letter are in one group if they are near-duplicates, if their file names tell that
    they are copies of one photo, or if their pixels do (`photo_copies`, only in images that aslkit did not record).

    Args:
        frames: n readable frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        sessions: by signer and session.
        limits: maximum distances between near-duplicates.
        engine: compares the frames.
        cache: file with the copies found earlier.
    """
    part = np.array([f"{frame.signer}/{frame.letter}" for frame in frames])
    features = group_features(measurements)
    group = merge_groups(engine.group(features, part, limits), pair_named_copies(frames, sessions))
    # A recording has no augmented copies. Similar moments of it would be called copies, so that in front of a static
    # camera nothing could be held out.
    rows = np.flatnonzero([not sessions[frame.signer, frame.session].is_recorded for frame in frames])
    contents = measurements.column("content").to_pylist()
    searched = SearchedFrames(
        paths=[frames[row].path for row in rows],
        contents=[contents[row] for row in rows],
        hands=features.hands[rows],
    )
    pairs = search_copies(searched, part[rows], group[rows], engine=engine, cache=cache)
    return number_groups(merge_groups(group, rows[pairs]))


def pair_named_copies(frames: Sequence[CapturedFrame], sessions: Mapping[tuple[str, str], SessionInfo]) -> Pairs:
    """Return pairs of frames whose file names tell that they are copies of one photo, int64 (m, 2).

    Only frames of the same letter and source are compared, because other sources can have the same names.
    """

    def source(row: int) -> tuple[str, str, str]:
        frame = frames[row]
        info = sessions[frame.signer, frame.session]
        # The sessions of a kept split have the same source.
        return frame.signer, frame.letter, info.camera if info.split else frame.session

    pairs = []
    for _, rows in groupby(sorted(range(len(frames)), key=source), key=source):
        members = list(rows)
        first: dict[str, int] = {}
        for row, family in zip(members, family_names([frames[row].path.stem for row in members]), strict=True):
            if (known := first.setdefault(family, row)) != row:
                pairs.append((known, row))
    return np.array(pairs, np.int64).reshape(-1, 2)
