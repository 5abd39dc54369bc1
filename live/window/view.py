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

KEY_HELP: Final = (
    "space  end word    Tab  take word    u  undo    backspace  delete    x  clear    s  speak    c  copy    q  quit"
)

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
    if view.prompt is None:
        text_line = _draw_text_line(reading.text, width, reading.suggestion, _correction_note(reading))
    else:
        text_line = _draw_text_line(view.prompt, width)
    return np.vstack([upper, text_line, draw_key_help(view.key_help, width)])


def _correction_note(reading: Reading) -> str:
    """Return what was read of the last corrected word, while the correction can be undone."""
    return "" if reading.correction is None else f"{reading.correction.word} was read as {reading.correction.read}"


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
def _draw_text_line(text: str, width: int, suggestion: str | None = None, note: str = "") -> Frame:
    """Draw the end of the text in large letters, then the suggested word, and a note below the text.

    If the beginning of the text does not fit, it is replaced by an ellipsis.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, TEXT_LINE_HEIGHT), SURFACE)
    pen = ImageDraw.Draw(image)
    font, small = load_font(44, bold=True), load_font(18)
    middle = TEXT_LINE_HEIGHT / 2 - (10 if note else 0)
    if note:
        pen.text((24, TEXT_LINE_HEIGHT - 16), f"{note}  (u: undo)", MUTED, load_font(15), anchor="lm")
    if not text:
        pen.text((24, middle), "What you spell appears here.", MUTED, load_font(22), anchor="lm")
        return as_bgr(image)
    suggested = f"{suggestion}  (Tab)" if suggestion else ""
    room = width - 64 - (small.getlength(suggested) + 24 if suggested else 0)
    visible = text
    while font.getlength(visible) > room:
        visible = "…" + visible.lstrip("…")[1:]
    pen.text((24, middle), visible.rstrip(" "), TEXT, font, anchor="lm")
    x = 28 + font.getlength(visible)
    pen.rectangle((x, middle - 22, x + 3, middle + 22), HINT)
    if suggested:
        pen.text((x + 24, middle + 6), suggested, MUTED, small, anchor="lm")
    return as_bgr(image)
