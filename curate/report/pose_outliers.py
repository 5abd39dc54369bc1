"""Median pose of each letter, and the frames that differ most from it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.core.robust_statistics import robust_std
from aslkit.curate.filter.exact_duplicates import Rejection
from aslkit.curate.measure.table import right_hands
from aslkit.formats.captures import CapturedFrame
from aslkit.vision.hand_landmarker import FINGERS, INDEX, WRIST

Points = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

OUTLIER_DISTANCE: Final = 3.5
"""Minimum deviation of an outlier from the median distance, in standard deviations (Iglewicz and Hoaglin, 1993)."""

MAX_OUTLIERS: Final = 3
"""Maximum number of outliers per letter."""

MIN_FRAMES: Final = 10
"""Minimum number of frames of a letter for which outliers are determined."""

UNUSUAL_FORM: Final = "unusual-form"
"""Reason code in flagged.parquet of the outliers."""

_MIN_STD: Final = 0.01
"""Minimum standard deviation, in palm lengths: without it, noise would be an outlier among nearly equal frames."""


@dataclass(frozen=True, kw_only=True)
class Pose:
    """Median pose of a letter.

    Attributes:
        letter: the letter.
        count: number of frames with a hand.
        median: float32 (21, 3), median of each joint, in the coordinates of `canonical_points`.
        outliers: index and deviation, in standard deviations, of the frames that differ most from the median.
    """

    letter: str
    count: int
    median: Points
    outliers: list[tuple[int, float]]


def find_poses(
    table: pa.Table, frames: Sequence[CapturedFrame], confirmed: Collection[str] = ()
) -> tuple[list[Pose], Integers]:
    """Find the median pose of each letter in a dataset, and the frames that differ most from it.

    Args:
        table: n rows of `schema.COLUMNS`.
        frames: the n frames.
        confirmed: keys of the frames that people kept, which are no outliers.

    Returns:
        The poses, whose outliers are indices of the frames with a hand; and int64 (hands,), the rows of these frames.
    """
    rows = np.flatnonzero(table.column("landmarks").is_valid().to_numpy())
    known = np.array([bool(confirmed) and frames[row].key in confirmed for row in rows], bool)
    label, group = (table.column(name).to_numpy()[rows] for name in ("label", "group"))
    return find_pose_outliers(right_hands(table), label, group, confirmed=known), rows


def flag_unusual_forms(
    table: pa.Table, frames: Sequence[CapturedFrame], confirmed: Collection[str] = ()
) -> list[Rejection]:
    """Return a finding about each frame that differs most from the median pose of its letter. See `find_poses`."""
    poses, rows = find_poses(table, frames, confirmed)
    return [
        Rejection(
            frame=frames[rows[index]],
            reason=UNUSUAL_FORM,
            detail=f"{deviation:.1f} standard deviations from the usual form of {pose.letter}",
        )
        for pose in poses
        for index, deviation in pose.outliers
    ]


def find_pose_outliers(
    points: Points, label: Integers, group: Integers, *, confirmed: npt.NDArray[np.bool_] | None = None
) -> list[Pose]:
    """Find the median pose of each letter, and up to MAX_OUTLIERS frames of different groups that differ from it.

    The distance of a frame is the mean distance of its joints from the median pose. A frame is an outlier if its
    distance deviates from the median distance by OUTLIER_DISTANCE standard deviations, estimated from the median
    absolute deviation.

    Args:
        points: float32 (n, 21, 3), right hands as returned by `canonical_points`.
        label: int64 (n,), index of the letter.
        group: int64 (n,), near-duplicates.
        confirmed: bool (n,), frames that are no outliers, because people decided so; default: none.
    """
    poses = []
    for index in np.unique(label):
        rows = np.flatnonzero(label == index)
        median = np.asarray(np.median(points[rows], axis=0), np.float32)
        distance = np.linalg.norm(points[rows] - median, axis=2).mean(axis=1)
        median_distance = float(np.median(distance))
        deviation = (distance - median_distance) / max(robust_std(distance, median_distance), _MIN_STD)
        if confirmed is not None:
            deviation[confirmed[rows]] = -np.inf
        outliers: dict[int, tuple[int, float]] = {}
        for i in np.argsort(-deviation, kind="stable") if len(rows) >= MIN_FRAMES else ():
            if deviation[i] < OUTLIER_DISTANCE or len(outliers) == MAX_OUTLIERS:
                break
            outliers.setdefault(int(group[rows[i]]), (int(rows[i]), float(deviation[i])))
        poses.append(Pose(letter=LETTERS[index], count=len(rows), median=median, outliers=list(outliers.values())))
    return poses


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A hand as SVG paths.

    Attributes:
        view: viewBox of the SVG.
        palm: path of the palm.
        fingers: path of each finger, the farthest from the camera first, and whether it is the thumb.
    """

    view: str
    palm: str
    fingers: list[tuple[str, bool]]


def draw_poses(poses: list[Pose]) -> list[Drawing]:
    """Draw poses, all to the same scale."""
    extents = [pose.median[:, :2].max(axis=0) - pose.median[:, :2].min(axis=0) for pose in poses]
    side = 100 * float(np.max(extents)) + 34 if extents else 100.0
    return [_draw_pose(pose.median, side) for pose in poses]


def _draw_pose(points: Points, side: float) -> Drawing:
    xy = 100 * points[:, :2]
    left, top = (xy.min(axis=0) + xy.max(axis=0)) / 2 - side / 2
    knuckles = [finger[0] for finger in FINGERS[1:]]
    order = sorted(FINGERS, key=lambda finger: -float(points[list(finger), 2].mean()))
    return Drawing(
        view=f"{left:.0f} {top:.0f} {side:.0f} {side:.0f}",
        palm=_svg_path(xy[[WRIST, FINGERS[0][0], *knuckles]]) + "Z",
        fingers=[(_svg_path(xy[list(finger)]), finger[0] < INDEX[0]) for finger in order],
    )


def _svg_path(xy: Points) -> str:
    return "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in xy.tolist())
