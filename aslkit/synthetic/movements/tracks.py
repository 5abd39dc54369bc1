"""Landmarks of a synthetic performance, as a camera and MediaPipe would deliver them: with errors and gaps."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.movements.performance import CAMERA_MM, Performance, perform
from aslkit.synthetic.movements.scripts import Script

MIN_FPS: Final = 8.0
MAX_FPS: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Track:
    """The landmarks of a hand in the n frames in which it was found.

    Attributes:
        time_s: float64 (n,), seconds.
        points: float32 (n, 21, 3), as `Hand.landmarks`, but in pixels.
        left: whether it is a left hand.
        letters: each letter that is drawn, with the times of its start and end, seconds.
        end_s: time of the last frame, with or without a hand.
    """

    time_s: npt.NDArray[np.float64]
    points: npt.NDArray[np.float32]
    left: bool
    letters: tuple[tuple[str, float, float], ...]
    end_s: float


def record_track(script: Script, rng: np.random.Generator) -> Track:
    """Return what a camera sees of a script: frame rate, view, distance and errors are drawn at random."""
    fps = float(np.exp(rng.uniform(np.log(MIN_FPS), np.log(MAX_FPS))))
    intervals = rng.normal(1, 0.08, int(script.duration_s * fps) + 1).clip(0.6, 1.6) / fps
    performance = perform(script.segments, np.cumsum(intervals), rng)
    points = _project(performance, rng)
    left = bool(rng.random() < 0.5)  # both hands equally often: MediaPipe may also take one for the other
    if left:
        points[..., 0] *= -1
    found = performance.visible & ~_missed(performance, fps, rng)
    return Track(
        time_s=performance.time_s[found],
        points=points[found].astype(np.float32),
        left=left,
        letters=performance.letters,
        end_s=float(performance.time_s[-1]),
    )


def _project(performance: Performance, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Return the joints in pixels, float64 (n, 21, 3), with the errors of a detector."""
    joints = performance.joints
    distance = CAMERA_MM * rng.uniform(0.7, 1.5)
    scale = rng.uniform(0.5, 1.3)  # pixels per millimetre
    near = distance / np.maximum(distance + joints[..., 2:], 200.0)
    angle = np.radians(rng.normal(0, 5))  # the camera may be tilted
    cos, sin = np.cos(angle), np.sin(angle)
    flat = (joints[..., :2] * near) @ np.array([[cos, sin], [-sin, cos]])
    # MediaPipe measures z from the wrist, and less exactly.
    depth = (joints[..., 2:] - joints[:, :1, 2:]) * rng.uniform(0.6, 1.2)
    points = np.concatenate([flat, depth], axis=-1)
    speed = np.linalg.norm(np.gradient(joints[:, 9], performance.time_s, axis=0), axis=-1)  # mm/s
    # Motion blur: at 600 mm/s, the errors are twice those of a resting hand.
    blur = (1 + speed / 600)[:, None, None]
    white = rng.normal(0, 1, points.shape) * blur * rng.uniform(0.8, 3.0)
    steady = rng.normal(0, 1, (1, 21, 3)) * rng.uniform(0.5, 5.0)  # of one hand in one view, for some time
    # A detector is wrong in the same way in similar views: the errors change as the hand turns.
    phase = rng.uniform(1, 4) * performance.time_s + rng.uniform(0, 6)
    turning = rng.normal(0, 1, (1, 21, 3)) * rng.uniform(0, 7) * np.sin(phase)[:, None, None]
    return np.asarray((points + (white + steady + turning) * (1, 1, 2.5)) * scale, np.float64)


def _missed(performance: Performance, fps: float, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return the frames in which the hand is not found, bool (n,): single ones, and short runs."""
    count = len(performance.time_s)
    missed = rng.random(count) < rng.choice((0.0, 0.03, 0.1, 0.2), p=(0.4, 0.3, 0.2, 0.1))
    if rng.random() < 0.3:
        start = int(rng.integers(count))
        missed[start : start + max(1, round(rng.uniform(0.03, 0.2) * fps))] = True
    return np.asarray(missed, np.bool_)
