"""How varied a letter's frames are, and what to do for more: a recogniser learns what it was shown, and no more."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.hand_landmarker import INDEX, MIDDLE, PINKY, WRIST

ENOUGH: Final = 20
"""Fewer frames tell nothing of variety."""

LAST: Final = 60
"""Only so many of the newest are looked at: what to do now."""

TURN: Final = "Turn the hand a little: left, right, up, down."
DISTANCE: Final = "Come closer, then move back."
PLACE: Final = "Move the hand to another part of the picture."
LIGHT: Final = "Try other light: another lamp, another side."

LEAST_TURN_DEG: Final = 4.0
LEAST_SLANT: Final = 0.05
LEAST_DISTANCE: Final = 0.05
LEAST_PLACE: Final = 0.03
LEAST_LIGHT: Final = 0.02
"""Standard deviations below which a letter's frames count as too little varied: of the palm's direction in the
picture, of its breadth over its length, of its length and its place as shares of the frame, and of its brightness."""


def diversity_hints(entries: Sequence[IndexEntry]) -> Iterator[str]:
    """Yield what would make a letter's frames more varied, most wanted first; nothing while there are few."""
    seen = [entry for entry in entries[-LAST:] if entry.landmarks is not None]
    if len(seen) < ENOUGH:
        return
    joints = np.stack([entry.joints for entry in seen])
    palm = joints[:, MIDDLE[0]] - joints[:, WRIST]
    length = np.linalg.norm(palm, axis=1)
    breadth = np.linalg.norm(joints[:, INDEX[0]] - joints[:, PINKY[0]], axis=1)
    if _turn_deg(palm) < LEAST_TURN_DEG and float((breadth / length).std()) < LEAST_SLANT:
        yield TURN
    if float(length.std() / length.mean()) < LEAST_DISTANCE:
        yield DISTANCE
    if float(joints.mean(axis=1).std(axis=0).max()) < LEAST_PLACE:
        yield PLACE
    light = [entry.brightness for entry in seen if entry.brightness is not None]
    if light and float(np.std(light)) < LEAST_LIGHT:
        yield LIGHT


def _turn_deg(palm: npt.NDArray[np.float32]) -> float:
    """Circular standard deviation of directions (n, 2), degrees."""
    angles = np.arctan2(palm[:, 1], palm[:, 0])
    together = min(float(np.hypot(np.cos(angles).mean(), np.sin(angles).mean())), 1.0)
    return float(np.degrees(np.sqrt(-2 * np.log(max(together, 1e-9)))))
