"""How each letter is usually held, and the frames that are held least like it."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.core.robust_statistics import robust_std
from aslkit.vision.hand_landmarker import FINGERS, INDEX, WRIST

Points = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

OUTLIER_DISTANCE: Final = 3.5
"""Standard deviations from the usual distance, from which a hand stands out (Iglewicz and Hoaglin, 1993)."""

MAX_OUTLIERS: Final = 3
"""Frames shown of a letter."""

MIN_FRAMES: Final = 10
"""Frames of a letter, below which it cannot be said what is usual."""

_LEAST_SPREAD: Final = 0.01
"""In palms: where all frames are the same, none stands out by a ripple."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """How a letter is held.

    Attributes:
        letter: which.
        count: frames with a hand.
        mean: float32 (21, 3), median of each joint over the frames, as `canonical_points` gives them.
        outliers: indices of the frames farthest from it, and how many standard deviations beyond the usual each is.
    """

    letter: str
    count: int
    mean: Points
    outliers: list[tuple[int, float]]


def find_pose_outliers(points: Points, label: Integers, group: Integers) -> list[Pose]:
    """Find the usual pose of each letter, and up to FARTHEST frames that stand out, of different groups.

    Distance is the mean over the joints; what is usual of it, its median and median absolute deviation tell.

    Args:
        points: float32 (n, 21, 3), right hands as `canonical_points` gives them.
        label: int64 (n,), index of the letter.
        group: int64 (n,), near-duplicates.
    """
    found = []
    for index in np.unique(label):
        rows = np.flatnonzero(label == index)
        mean = np.asarray(np.median(points[rows], axis=0), np.float32)
        apart = np.linalg.norm(points[rows] - mean, axis=2).mean(axis=1)
        middle = float(np.median(apart))
        beyond = (apart - middle) / max(robust_std(apart, middle), _LEAST_SPREAD)
        far: dict[int, tuple[int, float]] = {}
        for at in np.argsort(-beyond, kind="stable") if len(rows) >= MIN_FRAMES else ():
            if beyond[at] < OUTLIER_DISTANCE or len(far) == MAX_OUTLIERS:
                break
            far.setdefault(int(group[rows[at]]), (int(rows[at]), float(beyond[at])))
        found.append(Pose(letter=LETTERS[index], count=len(rows), mean=mean, outliers=list(far.values())))
    return found


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A hand as SVG paths in one measure.

    Attributes:
        view: of the SVG's viewBox.
        palm: path of the palm.
        fingers: paths, the farthest from the camera first, and whether each is the thumb.
    """

    view: str
    palm: str
    fingers: list[tuple[str, bool]]


def draw_poses(found: list[Pose]) -> list[Drawing]:
    """Draw poses, all to the same scale."""
    spans = [pose.mean[:, :2].max(axis=0) - pose.mean[:, :2].min(axis=0) for pose in found]
    side = 100 * float(np.max(spans)) + 34 if spans else 100.0
    return [_drawing(pose.mean, side) for pose in found]


def _drawing(mean: Points, side: float) -> Drawing:
    xy = 100 * mean[:, :2]
    left, top = (xy.min(axis=0) + xy.max(axis=0)) / 2 - side / 2
    knuckles = [finger[0] for finger in FINGERS[1:]]
    order = sorted(FINGERS, key=lambda finger: -float(mean[list(finger), 2].mean()))
    return Drawing(
        view=f"{left:.0f} {top:.0f} {side:.0f} {side:.0f}",
        palm=_path(xy[[WRIST, FINGERS[0][0], *knuckles]]) + "Z",
        fingers=[(_path(xy[list(finger)]), finger[0] < INDEX[0]) for finger in order],
    )


def _path(xy: Points) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in xy.tolist())
