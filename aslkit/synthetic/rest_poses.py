"""Hands that show no letter: hanging, lying, open. Angles and axes are those of `letter_poses`."""

from typing import Final

from aslkit.synthetic.letter_poses import FLAT, Angles, Pose, Thumb, Vector

_RELAXED: Final = ((22.0, 32.0, 18.0, 1.0), (26.0, 36.0, 20.0, 0.0), (30.0, 38.0, 20.0, -1.0), (32.0, 38.0, 20.0, -3.0))
"""Relaxed fingers, bent slightly more from the index to the little finger."""

_LOOSE: Final = ((58.0, 66.0, 34.0, 1.0), (60.0, 70.0, 36.0, 0.0), (62.0, 70.0, 36.0, -1.0), (62.0, 68.0, 36.0, -3.0))
"""A loose fist."""

_SPREAD: Final = ((3.0, 4.0, 3.0, 14.0), (3.0, 4.0, 3.0, 4.0), (3.0, 4.0, 3.0, -7.0), (4.0, 5.0, 3.0, -19.0))

_IDLE: Final = Thumb(spread=34, lift=30, near=(5, 6), offset=(24, -14, 16), pole=(0.8, -0.3, 0.4))
"""The thumb next to the index finger without touching it."""

_OUT: Final = Thumb(spread=56, lift=14, near=(5,), offset=(62, 0, 8))


def _rest(fingers: tuple[Angles, Angles, Angles, Angles], view: Vector, thumb: Thumb = _IDLE) -> Pose:
    return Pose(fingers=fingers, thumb=thumb, view=view)


REST_POSES: Final[dict[str, Pose]] = {
    "hanging, thumb ahead": _rest(_RELAXED, (75, 0, 180)),
    "hanging, back ahead": _rest(_RELAXED, (150, 0, 175)),
    "hanging, half closed": _rest(_LOOSE, (80, 0, 185)),
    "hanging inwards": _rest(_RELAXED, (60, 0, 150)),
    "hanging outwards": _rest(_RELAXED, (70, 0, 210)),
    "in the lap": _rest(_RELAXED, (160, -35, 160)),
    "lying, fingers ahead": _rest(FLAT, (0, 62, 0), _OUT),
    "lying on its side": _rest(_RELAXED, (-40, 0, 90)),
    "open, palm up": _rest(_RELAXED, (0, -50, 20)),
    "five fingers spread": _rest(_SPREAD, (0, 0, 0), _OUT),
    "half open": _rest(_RELAXED, (15, 0, 0)),
}
"""Rest poses by name."""
