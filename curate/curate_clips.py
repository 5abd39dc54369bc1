"""Turn the captured clips into rows: measure their images, and drop damaged clips and duplicates."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.files import file_hash
from aslkit.core.progress import iterate_with_progress
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.clip_duplicates import drop_duplicate_clips, join_groups_by_pixels
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.find_captures import FoundCaptures, Sessions
from aslkit.curate.measure.clip_table import build_clip_table, list_files, measure_clips
from aslkit.curate.measure.engine import Engine
from aslkit.datasets import schema
from aslkit.formats.clips import CLIP_INDEX_FILE, CapturedClip

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipImage:
    """An image of a clip.

    Attributes:
        path: path of its file.
        key: `image.path` in the dataset.
    """

    path: Path
    key: str


@dataclass(frozen=True, kw_only=True)
class CuratedClips:
    """The clips of the dataset, and the rejected ones.

    Attributes:
        clips: the clips.
        table: m rows of `schema.COLUMNS`, one for each frame, in order, without images.
        rejected: one entry for each rejected clip.
    """

    clips: list[CapturedClip] = field(default_factory=list)
    table: pa.Table = field(default_factory=schema.COLUMNS.empty_table)
    rejected: list[Rejection] = field(default_factory=list)

    def images(self) -> list["ClipImage"]:
        """Return the image of each row."""
        return [
            ClipImage(path=clip.folder / frame.file, key=f"{clip.key}/{frame.file}")
            for clip in self.clips
            for frame in clip.frames
        ]

    @property
    def row_clip(self) -> Integers:
        """Number of the clip of each row, int64 (m,)."""
        return np.repeat(np.arange(len(self.clips)), [len(clip.frames) for clip in self.clips]).astype(np.int64)

    def add_groups(self, still_group: Integers, still_hashes: Sequence[str]) -> tuple[Integers, "CuratedClips"]:
        """Give each clip a group, and return the groups of the stills and the clips.

        Args:
            still_group: near-duplicate groups of the stills, int64 (n,).
            still_hashes: hashes of their pixels.
        """
        has_hand = self.table.column("landmarks").is_valid().to_pylist()
        hashes = self.table.column("sha256").to_pylist()
        # Frames without a hand do not connect clips: the first, black frame of a camera is equal in all of them.
        shown = [pixels if hand else None for pixels, hand in zip(hashes, has_hand, strict=True)]
        still_group, group = join_groups_by_pixels(still_group, still_hashes, self.row_clip, shown)
        column = self.table.schema.get_field_index("group")
        return still_group, replace(self, table=self.table.set_column(column, "group", pa.array(group, pa.int64())))


def hash_clips(clips: Sequence[CapturedClip]) -> tuple[list[str], list[str]]:
    """Return the hashes of the image files of all clips, in order, and of what identifies each clip and its content."""
    files = list_files(clips)
    contents = list(iterate_with_progress("Hashing clips", len(files), map(file_hash, files))) if files else []
    indices = [f"{clip.key} {file_hash(clip.folder / CLIP_INDEX_FILE)}" for clip in clips]
    return contents, indices


def curate_clips(
    captures: FoundCaptures,
    contents: Sequence[str],
    sessions: Sessions,
    config: CurateConfig,
    *,
    measurements: Path,
    engine: Engine,
    rebuild: bool,
) -> CuratedClips:
    """Measure the clips, drop duplicates and clips that cannot be decoded, and build the rows of the others.

    Args:
        captures: the clips, and those that could not be read.
        contents: hashes of the image files, from `hash_clips`.
        sessions: by signer and session.
        config: settings of curation.
        measurements: WORKSPACE/cache/descriptions.
        engine: measures the images.
        rebuild: measure all images again.
    """
    clips = captures.clips
    if not clips:
        return CuratedClips(rejected=captures.damaged)
    measured = measure_clips(measurements, clips, contents, config, engine, rebuild=rebuild)
    rows = list(_iter_row_ranges(clips))
    errors, pixels = (measured.column(name).to_pylist() for name in ("error", "sha256"))
    kept, rejected = drop_duplicate_clips(
        clips,
        [_describe_error(clip, errors[own]) for clip, own in zip(clips, rows, strict=True)],
        [tuple(pixels[own]) for own in rows],
    )
    chosen = np.concatenate([np.arange(rows[index].start, rows[index].stop) for index in kept] or [np.zeros(0, int)])
    accepted = [clips[index] for index in kept]
    table = build_clip_table(accepted, measured.take(chosen), sessions)
    return CuratedClips(clips=accepted, table=table, rejected=[*captures.damaged, *rejected])


def _iter_row_ranges(clips: Sequence[CapturedClip]) -> Iterator[slice]:
    start = 0
    for clip in clips:
        yield slice(start, start + len(clip.frames))
        start += len(clip.frames)


def _describe_error(clip: CapturedClip, errors: Sequence[Any]) -> str | None:
    """Return why the first image of a clip that cannot be decoded cannot; None if all can."""
    found = ((frame.file, error) for frame, error in zip(clip.frames, errors, strict=True) if error)
    return next((f"{file} cannot be decoded: {error}" for file, error in found), None)
