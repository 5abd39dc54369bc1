"""Draws the recording window as a pure function of a `RecordingView`, so that it can be tested without display."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.capture.letter_example import draw_letter_example
from aslkit.capture.window.licence_question import LICENCE_KEY_HELP, draw_licence_question
from aslkit.core.letters import ALPHABET, NO_LETTER
from aslkit.gui.drawing import (
    BACKGROUND,
    BAD,
    GOOD,
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
    draw_number,
    fit_text,
    load_font,
    overlay_label,
    render_label,
)
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame

STRIP_HEIGHT: Final = 84

CLIP_KEY_HELP: Final = (
    "hold space  sign, then release     b  record 2.5 s     u  undo     n / p  next, previous letter     q  quit"
)
KEY_HELP: Final = "hold space  record     b  burst     u  undo     n / p  next, previous letter     q  quit"


@dataclass(frozen=True, kw_only=True)
class RecordingView:
    """The content of the recording window.

    Attributes:
        frame: camera frame, BGR, uint8 (height, width, 3), unmirrored; None before the first frame.
        hand: hand tracked in the frame.
        good: whether the last frame passed the quality gate.
        recording: whether frames are being stored.
        countdown: remaining seconds of the countdown; None if there is none.
        letter: letter to sign.
        left_handed: whether the signer usually signs with the left hand.
        counts, goals: number of frames or clips of each letter, and target number.
        letters: letters that are being recorded.
        rejected: number of rejected frames, by reason.
        info: short lines: signer, session, camera, frame rate.
        banners: lines over the image, most important first.
        asks_licence: whether to ask who may use the images.
        records_clips: whether the letter is recorded as clips.
    """

    frame: Frame | None
    hand: Hand | None
    good: bool
    recording: bool
    countdown: int | None
    letter: str
    left_handed: bool
    counts: Mapping[str, int]
    goals: Mapping[str, int]
    letters: tuple[str, ...]
    rejected: Mapping[str, int]
    info: tuple[str, ...]
    banners: tuple[Banner, ...]
    asks_licence: bool = False
    records_clips: bool = False


def draw_view(view: RecordingView) -> Frame:
    """Return the image of the window, BGR, uint8 (height, width, 3)."""
    image = _draw_image(view)
    height, width = image.shape[:2]
    panel = _draw_panel(
        view.letter,
        view.left_handed,
        view.counts[view.letter],
        view.goals[view.letter],
        "clips" if view.records_clips else "",
        tuple(view.rejected.items()),
        view.info,
        height,
    )
    upper = np.hstack([image, panel])
    counts = tuple((view.counts[letter], view.goals[letter]) for letter in ALPHABET)
    strip = _draw_letter_strip(view.letter, counts, view.letters, width + PANEL_WIDTH)
    key_help = LICENCE_KEY_HELP if view.asks_licence else CLIP_KEY_HELP if view.records_clips else KEY_HELP
    return np.vstack([upper, strip, draw_key_help(key_help, width + PANEL_WIDTH)])


def _draw_image(view: RecordingView) -> Frame:
    image = draw_mirrored(view.frame, view.hand, GOOD if view.good else WARN)
    if view.recording:
        cv2.rectangle(image, (3, 3), (image.shape[1] - 4, image.shape[0] - 4), BAD[::-1], 6)
        overlay_label(image, render_label("● Recording", 20, TEXT, BAD), (20, 20))
    draw_banners(image, view.banners)
    if view.countdown is not None:
        draw_number(image, view.countdown)
    if view.asks_licence:
        draw_licence_question(image, view.info[0])
    return image


# Text is slow to draw and rarely changes. The arguments are tuples, because the cache hashes them.
@lru_cache(maxsize=8)
def _draw_panel(
    letter: str,
    left_handed: bool,
    count: int,
    goal: int,
    unit: str,
    rejected: tuple[tuple[str, int], ...],
    info: tuple[str, ...],
    height: int,
) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (PANEL_WIDTH, height), BACKGROUND)
    pen = ImageDraw.Draw(image)
    pen.text((24, 14), "Sign the letter", MUTED, load_font(16))
    pen.text((24, 26), letter, TEXT, load_font(84, bold=True))
    image.paste(Image.fromarray(_draw_example(letter, left_handed)), (24, 128))
    pen.text((24, 352), f"{count:,}", TEXT, load_font(30, bold=True))
    pen.text(
        (32 + pen.textlength(f"{count:,}", load_font(30, bold=True)), 364), f"of {goal:,} {unit}", MUTED, load_font(18)
    )
    draw_bar(pen, (24, 396, PANEL_WIDTH - 24, 408), count / goal)
    y = 418
    for line in info:
        pen.text((24, y), fit_text(line, 14, PANEL_WIDTH - 48), MUTED, load_font(14))
        y += 19
    y += 6
    by_count = sorted(rejected, key=lambda item: -item[1])
    for reason, number in by_count[: max((height - y) // 19, 0)]:  # as many as fit
        pen.text((24, y), f"rejected, {reason}: {number:,}", WARN, load_font(14))
        y += 19
    return as_bgr(image)


@lru_cache(maxsize=4)
def _draw_letter_strip(
    current: str, counts: tuple[tuple[int, int], ...], recorded: tuple[str, ...], width: int
) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, STRIP_HEIGHT), BACKGROUND)
    pen = ImageDraw.Draw(image)
    cell_width = (width - 24) / len(ALPHABET)
    for index, (letter, (count, goal)) in enumerate(zip(ALPHABET, counts, strict=True)):
        x0, x1 = 12 + index * cell_width + 2, 12 + (index + 1) * cell_width - 2
        if letter == current:
            pen.rounded_rectangle((x0, 8, x1, STRIP_HEIGHT - 6), 6, SURFACE, outline=TEXT, width=2)
        colour = TEXT if letter in recorded or count >= goal else MUTED
        pen.text(((x0 + x1) / 2, 28), letter, colour, load_font(20, bold=letter == current), anchor="mm")
        draw_bar(pen, (x0 + 4, 46, x1 - 4, 54), count / goal)
        label = "✓" if count >= goal else (f"{count:,}" if count else "")
        pen.text(((x0 + x1) / 2, 67), label, GOOD if count >= goal else MUTED, load_font(12), anchor="mm")
    return as_bgr(image)


@lru_cache(maxsize=4)
def _draw_example(letter: str, left_handed: bool) -> npt.NDArray[np.uint8]:
    """Draw how the signer sees the letter in the mirrored image. Returns RGB, uint8 (212, 212, 3).

    `draw_letter_example` shows a right hand as another person sees it.
    """
    if letter == NO_LETTER:
        return np.full((212, 212, 3), SURFACE, np.uint8)
    example = draw_letter_example(letter, size=212)
    return np.ascontiguousarray((example if left_handed else example[:, ::-1])[:, :, ::-1])
