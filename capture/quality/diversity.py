"""Measures how diverse the frames of a letter are, and suggests how to make them more diverse."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.hand_landmarker import INDEX, MIDDLE, PINKY, WRIST

MIN_FRAMES: Final = 20
"""Fewer frames do not allow an estimate of their diversity."""

MAX_FRAMES: Final = 60
"""Only the newest frames are measured, because the hint is about what to do next."""

TURN_HINT: Final = "Turn the hand slightly: left, right, up, down."
DISTANCE_HINT: Final = "Come closer, then move back."
POSITION_HINT: Final = "Move the hand to another part of the image."
LIGHT_HINT: Final = "Change the light: use another lamp, or face another direction."

MIN_TURN_STD_DEG: Final = 4.0
MIN_SLANT_STD: Final = 0.05
MIN_DISTANCE_STD: Final = 0.05
MIN_POSITION_STD: Final = 0.03
MIN_BRIGHTNESS_STD: Final = 0.02
"""Standard deviations below which the frames of a letter are not diverse enough: of the direction of the palm in the
image (degrees), of its width relative to its length, of its length (relative to the mean), of its position (relative
to the longer side of the frame), and of its brightness (0–1)."""


def diversity_hints(entries: Sequence[IndexEntry]) -> Iterator[str]:
    """Yield hints that would make the frames of a letter more diverse, most important first.

    Args:
        entries: frames of one letter, oldest first. With fewer than MIN_FRAMES, no hint is given.
    """
    recent = [entry for entry in entries[-MAX_FRAMES:] if entry.landmarks is not None]
    if len(recent) < MIN_FRAMES:
        return
    # (n, 21, 2)
    joints = np.stack([entry.joints for entry in recent])
    palm = joints[:, MIDDLE[0]] - joints[:, WRIST]
    length = np.linalg.norm(palm, axis=1)
    width = np.linalg.norm(joints[:, INDEX[0]] - joints[:, PINKY[0]], axis=1)
    if _circular_std_deg(palm) < MIN_TURN_STD_DEG and float((width / length).std()) < MIN_SLANT_STD:
        yield TURN_HINT
    if float(length.std() / length.mean()) < MIN_DISTANCE_STD:
        yield DISTANCE_HINT
    # Mean position of each hand, (n, 2), and its larger deviation of x and y.
    if float(joints.mean(axis=1).std(axis=0).max()) < MIN_POSITION_STD:
        yield POSITION_HINT
    brightness = [entry.brightness for entry in recent if entry.brightness is not None]
    if brightness and float(np.std(brightness)) < MIN_BRIGHTNESS_STD:
        yield LIGHT_HINT


def _circular_std_deg(directions: npt.NDArray[np.float32]) -> float:
    """Return the circular standard deviation of directions (n, 2), degrees."""
    angles = np.arctan2(directions[:, 1], directions[:, 0])
    resultant_length = min(float(np.hypot(np.cos(angles).mean(), np.sin(angles).mean())), 1.0)
    # sqrt(-2 ln R), with R the length of the mean unit vector. An ordinary deviation would fail at ±180°.
    return float(np.degrees(np.sqrt(-2 * np.log(max(resultant_length, 1e-9)))))
