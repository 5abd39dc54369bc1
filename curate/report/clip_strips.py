"""Clips in the report: counts by letter and signer, and a strip of a few frames of some clips of each letter."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from aslkit.core.letters import MOTION_LETTERS
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.formats.clips import CapturedClip, ClipFrame, clip_landmarks
from aslkit.vision.crop import MIN_SPAN, crop_square, jpeg_data_uri
from aslkit.vision.images import Frame, ImageError, decode_image, read_image_file

FRAMES_PER_STRIP: Final = 6

MAX_CLIPS_PER_LETTER: Final = 6
"""Maximum number of clips of a letter that are shown, of as many signers as possible."""

MAX_LISTED: Final = 20
"""Maximum number of rejected clips that are listed; all are in rejected.parquet."""

FRAME_SIDE: Final = 96
"""Side of a frame in a strip, pixels."""

_MARGIN: Final = 0.25
"""Margin around the movement, relative to its longer side."""

_JPEG_QUALITY: Final = 72


@dataclass(frozen=True, kw_only=True)
class Strip:
    """Some frames of a clip, from its start to its end.

    Attributes:
        key: key of the clip.
        signer: name of the signer.
        frames: number of frames of the clip.
        duration_s: length of the clip, seconds.
        image: data: URI of the frames side by side; None if an image cannot be decoded.
    """

    key: str
    signer: str
    frames: int
    duration_s: float
    image: str | None


def build_strips(clips: Sequence[CapturedClip]) -> dict[str, list[Strip]]:
    """Return the strips of up to MAX_CLIPS_PER_LETTER clips of each letter that has any."""
    shown = {letter: _choose_clips([clip for clip in clips if clip.letter == letter]) for letter in MOTION_LETTERS}
    return {letter: [_build_strip(clip) for clip in chosen] for letter, chosen in shown.items() if chosen}


def list_rejected(rejected: Sequence[Rejection]) -> tuple[list[dict[str, Any]], int]:
    """Return the first rejected clips, and how many more there are."""
    return [rejection.row() for rejection in rejected[:MAX_LISTED]], max(0, len(rejected) - MAX_LISTED)


def _choose_clips(clips: Sequence[CapturedClip]) -> list[CapturedClip]:
    """Choose clips of as many signers as possible, the first ones of each."""
    rank: dict[str, int] = {}
    ranked = []
    for position, clip in enumerate(clips):
        rank[clip.signer] = rank.get(clip.signer, -1) + 1
        ranked.append((rank[clip.signer], position))
    return [clips[position] for _, position in sorted(ranked)[:MAX_CLIPS_PER_LETTER]]


def _build_strip(clip: CapturedClip) -> Strip:
    return Strip(
        key=clip.key,
        signer=clip.signer,
        frames=len(clip.frames),
        duration_s=clip.duration_s,
        image=_draw_strip(clip),
    )


def _draw_strip(clip: CapturedClip) -> str | None:
    count = min(FRAMES_PER_STRIP, len(clip.frames))
    chosen = [clip.frames[index] for index in np.linspace(0, len(clip.frames) - 1, count).round().astype(int)]
    try:
        tiles = [_crop_movement(decode_image(read_image_file(clip.folder / each.file)), clip.frames) for each in chosen]
    except (ImageError, OSError):
        return None
    return jpeg_data_uri(np.hstack(tiles), quality=_JPEG_QUALITY)


def _crop_movement(image: Frame, frames: Sequence[ClipFrame]) -> Frame:
    """Return the square in which the whole movement happens, uint8 (FRAME_SIDE, FRAME_SIDE, 3)."""
    height, width = image.shape[:2]
    points = clip_landmarks(frames)[..., :2].reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)].clip(0, 1) * (width, height)
    if not len(points):
        points = np.array([[0, 0], [width, height]], np.float64)
    low, high = points.min(axis=0), points.max(axis=0)
    span = max(float((high - low).max()), MIN_SPAN) * (1 + 2 * _MARGIN)
    middle = (float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2)
    return crop_square(image, middle=middle, span=span, side=FRAME_SIDE, smooth=True)
