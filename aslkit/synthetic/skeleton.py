"""Forward kinematics: bone lengths and joint angles to the 21 joints MediaPipe knows, in its order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.letter_poses import Pose, Thumb

Array = npt.NDArray[np.float64]

BASES: Final = ((20.0, 20.0, 8.0), (25.0, 88.0, 0.0), (3.5, 91.0, -2.0), (-16.5, 85.0, -1.0), (-34.0, 75.0, 2.0))
"""Where thumb, index, middle, ring and little finger begin, millimetres from the wrist in hand coordinates."""

LENGTHS: Final = ((44.0, 34.0, 25.0), (44.0, 26.0, 20.0), (49.0, 30.0, 21.0), (45.0, 28.0, 21.0), (35.0, 21.0, 18.0))
"""The three bones of each finger, millimetres."""

RADII: Final = (
    (15.0, 12.0, 10.5, 8.8),
    (11.5, 9.6, 8.4, 7.2),
    (11.8, 9.8, 8.6, 7.3),
    (11.2, 9.2, 8.0, 6.9),
    (10.2, 8.2, 7.1, 6.2),
)
"""Half the thickness of each finger at its four joints, millimetres."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """The proportions of one person's hand, each a factor on the average."""

    palm_width: float = 1.0
    palm_length: float = 1.0
    fingers: tuple[float, float, float, float, float] = (1.0, 1.0, 1.0, 1.0, 1.0)
    thickness: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A posed hand in camera coordinates: millimetres from the wrist, x right, y down, z away from the camera.

    Attributes:
        joints: float64 (21, 3).
        radii: float64 (21,), half the thickness of the flesh at each joint, millimetres.
        backs: float64 (21, 3), unit vectors: the nail's side of the bone that ends at each joint.
        axes: float64 (3, 3), rows: the hand's x (to the thumb), y (to the fingertips) and z (out of the palm).
        forearm: float64 (3,), unit vector from the wrist to the elbow.
    """

    joints: Array
    radii: Array
    backs: Array
    axes: Array
    forearm: Array


def normalize(vector: Array) -> Array:
    """Return `vector`, float64 (3,), at length 1."""
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float64)


def rotation_matrix(view: Array) -> Array:
    """Return the rotation, float64 (3, 3), for yaw, pitch and roll in degrees, from hand to viewer (y up, z near)."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(np.radians(view)), np.sin(np.radians(view))
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw, np.float64)


def _finger(base: Array, lengths: Array, angles: Array) -> tuple[Array, Array]:
    """Return a finger's four joints and the back of each, float64 (4, 3) both, hand coordinates."""
    lean = np.radians(angles[3])
    along, palmar = np.array([np.sin(lean), np.cos(lean), 0.0]), np.array([0.0, 0.0, 1.0])
    bends = np.cumsum(np.radians(angles[:3]))[:, None]
    joints = base + np.cumsum(lengths[:, None] * (np.cos(bends) * along + np.sin(bends) * palmar), axis=0)
    backs = np.sin(bends) * along - np.cos(bends) * palmar
    return np.vstack([base, joints]), np.vstack([-palmar, backs])


def _thumb(base: Array, lengths: Array, thumb: Thumb, target: Array) -> tuple[Array, Array]:
    """Return the thumb's four joints and backs: the metacarpal by its angles, the other two bones by reach."""
    spread, lift = np.radians(thumb.spread), np.radians(thumb.lift)
    metacarpal = np.array([np.sin(spread) * np.cos(lift), np.cos(spread) * np.cos(lift), np.sin(lift)])
    knuckle = base + lengths[0] * metacarpal
    near, far = float(lengths[1]), float(lengths[2])
    # A thumb bends 85 degrees at most at its end joint, so it cannot reach a point too close to its knuckle.
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
        pose: the letter: thumb and wrist are taken from it.
        build: the person's proportions.
        angles: float64 (4, 4), degrees, the four fingers (see poses.Angles).
        view: float64 (3,), degrees (see poses.Pose).
        reach: float64 (3,), millimetres to add to the thumb's target.
        left: mirror it into a left hand.
    """
    palm = np.array([build.palm_width, build.palm_length, 1.0])
    scale = np.asarray(build.fingers)[:, None]
    bases, lengths = np.asarray(BASES) * palm, np.asarray(LENGTHS) * scale
    joints, backs = np.zeros((21, 3)), np.zeros((21, 3))
    for finger in range(1, 5):
        part = slice(1 + 4 * finger, 5 + 4 * finger)
        joints[part], backs[part] = _finger(bases[finger], lengths[finger], angles[finger - 1])
    target = joints[list(pose.thumb.near)].mean(axis=0) + np.asarray(pose.thumb.offset) + reach
    joints[1:5], backs[1:5] = _thumb(bases[0], lengths[0], pose.thumb, target)
    # Rows of the camera: the viewer's y is up and z near, the camera's y down and z far.
    camera = np.diag([-1.0 if left else 1.0, -1.0, -1.0]) @ rotation_matrix(view)
    bend, tilt = np.radians(pose.wrist)
    forearm = np.array([np.sin(tilt), -np.cos(tilt) * np.cos(bend), np.cos(tilt) * np.sin(bend)])
    radii = np.concatenate([[16.0], np.asarray(RADII).ravel()]) * build.thickness
    return Figure(
        joints=joints @ camera.T, radii=radii, backs=backs @ camera.T, axes=camera.T.copy(), forearm=camera @ forearm
    )
