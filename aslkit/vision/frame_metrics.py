"""What is seen in one frame: the hand, how sharp and how bright it is, and what tells the frame from others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, perceptual_hash, thumbnail_gray, to_gray
from aslkit.vision.near_duplicate import align_upright, joints_in_pixels
from aslkit.vision.perceptual_hash import fine_hash, hand_hash

FINE, COARSE = 160, 96
"""Blur is measured on the hand's crop at these sizes, pixels, so that near and far hands and cameras of any size can
be compared. The fine one sees a slight blur; the coarse one a strong blur of a picture that was soft before, whose
last traces of detail are grains of compression."""

_COARSE_STEP: Final = 2
"""Grey values: at the coarse size, a smaller step between neighbours is noise and no detail."""

_REBLUR: Final = 9
"""Pixels of the window that blurs once more."""

_MARGIN: Final = 0.1
"""Share of the hand's box that its crop has more, on each side."""

_BRIGHT: Final = 0.95
"""Share of pixels that are no brighter than what is called the brightness: a few reflections do not count."""

_GLARE: Final = 250
"""A grey value, of 255, from which a pixel holds no more than white."""


@dataclass(frozen=True, kw_only=True)
class FrameMetrics:
    """What is seen in one frame.

    Attributes:
        hands: how many were found.
        hand: the largest of them; None when none was found.
        width, height: of the frame, pixels.
        phash: of the frame, 64 bits.
        fine_hash: of the frame, FINE_BITS bits (`aslkit.vision.perceptual_hash`); still equal after re-encoding.
        blur_fine, blur_coarse: share of the detail that is left when the hand's crop is blurred once more, 0–1, at
            the sizes FINE and COARSE: what is blurred already loses little (`blur_effect`).
        brightness: 95th percentile of the grey crop, or of the whole frame where there is no hand, 0–1.
        glare: share of its pixels that are white, 0–1.
        hand_hash: of the hand alone, FINE_BITS bits; 0 without a hand.
        speed: how fast the hand moves, palm lengths a second; None when unknown.
    """

    hands: int
    hand: Hand | None
    width: int
    height: int
    phash: int
    fine_hash: int
    blur_fine: float = 0.0
    blur_coarse: float = 0.0
    brightness: float = 0.0
    glare: float = 0.0
    hand_hash: int = 0
    speed: float | None = None

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Float32 (21, 2), in a measure in which the frame's longer side is 1; NaN without a hand."""
        if self.hand is None:
            return np.full((21, 2), np.nan, np.float32)
        longer = max(self.width, self.height)
        return joints_in_pixels(self.hand.landmarks, self.width, self.height) / np.float32(longer)

    @property
    def size(self) -> float:
        """Longer side of the hand's box, as a share of the frame's shorter side; 0 without a hand."""
        if self.hand is None:
            return 0.0
        joints = joints_in_pixels(self.hand.landmarks, self.width, self.height)
        return float((joints.max(axis=0) - joints.min(axis=0)).max()) / min(self.width, self.height)


def measure_frame(
    frame: Frame, hands: Sequence[Hand], *, speed: float | None = None, grey: Frame | None = None
) -> FrameMetrics:
    """Measure a frame in which `hands` were found.

    Args:
        frame: BGR, uint8 (height, width, 3).
        hands: in it.
        speed: of the largest one, where known.
        grey: the frame in grey, where it is at hand.
    """
    grey = to_gray(frame) if grey is None else grey
    height, width = grey.shape
    little = thumbnail_gray(grey)
    hand = max(hands, key=lambda each: each.extent, default=None)
    seen = FrameMetrics(
        hands=len(hands), hand=hand, width=width, height=height, phash=perceptual_hash(little),
        fine_hash=fine_hash(little), speed=speed,
    )  # fmt: skip
    if hand is not None and np.isfinite(by := _to_upright(hand, width, height)).all():
        seen = replace(seen, hand_hash=hand_hash(grey, by))
    crop = None if hand is None else _hand_crop(grey, hand)
    if crop is None:
        brightness, glare = _light(grey)
        return replace(seen, brightness=brightness, glare=glare)
    fine, coarse = (_scaled(crop, side) for side in (FINE, COARSE))
    brightness, glare = _light(fine)
    return replace(
        seen,
        blur_fine=blur_effect(fine),
        blur_coarse=blur_effect(coarse, step=_COARSE_STEP),
        brightness=brightness,
        glare=glare,
    )


def _to_upright(hand: Hand, width: int, height: int) -> npt.NDArray[np.float64]:
    joints = joints_in_pixels(hand.landmarks, width, height)[None]
    return np.asarray(align_upright(joints, np.array([hand.handedness == "left"]))[0])


def _light(grey: Frame) -> tuple[float, float]:
    """Brightness and glare."""
    counts = np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256])).ravel()
    brightness = int(np.searchsorted(np.cumsum(counts), _BRIGHT * grey.size))
    return brightness / 255, float(counts[_GLARE:].sum() / grey.size)


def blur_effect(grey: Frame, *, step: float = 0.0) -> float:
    """How blurred a grey picture, uint8 (height, width), is: 0 sharp, 1 not a trace of detail.

    The share of the differences between neighbouring pixels that is left after blurring once more, in the worse of
    the two directions (Crété et al., "The blur effect", SPIE 6492, 2007). On the hands of three people and cameras it
    separates blurred from sharp with one limit, where the variance of the Laplacian would need one for each camera.

    Args:
        grey: the picture.
        step: differences below this many grey values are left out.
    """
    values, left = grey.astype(np.float32), []
    for axis, window in ((0, (1, _REBLUR)), (1, (_REBLUR, 1))):
        before = np.abs(np.diff(values, axis=axis))
        after = np.abs(np.diff(np.asarray(cv2.blur(values, window)), axis=axis))
        before[before < step] = 0
        left.append(float(np.minimum(before, after).sum() / before.sum()) if before.any() else 1.0)
    return max(left)


def _hand_crop(grey: Frame, hand: Hand) -> Frame | None:
    """The hand of a grey frame; None where nothing of it is in the frame."""
    height, width = grey.shape
    x0, y0, x1, y1 = hand.box * np.array([width, height, width, height])
    half = max(x1 - x0, y1 - y0) * (0.5 + _MARGIN)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    left, right = (int(np.clip(middle_x + side, 0, width)) for side in (-half, half))
    top, bottom = (int(np.clip(middle_y + side, 0, height)) for side in (-half, half))
    if min(right - left, bottom - top) < max(8, half / 16):
        return None
    return grey[top:bottom, left:right]


def _scaled(grey: Frame, side: int) -> Frame:
    """Its longer side at most `side` pixels: enlarged, every picture is blurred. Of a thin strip one pixel is left."""
    scale = side / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(length * scale)) for length in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
