"""Metrics of one frame: the hand, its sharpness and brightness, and hashes to compare the frame with others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, perceptual_hash, thumbnail_gray, to_gray
from aslkit.vision.near_duplicate import joints_in_pixels
from aslkit.vision.perceptual_hash import fine_hash

FINE, COARSE = 160, 96
"""Sizes in pixels at which the blur of the hand's crop is measured, so that near and far hands and all cameras are
comparable. The fine size detects slight blur. The coarse size detects strong blur in soft images, whose remaining fine
detail is compression noise."""

_COARSE_STEP: Final = 2
"""Gray values: at the coarse size, smaller differences between neighbors are noise."""

_REBLUR: Final = 9
"""Size in pixels of the additional blur."""

_MARGIN: Final = 0.1
"""Margin of the crop on each side, relative to the hand's box."""

_BRIGHTNESS_QUANTILE: Final = 0.95
"""The brightness is this quantile of the pixels, so that a few reflections do not count."""

_WHITE: Final = 250
"""Gray value, of 255, from which a pixel counts as overexposed."""


@dataclass(frozen=True, kw_only=True)
class FrameMetrics:
    """Metrics of one frame.

    Attributes:
        hands: number of hands found.
        hand: the largest of them; None without a hand.
        width, height: of the frame, pixels.
        phash: perceptual hash of the frame, 64 bits.
        fine_hash: perceptual hash of the frame, FINE_BITS bits; survives re-encoding.
        blur_fine, blur_coarse: blur of the hand's crop at the sizes FINE and COARSE, 0 (sharp) to 1 (`blur_effect`).
        brightness: 95th percentile of the gray crop, or of the whole frame without a hand, 0–1.
        glare: share of its pixels that are white, 0–1.
        speed: of the hand, palm lengths per second; None if unknown.
        independent: whether the hands are those found in this frame alone, see `HandLandmarker.independent`.
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
    speed: float | None = None
    independent: bool = True

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Joints, float32 (21, 2), relative to the longer side of the frame; NaN without a hand."""
        if self.hand is None:
            return np.full((21, 2), np.nan, np.float32)
        longer = max(self.width, self.height)
        return joints_in_pixels(self.hand.landmarks, self.width, self.height) / np.float32(longer)

    @property
    def size(self) -> float:
        """Longer side of the hand's box relative to the shorter side of the frame; 0 without a hand."""
        if self.hand is None:
            return 0.0
        joints = joints_in_pixels(self.hand.landmarks, self.width, self.height)
        return float((joints.max(axis=0) - joints.min(axis=0)).max()) / min(self.width, self.height)


def measure_frame(
    frame: Frame,
    hands: Sequence[Hand],
    *,
    speed: float | None = None,
    grey: Frame | None = None,
    independent: bool = True,
) -> FrameMetrics:
    """Compute the metrics of a frame.

    Args:
        frame: BGR, uint8 (height, width, 3).
        hands: found in the frame.
        speed: of the largest hand, palm lengths per second, if known.
        grey: the frame in gray, uint8 (height, width), if already computed.
        independent: see `FrameMetrics`.
    """
    grey = to_gray(frame) if grey is None else grey
    height, width = grey.shape
    thumbnail = thumbnail_gray(grey)
    hand = max(hands, key=lambda each: each.extent, default=None)
    metrics = FrameMetrics(
        hands=len(hands), hand=hand, width=width, height=height, phash=perceptual_hash(thumbnail),
        fine_hash=fine_hash(thumbnail), speed=speed, independent=independent,
    )  # fmt: skip
    crop = None if hand is None else _hand_crop(grey, hand)
    if crop is None:
        brightness, glare = _measure_light(grey)
        return replace(metrics, brightness=brightness, glare=glare)
    fine, coarse = (_scale_down(crop, side) for side in (FINE, COARSE))
    brightness, glare = _measure_light(fine)
    return replace(
        metrics,
        blur_fine=blur_effect(fine),
        blur_coarse=blur_effect(coarse, step=_COARSE_STEP),
        brightness=brightness,
        glare=glare,
    )


def _measure_light(grey: Frame) -> tuple[float, float]:
    """Return brightness and glare, 0–1."""
    # One histogram gives both values without sorting the pixels.
    counts = np.asarray(cv2.calcHist([grey], [0], None, [256], [0, 256])).ravel()
    brightness = int(np.searchsorted(np.cumsum(counts), _BRIGHTNESS_QUANTILE * grey.size))
    return brightness / 255, float(counts[_WHITE:].sum() / grey.size)


def blur_effect(grey: Frame, *, step: float = 0.0) -> float:
    """Return the blur of a gray image, 0 (sharp) to 1 (no detail).

    This is the share of the differences between neighboring pixels that remains after blurring the image again, in the
    worse direction (Crété et al., "The blur effect", SPIE 6492, 2007). A single limit separates blurred from sharp
    hands of three people and cameras; the variance of the Laplacian would need one limit per camera.

    Args:
        grey: uint8 (height, width).
        step: differences below this number of gray values are ignored.
    """
    values, remaining = grey.astype(np.float32), []
    for axis, window in ((0, (1, _REBLUR)), (1, (_REBLUR, 1))):
        before = np.abs(np.diff(values, axis=axis))
        after = np.abs(np.diff(np.asarray(cv2.blur(values, window)), axis=axis))
        before[before < step] = 0
        # Crété subtracts max(0, before - after) from before; the remainder is the smaller of the two.
        remaining.append(float(np.minimum(before, after).sum() / before.sum()) if before.any() else 1.0)
    return max(remaining)


def _hand_crop(grey: Frame, hand: Hand) -> Frame | None:
    """Return the crop of the hand; None if the hand is outside the frame."""
    height, width = grey.shape
    x0, y0, x1, y1 = hand.box * np.array([width, height, width, height])
    half = max(x1 - x0, y1 - y0) * (0.5 + _MARGIN)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    left, right = (int(np.clip(middle_x + side, 0, width)) for side in (-half, half))
    top, bottom = (int(np.clip(middle_y + side, 0, height)) for side in (-half, half))
    if min(right - left, bottom - top) < max(8, half / 16):
        return None
    return grey[top:bottom, left:right]


def _scale_down(grey: Frame, side: int) -> Frame:
    """Scale to a longer side of at most `side` pixels. Never enlarges, which would add blur."""
    scale = side / max(grey.shape)
    if scale >= 1:
        return grey
    height, width = (max(1, round(length * scale)) for length in grey.shape)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
