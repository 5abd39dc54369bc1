"""Hands that move, for tests of clips: landmarks without images, and frames of clips."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from aslkit.capture.movement.clip_frame import TrackedFrame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import encode_jpeg

WIDTH, HEIGHT = 640, 480
PALM = 60.0
"""Palm length of the hands, pixels."""

Points = Sequence[tuple[float, float]]

J_PATH: Points = ((0, 0), (0, 1.2), (0.3, 1.5), (0.6, 1.2))
Z_PATH: Points = ((0, 0), (-1.2, 0), (0, 1), (-1.2, 1))
"""Corners of a path, palm lengths from its start: x to the right, y down."""


def hand_at(x: float, y: float) -> npt.NDArray[np.float32]:
    """Return the landmarks of a hand with its wrist at a place in pixels, float32 (21, 3)."""
    rng = np.random.default_rng(0)
    joints = rng.uniform(-0.5, 0.5, (21, 2)) * PALM
    joints[0], joints[9] = (0, 0), (0, -PALM)
    landmarks = np.zeros((21, 3), np.float32)
    landmarks[:, :2] = (joints + np.array([x, y])) / (WIDTH, HEIGHT)
    return landmarks


def follow(path: Points, shares: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the places on a path at shares of its length, 0–1, in palm lengths, (n, 2)."""
    corners = np.array(path, float)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    return np.stack([np.interp(shares, lengths / lengths[-1], values) for values in corners.T], axis=1)


def signed(
    path: Points, *, duration_s: float = 1.0, rest_s: float = 0.2, fps: float = 30.0
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return times (n,) and landmarks (n, 21, 3) of a hand that rests, follows a path and rests again."""
    time_s = np.arange(0, duration_s + 2 * rest_s + 1e-9, 1 / fps)
    places = follow(path, np.clip((time_s - rest_s) / duration_s, 0, 1)) * PALM + (320, 240)
    return time_s, np.stack([hand_at(x, y) for x, y in places])


def tracked_frames(
    time_s: npt.NDArray[np.float64], landmarks: npt.NDArray[np.float32], *, brightness: float = 0.6
) -> list[TrackedFrame]:
    """Return the frames of a clip; each has another grey value. NaN landmarks are frames without a hand."""
    frames = []
    for number, (time, joints) in enumerate(zip(time_s.tolist(), landmarks, strict=True)):
        image = np.full((48, 64, 3), number % 200, np.uint8)
        hand = None if np.isnan(joints).any() else Hand(landmarks=joints, handedness="right", score=0.9)
        frames.append(
            TrackedFrame(
                name=f"f{number:03d}",
                data=encode_jpeg(image),
                suffix=".jpg",
                time_s=time,
                width=WIDTH,
                height=HEIGHT,
                hand=hand,
                brightness=brightness,
            )
        )
    return frames


def clip_of(letter: str = "J", **options: Any) -> list[TrackedFrame]:
    """Return the frames of a good clip."""
    return tracked_frames(*signed({"J": J_PATH, "Z": Z_PATH, "none": J_PATH}[letter], **options))


MakeClip = Callable[..., list[TrackedFrame]]
