"""Finds the movements in a longer video: a hand that rests, moves and rests again."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import FINGERS
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

_TIPS: Final = [finger[-1] for finger in FINGERS]

_HALF_WINDOW_S: Final = 0.07
"""The speed is measured over twice this time, so that noise of single frames does not count as movement."""


@dataclass(frozen=True, kw_only=True)
class SegmentLimits:
    """When a hand moves.

    Attributes:
        slowest: minimum mean speed of the fingertips, palm lengths per second. A hand that holds a letter stays below
            it in 97 of 100 frames, and one that draws J or Z within 1.5 s exceeds 2.
        rest_s: a shorter rest is part of the movement, such as at the corners of Z.
        shortest_s: a shorter movement is noise.
        margin_s: time that is added before and after a movement, so that its beginning and end are complete.
        gap_s: if the hand is lost for longer, the movement ends there.
    """

    slowest: float = 0.9
    rest_s: float = 0.25
    shortest_s: float = 0.2
    margin_s: float = 0.15
    gap_s: float = 0.2


DEFAULT_LIMITS: Final = SegmentLimits()


def segment_movements(
    time_s: npt.NDArray[np.float64],
    landmarks: npt.NDArray[np.float32],
    *,
    width: int,
    height: int,
    limits: SegmentLimits = DEFAULT_LIMITS,
) -> list[tuple[int, int]]:
    """Return the movements in n frames as pairs of indexes: first frame, and the frame after the last one.

    The movements are in order and do not overlap. The margins can contain frames without a hand, so that a movement at
    which the hand enters or leaves can be told from others.

    Args:
        time_s: time of each frame, seconds, increasing, (n,).
        landmarks: see `Hand.landmarks`, (n, 21, 3); NaN without a hand.
        width: of the frames, pixels.
        height: of the frames, pixels.
        limits: when a hand moves.
    """
    shown = ~np.isnan(landmarks[:, 0, 0])
    if shown.sum() < 2:
        return []
    lost = _find_lost(time_s, shown, limits.gap_s)
    speed = measure_speeds(time_s, landmarks, width=width, height=height)
    runs = _merge_runs(_find_runs((speed >= limits.slowest) & ~lost), time_s, lost, limits.rest_s)
    long_enough = [(first, last) for first, last in runs if time_s[last] - time_s[first] >= limits.shortest_s]
    return _add_margins(long_enough, time_s, limits.margin_s)


def measure_speeds(
    time_s: npt.NDArray[np.float64], landmarks: npt.NDArray[np.float32], *, width: int, height: int
) -> npt.NDArray[np.float64]:
    """Return the mean speed of the fingertips in each frame, palm lengths per second, (n,).

    Positions in frames without a hand are interpolated. For the arguments see `segment_movements`; at least one frame
    needs a hand.
    """
    shown = ~np.isnan(landmarks[:, 0, 0])
    joints = joints_in_pixels(landmarks[shown], width, height)
    palm = max(float(np.median(palm_lengths(joints))), 1e-6)
    before = np.maximum(time_s - _HALF_WINDOW_S, time_s[0])
    after = np.minimum(time_s + _HALF_WINDOW_S, time_s[-1])
    # (n,) for each coordinate of the five fingertips, (10, n).
    moved = np.stack(
        [
            np.interp(after, time_s[shown], values) - np.interp(before, time_s[shown], values)
            for values in joints[:, _TIPS].reshape(len(joints), -1).T
        ]
    ).reshape(len(_TIPS), 2, -1)
    distance = np.linalg.norm(moved, axis=1).mean(axis=0) / palm
    return np.asarray(distance / np.maximum(after - before, 1e-6), np.float64)


def _find_lost(time_s: npt.NDArray[np.float64], shown: npt.NDArray[np.bool_], gap_s: float) -> npt.NDArray[np.bool_]:
    """Return in which frames the hand is lost: those without one, except in gaps of at most `gap_s`."""
    lost = ~shown
    rows = np.flatnonzero(shown)
    for first, last in pairwise(rows):
        if time_s[last] - time_s[first] <= gap_s:
            lost[first:last] = False
    return lost


def _find_runs(moving: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and last index of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], moving.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _merge_runs(
    runs: list[tuple[int, int]], time_s: npt.NDArray[np.float64], lost: npt.NDArray[np.bool_], rest_s: float
) -> list[tuple[int, int]]:
    """Join movements between which the hand rests for less than `rest_s` and is not lost."""
    merged: list[tuple[int, int]] = []
    for first, last in runs:
        previous = merged[-1] if merged else None
        if previous and time_s[first] - time_s[previous[1]] < rest_s and not lost[previous[1] : first].any():
            merged[-1] = (previous[0], last)
        else:
            merged.append((first, last))
    return merged


def _add_margins(
    runs: list[tuple[int, int]], time_s: npt.NDArray[np.float64], margin_s: float
) -> list[tuple[int, int]]:
    segments: list[tuple[int, int]] = []
    for number, (first, last) in enumerate(runs):
        # Margins end at the middle between two movements, which can be close together if the hand was lost.
        earliest = (runs[number - 1][1] + first) // 2 + 1 if number else 0
        latest = (last + runs[number + 1][0]) // 2 if number + 1 < len(runs) else len(time_s) - 1
        start = max(int(np.searchsorted(time_s, time_s[first] - margin_s)), min(earliest, first))
        end = min(int(np.searchsorted(time_s, time_s[last] + margin_s, side="right")) - 1, max(latest, last))
        segments.append((start, end + 1))
    return segments
