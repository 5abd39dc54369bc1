"""Reject clips that cannot be decoded, and clips with the same pixels; group clips that share frames."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.workspace import compose
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.formats.captures import CapturedFrame
from aslkit.formats.clips import CapturedClip

DAMAGED_CLIP: Final = "damaged-clip"
"""Reason code of clips of which frames.jsonl or an image cannot be read."""

Integers = npt.NDArray[np.int64]


def clip_folder_frame(folder: Path) -> CapturedFrame:
    """Return the folder of a clip, SIGNER/SESSION/LETTER/CLIP, as a row of rejected.parquet names it."""
    session = folder.parents[1]
    return CapturedFrame(
        path=folder,
        signer=compose(session.parent.name),
        session=compose(session.name),
        letter=folder.parent.name,
    )


def drop_duplicate_clips(
    clips: Sequence[CapturedClip], errors: Sequence[str | None], pixel_hashes: Sequence[tuple[str, ...]]
) -> tuple[list[int], list[Rejection]]:
    """Return the indices of the clips to keep, and the rejected ones.

    Reasons are DAMAGED_CLIP, `conflicting-label` (equal frames with different letters; none of them is kept) and
    `duplicate` (equal frames; the first one is kept, whoever the signer is).

    Args:
        clips: n clips.
        errors: for each clip, why one of its images cannot be decoded; None if all can.
        pixel_hashes: for each clip, the hashes of the pixels of its frames; ignored for clips with an error.
    """
    kept: list[int] = []
    rejected: list[Rejection] = []
    by_pixels: dict[tuple[str, ...], list[CapturedClip]] = {}
    for clip, error, pixels in zip(clips, errors, pixel_hashes, strict=True):
        if error is None:
            by_pixels.setdefault(pixels, []).append(clip)
    for index, (clip, error, pixels) in enumerate(zip(clips, errors, pixel_hashes, strict=True)):
        frame = clip_folder_frame(clip.folder)
        if error is not None:
            rejected.append(Rejection(frame=frame, reason=DAMAGED_CLIP, detail=error))
            continue
        equal = by_pixels[pixels]
        if other := next((each for each in equal if each.letter != clip.letter), None):
            detail = f"same pixels as {other.key}"
            rejected.append(Rejection(frame=frame, reason="conflicting-label", detail=detail))
        elif equal[0] is not clip:
            rejected.append(Rejection(frame=frame, reason="duplicate", detail=f"same pixels as {equal[0].key}"))
        else:
            kept.append(index)
    return kept, rejected


def join_groups_by_pixels(
    still_group: Integers, still_hashes: Sequence[str], clip: Integers, clip_hashes: Sequence[str | None]
) -> tuple[Integers, Integers]:
    """Number the groups of stills and clips: each clip is one group, joined with those that show one of its frames.

    Two clips cut from one video can overlap, and a still can be one of their frames.

    Args:
        still_group: groups of n stills, int64 (n,).
        still_hashes: hashes of their pixels.
        clip: number of the clip of each of m rows, from 0, int64 (m,).
        clip_hashes: hashes of their pixels; None for rows that connect nothing, such as frames without a hand.

    Returns:
        The groups of the stills, unchanged unless a clip joins some of them, int64 (n,), and of the rows, int64 (m,).
    """
    first_clip = int(still_group.max(initial=-1)) + 1
    parent = np.arange(first_clip + int(clip.max(initial=-1)) + 1)

    def root(group: int) -> int:
        while parent[group] != group:
            group = int(parent[group])
        return group

    seen = dict(zip(still_hashes, still_group.tolist(), strict=True))
    for number, pixels in zip(clip.tolist(), clip_hashes, strict=True):
        if pixels is not None:
            one, other = root(first_clip + number), root(seen.setdefault(pixels, first_clip + number))
            parent[max(one, other)] = min(one, other)
    roots = np.array([root(group) for group in range(len(parent))], np.int64)
    return roots[still_group], roots[first_clip + clip]
