"""Poses of the 24 letters: joint angles of a right hand and its orientation to the viewer.

Hand coordinates: x towards the thumb, y towards the fingertips, z out of the palm, in millimetres on an average hand.
"""

from dataclasses import dataclass
from typing import Final

Angles = tuple[float, float, float, float]
"""Angles of a finger, degrees: flexion of the knuckle, middle and end joint, and abduction towards the thumb."""

Vector = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Thumb:
    """The thumb is defined by a target point, so that it still touches the same finger when other angles vary.

    Attributes:
        spread: angle between metacarpal and fingers in the plane of the palm, degrees.
        lift: angle of the metacarpal out of the palm, degrees.
        near: joints (0–20 in MediaPipe's order, none of the thumb) whose mean is the origin of the target.
        offset: from that mean to the tip, millimetres, hand coordinates.
        pole: direction of the thumb's knuckle, hand coordinates.
    """

    spread: float
    lift: float
    near: tuple[int, ...]
    offset: Vector
    pole: Vector = (1.0, 0.0, 0.3)


@dataclass(frozen=True, kw_only=True)
class Pose:
    """The pose of a letter.

    Attributes:
        fingers: angles of index, middle, ring and little finger.
        thumb: target of the thumb.
        view: yaw (palm turns to the right of the image), pitch (fingertips move towards the viewer) and roll
            (counter-clockwise in the image), degrees. With zeros the palm faces the viewer and the fingers point up.
        wrist: bend of the forearm towards the palm and towards the thumb, degrees, relative to the hand.
    """

    fingers: tuple[Angles, Angles, Angles, Angles]
    thumb: Thumb
    view: Vector = (0.0, 0.0, 0.0)
    wrist: tuple[float, float] = (0.0, 0.0)


FIST: Final = ((82.0, 100.0, 55.0, 1.0), (84.0, 100.0, 55.0, 0.0), (84.0, 100.0, 55.0, -1.0), (82.0, 98.0, 55.0, -3.0))
"""Four fingers rolled into the palm."""

FLAT: Final = ((2.0, 3.0, 2.0, -2.0), (2.0, 3.0, 2.0, 0.0), (2.0, 3.0, 2.0, 2.0), (2.0, 3.0, 2.0, 4.0))
"""Four fingers straight and together."""

ON_FIST: Final = Thumb(spread=24, lift=34, near=(10, 11, 14, 15), offset=(3, -3, 15), pole=(0.6, 0.3, 0.8))
"""The thumb across the front of the rolled fingers."""

POSES: Final[dict[str, Pose]] = {
    # Fist, the thumb upright along its side.
    "A": Pose(fingers=FIST, thumb=Thumb(spread=38, lift=18, near=(5,), offset=(34, 21, 9))),
    # Flat hand, fingers together, thumb folded across the palm.
    "B": Pose(fingers=FLAT, thumb=Thumb(spread=18, lift=26, near=(9, 13), offset=(4, -22, 18), pole=(0.4, 0.8, 0.5))),
    # Fingers and thumb bent round an open half circle, seen from the side.
    "C": Pose(
        fingers=((30, 42, 25, -1), (30, 42, 25, 0), (30, 42, 25, 1), (30, 42, 25, 3)),
        thumb=Thumb(spread=40, lift=52, near=(8, 12), offset=(4, -62, 2), pole=(0.3, -1, 0.3)),
        view=(52, 6, 0),
    ),
    # Index up, the others meet the thumb in a ring.
    "D": Pose(
        fingers=((4, 4, 2, 1), (62, 70, 35, 1), (66, 78, 40, 0), (68, 80, 42, 0)),
        thumb=Thumb(spread=28, lift=48, near=(12,), offset=(5, -8, 4), pole=(0.8, -0.4, 0.4)),
        view=(12, 0, 0),
    ),
    # Fingers curled down onto the thumb, which lies under their tips.
    "E": Pose(
        fingers=((36, 108, 52, -1), (38, 108, 52, 0), (38, 108, 52, 1), (36, 108, 52, 3)),
        thumb=Thumb(spread=22, lift=34, near=(12, 16), offset=(0, -16, -6), pole=(0.7, -0.5, 0.6)),
        view=(0, -6, 0),
    ),
    # Thumb and index in a ring, the other three up and apart.
    "F": Pose(
        fingers=((55, 62, 35, 2), (8, 5, 3, 4), (3, 4, 3, -5), (2, 4, 3, -16)),
        thumb=Thumb(spread=30, lift=42, near=(8,), offset=(4, -8, 3), pole=(0.8, -0.5, 0.4)),
        view=(6, 0, 0),
    ),
    # Index and thumb point sideways, one above the other; the palm faces down.
    "G": Pose(
        fingers=((42, 10, 5, 0), *FIST[1:]),
        thumb=Thumb(spread=24, lift=40, near=(7,), offset=(3, -22, 14), pole=(0.6, -0.3, 0.8)),
        view=(-52, 0, 46),
        wrist=(10, -25),
    ),
    # Index and middle together, sideways; the thumb holds the other two.
    "H": Pose(
        fingers=(FLAT[0], FLAT[1], *FIST[2:]),
        thumb=Thumb(spread=20, lift=36, near=(14, 15), offset=(6, 2, 15), pole=(0.6, 0.3, 0.8)),
        view=(-10, 0, 74),
        wrist=(0, -28),
    ),
    # Little finger up, the thumb across the fist.
    "I": Pose(fingers=(*FIST[:3], (3, 4, 3, -6)), thumb=ON_FIST),
    # Index up, middle up and leaning forward, the thumb between them.
    "K": Pose(
        fingers=((3, 4, 3, 5), (30, 8, 4, -5), *FIST[2:]),
        thumb=Thumb(spread=22, lift=34, near=(5, 10), offset=(4, 4, 16), pole=(0.9, -0.2, 0.5)),
        view=(-12, 0, 0),
    ),
    # Index up, the thumb straight out to the side.
    "L": Pose(fingers=((3, 4, 2, 2), *FIST[1:]), thumb=Thumb(spread=62, lift=12, near=(5,), offset=(72, -18, 8))),
    # Three fingers laid over the thumb, whose tip is visible next to the little finger.
    "M": Pose(
        fingers=((74, 48, 18, -1), (75, 48, 18, 0), (75, 48, 18, 1), (74, 110, 66, -3)),
        thumb=Thumb(spread=18, lift=30, near=(14, 18), offset=(2, 0, 0), pole=(0.8, 0.4, 0.4)),
        view=(0, 28, 0),
    ),
    # Two fingers laid over the thumb.
    "N": Pose(
        fingers=((74, 52, 20, 2), (75, 52, 20, 3), (76, 110, 66, -2), (74, 110, 66, -3)),
        thumb=Thumb(spread=20, lift=30, near=(10, 14), offset=(1, 6, 2), pole=(0.8, 0.4, 0.4)),
        view=(0, 10, 0),
    ),
    # All fingertips meet the thumb in a round O, seen from the side.
    "O": Pose(
        fingers=((48, 52, 34, -3), (52, 54, 34, 0), (54, 54, 34, 3), (54, 52, 34, 6)),
        thumb=Thumb(spread=34, lift=52, near=(8, 12), offset=(5, -10, 3), pole=(0.4, -1, 0.3)),
        view=(50, 4, 0),
    ),
    # K pointing down: index forward, middle down, the thumb between them.
    "P": Pose(
        fingers=((20, 6, 4, 5), (66, 10, 5, -5), *FIST[2:]),
        thumb=Thumb(spread=24, lift=40, near=(6, 10), offset=(8, -12, 10), pole=(0.9, -0.2, 0.5)),
        view=(-16, 0, 98),
        wrist=(24, -14),
    ),
    # G pointing down.
    "Q": Pose(
        fingers=((58, 12, 6, 0), *FIST[1:]),
        thumb=Thumb(spread=26, lift=50, near=(7,), offset=(3, -32, 14), pole=(0.6, 0.5, 0.4)),
        view=(-28, 0, 116),
        wrist=(26, -14),
    ),
    # Index and middle crossed.
    "R": Pose(
        fingers=((15, 6, 4, -15), (0, 4, 3, 13), *FIST[2:]),
        thumb=Thumb(spread=20, lift=36, near=(14, 15), offset=(7, 2, 15), pole=(0.6, 0.3, 0.8)),
    ),
    # Fist, the thumb across the front of the fingers.
    "S": Pose(fingers=FIST, thumb=ON_FIST, view=(0, -3, 0)),
    # Fist, the tip of the thumb between index and middle.
    "T": Pose(
        fingers=((62, 78, 38, 4), *FIST[1:]),
        thumb=Thumb(spread=22, lift=28, near=(6, 10), offset=(0, 13, -2), pole=(1, -0.1, 0.4)),
    ),
    # Index and middle up, together.
    "U": Pose(
        fingers=(FLAT[0], FLAT[1], *FIST[2:]),
        thumb=Thumb(spread=20, lift=36, near=(14, 15), offset=(7, 2, 15), pole=(0.6, 0.3, 0.8)),
    ),
    # Index and middle up, apart.
    "V": Pose(
        fingers=((3, 4, 3, 12), (3, 4, 3, -9), *FIST[2:]),
        thumb=Thumb(spread=20, lift=36, near=(14, 15), offset=(7, 2, 15), pole=(0.6, 0.3, 0.8)),
    ),
    # Three fingers up and apart, the thumb holds the little finger.
    "W": Pose(
        fingers=((3, 4, 3, 13), (3, 4, 3, 0), (3, 4, 3, -13), (76, 92, 50, -2)),
        thumb=Thumb(spread=16, lift=36, near=(18, 19), offset=(9, 0, 13), pole=(0.6, 0.2, 0.8)),
    ),
    # Index raised and hooked, the thumb across the fist.
    "X": Pose(
        fingers=((8, 78, 42, 1), *FIST[1:]),
        thumb=Thumb(spread=24, lift=36, near=(10, 11), offset=(0, -3, 15), pole=(0.6, 0.2, 0.8)),
        view=(-22, 0, 0),
    ),
    # Thumb and little finger out, the rest in a fist.
    "Y": Pose(fingers=(*FIST[:3], (4, 4, 3, -20)), thumb=Thumb(spread=56, lift=14, near=(5,), offset=(64, 2, 8))),
}
"""Poses by letter, for a right hand. A left hand is its mirror image."""
