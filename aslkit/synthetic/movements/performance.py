"""A synthetic hand over time: held letters, transitions, and movements, as joints at the times of frames."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.letter_poses import Pose
from aslkit.synthetic.movements.paths import Path, ease
from aslkit.synthetic.signer import Signer
from aslkit.synthetic.skeleton import MAX_ANGLES_DEG, MIN_ANGLES_DEG, TURN_DEG, pose_hand, rotation_matrix

Array = npt.NDArray[np.float64]

CAMERA_MM: Final = 650.0
"""Mean distance of the hand from the camera, millimetres."""


@dataclass(frozen=True, kw_only=True)
class HandShape:
    """A posed hand, and how it is turned when it is held.

    Attributes:
        joints: float64 (21, 3), hand coordinates (viewer's axes with the palm towards the viewer), millimetres.
        view: float64 (3,), yaw, pitch and roll, degrees.
    """

    joints: Array
    view: Array

    @classmethod
    def draw(cls, pose: Pose, signer: Signer, rng: np.random.Generator) -> "HandShape":
        """Return how a signer forms a pose once."""
        angles = np.asarray(pose.fingers) + rng.normal(0, signer.habit_deg, (4, 4)) * (1, 1, 1, 0.35)
        figure = pose_hand(
            pose,
            build=signer.build,
            angles=np.clip(angles, MIN_ANGLES_DEG, MAX_ANGLES_DEG),
            view=np.zeros(3),
            reach=rng.normal(0, 2.0, 3),
            left=False,
        )
        # Undo the change to the camera's axes, so that rotations can be applied in the viewer's.
        joints = figure.joints * np.array([1.0, -1.0, -1.0])
        return cls(joints=joints, view=np.asarray(pose.view) + rng.normal(0, (8, 7, 6)))


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a performance.

    Attributes:
        duration_s: its duration, seconds.
        shape: hand shape at its end. It changes from the one before in the first half of the segment.
        path: movement during the segment; None if the hand stays.
        letter: "J" or "Z" if the movement is that letter.
        visible: whether the hand can be seen.
    """

    duration_s: float
    shape: HandShape
    path: Path | None = None
    letter: str | None = None
    visible: bool = True


@dataclass(frozen=True, kw_only=True)
class Performance:
    """A hand over n frames.

    Attributes:
        time_s: float64 (n,), times of the frames, seconds.
        joints: float64 (n, 21, 3), camera coordinates, millimetres: x right, y down, z away from the camera.
        visible: bool (n,).
        letters: each letter that is drawn, with the times of its start and end, seconds.
    """

    time_s: Array
    joints: Array
    visible: npt.NDArray[np.bool_]
    letters: tuple[tuple[str, float, float], ...]


def perform(segments: Sequence[Segment], time_s: Array, rng: np.random.Generator) -> Performance:
    """Return the hand at times, float64 (n,), that a list of segments describes; after the last one, it stays."""
    count = len(time_s)
    joints, view, place = np.zeros((count, 21, 3)), np.zeros((count, 3)), np.zeros((count, 3))
    visible = np.zeros(count, bool)
    letters: list[tuple[str, float, float]] = []
    start, position, turned = 0.0, np.zeros(3), np.zeros(3)
    before = segments[0].shape
    for segment in segments:
        end = start + segment.duration_s
        last = segment is segments[-1]
        rows = np.flatnonzero((time_s >= start) & ((time_s < end) | last))
        share: Array = np.clip((time_s[rows] - start) / max(segment.duration_s, 1e-6), 0, 1)
        changed = ease(share if segment.path is None else 2 * share)[:, None]
        joints[rows] = before.joints + (segment.shape.joints - before.joints) * changed[..., None]
        # After a movement, the hand stays turned until it forms another shape.
        stays = segment.shape is before
        view[rows] = before.view + (segment.shape.view - before.view) * changed
        view[rows] += turned if stays else turned * (1 - changed)
        turned = turned if stays else np.zeros(3)
        place[rows] = position
        if segment.path is not None:
            path_place, path_view = segment.path.at(share)
            place[rows] += path_place
            view[rows] += path_view
            end_place, end_view = segment.path.at(np.ones(1))
            position, turned = position + end_place[0], turned + end_view[0]
        visible[rows] = segment.visible
        if segment.letter is not None:
            letters.append((segment.letter, start, end))
        before, start = segment.shape, end
    view += _sway(time_s, rng, TURN_DEG)
    place += _sway(time_s, rng, np.array([4.0, 4.0, 5.0]))
    turned_joints = np.einsum("nij,nkj->nki", np.stack([rotation_matrix(each) for each in view]), joints)
    camera = turned_joints * np.array([1.0, -1.0, -1.0]) + place[:, None]
    return Performance(time_s=time_s, joints=camera, visible=visible, letters=tuple(letters))


def _sway(time_s: Array, rng: np.random.Generator, deviation: Array) -> Array:
    """Return the unsteadiness of a hand, float64 (n, 3): a slow and a faster sine wave."""
    waves = [
        weight * np.sin(2 * np.pi * rng.uniform(*hertz, 3) * time_s[:, None] + rng.uniform(0, 2 * np.pi, 3))
        for weight, hertz in ((1.0, (0.1, 0.4)), (0.5, (0.4, 1.2)))
    ]
    return np.asarray(deviation * sum(waves), np.float64)
