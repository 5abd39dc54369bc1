"""Draws the window of `aslkit live` as a pure function of a `LiveView`, so that it can be tested without display."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from aslkit.gui.drawing import (
    BACKGROUND,
    GOOD,
    HINT,
    MUTED,
    PANEL_WIDTH,
    SURFACE,
    TEXT,
    WARN,
    Banner,
    as_bgr,
    draw_banners,
    draw_bar,
    draw_key_help,
    draw_mirrored,
    fit_text,
    load_font,
)
from aslkit.live.reader import Reading
from aslkit.vision.images import Frame

KEY_HELP: Final = "space  insert space     backspace  delete     x  clear     s  speak     c  copy     q  quit"

TEXT_LINE_HEIGHT: Final = 88
"""Pixels."""


@dataclass(frozen=True, kw_only=True)
class LiveView:
    """The content of the window.

    Attributes:
        reading: state after the last frame.
        info: short lines: run, source, frame rate.
        banners: lines over the image, most important first.
        key_help: explanation of the keys.
        prompt: text to show instead of the spelled text; None shows the spelled text.
    """

    reading: Reading
    info: tuple[str, ...]
    banners: tuple[Banner, ...] = ()
    key_help: str = KEY_HELP
    prompt: str | None = None


def draw_view(view: LiveView) -> Frame:
    """Return the image of the window, BGR, uint8 (height, width, 3)."""
    reading = view.reading
    hand = None if reading.recognition is None else reading.recognition.hand
    image = draw_mirrored(reading.frame, hand, GOOD if reading.letter else WARN)
    draw_banners(image, view.banners)
    # Rounded, so that the panel is usually found in the cache.
    top_letters = tuple((letter, round(probability, 2)) for letter, probability in reading.top_letters)
    panel = _draw_panel(
        reading.letter, top_letters, round(reading.progress, 2), hand is not None, view.info, image.shape[0]
    )
    upper = np.hstack([image, panel])
    width = upper.shape[1]
    text = reading.text if view.prompt is None else view.prompt
    return np.vstack([upper, _draw_text_line(text, width), draw_key_help(view.key_help, width)])


@lru_cache(maxsize=8)
def _draw_panel(
    letter: str | None,
    top_letters: tuple[tuple[str, float], ...],
    progress: float,
    hand: bool,
    info: tuple[str, ...],
    height: int,
) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (PANEL_WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((24, 18), "This is" if letter else ("No letter" if hand else "No hand"), MUTED, load_font(18))
    if letter:
        pen.text((20, 28), letter, TEXT, load_font(150, bold=True))
        pen.text((PANEL_WIDTH - 24, 148), f"{top_letters[0][1]:.0%}", GOOD, load_font(34, bold=True), anchor="rs")
    else:
        instruction = "Hold a letter still." if hand else "Show one hand completely."
        pen.text((24, 48), instruction, TEXT, load_font(18))
    draw_bar(pen, (24, 218, PANEL_WIDTH - 24, 226), progress if letter else 0.0)
    for row, (top_letter, probability) in enumerate(top_letters):
        y = 250 + 34 * row
        pen.text((24, y), top_letter, TEXT if row == 0 and letter else MUTED, load_font(22, bold=True))
        # Below 1, because draw_bar shows a full bar as completed.
        draw_bar(pen, (60, y + 9, PANEL_WIDTH - 88, y + 19), min(probability, 0.999))
        pen.text((PANEL_WIDTH - 24, y + 4), f"{probability:.0%}", MUTED, load_font(16), anchor="ra")
    y = height - 22 * len(info) - 14
    for line in info:
        pen.text((24, y), fit_text(line, 14, PANEL_WIDTH - 48), MUTED, load_font(14))
        y += 22
    return as_bgr(image)


@lru_cache(maxsize=4)
def _draw_text_line(text: str, width: int) -> Frame:
    """Draw the end of the text in large letters. If its beginning does not fit, it is replaced by an ellipsis."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, TEXT_LINE_HEIGHT), SURFACE)
    pen = ImageDraw.Draw(image)
    font = load_font(44, bold=True)
    if not text:
        pen.text((24, TEXT_LINE_HEIGHT / 2), "What you spell appears here.", MUTED, load_font(22), anchor="lm")
        return as_bgr(image)
    visible = text
    while font.getlength(visible) > width - 64:
        visible = "…" + visible.lstrip("…")[1:]
    pen.text((24, TEXT_LINE_HEIGHT / 2), visible.rstrip(" "), TEXT, font, anchor="lm")
    x = 28 + font.getlength(visible)
    pen.rectangle((x, 22, x + 3, TEXT_LINE_HEIGHT - 22), HINT)
    return as_bgr(image)
