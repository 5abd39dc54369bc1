"""The visible surface of a hand as a height map, built from cones with round ends."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.skeleton import Figure, normalize

Array = npt.NDArray[np.float32]
Parts = npt.NDArray[np.uint8]
Point = npt.NDArray[np.float64]

NO_SURFACE_MM: Final = -1000.0
"""Height where there is no hand, millimetres."""

PALM: Final = 21
FOREARM: Final = 22

FOREARM_LENGTH: Final = 380.0


@dataclass(frozen=True, kw_only=True)
class Cone:
    """The hull of two balls: at `start` with radius `wide` and at `end` with radius `narrow`, millimetres."""

    start: Point
    end: Point
    wide: float
    narrow: float


@dataclass(frozen=True, kw_only=True)
class Window:
    """A grid of samples: `density` samples per millimetre; `left` and `top` in millimetres from the wrist."""

    left: float
    top: float
    width: int
    height: int
    density: float


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The surface at each sample.

    Attributes:
        heights: float32 (height, width), millimetres from the wrist towards the camera, or NO_SURFACE_MM.
        parts: uint8 (height, width), 1–20 for the bone that ends at that joint, PALM, FOREARM, or 0 for none.
    """

    heights: Array
    parts: Parts


@dataclass(frozen=True, kw_only=True)
class Points:
    """The n samples on the hand.

    Attributes:
        rows, columns: int64 (n,), positions in the grid.
        parts: uint8 (n,), see `Surface`.
        places: float32 (n, 3), camera coordinates, millimetres from the wrist.
        normals: float32 (n, 3), outward unit vectors, camera coordinates.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    parts: Parts
    places: Array
    normals: Array


def _ball_height(x: Array, y: Array, centre: Point, radius: float) -> Array:
    square = radius**2 - (x - float(centre[0])) ** 2 - (y - float(centre[1])) ** 2
    return np.where(square > 0, np.sqrt(np.maximum(square, 0)) - float(centre[2]), NO_SURFACE_MM).astype(np.float32)


def _cone_height(x: Array, y: Array, cone: Cone) -> Array:
    """Return the height of a cone at each (y, x), float32.

    It is the maximum over the balls between both ends, which is found where the line of sight meets their envelope.
    """
    axis = (cone.end - cone.start) * (1, 1, -1)
    length = float(np.linalg.norm(axis))
    taper = (cone.narrow - cone.wide) / max(length, 1e-6)
    ax, ay, ah = (axis / max(length, 1e-6)).tolist()
    stretch = 1 / max(1 - taper**2, 1e-6)
    square = 1 - stretch * ah**2
    if abs(taper) >= 1 or square < 1e-3:
        # Seen from the end, one ball hides all others.
        return np.maximum(_ball_height(x, y, cone.start, cone.wide), _ball_height(x, y, cone.end, cone.narrow))
    qx, qy = x - float(cone.start[0]), y - float(cone.start[1])
    along = qx * ax + (qy * ay + taper * cone.wide)
    flat = qx * qx + qy * qy
    half = stretch * ah * along
    root = half * half - square * (flat - cone.wide**2 - stretch * along * along)
    meets = (np.sqrt(np.maximum(root, 0)) + half) * (1 / square)
    place = np.clip(stretch * (along + meets * ah), 0, length)
    radius = cone.wide + taper * place
    inside = radius * radius - (flat - place * (2 * (qx * ax + qy * ay) - place * (ax * ax + ay * ay)))
    height = np.sqrt(np.maximum(inside, 0)) + (place * ah - float(cone.start[2]))
    return np.where(inside > 0, height, NO_SURFACE_MM).astype(np.float32)


def _range(window: Window, low: Point, high: Point) -> tuple[slice, slice]:
    """Return the rows and columns of the window between two corners, float64 (2,), millimetres."""
    first = np.floor((low - (window.left, window.top)) * window.density).astype(int)
    last = np.ceil((high - (window.left, window.top)) * window.density).astype(int) + 1
    return slice(max(int(first[1]), 0), max(int(last[1]), 0)), slice(max(int(first[0]), 0), max(int(last[0]), 0))


def _add_cone(heights: Array, surface: tuple[Array, Array], window: Window, cone: Cone, *, blend: float) -> None:
    """Add a cone to `heights` in place, blending surfaces that are less than `blend` millimetres apart."""
    x, y = surface
    low = np.minimum(cone.start[:2] - cone.wide, cone.end[:2] - cone.narrow)
    high = np.maximum(cone.start[:2] + cone.wide, cone.end[:2] + cone.narrow)
    rows, columns = _range(window, low, high)
    old = heights[rows, columns]
    if old.size == 0:
        return
    new = _cone_height(x[None, columns], y[rows, None], cone)
    top = np.maximum(old, new)
    if blend > 0:
        top += np.maximum(blend - np.abs(old - new), 0) ** 2 / (4 * blend)
    heights[rows, columns] = top


def _finger_cones(figure: Figure, finger: int) -> list[tuple[int, list[Cone]]]:
    """Return the joint and the cones of each bone: the bone, and the soft pad on the palm's side."""
    bones = []
    for joint in range(2 + 4 * finger, 5 + 4 * finger):
        start, end = figure.joints[joint - 1], figure.joints[joint]
        wide, narrow = float(figure.radii[joint - 1]), float(figure.radii[joint])
        pad = -figure.backs[joint] * 0.16 * wide
        reach = 0.80 if joint % 4 else 0.92
        flesh = Cone(
            start=start + (end - start) * 0.28 + pad,
            end=start + (end - start) * reach + pad,
            wide=0.97 * wide if joint % 4 != 2 else 0.93 * wide,
            narrow=1.0 * narrow,
        )
        bones.append((joint, [Cone(start=start, end=end, wide=wide, narrow=narrow), flesh]))
    return bones


def _palm_cones(figure: Figure) -> list[Cone]:
    """Return the cones of the palm: metacarpals, knuckles, ball of the thumb, web, and outer edge."""
    right, up, out = figure.axes
    joints, thick = figure.joints, float(figure.radii[5]) / 11.5

    def at(x: float, y: float, z: float) -> Point:
        return np.asarray(x * right + y * up + z * out)

    roots = (at(13, 6, 0), at(5, 4, 0), at(-5, 4, 0), at(-14, 7, 0))
    heads = [joints[knuckle] for knuckle in (5, 9, 13, 17)]
    cones = [Cone(start=a, end=b, wide=14.0 * thick, narrow=11.6 * thick) for a, b in zip(roots, heads, strict=True)]
    cones += [
        Cone(start=a - 3 * up, end=b - 3 * up, wide=11.5 * thick, narrow=11.5 * thick) for a, b in pairwise(heads)
    ]
    base, knuckle, index, little = joints[1], joints[2], joints[5], joints[17]
    cones.append(
        Cone(start=at(11, 14, 6), end=base * 0.35 + knuckle * 0.65 + 2 * out, wide=17 * thick, narrow=15 * thick)
    )
    cones.append(Cone(start=base, end=knuckle, wide=15 * thick, narrow=12.5 * thick))
    for share in (0.15, 0.4, 0.65, 0.85):
        side, mate = base + (knuckle - base) * share, index * (0.25 + 0.55 * share)
        cones.append(Cone(start=side, end=mate, wide=(13 - 5 * share) * thick, narrow=10 * thick))
    cones.append(
        Cone(start=at(-17, 12, 5), end=little * 0.75 - 2 * right + 5 * out, wide=15 * thick, narrow=12.5 * thick)
    )
    return cones


def _forearm_cones(figure: Figure) -> list[Cone]:
    side = normalize(figure.axes[0] - figure.forearm * float(figure.axes[0] @ figure.forearm))
    thick = float(figure.radii[0]) / 16
    cones = []
    for offset, spread in ((-12.0, -22.0), (0.0, 0.0), (12.0, 22.0)):
        start = figure.axes[1] * 4 + side * offset
        end = figure.forearm * FOREARM_LENGTH + side * spread
        cones.append(Cone(start=start, end=end, wide=16.5 * thick, narrow=29.0 * thick))
    return cones


def _smooth(heights: Array, sigma: float) -> Array:
    """Blur the heights of the hand, so that the cones of palm or arm form one surface."""
    import cv2

    there = (heights > NO_SURFACE_MM / 2).astype(np.float32)
    weight = cv2.GaussianBlur(there, (0, 0), sigma)
    mean = cv2.GaussianBlur(heights * there, (0, 0), sigma) / np.maximum(weight, 1e-3)
    return np.where(there > 0, mean, NO_SURFACE_MM).astype(np.float32)


def _add_fingers(figure: Figure, window: Window, grid: tuple[Array, Array], layers: tuple[Array, Array, Parts]) -> None:
    """Add the five fingers over the palm, in place, blended into the palm at their roots."""
    heights, palm, parts = layers
    for finger in range(5):
        knuckles = slice(1 + 4 * finger, 5 + 4 * finger)
        ends, reach = figure.joints[knuckles, :2], figure.radii[knuckles, None] + 4.0
        rows, columns = _range(window, (ends - reach).min(axis=0), (ends + reach).max(axis=0))
        own = np.full(heights[rows, columns].shape, NO_SURFACE_MM, np.float32)
        if own.size == 0:
            continue
        which = np.zeros(own.shape, np.uint8)
        inset = replace(
            window,
            left=window.left + columns.start / window.density,
            top=window.top + rows.start / window.density,
        )
        for joint, cones in _finger_cones(figure, finger):
            before = own.copy()
            for cone in cones:
                _add_cone(own, (grid[0][columns], grid[1][rows]), inset, cone, blend=1.5)
            which[own > np.maximum(before + 0.2, NO_SURFACE_MM / 2)] = joint
        under, below = heights[rows, columns], palm[rows, columns]
        parts[rows, columns] = np.where((own > under) & (which > 0), which, parts[rows, columns])
        top = np.maximum(under, own)
        flow = np.where(own > NO_SURFACE_MM / 2, np.maximum(4 - np.abs(own - below), 0) ** 2 / 16, 0)
        heights[rows, columns] = top + np.where(np.maximum(own, below) >= top - 0.01, flow, 0)


def compute_surface(figure: Figure, window: Window) -> Surface:
    """Return the surface of a posed hand and its forearm."""
    x = (window.left + np.arange(window.width) / window.density).astype(np.float32)
    y = (window.top + np.arange(window.height) / window.density).astype(np.float32)
    shape = (window.height, window.width)
    arm, palm = np.full(shape, NO_SURFACE_MM, np.float32), np.full(shape, NO_SURFACE_MM, np.float32)
    for cone in _forearm_cones(figure):
        _add_cone(arm, (x, y), window, cone, blend=18)
    arm = _smooth(arm, 3.9 * window.density)
    for cone in _palm_cones(figure):
        _add_cone(palm, (x, y), window, cone, blend=6)
    palm = _smooth(palm, 2.6 * window.density)
    heights = np.maximum(arm, palm) + np.maximum(12 - np.abs(arm - palm), 0) ** 2 / 48
    parts = np.where(palm >= arm, PALM, FOREARM).astype(np.uint8)
    empty = np.maximum(arm, palm) < NO_SURFACE_MM / 2
    heights[empty], parts[empty] = NO_SURFACE_MM, 0
    _add_fingers(figure, window, (x, y), (heights, palm, parts))
    return Surface(heights=heights, parts=parts)


def _slope(heights: Array, axis: int) -> Array:
    """Return the smaller of the slopes to both neighbours, so that edges do not affect surfaces in front."""
    step = np.diff(heights, axis=axis)
    before, after = [(0, 0), (0, 0)], [(0, 0), (0, 0)]
    before[axis], after[axis] = (1, 0), (0, 1)
    back, ahead = np.pad(step, before), np.pad(step, after)
    return np.where(np.abs(back) < np.abs(ahead), back, ahead).astype(np.float32)


def surface_points(surface: Surface, window: Window) -> Points:
    """Return the points of the surface with their positions and normals."""
    rows, columns = np.nonzero(surface.parts)
    heights = surface.heights
    right = _slope(heights, 1)[rows, columns] * window.density
    down = _slope(heights, 0)[rows, columns] * window.density
    places = np.stack(
        [window.left + columns / window.density, window.top + rows / window.density, -heights[rows, columns]], axis=-1
    ).astype(np.float32)
    normals = np.stack([-right, -down, np.full_like(right, -1)], axis=-1) / np.sqrt(right**2 + down**2 + 1)[:, None]
    return Points(rows=rows, columns=columns, parts=surface.parts[rows, columns], places=places, normals=normals)
