"""What the recorder's window shows, as a picture: a pure function of a `RecordingView`, so that it can be looked at anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS, NO_LETTER
from aslkit.gui.drawing import (
    BACK,
    BAD,
    FAINT,
    GOOD,
    INK,
    PANEL,
    RAISED,
    WARN,
    Banner,
    as_bgr,
    draw_banners,
    draw_bar,
    draw_key_help,
    draw_mirrored,
    draw_number,
    fit_text,
    load_font,
    overlay_label,
    render_label,
)
from aslkit.synthetic import render_letter
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame

STRIP: Final = 84

KEY_HELP: Final = "hold space  record     b  burst     u  undo     n / p  next, previous letter     q  end"


@dataclass(frozen=True, kw_only=True)
class RecordingView:
    """All that the window shows.

    Attributes:
        frame: the camera's, BGR, uint8 (height, width, 3), unmirrored; None before there is one.
        hand: as followed in it.
        good: whether the last verdict was good.
        recording: frames are being stored.
        countdown: a number to show large, or None.
        letter: which one is to be signed.
        left: the signer usually signs with the left hand.
        counts, goal: frames of each letter, and how many are wanted.
        walked: letters that are being recorded.
        refused: how many frames, by reason.
        about: a few short lines: signer, session, camera, fps.
        banners: lines over the picture, most important first.
    """

    frame: Frame | None
    hand: Hand | None
    good: bool
    recording: bool
    countdown: int | None
    letter: str
    left: bool
    counts: Mapping[str, int]
    goal: int
    walked: tuple[str, ...]
    refused: Mapping[str, int]
    about: tuple[str, ...]
    banners: tuple[Banner, ...]


def draw_view(view: RecordingView) -> Frame:
    """Return the window's picture, BGR, uint8."""
    picture = _picture(view)
    height, width = picture.shape[:2]
    panel = _panel(
        view.letter, view.left, view.counts[view.letter], view.goal, tuple(view.refused.items()), view.about, height
    )
    upper = np.hstack([picture, panel])
    strip = _strip(view.letter, tuple(view.counts[each] for each in LETTERS), view.goal, view.walked, width + PANEL)
    return np.vstack([upper, strip, draw_key_help(KEY_HELP, width + PANEL)])


def _picture(view: RecordingView) -> Frame:
    picture = draw_mirrored(view.frame, view.hand, GOOD if view.good else WARN)
    if view.recording:
        cv2.rectangle(picture, (3, 3), (picture.shape[1] - 4, picture.shape[0] - 4), BAD[::-1], 6)
        overlay_label(picture, render_label("● Recording", 20, INK, BAD), (20, 20))
    draw_banners(picture, view.banners)
    if view.countdown is not None:
        draw_number(picture, view.countdown)
    return picture


@lru_cache(maxsize=8)
def _panel(
    letter: str,
    left: bool,
    count: int,
    goal: int,
    refused: tuple[tuple[str, int], ...],
    about: tuple[str, ...],
    height: int,
) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (PANEL, height), BACK)
    pen = ImageDraw.Draw(image)
    pen.text((24, 14), "Sign the letter", FAINT, load_font(16))
    pen.text((24, 26), letter, INK, load_font(84, bold=True))
    image.paste(Image.fromarray(_example(letter, left)), (24, 128))
    pen.text((24, 352), f"{count:,}", INK, load_font(30, bold=True))
    pen.text((32 + pen.textlength(f"{count:,}", load_font(30, bold=True)), 364), f"of {goal:,}", FAINT, load_font(18))
    draw_bar(pen, (24, 396, PANEL - 24, 408), count / goal)
    y = 418
    for line in about:
        pen.text((24, y), fit_text(line, 14, PANEL - 48), FAINT, load_font(14))
        y += 19
    y += 6
    for reason, number in sorted(refused, key=lambda each: -each[1])[: max((height - y) // 19, 0)]:
        pen.text((24, y), f"refused, {reason}: {number:,}", WARN, load_font(14))
        y += 19
    return as_bgr(image)


@lru_cache(maxsize=4)
def _strip(letter: str, counts: tuple[int, ...], goal: int, walked: tuple[str, ...], width: int) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, STRIP), BACK)
    pen = ImageDraw.Draw(image)
    cell = (width - 24) / len(LETTERS)
    for place, (each, count) in enumerate(zip(LETTERS, counts, strict=True)):
        x0, x1 = 12 + place * cell + 2, 12 + (place + 1) * cell - 2
        if each == letter:
            pen.rounded_rectangle((x0, 8, x1, STRIP - 6), 6, RAISED, outline=INK, width=2)
        ink = INK if each in walked or count >= goal else FAINT
        pen.text(((x0 + x1) / 2, 28), each, ink, load_font(20, bold=each == letter), anchor="mm")
        draw_bar(pen, (x0 + 4, 46, x1 - 4, 54), count / goal)
        note = "✓" if count >= goal else (f"{count:,}" if count else "")
        pen.text(((x0 + x1) / 2, 67), note, GOOD if count >= goal else FAINT, load_font(12), anchor="mm")
    return as_bgr(image)


@lru_cache(maxsize=4)
def _example(letter: str, left: bool) -> npt.NDArray[np.uint8]:
    """How the letter looks in the mirrored picture, RGB: `render_letter` shows a right hand as others see it."""
    if letter == NO_LETTER:
        return np.full((212, 212, 3), RAISED, np.uint8)
    seen = render_letter(letter, size=212)
    return np.ascontiguousarray((seen if left else seen[:, ::-1])[:, :, ::-1])
