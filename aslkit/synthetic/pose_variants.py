"""Variants of some letters that real signers use. Angles and axes are those of `letter_poses`."""

from dataclasses import replace
from typing import Final

from aslkit.synthetic.letter_poses import FIST, POSES, Pose

VARIANTS: Final[dict[str, tuple[Pose, ...]]] = {
    # The back of the hand to the viewer, the fingers sideways: as charts show them from the signer's point of view.
    "G": (replace(POSES["G"], view=(160, 0, -70), wrist=(10, 10)),),
    "H": (replace(POSES["H"], view=(165, 0, -76), wrist=(0, 0)),),
    # The fingers hang over the thumb and point down.
    "M": (
        replace(
            POSES["M"],
            fingers=((78, 22, 10, -1), (79, 22, 10, 0), (78, 22, 10, 1), (74, 110, 66, -3)),
            view=(0, 72, 0),
        ),
    ),
    "N": (
        replace(
            POSES["N"],
            fingers=((78, 24, 10, 2), (79, 24, 10, 3), (76, 110, 66, -2), (74, 110, 66, -3)),
            view=(0, 66, 0),
        ),
    ),
    # Slightly crossed, or only at the tips.
    "R": (
        replace(POSES["R"], fingers=((14, 6, 4, -10), (0, 4, 3, 9), *FIST[2:])),
        replace(POSES["R"], fingers=((18, 6, 4, -7), (0, 4, 3, 6), *FIST[2:])),
    ),
    # Seen from the side, or with the finger bent at the middle joint only.
    "X": (
        replace(POSES["X"], view=(48, 0, 0)),
        replace(POSES["X"], fingers=((14, 92, 20, 1), *FIST[1:]), view=(-50, 0, 0)),
    ),
}
"""Variants by letter. Other letters have one pose only."""
