"""Draws the question about the licence over the camera image."""

from functools import lru_cache
from typing import Any, Final

from aslkit.capture.signers import LICENCE_CHOICES, LICENCE_QUESTION, licence_note
from aslkit.gui.drawing import BACKGROUND, HINT, MUTED, SURFACE, TEXT, as_bgr, fit_text, load_font
from aslkit.vision.images import Frame

LICENCE_KEYS: Final = {str(number): choice for number, choice in enumerate(LICENCE_CHOICES, 1)}
"""The choices by key."""

LICENCE_KEY_HELP: Final = f"1 – {len(LICENCE_CHOICES)}  choose     q  quit and choose another licence with --licence"

_WIDTH, _ROW_HEIGHT, _HEADER_HEIGHT = 680, 64, 96


def draw_licence_question(image: Frame, signer: str) -> None:
    """Draw the question over the image, which is at least `gui.drawing.MIN_IMAGE_WIDTH` wide.

    Args:
        image: BGR, uint8 (height, width, 3); is modified.
        signer: name of the signer, who has to answer.
    """
    panel = _draw_panel(signer)
    height, width = image.shape[:2]
    top, left = max((height - len(panel)) // 2, 0), max((width - _WIDTH) // 2, 0)
    region = image[top : top + len(panel), left : left + _WIDTH]
    region[:] = panel[: len(region), : region.shape[1]]


@lru_cache(maxsize=2)
def _draw_panel(signer: str) -> Frame:
    from PIL import Image, ImageDraw

    height = _HEADER_HEIGHT + len(LICENCE_KEYS) * _ROW_HEIGHT + 16
    image: Any = Image.new("RGB", (_WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((24, 18), LICENCE_QUESTION, TEXT, load_font(24, bold=True))
    pen.text((24, 56), fit_text(licence_note(signer), 15, _WIDTH - 48), TEXT, load_font(15))
    for row, (key, choice) in enumerate(LICENCE_KEYS.items()):
        y = _HEADER_HEIGHT + row * _ROW_HEIGHT
        pen.rounded_rectangle((24, y, _WIDTH - 24, y + _ROW_HEIGHT - 8), 8, SURFACE)
        pen.text((48, y + 28), key, HINT, load_font(22, bold=True), anchor="mm")
        pen.text((76, y + 8), choice.title, TEXT, load_font(16, bold=True))
        pen.text((76, y + 31), fit_text(choice.permits, 14, _WIDTH - 116), MUTED, load_font(14))
    return as_bgr(image)
