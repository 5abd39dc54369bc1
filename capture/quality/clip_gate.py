"""The quality gate for clips: decides whether a movement was recorded well enough, while it can still be repeated."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt

from aslkit.capture.config import GateConfig
from aslkit.core.letters import NO_LETTER
from aslkit.vision.hand_landmarker import INDEX, PINKY, WRIST
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

ClipReason = Literal[
    "too-dark",
    "too-short",
    "too-long",
    "few-frames",
    "no-hand",
    "hand-missing",
    "hand-lost",
    "cut-off",
    "no-movement",
    "straight",
]
CLIP_REASONS: Final[tuple[ClipReason, ...]] = get_args(ClipReason)
"""Reasons for rejection, in order of priority: a reason that can cause others comes first."""

CLIP_REASON_MESSAGES: Final[dict[ClipReason, str]] = {
    "too-dark": "Too dark. Turn towards a lamp or a window.",
    "too-short": "Too short. Keep holding until the movement has ended.",
    "too-long": "Too long. Sign the movement once, in less than 2.5 seconds.",
    "few-frames": "Too few frames per second. Close other programs, or use more light: cameras are slow in the dark.",
    "no-hand": "No hand found. Hold it inside the image.",
    "hand-lost": "The hand was lost during the movement. Sign a little slower, or use more light.",
    "hand-missing": "The hand enters or leaves during the movement. Show it before the start, and until after the end.",
    "cut-off": "The hand is cut off. Make the movement in the centre, or move back.",
    "no-movement": "Hardly any movement. Draw the letter larger.",
    "straight": "A straight movement, such as the hand's way back. Draw the whole letter.",
}

DRAWING_FINGERTIP: Final = {"J": PINKY[-1], "Z": INDEX[-1]}
"""The joint that draws the letter."""

_PATH_STEP_S: Final = 0.1
"""The path is measured between mean positions of this duration. Between single frames, noise would add up: the
landmarks of a hand that is held still move by a hundredth of a palm length from frame to frame."""

_TIME_TOLERANCE_S: Final = 0.002
"""Times are stored in whole milliseconds."""


@dataclass(frozen=True, kw_only=True)
class ClipMeasurements:
    """What the gate needs to know about a clip of n frames.

    Attributes:
        time_s: time of each frame, seconds, increasing, float64 (n,).
        landmarks: see `Hand.landmarks`, float32 (n, 21, 3); NaN without a hand.
        width, height: size of the frames, pixels.
        brightness: median of `FrameMetrics.brightness`, 0–1.
    """

    time_s: npt.NDArray[np.float64]
    landmarks: npt.NDArray[np.float32]
    width: int
    height: int
    brightness: float

    @property
    def duration_s(self) -> float:
        """Time from the first to the last frame, seconds."""
        return float(self.time_s[-1] - self.time_s[0]) if len(self.time_s) else 0.0

    @property
    def has_hand(self) -> npt.NDArray[np.bool_]:
        """Whether a hand was found in each frame, (n,)."""
        found: npt.NDArray[np.bool_] = ~np.isnan(self.landmarks[:, 0, 0])
        return found


def judge_clip(clip: ClipMeasurements, letter: str, limits: GateConfig) -> tuple[ClipReason, ...]:
    """Return the reasons for rejecting a clip, in the order of CLIP_REASONS; empty if it is good.

    Args:
        clip: the clip.
        letter: J, Z, or "none". For "none", the hand may enter, leave and rest.
        limits: configuration of the gate.
    """
    found = set(_find_faults(clip, letter, limits))
    return tuple(reason for reason in CLIP_REASONS if reason in found)


def _find_faults(clip: ClipMeasurements, letter: str, limits: GateConfig) -> Iterator[ClipReason]:
    if clip.duration_s < limits.clip_shortest_s - _TIME_TOLERANCE_S:
        yield "too-short"
        return  # what follows would be measured on a few frames
    if clip.duration_s > limits.clip_longest_s + _TIME_TOLERANCE_S:
        yield "too-long"
    if (len(clip.time_s) - 1) / clip.duration_s < limits.clip_slowest_fps:
        yield "few-frames"
    if clip.brightness < limits.darkest:
        yield "too-dark"
    if not clip.has_hand.any():
        yield "no-hand"
    elif letter != NO_LETTER:
        yield from _find_hand_faults(clip, letter, limits)


def _find_hand_faults(clip: ClipMeasurements, letter: str, limits: GateConfig) -> Iterator[ClipReason]:
    shown_s = clip.time_s[clip.has_hand]
    end_gap_s = max(shown_s[0] - clip.time_s[0], clip.time_s[-1] - shown_s[-1])
    if end_gap_s > limits.clip_end_gap_s + _TIME_TOLERANCE_S:
        yield "hand-missing"
    # Of two frames with a hand between which others have none. Frames that are far apart are "few-frames".
    rows = np.flatnonzero(clip.has_hand)
    gaps_s = np.diff(shown_s)[np.diff(rows) > 1]
    if clip.has_hand.mean() < limits.clip_hand or (gaps_s > limits.clip_gap_s + _TIME_TOLERANCE_S).any():
        yield "hand-lost"
    if _cut_off_share(clip, limits) > limits.clip_cut_off:
        yield "cut-off"
    path, distance = measure_path(clip, DRAWING_FINGERTIP[letter])
    if path < limits.clip_path:
        yield "no-movement"
    elif path < limits.clip_curved * distance:
        yield "straight"


def _cut_off_share(clip: ClipMeasurements, limits: GateConfig) -> float:
    """Return the share of the frames with a hand in which a joint is outside, with the limits of single frames."""
    xy = clip.landmarks[clip.has_hand][:, :, :2]
    beyond = np.maximum(-xy, xy - 1).max(axis=2)
    fingers = np.delete(beyond, WRIST, axis=1).max(axis=1)
    return float(((beyond[:, WRIST] > limits.wrist_edge) | (fingers > limits.edge)).mean())


def measure_path(clip: ClipMeasurements, joint: int) -> tuple[float, float]:
    """Return the length of the path of a joint, and the distance from its start to its end, palm lengths.

    Both are 0 if there is no hand.

    Args:
        clip: the clip.
        joint: index of the joint, 0–20.
    """
    shown = clip.has_hand
    if not shown.any():
        return 0.0, 0.0
    joints = joints_in_pixels(clip.landmarks[shown], clip.width, clip.height)
    step = ((clip.time_s[shown] - clip.time_s[0]) / _PATH_STEP_S).astype(int)
    # Mean position in each step that has frames, (steps, 2).
    means = np.stack([joints[step == each, joint].mean(axis=0) for each in np.unique(step)])
    path = np.linalg.norm(np.diff(means, axis=0), axis=1).sum()
    palm = max(float(np.median(palm_lengths(joints))), 1e-6)
    return float(path) / palm, float(np.linalg.norm(means[-1] - means[0])) / palm
