"""Forward kinematics: from bone lengths and joint angles to the 21 joints, in MediaPipe's order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.letter_poses import Pose, Thumb

Array = npt.NDArray[np.float64]

BASES: Final = ((20.0, 20.0, 8.0), (25.0, 88.0, 0.0), (3.5, 91.0, -2.0), (-16.5, 85.0, -1.0), (-34.0, 75.0, 2.0))
"""First joints of thumb, index, middle, ring and little finger, hand coordinates, millimetres from the wrist."""

LENGTHS: Final = ((44.0, 34.0, 25.0), (44.0, 26.0, 20.0), (49.0, 30.0, 21.0), (45.0, 28.0, 21.0), (35.0, 21.0, 18.0))
"""Lengths of the three bones of each finger, millimetres."""

RADII: Final = (
    (15.0, 12.0, 10.5, 8.8),
    (11.5, 9.6, 8.4, 7.2),
    (11.8, 9.8, 8.6, 7.3),
    (11.2, 9.2, 8.0, 6.9),
    (10.2, 8.2, 7.1, 6.2),
)
"""Radii of each finger at its four joints, millimetres."""

MIN_ANGLES_DEG: Final = np.array([-6.0, 0.0, 0.0, -24.0])
MAX_ANGLES_DEG: Final = np.array([95.0, 112.0, 70.0, 20.0])
"""Range of a finger's joints, degrees, in the order of `letter_poses.Angles`."""

TURN_DEG: Final = np.array([4.0, 3.0, 3.0])
"""Standard deviation of the view of a held hand: yaw, pitch and roll, degrees."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """Proportions of a hand, as factors on the average."""

    palm_width: float = 1.0
    palm_length: float = 1.0
    fingers: tuple[float, float, float, float, float] = (1.0, 1.0, 1.0, 1.0, 1.0)
    thickness: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A posed hand in camera coordinates: millimetres from the wrist, x right, y down, z away from the camera.

    Attributes:
        joints: float64 (21, 3).
        radii: float64 (21,), radius at each joint, millimetres.
        backs: float64 (21, 3), unit vectors towards the nail side of the bone that ends at each joint.
        axes: float64 (3, 3), rows are the hand's x (to the thumb), y (to the fingertips) and z (out of the palm).
        forearm: float64 (3,), unit vector from the wrist to the elbow.
    """

    joints: Array
    radii: Array
    backs: Array
    axes: Array
    forearm: Array


def normalize(vector: Array) -> Array:
    """Return a vector, float64 (3,), scaled to length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float64)


def rotation_matrix(view: Array) -> Array:
    """Return the rotation from hand to viewer (y up, z near), float64 (3, 3), for yaw, pitch and roll in degrees."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.radians(view)), np.sin(np.radians(view))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw, np.float64)


def _pose_finger(base: Array, lengths: Array, angles: Array) -> tuple[Array, Array]:
    """Return the four joints of a finger and their backs, float64 (4, 3) each, hand coordinates."""
    lean = np.radians(angles[3])
    along, palmar = np.array([np.sin(lean), np.cos(lean), 0.0]), np.array([0.0, 0.0, 1.0])
    bends = np.cumsum(np.radians(angles[:3]))[:, None]
    joints = base + np.cumsum(lengths[:, None] * (np.cos(bends) * along + np.sin(bends) * palmar), axis=0)
    backs = np.sin(bends) * along - np.cos(bends) * palmar
    return np.vstack([base, joints]), np.vstack([-palmar, backs])


def _pose_thumb(base: Array, lengths: Array, thumb: Thumb, target: Array) -> tuple[Array, Array]:
    """Return the four joints of the thumb and their backs.

    The metacarpal is set by its angles, the other two bones by inverse kinematics.
    """
    spread, lift = np.radians(thumb.spread), np.radians(thumb.lift)
    metacarpal = np.array([np.sin(spread) * np.cos(lift), np.cos(spread) * np.cos(lift), np.sin(lift)])
    knuckle = base + lengths[0] * metacarpal
    near, far = float(lengths[1]), float(lengths[2])
    # The end joint bends by at most 85 degrees, so points too close to the knuckle cannot be reached.
    nearest = float(np.sqrt(near**2 + far**2 + 2 * near * far * np.cos(np.radians(85))))
    distance = float(np.clip(np.linalg.norm(target - knuckle), nearest, (near + far) * 0.998))
    ahead = normalize(target - knuckle)
    side = normalize(np.asarray(thumb.pole) - ahead * float(np.dot(thumb.pole, ahead)))
    along = (near**2 - far**2 + distance**2) / (2 * distance)
    out = float(np.sqrt(max(near**2 - along**2, 0.0)))
    bend = knuckle + ahead * along + side * out
    joints = np.vstack([base, knuckle, bend, knuckle + ahead * distance])
    bones = np.vstack([metacarpal, np.diff(joints, axis=0)])
    backs = [normalize(side - normalize(bone) * float(np.dot(side, normalize(bone)))) for bone in bones]
    return joints, np.vstack(backs)


def pose_hand(pose: Pose, *, build: Build, angles: Array, view: Array, reach: Array, left: bool) -> Figure:
    """Pose a hand.

    Args:
        pose: pose of the letter, for thumb and wrist.
        build: proportions of the hand.
        angles: float64 (4, 4), degrees, of the four fingers, see `letter_poses.Angles`.
        view: float64 (3,), degrees, see `letter_poses.Pose`.
        reach: float64 (3,), offset of the thumb's target, millimetres.
        left: whether to mirror the hand into a left hand.
    """
    palm = np.array([build.palm_width, build.palm_length, 1.0])
    scale = np.asarray(build.fingers)[:, None]
    bases, lengths = np.asarray(BASES) * palm, np.asarray(LENGTHS) * scale
    joints, backs = np.zeros((21, 3)), np.zeros((21, 3))
    for finger in range(1, 5):
        part = slice(1 + 4 * finger, 5 + 4 * finger)
        joints[part], backs[part] = _pose_finger(bases[finger], lengths[finger], angles[finger - 1])
    target = joints[list(pose.thumb.near)].mean(axis=0) + np.asarray(pose.thumb.offset) + reach
    joints[1:5], backs[1:5] = _pose_thumb(bases[0], lengths[0], pose.thumb, target)
    # The viewer's y points up and z towards the viewer; the camera's y points down and z away from it.
    camera = np.diag([-1.0 if left else 1.0, -1.0, -1.0]) @ rotation_matrix(view)
    bend, tilt = np.radians(pose.wrist)
    forearm = np.array([np.sin(tilt), -np.cos(tilt) * np.cos(bend), np.cos(tilt) * np.sin(bend)])
    radii = np.concatenate([[16.0], np.asarray(RADII).ravel()]) * build.thickness
    return Figure(
        joints=joints @ camera.T, radii=radii, backs=backs @ camera.T, axes=camera.T.copy(), forearm=camera @ forearm
    )
