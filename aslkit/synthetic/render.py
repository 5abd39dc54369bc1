"""Render a posed hand: light and shade its surface, and draw it over a background."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.shading import Appearance, albedo
from aslkit.synthetic.skeleton import Figure
from aslkit.synthetic.surface import FOREARM_LENGTH, NO_SURFACE_MM, Points, Window, compute_surface, surface_points

Array = npt.NDArray[np.float32]
Place = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

MAX_DENSITY: Final = 1.0
"""Maximum samples per millimetre. Larger hands are upscaled, which is faster than rendering them finer."""


@dataclass(frozen=True, kw_only=True)
class Light:
    """A lamp and ambient light.

    Attributes:
        towards: direction of the lamp: x right, y down, z to the camera; any length.
        lamp: intensity of the lamp, about 0.3–0.9.
        around: intensity of the ambient light, about 0.3–0.8.
        tint: colour of the light, BGR, about 1 each.
    """

    towards: tuple[float, float, float] = (0.3, -0.6, 0.8)
    lamp: float = 0.62
    around: float = 0.5
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)


def _blur(picture: Array, sigma: float) -> Array:
    """Return the blurred image. For a large sigma, a downscaled image is blurred, which is much faster."""
    import cv2

    if sigma < 4:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(width // 4, 1), max(height // 4, 1)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height)), np.float32)


def _ambient_occlusion(heights: Array, density: float) -> Array:
    """Return the share of the ambient light that reaches each pixel, 0–1; small in the gaps between fingers."""
    there = (heights > NO_SURFACE_MM / 2).astype(np.float32)
    filled = heights * there
    share = np.ones_like(heights)
    for sigma, depth, most in ((2.2, 5.0, 0.62), (7.0, 16.0, 0.55)):
        mean = _blur(filled, sigma * density) / np.maximum(_blur(there, sigma * density), 1e-3)
        share *= 1 - most * np.clip((mean - heights) / depth, 0, 1)
    return share


def _shadow(heights: Array, light: Light, density: float) -> Array:
    """Return the share of the lamp's light that the hand itself blocks at each pixel, 0–1."""
    lx, ly, lz = light.towards
    flat = max(float(np.hypot(lx, ly)), 1e-3)
    over = np.full_like(heights, NO_SURFACE_MM)
    for distance in (4.0, 8.0, 13.0, 20.0, 30.0):
        step = (round(-ly / flat * distance * density), round(-lx / flat * distance * density))
        np.maximum(over, np.roll(heights, step, axis=(0, 1)) - distance * lz / flat, out=over)
    return _blur(np.clip((over - heights) / 5.0, 0, 1), 1.6 * density)


def _apply_light(colour: Array, points: Points, heights: Array, light: Light, density: float) -> Array:
    """Return the colour of the lit skin, float32 (points, 3), 0–1."""
    towards = np.asarray(light.towards, np.float32) * np.array([1, 1, -1], np.float32)
    towards /= np.linalg.norm(towards)
    reaching = 1 - 0.75 * _shadow(heights, light, density)[points.rows, points.columns]
    # Light wraps around edges because it passes through skin, which absorbs blue more than red.
    wrap = np.array([0.18, 0.24, 0.38], np.float32)
    facing = points.normals @ towards
    lamp = np.clip((facing[:, None] + wrap) / (1 + wrap), 0, 1) * (light.lamp * reaching)[:, None]
    above = 0.82 - 0.18 * points.normals[:, 1]
    rim = 0.62 + 0.38 * np.clip(points.normals[:, 2] * -1.3, 0, 1)
    around = _ambient_occlusion(heights, density)[points.rows, points.columns] * above * rim
    # Light reflected between skin surfaces is redder. This approximates the powers 1.15, 1.08 and 0.9, which are slow.
    warm = around[:, None] * (1 + (around - 1)[:, None] * np.array([0.15, 0.08, -0.1], np.float32))
    half = towards - np.array([0, 0, 1], np.float32)
    shine = np.clip(points.normals @ (half / np.linalg.norm(half)), 0, 1)
    for _ in range(5):
        shine *= shine
    shine *= reaching * 0.06
    lit = colour * (lamp + light.around * warm) + shine[:, None]
    return np.asarray(np.clip(lit * np.asarray(light.tint, np.float32), 0, 1), np.float32)


def _find_window(figure: Figure, place: Place, scale: float, size: tuple[int, int]) -> Window | None:
    """Return the part of the frame that can contain the hand; None if there is none."""
    ends = np.vstack([figure.joints[:, :2], figure.forearm[None, :2] * FOREARM_LENGTH])
    reach = np.vstack([figure.radii[:, None] + 8.0, [[45.0]]])
    density, edge = min(scale, MAX_DENSITY), 6.0
    low = np.maximum((ends - reach).min(axis=0), -place / scale - edge)
    high = np.minimum((ends + reach).max(axis=0), (np.asarray(size) - place) / scale + edge)
    width, height = np.ceil((high - low) * density).astype(int).tolist()
    if width < 2 or height < 2:
        return None
    return Window(left=float(low[0]), top=float(low[1]), width=width, height=height, density=density)


def _render_layer(figure: Figure, window: Window, look: Appearance, light: Light) -> Array:
    """Return the hand without background, float32 (height, width, 4): BGR and alpha, 0–255, with soft edges."""
    surface = compute_surface(figure, window)
    points = surface_points(surface, window)
    layer = np.zeros((window.height, window.width, 4), np.float32)
    colour = albedo(figure, points, window, look)
    layer[points.rows, points.columns, :3] = _apply_light(colour, points, surface.heights, light, window.density) * 255
    layer[points.rows, points.columns, 3] = 255
    return _blur(layer, 0.6)


def render_hand(
    background: Image, figure: Figure, *, look: Appearance, light: Light, scale: float, place: Place
) -> Image:
    """Draw a hand in front of a background.

    Args:
        background: uint8 (height, width, 3), BGR; not changed.
        figure: the posed hand.
        look: skin and sleeve.
        light: lamp and ambient light.
        scale: pixels per millimetre.
        place: position of the wrist, float64 (2,), x and y in pixels.
    """
    import cv2

    height, width = background.shape[:2]
    picture = background.copy()
    window = _find_window(figure, place, scale, (width, height))
    if window is None:
        return picture
    zoom = scale / window.density
    corner = place + np.array([window.left, window.top]) * scale
    first = np.clip(np.floor(corner).astype(int), 0, (width, height))
    last = np.clip(np.ceil(corner + np.array([window.width, window.height]) * zoom).astype(int), 0, (width, height))
    if (last <= first).any():
        return picture
    move = np.array([[zoom, 0, corner[0] - first[0]], [0, zoom, corner[1] - first[1]]])
    span = (int(last[0] - first[0]), int(last[1] - first[1]))
    layer = cv2.warpAffine(_render_layer(figure, window, look, light), move, span, flags=cv2.INTER_LINEAR)
    region = picture[first[1] : last[1], first[0] : last[0]]
    region[:] = np.minimum(region * (1 - layer[..., 3:] * (1 / 255)) + layer[..., :3] + 0.5, 255).astype(np.uint8)
    return picture
