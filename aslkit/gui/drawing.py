"""What windows are painted with: colours, letters, labels, the camera's picture as in a mirror, and the hand in it."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import FINGERS, PARENT, Hand
from aslkit.vision.images import Frame

Colour = tuple[int, int, int]

PICTURE_HEIGHT: Final = 540
WIDEST: Final = 960
NARROWEST: Final = 720
PANEL: Final = 300
KEYS: Final = 36

BACK: Final[Colour] = (24, 26, 31)
RAISED: Final[Colour] = (44, 48, 56)
INK: Final[Colour] = (242, 243, 245)
FAINT: Final[Colour] = (163, 170, 181)
GOOD: Final[Colour] = (88, 201, 140)
WARN: Final[Colour] = (255, 193, 84)
BAD: Final[Colour] = (255, 107, 107)
HINT: Final[Colour] = (122, 190, 255)
"""RGB. Each comes with words or a sign of its own: nothing is told by colour alone."""


@dataclass(frozen=True, kw_only=True)
class Banner:
    """One line over the picture."""

    text: str
    colour: Colour


def draw_mirrored(frame: Frame | None, hand: Hand | None, colour: Colour) -> Frame:
    """Return the camera's picture as in a mirror, with the hand's skeleton.

    Args:
        frame: BGR, uint8 (height, width, 3), unmirrored; None before there is one.
        hand: as found in it.
        colour: of the skeleton, RGB.

    Returns:
        BGR, uint8, PICTURE_HEIGHT high at most, from NARROWEST to WIDEST pixels wide; the frame stays as it is.
    """
    if frame is None:
        return np.full((PICTURE_HEIGHT, PICTURE_HEIGHT * 4 // 3, 3), BACK[::-1], np.uint8)
    height, width = frame.shape[:2]
    scale = min(PICTURE_HEIGHT / height, WIDEST / width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    picture = np.asarray(cv2.flip(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), 1), np.uint8)
    if hand is not None:
        draw_hand(picture, hand, colour)
    beside = max(NARROWEST - size[0], 0)  # a telephone's upright picture would leave no room for words
    left = beside // 2
    return np.asarray(
        cv2.copyMakeBorder(picture, 0, 0, left, beside - left, cv2.BORDER_CONSTANT, value=BACK[::-1]), np.uint8
    )


def draw_banners(picture: Frame, banners: tuple[Banner, ...]) -> None:
    """Lay the first two banners over the picture's lower edge, the first one lowest."""
    for row, banner in enumerate(banners[:2]):
        text = printable_text(banner.text)
        label = render_label(text, fit_font_size(text, picture.shape[1] - 40), (16, 18, 22), banner.colour)
        overlay_label(
            picture, label, (max((picture.shape[1] - label.shape[1]) // 2, 0), picture.shape[0] - 58 - row * 52)
        )


def draw_number(picture: Frame, number: int) -> None:
    """Lay a large number over the middle of the picture, as a countdown does."""
    label = render_label(str(number), 150, INK, None)
    overlay_label(picture, label, ((picture.shape[1] - label.shape[1]) // 2, (picture.shape[0] - label.shape[0]) // 2))


@lru_cache(maxsize=4)
def draw_key_help(text: str, width: int) -> Frame:
    """The line that says what the keys do, BGR, uint8 (KEYS, width, 3)."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, KEYS), RAISED)
    ImageDraw.Draw(image).text((width / 2, KEYS / 2), text, INK, load_font(15), anchor="mm")
    return as_bgr(image)


def as_bgr(image: Any) -> Frame:
    """A PIL picture, RGB, as the array that OpenCV shows: BGR, uint8 (height, width, 3)."""
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])


def draw_hand(picture: Frame, hand: Hand, colour: Colour) -> None:
    """Draw bones, joints and box into the mirrored picture."""
    height, width = picture.shape[:2]
    points = (hand.landmarks[:, :2] * (-width, height) + (width, 0)).round().astype(int)
    ink = colour[::-1]
    (x0, y0), (x1, y1) = points.min(axis=0) - 14, points.max(axis=0) + 14
    cv2.rectangle(picture, (int(x0), int(y0)), (int(x1), int(y1)), ink, 1, cv2.LINE_AA)
    bones = [*((int(PARENT[joint - 1]), joint) for finger in FINGERS for joint in finger), (5, 9), (9, 13), (13, 17)]
    for thickness, line in ((5, (20, 20, 20)), (2, ink)):
        for start, end in bones:
            cv2.line(picture, points[start].tolist(), points[end].tolist(), line, thickness, cv2.LINE_AA)
    for point in points.tolist():
        cv2.circle(picture, point, 4, INK[::-1], -1, cv2.LINE_AA)


def draw_bar(pen: Any, box: tuple[float, float, float, float], share: float) -> None:
    """Draw how much of a bar is full, 0–1, with a PIL pen."""
    x0, y0, x1, y1 = box
    pen.rounded_rectangle(box, (y1 - y0) / 2, RAISED if share < 1 else GOOD)
    if 0 < share < 1:
        pen.rounded_rectangle((x0, y0, max(x0 + (x1 - x0) * share, x0 + (y1 - y0)), y1), (y1 - y0) / 2, HINT)


@lru_cache(maxsize=64)
def render_label(text: str, size: int, ink: Colour, ground: Colour | None) -> npt.NDArray[np.uint8]:
    """Text as BGRA, uint8 (height, width, 4), on a rounded ground or with a dark edge."""
    from PIL import Image, ImageDraw

    face = load_font(size, bold=True)
    x0, y0, x1, y1 = face.getbbox(text)
    pad = 12 if ground else size // 10
    image = Image.new("RGBA", (int(x1 - x0) + 2 * pad, int(y1 - y0) + 2 * pad), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    if ground:
        pen.rounded_rectangle((0, 0, image.width - 1, image.height - 1), 8, (*ground, 235))
        pen.text((pad - x0, pad - y0), text, ink, face)
    else:
        pen.text((pad - x0, pad - y0), text, ink, face, stroke_width=size // 25, stroke_fill=(0, 0, 0, 200))
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, [2, 1, 0, 3]])


def overlay_label(picture: Frame, label: npt.NDArray[np.uint8], place: tuple[int, int]) -> None:
    """Lay a label over the picture; what does not fit is cut off."""
    x, y = place
    part = picture[y : y + label.shape[0], x : x + label.shape[1]]
    label = label[: part.shape[0], : part.shape[1]]
    opaque = label[:, :, 3:].astype(np.uint16)
    part[:] = (label[:, :, :3] * opaque + part * (255 - opaque)) // 255


def fit_font_size(text: str, width: int) -> int:
    """The largest size, at most 22, in which the text is no wider than so many pixels; 12 where none is."""
    return next((size for size in range(22, 12, -1) if load_font(size, bold=True).getlength(text) <= width), 12)


def printable_text(text: str) -> str:
    """On one line, and without what no font has."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def fit_text(text: str, size: int, width: int) -> str:
    """The text, cut with … to so many pixels."""
    face, text = load_font(size), printable_text(text)
    while text and face.getlength(text) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text


@lru_cache(maxsize=16)
def load_font(size: int, *, bold: bool = False) -> Any:
    """DejaVu Sans, which matplotlib brings along: OpenCV's own letters know no ä, é or ✓."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
