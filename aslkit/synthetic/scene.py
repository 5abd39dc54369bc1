"""The room behind the hand, and the camera with its noise, blur and compression."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
FloatImage = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Camera:
    """How the camera degrades an image.

    Attributes:
        exposure: factor on the brightness.
        noise: standard deviation of the noise, grey levels of 255.
        blur_px: standard deviation of the blur, pixels in a frame of height 480.
        sharpening: amount of sharpening, as applied by webcams; 0 for none.
        jpeg_quality: 1–100.
    """

    exposure: float = 1.0
    noise: float = 2.0
    blur_px: float = 0.3
    sharpening: float = 0.4
    jpeg_quality: int = 90


def _smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: int) -> FloatImage:
    """Return smooth noise, float32 (height, width, 1), about -1 to 1."""
    import cv2

    coarse = rng.standard_normal((cells, cells)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)[..., None] * 0.6, np.float32)


def _wall(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw a painted wall with a brightness gradient."""
    grey = rng.uniform(70, 205)
    colour = (grey + rng.normal(0, 12, 3)).astype(np.float32)
    across, down = np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32)
    fall = across[None, :, None] * rng.uniform(-18, 18) + down[:, None, None] * rng.uniform(-18, 18)
    return np.asarray(colour + fall + 4 * _smooth_noise(rng, size, 6) + 2 * _smooth_noise(rng, size, 60), np.float32)


def _furniture(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw a wall with rectangles that resemble doors, shelves and pictures."""
    import cv2

    room = _wall(rng, size)
    width, height = size
    for _ in range(int(rng.integers(3, 9))):
        x, y = int(rng.uniform(-0.1, 0.9) * width), int(rng.uniform(-0.1, 0.9) * height)
        corner = (x + int(rng.uniform(0.06, 0.4) * width), y + int(rng.uniform(0.1, 0.7) * height))
        colour = tuple((rng.uniform(40, 210) + rng.normal(0, 18, 3)).tolist())
        cv2.rectangle(room, (x, y), corner, colour, -1)
        cv2.rectangle(room, (x, y), corner, tuple(0.7 * level for level in colour), max(width // 200, 1))
    return np.asarray(cv2.GaussianBlur(room, (0, 0), height / 480 * rng.uniform(0.8, 4)), np.float32)


def _out_of_focus(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw a room far out of focus as soft patches."""
    import cv2

    room = _wall(rng, size)
    width, height = size
    for _ in range(int(rng.integers(8, 22))):
        centre = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
        axes = (int(rng.uniform(0.03, 0.25) * width), int(rng.uniform(0.03, 0.25) * height))
        colour = tuple((rng.uniform(40, 210) + rng.normal(0, 26, 3)).tolist())
        cv2.ellipse(room, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour, -1)
    return np.asarray(cv2.GaussianBlur(room, (0, 0), height / 480 * rng.uniform(9, 22)), np.float32)


def _planks(rng: np.random.Generator, size: tuple[int, int]) -> FloatImage:
    """Draw stripes at an angle that resemble a floor, curtain or cupboard."""
    import cv2

    room = _wall(rng, size)
    width, height = size
    angle, step = rng.uniform(0, np.pi), rng.uniform(0.06, 0.2) * width
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    stripe = np.floor((x * np.cos(angle) + y * np.sin(angle)) / step).astype(int)
    room += rng.normal(0, 9, 64).astype(np.float32)[stripe % 64][..., None]
    return np.asarray(cv2.GaussianBlur(room, (0, 0), height / 480 * rng.uniform(0.8, 2)), np.float32)


ROOMS: Final[dict[str, Callable[[np.random.Generator, tuple[int, int]], FloatImage]]] = {
    "wall": _wall,
    "furniture": _furniture,
    "out-of-focus": _out_of_focus,
    "planks": _planks,
}
"""Functions that draw a room from a random number generator and (width, height), by kind of room."""


def render_background(room: str, *, rng: np.random.Generator, width: int, height: int, brightness: float) -> Image:
    """Render an empty room, uint8 (height, width, 3), BGR.

    Args:
        room: key of ROOMS.
        rng: random number generator.
        width: of the image, pixels.
        height: of the image, pixels.
        brightness: factor on the brightness.
    """
    picture = ROOMS[room](rng, (width, height)) * brightness
    return np.clip(picture, 0, 255).astype(np.uint8)


def noise_tile(rng: np.random.Generator, *, width: int, height: int, noise: float) -> npt.NDArray[np.int16]:
    """Return camera noise, int16 (height, width, 3), which is shifted for each frame."""
    import cv2

    grain = rng.standard_normal((height, width, 3), np.float32)
    # Noise is correlated between neighbouring pixels, because cameras interpolate colours from neighbouring cells.
    return np.asarray(np.round(cv2.GaussianBlur(grain, (0, 0), 0.6) * noise * 1.9), np.int16)


def apply_camera(picture: Image, camera: Camera, *, noise: npt.NDArray[np.int16], shift: tuple[int, int]) -> Image:
    """Degrade an image as the camera would; returns uint8 (height, width, 3), BGR.

    Args:
        picture: image, BGR; not modified.
        camera: the camera.
        noise: noise from `noise_tile`, of the same size.
        shift: rows and columns to shift the noise by.
    """
    import cv2

    sigma = camera.blur_px * picture.shape[0] / 480
    image = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma > 0.15 else picture
    if camera.sharpening > 0:
        soft = cv2.GaussianBlur(image, (0, 0), 1.6 * picture.shape[0] / 480)
        image = cv2.addWeighted(image, 1 + camera.sharpening, soft, -camera.sharpening, 0)
    if camera.exposure != 1:
        image = cv2.convertScaleAbs(image, alpha=camera.exposure)
    noisy = cv2.add(image, np.roll(noise, shift, axis=(0, 1)), dtype=cv2.CV_8U)
    ok, packed = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])
    assert ok, "OpenCV could not write a JPEG"
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)
