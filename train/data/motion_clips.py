"""Recorded clips of J and Z, and of movements that are no letter, as tracks of landmarks."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import AslkitError
from aslkit.core.letters import NO_LETTER
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.datasets.clips import DatasetClip
from aslkit.formats.clips import CapturedClip, clip_landmarks, read_clip, walk_clips
from aslkit.synthetic.movements.tracks import Track
from aslkit.vision.hand_landmarker import INDEX, PINKY

MIN_HANDS: Final = 4
"""Frames with a hand that a clip needs to be trained on."""

_AT_REST: Final = 0.15
"""Distance from its first or last place up to which the drawing finger rests, relative to the size of its path. A clip
begins and ends at rest."""

_TIPS: Final = {"J": PINKY[-1], "Z": INDEX[-1]}


def dataset_track(clip: DatasetClip) -> Track | None:
    """Return a clip of a dataset as a track; None if it has too few hands."""
    return _to_track(clip.landmarks, clip.time_ms, clip.left, clip.width, clip.height, clip.letter)


def recorded_negative_tracks(captures: Path, signers: set[str], on_message: OnMessage) -> list[Track]:
    """Return the movements that some signers recorded as no letter. Damaged clips are reported and left out."""
    tracks = []
    for folder in walk_clips(captures):
        name = folder.parents[2].name
        if folder.parent.name != NO_LETTER or name not in signers or name.startswith(SYNTHETIC_PREFIX):
            continue
        try:
            track = captured_track(read_clip(folder))
        except AslkitError as error:
            on_message(error.message)
            continue
        if track is not None:
            tracks.append(track)
    return tracks


def captured_track(clip: CapturedClip) -> Track | None:
    """Return a clip of the captures as a track; None if it has too few hands."""
    frames = clip.frames
    return _to_track(
        clip_landmarks(frames),
        np.array([frame.time_ms for frame in frames]),
        np.array([frame.hand == "left" for frame in frames]),
        np.array([frame.width for frame in frames]),
        np.array([frame.height for frame in frames]),
        clip.letter,
    )


def _to_track(
    landmarks: npt.NDArray[np.float32],
    time_ms: npt.NDArray[np.int64],
    left: npt.NDArray[np.bool_],
    width: npt.NDArray[np.int64],
    height: npt.NDArray[np.int64],
    letter: str,
) -> Track | None:
    found = np.isfinite(landmarks).all(axis=(1, 2))
    if found.sum() < MIN_HANDS:
        return None
    sizes = np.stack([width, height, width], axis=1)[found, None]
    points, time_s = (landmarks[found] * sizes).astype(np.float32), time_ms[found] / 1000
    letters = ((letter, *_movement(points[:, _TIPS[letter], :2], time_s)),) if letter in _TIPS else ()
    return Track(
        time_s=time_s, points=points, left=bool(left[found].mean() > 0.5), letters=letters,
        end_s=float(time_ms[-1] / 1000),
    )  # fmt: skip


def _movement(tip: npt.NDArray[np.float32], time_s: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return when a fingertip, float32 (n, 2), leaves its first place and reaches its last one for good, seconds."""
    limit = _AT_REST * float(np.ptp(tip, axis=0).max())
    first, last = tip[:3].mean(axis=0), tip[-3:].mean(axis=0)
    away_from_first = np.linalg.norm(tip - first, axis=1) > limit
    away_from_last = np.linalg.norm(tip - last, axis=1) > limit
    start = max(int(away_from_first.argmax()) - 1, 0)
    end = min(len(tip) - int(away_from_last[::-1].argmax()), len(tip) - 1)
    return float(time_s[start]), float(time_s[max(end, start)])


def vary_tracks(tracks: Sequence[Track], copies: int, rng: np.random.Generator) -> list[Track]:
    """Return varied copies of tracks: faster or slower, tilted, mirrored, and with small errors."""
    return [_vary(track, rng) for track in tracks for _ in range(copies)]


def _vary(track: Track, rng: np.random.Generator) -> Track:
    pace = float(np.exp(rng.uniform(np.log(0.8), np.log(1.25))))
    angle = np.radians(rng.normal(0, 8))
    cos, sin = np.cos(angle), np.sin(angle)
    points = track.points.astype(np.float64)
    points[..., :2] = points[..., :2] @ np.array([[cos, sin], [-sin, cos]])
    points += rng.normal(0, 0.01, points.shape) * np.ptp(points[..., :2], axis=(0, 1)).max()
    mirrored = bool(rng.random() < 0.5)
    if mirrored:
        points[..., 0] *= -1
    return replace(
        track,
        time_s=track.time_s * pace,
        points=points.astype(np.float32),
        left=track.left != mirrored,
        letters=tuple((letter, start * pace, end * pace) for letter, start, end in track.letters),
        end_s=track.end_s * pace,
    )
