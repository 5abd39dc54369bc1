"""Pictures of the letters for the user: the handshape and, for J and Z, an arrow that shows the movement."""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import MOTION_LETTERS
from aslkit.synthetic import render_letter
from aslkit.vision.images import Frame

_HAND_SHIFT: Final = {"J": 0.11, "Z": 0.06}
"""How far the hand is moved to the right, relative to the width, to make room for the path."""

_ARROW: Final = (190, 80, 20)
_OUTLINE: Final = (255, 255, 255)
"""BGR."""

_HEAD: Final = 0.075
"""Length of the tip of the arrow, relative to the width."""


def draw_letter_example(letter: str, *, size: int) -> Frame:
    """Return the picture of a letter: a right hand, seen by another person, on a light background.

    The other person sees the path mirrored: the signer draws the letter as they see it themselves.

    Args:
        letter: a letter.
        size: width and height, pixels.

    Returns:
        BGR, uint8 (size, size, 3).
    """
    image = np.array(render_letter(letter, size=size))
    if letter not in MOTION_LETTERS:
        return image
    shift = round(_HAND_SHIFT[letter] * size)
    image[:, shift:] = image[:, : size - shift].copy()
    image[:, :shift] = image[:1, :1]  # the background
    _draw_arrow(image, _draw_path(letter) * size)
    return image


def _draw_path(letter: str) -> npt.NDArray[np.float64]:
    """Return the path of the fingertip as the viewer sees it, relative to the size of the picture, (n, 2)."""
    if letter == "Z":
        return np.array([(0.6, 0.1), (0.14, 0.1), (0.56, 0.36), (0.12, 0.36)])
    turn = np.linspace(np.pi, 0, 20)
    hook = np.stack([0.23 + 0.09 * np.cos(turn), 0.68 + 0.1 * np.sin(turn)], axis=1)
    return np.concatenate([[(0.14, 0.2)], hook, [(0.32, 0.6)]])


def _draw_arrow(image: Frame, path: npt.NDArray[np.float64]) -> None:
    size = image.shape[0]
    points = np.round(path * 8).astype(np.int32)  # cv2 takes eighths of pixels, for smooth lines
    direction = (path[-1] - path[-2]) / np.linalg.norm(path[-1] - path[-2])
    across = np.array([-direction[1], direction[0]])
    tip = path[-1] + direction * _HEAD * size * 0.5
    back = tip - direction * _HEAD * size
    head = np.stack([back + across * _HEAD * size * 0.6, tip, back - across * _HEAD * size * 0.6])
    head = np.round(head * 8).astype(np.int32)
    width = max(2, round(size / 50))
    for colour, extra in ((_OUTLINE, width), (_ARROW, 0)):
        cv2.polylines(image, [points, head], False, colour, width + extra, cv2.LINE_AA, 3)
        cv2.circle(image, tuple(map(int, points[0])), (width + extra // 2) * 8, colour, -1, cv2.LINE_AA, 3)
