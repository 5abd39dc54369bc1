"""What the recorder's window shows, as a picture: a pure function of a `View`, so that it can be looked at anywhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.hands import FINGERS, PARENT, Hand
from aslkit.images import Frame
from aslkit.letters import LETTERS, NOTHING
from aslkit.synthetic import letter_picture

Colour = tuple[int, int, int]

PICTURE_HEIGHT: Final = 540
WIDEST: Final = 960
NARROWEST: Final = 720
PANEL: Final = 300
STRIP: Final = 84
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

KEY_HELP: Final = "hold space  record     b  burst     u  undo     n / p  next, previous letter     q  end"


@dataclass(frozen=True, kw_only=True)
class Banner:
    """One line over the picture."""

    text: str
    colour: Colour


@dataclass(frozen=True, kw_only=True)
class View:
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


def draw(view: View) -> Frame:
    """Return the window's picture, BGR, uint8."""
    picture = _picture(view)
    height, width = picture.shape[:2]
    panel = _panel(
        view.letter, view.left, view.counts[view.letter], view.goal, tuple(view.refused.items()), view.about, height
    )
    upper = np.hstack([picture, panel])
    strip = _strip(view.letter, tuple(view.counts[each] for each in LETTERS), view.goal, view.walked, width + PANEL)
    return np.vstack([upper, strip, _keys(width + PANEL)])


def _picture(view: View) -> Frame:
    if view.frame is None:
        picture = np.full((PICTURE_HEIGHT, PICTURE_HEIGHT * 4 // 3, 3), BACK[::-1], np.uint8)
    else:
        height, width = view.frame.shape[:2]
        scale = min(PICTURE_HEIGHT / height, WIDEST / width)
        size = (round(width * scale), round(height * scale))
        picture = np.asarray(cv2.flip(cv2.resize(view.frame, size, interpolation=cv2.INTER_LINEAR), 1), np.uint8)
        if view.hand is not None:
            _draw_hand(picture, view.hand, GOOD if view.good else WARN)
        beside = max(NARROWEST - size[0], 0)  # a telephone's upright picture would leave no room for words
        picture = np.asarray(
            cv2.copyMakeBorder(picture, 0, 0, beside // 2, beside - beside // 2, cv2.BORDER_CONSTANT, value=BACK[::-1]),
            np.uint8,
        )
    if view.recording:
        cv2.rectangle(picture, (3, 3), (picture.shape[1] - 4, picture.shape[0] - 4), BAD[::-1], 6)
        _lay(picture, _label("● Recording", 20, INK, BAD), (20, 20))
    for row, banner in enumerate(view.banners[:2]):
        text = _plain(banner.text)
        label = _label(text, _size(text, picture.shape[1] - 40), (16, 18, 22), banner.colour)
        place = (max((picture.shape[1] - label.shape[1]) // 2, 0), picture.shape[0] - 58 - row * 52)
        _lay(picture, label, place)
    if view.countdown is not None:
        number = _label(str(view.countdown), 150, INK, None)
        _lay(picture, number, ((picture.shape[1] - number.shape[1]) // 2, (picture.shape[0] - number.shape[0]) // 2))
    return picture


def _draw_hand(picture: Frame, hand: Hand, colour: Colour) -> None:
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
    pen.text((24, 14), "Sign the letter", FAINT, _font(16))
    pen.text((24, 26), letter, INK, _font(84, bold=True))
    image.paste(Image.fromarray(_example(letter, left)), (24, 128))
    pen.text((24, 352), f"{count:,}", INK, _font(30, bold=True))
    pen.text((32 + pen.textlength(f"{count:,}", _font(30, bold=True)), 364), f"of {goal:,}", FAINT, _font(18))
    _bar(pen, (24, 396, PANEL - 24, 408), count / goal)
    y = 418
    for line in about:
        pen.text((24, y), _fitting(line, 14, PANEL - 48), FAINT, _font(14))
        y += 19
    y += 6
    for reason, number in sorted(refused, key=lambda each: -each[1])[: max((height - y) // 19, 0)]:
        pen.text((24, y), f"refused, {reason}: {number:,}", WARN, _font(14))
        y += 19
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])


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
        pen.text(((x0 + x1) / 2, 28), each, ink, _font(20, bold=each == letter), anchor="mm")
        _bar(pen, (x0 + 4, 46, x1 - 4, 54), count / goal)
        note = "✓" if count >= goal else (f"{count:,}" if count else "")
        pen.text(((x0 + x1) / 2, 67), note, GOOD if count >= goal else FAINT, _font(12), anchor="mm")
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])


@lru_cache(maxsize=2)
def _keys(width: int) -> Frame:
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (width, KEYS), RAISED)
    ImageDraw.Draw(image).text((width / 2, KEYS / 2), KEY_HELP, INK, _font(15), anchor="mm")
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])


@lru_cache(maxsize=4)
def _example(letter: str, left: bool) -> npt.NDArray[np.uint8]:
    """How the letter looks in the mirrored picture, RGB: `letter_picture` shows a right hand as others see it."""
    if letter == NOTHING:
        return np.full((212, 212, 3), RAISED, np.uint8)
    seen = letter_picture(letter, size=212)
    return np.ascontiguousarray((seen if left else seen[:, ::-1])[:, :, ::-1])


def _bar(pen: Any, box: tuple[float, float, float, float], share: float) -> None:
    x0, y0, x1, y1 = box
    pen.rounded_rectangle(box, (y1 - y0) / 2, RAISED if share < 1 else GOOD)
    if 0 < share < 1:
        pen.rounded_rectangle((x0, y0, max(x0 + (x1 - x0) * share, x0 + (y1 - y0)), y1), (y1 - y0) / 2, HINT)


@lru_cache(maxsize=64)
def _label(text: str, size: int, ink: Colour, ground: Colour | None) -> npt.NDArray[np.uint8]:
    """Text as BGRA, uint8 (height, width, 4), on a rounded ground or with a dark edge."""
    from PIL import Image, ImageDraw

    font = _font(size, bold=True)
    x0, y0, x1, y1 = font.getbbox(text)
    pad = 12 if ground else size // 10
    image = Image.new("RGBA", (int(x1 - x0) + 2 * pad, int(y1 - y0) + 2 * pad), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    if ground:
        pen.rounded_rectangle((0, 0, image.width - 1, image.height - 1), 8, (*ground, 235))
        pen.text((pad - x0, pad - y0), text, ink, font)
    else:
        pen.text((pad - x0, pad - y0), text, ink, font, stroke_width=size // 25, stroke_fill=(0, 0, 0, 200))
    return np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, [2, 1, 0, 3]])


def _lay(picture: Frame, label: npt.NDArray[np.uint8], place: tuple[int, int]) -> None:
    """Lay a label over the picture; what does not fit is cut off."""
    x, y = place
    part = picture[y : y + label.shape[0], x : x + label.shape[1]]
    label = label[: part.shape[0], : part.shape[1]]
    opaque = label[:, :, 3:].astype(np.uint16)
    part[:] = (label[:, :, :3] * opaque + part * (255 - opaque)) // 255


def _size(text: str, width: int) -> int:
    """The largest size, at most 22, in which the text is no wider than so many pixels; 12 where none is."""
    return next((size for size in range(22, 12, -1) if _font(size, bold=True).getlength(text) <= width), 12)


def _plain(text: str) -> str:
    """On one line, and without what no font has."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _fitting(text: str, size: int, width: int) -> str:
    """The text, cut with … to so many pixels."""
    font, text = _font(size), _plain(text)
    while text and font.getlength(text) > width:
        text = text.rstrip("…")[:-1] + "…"
    return text


@lru_cache(maxsize=16)
def _font(size: int, *, bold: bool = False) -> Any:
    """DejaVu Sans, which matplotlib brings along: OpenCV's own letters know no ä, é or ✓."""
    import matplotlib
    from PIL import ImageFont

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name), size)
