"""Hand shapes that draw J and Z. Angles and axes are those of `letter_poses`."""

from dataclasses import replace
from typing import Final

from aslkit.synthetic.letter_poses import FIST, ON_FIST, POSES, Pose

POINTING: Final = Pose(fingers=((3.0, 4.0, 2.0, 1.0), *FIST[1:]), thumb=ON_FIST)
"""The index finger out, the others in a fist under the thumb."""

MOTION_POSES: Final[dict[str, tuple[Pose, ...]]] = {
    "J": (POSES["I"], replace(POSES["I"], thumb=POSES["A"].thumb)),
    "Z": (POINTING, POSES["D"], replace(POINTING, thumb=POSES["L"].thumb), replace(POINTING, thumb=POSES["X"].thumb)),
}
"""The hand shape that draws a letter, and variants that signers use."""
