"""Drawing for the windows: colours, text, labels, the mirrored camera image and the hand skeleton."""

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

MAX_IMAGE_HEIGHT: Final = 540
MAX_IMAGE_WIDTH: Final = 960
MIN_IMAGE_WIDTH: Final = 720
PANEL_WIDTH: Final = 300
KEY_HELP_HEIGHT: Final = 36

BACKGROUND: Final[Colour] = (24, 26, 31)
SURFACE: Final[Colour] = (44, 48, 56)
TEXT: Final[Colour] = (242, 243, 245)
MUTED: Final[Colour] = (163, 170, 181)
GOOD: Final[Colour] = (88, 201, 140)
WARN: Final[Colour] = (255, 193, 84)
BAD: Final[Colour] = (255, 107, 107)
HINT: Final[Colour] = (122, 190, 255)
"""Colours, RGB. No information is conveyed by colour alone; each is combined with text or a symbol."""


@dataclass(frozen=True, kw_only=True)
class Banner:
    """One line of text over the image."""

    text: str
    colour: Colour


def draw_mirrored(frame: Frame | None, hand: Hand | None, colour: Colour) -> Frame:
    """Return the mirrored camera image with the hand skeleton. The frame itself is not modified.

    Args:
        frame: camera frame, BGR, uint8 (height, width, 3), unmirrored; None before the first frame.
        hand: hand detected in the frame.
        colour: colour of the skeleton, RGB.

    Returns:
        BGR, uint8 (height, width, 3), up to MAX_IMAGE_HEIGHT high and from MIN_IMAGE_WIDTH to MAX_IMAGE_WIDTH wide.
    """
    if frame is None:
        return np.full((MAX_IMAGE_HEIGHT, MAX_IMAGE_HEIGHT * 4 // 3, 3), BACKGROUND[::-1], np.uint8)
    height, width = frame.shape[:2]
    scale = min(MAX_IMAGE_HEIGHT / height, MAX_IMAGE_WIDTH / width)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    image = np.asarray(cv2.flip(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), 1), np.uint8)
    if hand is not None:
        draw_hand(image, hand, colour)
    margin = max(MIN_IMAGE_WIDTH - size[0], 0)  # an upright phone image is too narrow for the text
    left = margin // 2
    return np.asarray(
        cv2.copyMakeBorder(image, 0, 0, left, margin - left, cv2.BORDER_CONSTANT, value=BACKGROUND[::-1]), np.uint8
    )


def draw_banners(image: Frame, banners: tuple[Banner, ...]) -> None:
    """Draw the first two banners over the lower edge of the image, the first one at the bottom."""
    for row, banner in enumerate(banners[:2]):
        text = printable_text(banner.text)
        label = render_label(text, fit_font_size(text, image.shape[1] - 40), (16, 18, 22), banner.colour)
        overlay_label(image, label, (max((image.shape[1] - label.shape[1]) // 2, 0), image.shape[0] - 58 - row * 52))


def draw_number(image: Frame, number: int) -> None:
    """Draw a large number in the centre of the image, such as a countdown."""
    label = render_label(str(number), 150, TEXT, None)
    overlay_label(image, label, ((image.shape[1] - label.shape[1]) // 2, (image.shape[0] - label.shape[0]) // 2))


@lru_cache(maxsize=4)
def draw_key_help(text: str, width: int) -> Frame:
    """Draw the line that explains the keys. Returns BGR, uint8 (KEY_HELP_HEIGHT, width, 3)."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, KEY_HELP_HEIGHT), SURFACE)
    ImageDraw.Draw(image).text((width / 2, KEY_HELP_HEIGHT / 2), text, TEXT, load_font(15), anchor="mm")
    return as_bgr(image)


def as_bgr(image: Any) -> Frame:
    """Convert a PIL image (RGB) to an array for OpenCV: BGR, uint8 (height, width, 3)."""
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])


def draw_hand(image: Frame, hand: Hand, colour: Colour) -> None:
    """Draw bones, joints and bounding box of a hand into the mirrored image."""
    height, width = image.shape[:2]
    # The image is already mirrored, the landmarks are not.
    points = (hand.landmarks[:, :2] * (-width, height) + (width, 0)).round().astype(int)
    bgr = colour[::-1]
    (x0, y0), (x1, y1) = points.min(axis=0) - 14, points.max(axis=0) + 14
    cv2.rectangle(image, (int(x0), int(y0)), (int(x1), int(y1)), bgr, 1, cv2.LINE_AA)
    bones = [*((int(PARENT[joint - 1]), joint) for finger in FINGERS for joint in finger), (5, 9), (9, 13), (13, 17)]
    # A dark outline first, so that the bones are visible on every background.
    for thickness, line_colour in ((5, (20, 20, 20)), (2, bgr)):
        for start, end in bones:
            cv2.line(image, points[start].tolist(), points[end].tolist(), line_colour, thickness, cv2.LINE_AA)
    for point in points.tolist():
        cv2.circle(image, point, 4, TEXT[::-1], -1, cv2.LINE_AA)


def draw_bar(pen: Any, box: tuple[float, float, float, float], share: float) -> None:
    """Draw a progress bar.

    Args:
        pen: `ImageDraw` of a PIL image.
        box: left, top, right, bottom, pixels.
        share: progress, 0–1.
    """
    x0, y0, x1, y1 = box
    pen.rounded_rectangle(box, (y1 - y0) / 2, SURFACE if share < 1 else GOOD)
    if 0 < share < 1:
        pen.rounded_rectangle((x0, y0, max(x0 + (x1 - x0) * share, x0 + (y1 - y0)), y1), (y1 - y0) / 2, HINT)


# Labels are drawn in every frame, but rarely change.
@lru_cache(maxsize=64)
def render_label(text: str, size: int, colour: Colour, background: Colour | None) -> npt.NDArray[np.uint8]:
    """Render text on a rounded background, or with a dark outline if `background` is None.

    Returns:
        BGRA, uint8 (height, width, 4).
    """
    from PIL import Image, ImageDraw

    font = load_font(size, bold=True)
    x0, y0, x1, y1 = font.getbbox(text)
    pad = 12 if background else size // 10
    image = Image.new("RGBA", (int(x1 - x0) + 2 * pad, int(y1 - y0) + 2 * pad), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    if background:
        pen.rounded_rectangle((0, 0, image.width - 1, image.height - 1), 8, (*background, 235))
        pen.text((pad - x0, pad - y0), text, colour, font)
    else:
        pen.text((pad - x0, pad - y0), text, colour, font, stroke_width=size // 25, stroke_fill=(0, 0, 0, 200))
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, [2, 1, 0, 3]])


def overlay_label(image: Frame, label: npt.NDArray[np.uint8], position: tuple[int, int]) -> None:
    """Blend a label into the image at (x, y); parts outside the image are cut off."""
    x, y = position
    region = image[y : y + label.shape[0], x : x + label.shape[1]]
    label = label[: region.shape[0], : region.shape[1]]
    # uint16, because the product of two bytes has up to 65,025.
    alpha = label[:, :, 3:].astype(np.uint16)
    region[:] = (label[:, :, :3] * alpha + region * (255 - alpha)) // 255


def fit_font_size(text: str, width: int) -> int:
    """Return the largest font size from 22 down to 12 at which the text is at most `width` pixels wide, else 12."""
    return next((size for size in range(22, 12, -1) if load_font(size, bold=True).getlength(text) <= width), 12)


def printable_text(text: str) -> str:
    """Replace line breaks and other unprintable characters with spaces."""
    return "".join(character if character.isprintable() else " " for character in text)


def fit_text(text: str, size: int, width: int) -> str:
    """Shorten the text with "…" to at most `width` pixels."""
    font, text = load_font(size), printable_text(text)
    while text and font.getlength(text) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text


@lru_cache(maxsize=16)
def load_font(size: int, *, bold: bool = False) -> Any:
    """Load DejaVu Sans, which is installed with matplotlib. The built-in fonts of OpenCV lack ä, é and ✓."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
