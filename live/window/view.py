"""What the window of `aslkit live` shows, as a picture: a pure function of a `LiveView`."""

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

KEY_HELP: Final = "space  a space     backspace  delete     x  clear     s  speak     c  copy     q  end"
WORD_LINE: Final = 88


@dataclass(frozen=True, kw_only=True)
class LiveView:
    """All that the window shows.

    Attributes:
        reading: of the last frame.
        about: a few short lines: run, source, frames a second.
        banners: lines over the picture, most important first.
        keys: what they do.
        line: shown in place of the text; None for the text.
    """

    reading: Reading
    about: tuple[str, ...]
    banners: tuple[Banner, ...] = ()
    keys: str = KEY_HELP
    line: str | None = None


def draw_view(view: LiveView) -> Frame:
    """Return the window's picture, BGR, uint8."""
    reading = view.reading
    hand = None if reading.seen is None else reading.seen.hand
    picture = draw_mirrored(reading.frame, hand, GOOD if reading.letter else WARN)
    draw_banners(picture, view.banners)
    best = tuple((letter, round(share, 2)) for letter, share in reading.best)
    panel = _panel(reading.letter, best, round(reading.share, 2), hand is not None, view.about, picture.shape[0])
    upper = np.hstack([picture, panel])
    width = upper.shape[1]
    line = reading.text if view.line is None else view.line
    return np.vstack([upper, _word(line, width), draw_key_help(view.keys, width)])


@lru_cache(maxsize=8)
def _panel(
    letter: str | None,
    best: tuple[tuple[str, float], ...],
    share: float,
    hand: bool,
    about: tuple[str, ...],
    height: int,
) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (PANEL_WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((24, 18), "This is" if letter else ("No letter" if hand else "No hand"), MUTED, load_font(18))
    if letter:
        pen.text((20, 28), letter, TEXT, load_font(150, bold=True))
        pen.text((PANEL_WIDTH - 24, 148), f"{best[0][1]:.0%}", GOOD, load_font(34, bold=True), anchor="rs")
    else:
        words = "Hold a letter still." if hand else "Show one hand, all of it."
        pen.text((24, 48), words, TEXT, load_font(18))
    draw_bar(pen, (24, 218, PANEL_WIDTH - 24, 226), share if letter else 0.0)
    for row, (each, probability) in enumerate(best):
        y = 250 + 34 * row
        pen.text((24, y), each, TEXT if row == 0 and letter else MUTED, load_font(22, bold=True))
        draw_bar(pen, (60, y + 9, PANEL_WIDTH - 88, y + 19), min(probability, 0.999))
        pen.text((PANEL_WIDTH - 24, y + 4), f"{probability:.0%}", MUTED, load_font(16), anchor="ra")
    y = height - 22 * len(about) - 14
    for line in about:
        pen.text((24, y), fit_text(line, 14, PANEL_WIDTH - 48), MUTED, load_font(14))
        y += 22
    return as_bgr(image)


@lru_cache(maxsize=4)
def _word(text: str, width: int) -> Frame:
    """The end of the text, large; it begins with … where there is more of it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, WORD_LINE), SURFACE)
    pen = ImageDraw.Draw(image)
    face = load_font(44, bold=True)
    if not text:
        pen.text((24, WORD_LINE / 2), "What you spell appears here.", MUTED, load_font(22), anchor="lm")
        return as_bgr(image)
    shown = text
    while face.getlength(shown) > width - 64:
        shown = "…" + shown.lstrip("…")[1:]
    pen.text((24, WORD_LINE / 2), shown.rstrip(" "), TEXT, face, anchor="lm")
    x = 28 + face.getlength(shown)
    pen.rectangle((x, 22, x + 3, WORD_LINE - 22), HINT)
    return as_bgr(image)
