"""Check the clips of a dataset: what must be equal in all rows of a clip, its times, and duplicates."""

from collections.abc import Iterator
from typing import Any, Final

import pyarrow as pa

from aslkit.core.sanitize import sanitize_text

Found = tuple[int, str, str]
"""Position of the row among all rows, kind and text of a finding."""

_SAME_IN_CLIP: Final = ("signer", "session", "label", "split", "group")
"""Columns that have one value in a clip."""

_MIN_FRAMES: Final = 2


def find_in_clips(rows: pa.Table) -> Iterator[Found]:
    """Yield the problems of clips.

    Args:
        rows: all rows, with the columns clip, time_ms, signer, session, label, split, group, pixels and position.
    """
    columns = ["clip", "time_ms", *_SAME_IN_CLIP, "pixels", "position"]
    in_clips = rows.filter(rows.column("clip").is_valid()).select(columns)
    clips: dict[str, list[dict[str, Any]]] = {}
    for row in in_clips.to_pylist():
        clips.setdefault(row["clip"], []).append(row)
    by_pixels: dict[tuple[str, ...], tuple[str, int]] = {}
    for name, frames in clips.items():
        last = frames[-1]["position"]
        for kind, problem in _find_problems(frames):
            yield last, kind, f"the clip {sanitize_text(name)} {problem}"
        frames.sort(key=lambda row: row["time_ms"] or 0)
        pixels = tuple(row["pixels"] for row in frames)
        if None in pixels:
            continue
        other, label = by_pixels.setdefault(pixels, (name, frames[0]["label"]))
        if other != name:
            kind = "twice" if label == frames[0]["label"] else "two-letters"
            yield last, kind, f"the clip {sanitize_text(name)} has the same frames as {sanitize_text(other)}"


def _find_problems(frames: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of the problems of a clip."""
    for column in _SAME_IN_CLIP:
        values = {row[column] for row in frames}
        if len(values) > 1:
            kind = "clip-in-two-splits" if column == "split" else "clip"
            shown = " and ".join(sorted(sanitize_text(value, most=40) for value in list(values)[:5]))
            yield kind, f"has several values of {column}: {shown}"
    times = [row["time_ms"] for row in frames if row["time_ms"] is not None]
    if len(set(times)) < len(times):
        yield "clip", "has several frames at the same time"
    if len(frames) < _MIN_FRAMES:
        yield "clip", f"has {len(frames)} frame, not at least {_MIN_FRAMES}"
