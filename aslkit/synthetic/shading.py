"""Colour of the hand without light: palm and back, creases, nails, red fingertips, sleeve."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.skeleton import Figure
from aslkit.synthetic.surface import FOREARM, PALM, Points, Window

Array = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

CREASES: Final = (
    ((40, 60), (28, 62), (12, 58), (-4, 48), (-14, 36), (-20, 24)),
    ((-46, 62), (-34, 66), (-18, 68), (-4, 74), (8, 84), (13, 92)),
    ((40, 58), (26, 50), (14, 38), (8, 24), (6, 8)),
)
"""The three main creases of the palm, hand coordinates, millimetres."""

NAIL: Final = (0.80, 0.82, 1.0)
"""What a nail adds to the skin beneath it: BGR, relative to the skin's brightest channel."""


@dataclass(frozen=True, kw_only=True)
class Appearance:
    """Skin and sleeve.

    Attributes:
        skin: colour of the back of the hand, BGR, 0–1.
        palm: colour of the palm, BGR, 0–1.
        sleeve: colour of the sleeve, BGR, 0–1; None for a bare arm.
        sleeve_from: distance from the wrist to the sleeve, millimetres.
        grain: seed of the uneven colour of the skin.
    """

    skin: Colour
    palm: Colour
    sleeve: Colour | None = None
    sleeve_from: float = 120.0
    grain: int = 0


def albedo(figure: Figure, points: Points, window: Window, look: Appearance) -> Array:
    """Return the colour of each point, float32 (points, 3), BGR, about 0 to 1."""
    skin, palm = np.asarray(look.skin, np.float32), np.asarray(look.palm, np.float32)
    inner = np.clip(points.normals @ figure.axes[2].astype(np.float32) * 1.2 + 0.5, 0, 1)[:, None]
    colour = np.asarray(skin + (palm - skin) * inner, np.float32)
    order = np.argsort(points.parts, kind="stable")
    bounds = np.searchsorted(points.parts[order], np.arange(PALM + 1))
    for joint in range(1, PALM):
        own = order[bounds[joint] : bounds[joint + 1]]
        if own.size:
            colour[own] = _color_bone(figure, joint, points.places[own], points.normals[own], look)
    _draw_palm_creases(figure, points, window, colour)
    colour *= _skin_variation(look, window)[points.rows, points.columns]
    if look.sleeve is not None:
        flat = max(float(np.hypot(figure.forearm[0], figure.forearm[1])), 0.3)
        along = points.places[:, :2] @ figure.forearm[:2].astype(np.float32) / flat
        colour[(points.parts == FOREARM) & (along > look.sleeve_from)] = look.sleeve
    return np.asarray(colour, np.float32)


def _color_bone(figure: Figure, joint: int, places: Array, normals: Array, look: Appearance) -> Array:
    """Return the colour of a finger bone with creases at the joints and the nail at the end."""
    skin, palm = np.asarray(look.skin, np.float32), np.asarray(look.palm, np.float32)
    start, end, back = figure.joints[joint - 1], figure.joints[joint], figure.backs[joint]
    length = max(float(np.linalg.norm(end - start)), 1e-6)
    axis = (end - start) / length
    offset = places - start.astype(np.float32)
    along = offset @ axis.astype(np.float32)
    dorsal = normals @ back.astype(np.float32)
    colour = palm + (skin - palm) * np.clip(dorsal * 1.4 + 0.5, 0, 1)[:, None]
    inner = np.clip(0.6 - dorsal, 0, 1)
    if joint % 4 == 2 and joint > 4:
        # The first crease of a finger is where it leaves the palm, halfway along its first bone.
        crease = 0.8 * np.exp(-(((along - 0.42 * length) / 1.2) ** 2)) * inner
    else:
        crease = np.exp(-((along / 1.1) ** 2)) * (0.35 + 0.4 * inner)
    colour *= (1 - 0.42 * crease)[:, None]
    if joint % 4 == 0:
        across = offset @ np.cross(axis, back).astype(np.float32) / float(figure.radii[joint])
        _color_fingertip(colour, along / length, across, dorsal, skin)
    return np.asarray(colour, np.float32)


def _color_fingertip(colour: Array, along: Array, across: Array, dorsal: Array, skin: Array) -> None:
    """Redden a fingertip and draw its nail, in place."""
    red = np.clip((along - 0.2) * 0.9, 0, 1)[:, None]
    colour *= 1 - red * np.array([0.13, 0.13, 0.0], np.float32)
    square = np.maximum(np.abs(along - 0.86) / 0.42, np.abs(across) / 0.74)
    outline = np.maximum(square, np.hypot((along - 0.86) / 0.46, across / 0.82))
    cover = (np.clip((1.05 - outline) * 7, 0, 1) * np.clip((dorsal - 0.15) * 5, 0, 1))[:, None]
    rim = np.clip(1 - np.abs(outline - 1.0) * 7, 0, 1) * np.clip((dorsal - 0.1) * 4, 0, 1)
    nail = np.minimum(0.55 * skin + 0.45 * np.asarray(NAIL, np.float32) * skin.max(), 1)
    colour += (nail - colour) * cover
    colour *= (1 - 0.28 * rim)[:, None]


def _draw_palm_creases(figure: Figure, points: Points, window: Window, colour: Array) -> None:
    """Darken the creases of the palm, in place, if it faces the viewer."""
    import cv2

    right, up, out = figure.axes
    if out[2] > -0.15:
        return
    lines = np.zeros((window.height, window.width), np.uint8)
    for crease in CREASES:
        bends = np.array([x * right + y * up + 13 * out for x, y in crease])[:, :2]
        pixels = np.round((bends - (window.left, window.top)) * window.density * 16).astype(np.int32)
        cv2.polylines(lines, [pixels.reshape(-1, 1, 2)], False, (255,), 1, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(lines, (0, 0), 0.9 * window.density)
    on = points.parts == PALM
    colour[on] *= (1 - 0.55 / 255 * soft[points.rows[on], points.columns[on]].astype(np.float32))[:, None]


def _skin_variation(look: Appearance, window: Window) -> Array:
    """Return the uneven colour of the skin as a factor, float32 (height, width, 3)."""
    import cv2

    rng = np.random.default_rng(look.grain)
    fine, coarse = rng.standard_normal((40, 40, 2), np.float32), rng.standard_normal((8, 8, 2), np.float32)
    both = 0.022 * fine + 0.03 * np.kron(coarse, np.ones((5, 5, 1)))
    # Blood under the skin absorbs green and some blue; other variation affects all colours equally.
    pale, blood = both[..., :1], both[..., 1:]
    both = 1 + 0.7 * pale + blood * np.array([0.5, 0.8, 0.1])
    return np.asarray(cv2.resize(both.astype(np.float32), (window.width, window.height)), np.float32)
