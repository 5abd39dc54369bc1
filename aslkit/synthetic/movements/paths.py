"""Paths of a hand: how J and Z are drawn, and other movements. All are drawn at random from ranges that signers use.

Right hand, seen by the viewer, who sees a letter mirrored: the signer draws it as they see it themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

MIN_DURATION_S: Final = 0.35
MAX_DURATION_S: Final = 1.6

MIRRORED_SHARE: Final = 0.15
"""Share of signers who draw a letter as the viewer reads it, as learners do who copy a picture."""


@dataclass(frozen=True, kw_only=True)
class Path:
    """A movement over time.

    Attributes:
        progress: float64 (k,), increasing from 0 to 1.
        place: float64 (k, 3), place of the wrist relative to the start, millimetres: x to the right of the image, y
            down, z away from the viewer.
        view: float64 (k, 3), change of yaw, pitch and roll relative to the start, degrees, as `letter_poses.Pose.view`.
    """

    progress: Array
    place: Array
    view: Array

    def at(self, share: Array) -> tuple[Array, Array]:
        """Return place and view, float64 (n, 3) each, at shares of the duration, float64 (n,), 0–1."""
        columns = [np.interp(share, self.progress, values) for values in (*self.place.T, *self.view.T)]
        return np.stack(columns[:3], axis=1), np.stack(columns[3:], axis=1)


def ease(share: Array) -> Array:
    """Return the progress of a movement that starts and stops smoothly: minimum jerk (Flash and Hogan, 1985)."""
    share = np.clip(share, 0, 1)
    return np.asarray(share**3 * (10 - 15 * share + 6 * share**2), np.float64)


def draw_letter_path(letter: str, rng: np.random.Generator) -> Path:
    """Return how a signer draws "J" or "Z" once."""
    path = {"J": _draw_j, "Z": _draw_z}[letter](rng)
    if rng.random() < MIRRORED_SHARE:
        # The hand still turns the way that an arm can turn.
        path = Path(progress=path.progress, place=path.place * (-1, 1, 1), view=path.view * (1, 1, -1))
    return _slant(path, np.radians(rng.normal(0, 8)))


def draw_other_path(rng: np.random.Generator, *, shape: str = "") -> Path:
    """Return a movement that is no letter.

    Args:
        rng: draws the path.
        shape: hand shape, "J" or "Z", that makes a part of the movements a letter: these are not drawn.
    """
    kinds = [kind for kind in _OTHER_PATHS if kind not in _LIKE_LETTER.get(shape, ())]
    path = _OTHER_PATHS[kinds[int(rng.integers(len(kinds)))]](rng)
    wobble = rng.normal(0, (6, 6, 6), 3) * np.sin(np.pi * path.progress)[:, None]
    return Path(progress=path.progress, place=path.place, view=path.view + wobble)


def _slant(path: Path, angle: float) -> Path:
    """Rotate a path in the image."""
    cos, sin = np.cos(angle), np.sin(angle)
    place = path.place.copy()
    place[:, :2] = path.place[:, :2] @ np.array([[cos, sin], [-sin, cos]])
    return Path(progress=path.progress, place=place, view=path.view)


def _strokes(corners: Array, shares: Array, points: int = 16) -> tuple[Array, Array]:
    """Return times and places of a movement along corners, float64 (k, 2), that slows down at each."""
    ends = np.concatenate([[0.0], np.cumsum(shares / shares.sum())])
    times, places = [np.zeros(1)], [corners[:1]]
    for number in range(len(corners) - 1):
        part = np.arange(1, points + 1) / points
        times.append(ends[number] + (ends[number + 1] - ends[number]) * part)
        places.append(corners[number] + (corners[number + 1] - corners[number]) * ease(part)[:, None])
    return np.concatenate(times), np.concatenate(places)


def _round_corners(values: Array, width: int) -> Array:
    """Smooth a path, float64 (k, 2), as fast hands cut corners; its ends stay."""
    if width < 2:
        return values
    padded = np.concatenate([np.repeat(values[:1], width, 0), values, np.repeat(values[-1:], width, 0)])
    kernel = np.hanning(2 * width + 1)
    smooth = np.stack([np.convolve(column, kernel / kernel.sum(), mode="same") for column in padded.T], axis=1)
    return np.asarray(smooth[width:-width], np.float64)


def _draw_j(rng: np.random.Generator) -> Path:
    """The little finger goes down and hooks inwards, while the palm turns to the signer."""
    share = np.linspace(0, 1, 48)
    moved = ease(share)
    depth, radius = rng.uniform(45, 150), rng.uniform(20, 65)
    bend = rng.uniform(0.45, 0.7)  # share of the movement after which the hook begins
    down = np.clip(moved / bend, 0, 1)
    hook = np.clip((moved - bend) / (1 - bend), 0, 1)
    angle = hook * np.radians(rng.uniform(100, 200))
    # A half circle to the right of the image, below the end of the straight part.
    x, y = radius * (1 - np.cos(angle)), depth * down + radius * np.sin(angle)
    arm = rng.uniform(0.35, 1.0)  # share of the drawing that the arm does; the wrist does the rest
    place = np.stack([x * arm, y * arm, rng.normal(0, 12) * np.sin(np.pi * moved)], axis=1)
    turn = ease(np.clip((moved - bend * rng.uniform(0.2, 0.8)) / (1 - bend * 0.5), 0, 1))
    wrist = 1.25 - arm
    yaw = rng.uniform(40, 175) * turn
    roll = -rng.uniform(0, 55) * wrist * hook + rng.uniform(-5, 15) * np.sin(np.pi * moved)
    pitch = rng.uniform(5, 70) * wrist * np.sin(np.pi * np.clip(moved * rng.uniform(0.75, 1.1), 0, 1))
    return Path(progress=share, place=place, view=np.stack([yaw, pitch, roll], axis=1))


def _draw_z(rng: np.random.Generator) -> Path:
    """The index finger draws three strokes."""
    width, height = rng.uniform(55, 190), rng.uniform(50, 170)
    corners = width * np.array([[0.5, 0.0], [-0.5, 0.0], [0.5, 0.0], [-0.5, 0.0]])
    corners[2:, 1] += height
    corners += rng.normal(0, 0.07, corners.shape) * (width, height)
    corners -= corners[0]
    times, path = _strokes(corners, rng.uniform(0.7, 1.3, 3))
    path = _round_corners(path, int(rng.integers(0, 5)))
    path -= path[0]
    arm = rng.uniform(0.3, 1.0)
    place = np.column_stack([path * arm, rng.normal(0, 12) * np.sin(np.pi * times)])
    # 150 mm from the wrist to the fingertip: an angle of 20 degrees moves it by 50 mm.
    turned = np.degrees((1 - arm) * path / 150.0) * rng.uniform(0.7, 1.2)
    lean = rng.uniform(0, 1)  # whether the wrist tilts sideways, or turns about the forearm
    view = np.stack([-turned[:, 0] * lean, turned[:, 1], -turned[:, 0] * (1 - 0.7 * lean)], axis=1)
    return Path(progress=times, place=place, view=view)


def _along(points: Array, rng: np.random.Generator) -> Path:
    """Return a path along points of the image, float64 (k, 2), at even speed with smooth ends."""
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    share = np.linspace(0, 1, 48)
    reached = ease(share) * length[-1]
    place = np.stack([np.interp(reached, length, points[:, 0]), np.interp(reached, length, points[:, 1])], axis=1)
    place = np.column_stack([place - place[0], rng.normal(0, 25) * share])
    return Path(progress=share, place=place, view=np.zeros((len(share), 3)))


def _line(rng: np.random.Generator) -> Path:
    """From one place to another, as far as across the picture."""
    angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(40, 600)
    end = length * np.array([np.cos(angle), 0.7 * np.sin(angle)])
    middle = end / 2 + rng.normal(0, 0.06, 2) * length
    share = np.linspace(0, 1, 16)[:, None]
    curve = 2 * share * (1 - share) * middle + share**2 * end
    return _along(np.asarray(curve, np.float64), rng)


def _corner(rng: np.random.Generator) -> Path:
    """Two strokes, as a V, an L or a 7."""
    first, second = (
        rng.uniform(50, 220) * np.array([np.cos(angle), np.sin(angle)]) for angle in rng.uniform(0, 2 * np.pi, 2)
    )
    times, path = _strokes(np.array([[0, 0], first, first + second]), rng.uniform(0.7, 1.3, 2))
    return Path(
        progress=times, place=np.column_stack([path, np.zeros(len(path))]), view=np.zeros((len(path), 3))
    )  # fmt: skip


def _circle(rng: np.random.Generator) -> Path:
    turned: Array = np.linspace(0, rng.uniform(1.6, 3.5) * np.pi, 48)
    angle = float(rng.choice((-1, 1))) * turned + rng.uniform(0, 2 * np.pi)
    circle: Array = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _along(float(rng.uniform(25, 120)) * circle, rng)


def _wave(rng: np.random.Generator) -> Path:
    """Back and forth, as a waving hand; partly by turning the wrist."""
    share = np.linspace(0, 1, 64)
    swing = np.sin(2 * np.pi * rng.uniform(1, 3) * share + rng.choice((0, np.pi)))
    direction = rng.choice(2, p=(0.75, 0.25))
    place = np.zeros((64, 3))
    place[:, direction] = rng.uniform(5, 90) * swing
    view = np.zeros((64, 3))
    view[:, 2 - direction] = rng.uniform(0, 35) * swing
    return Path(progress=share, place=place, view=view)


def _turn(rng: np.random.Generator) -> Path:
    """The hand turns in its place."""
    share = np.linspace(0, 1, 48)
    return Path(progress=share, place=np.zeros((48, 3)), view=ease(share)[:, None] * rng.normal(0, (50, 25, 45), 3))


def _bounce(rng: np.random.Generator) -> Path:
    """Down and up again, as between equal letters."""
    share = np.linspace(0, 1, 48)
    down = rng.uniform(15, 120) * np.sin(np.pi * ease(share)) * rng.choice((-1, 1))
    aside = rng.normal(0, 40) * ease(share)
    return Path(progress=share, place=np.stack([aside, down, np.zeros(48)], axis=1), view=np.zeros((48, 3)))


_OTHER_PATHS: Final[dict[str, Callable[[np.random.Generator], Path]]] = {
    "line": _line,
    "corner": _corner,
    "circle": _circle,
    "wave": _wave,
    "turn": _turn,
    "bounce": _bounce,
}

_LIKE_LETTER: Final = {"J": ("corner", "circle", "turn"), "Z": ("wave",)}
"""Movements of the hand shape of a letter that can look like the letter itself."""
