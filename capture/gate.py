"""The gate: what is wrong with a frame, told while there is still time to take a better one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, Protocol, get_args

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.capture.config import GateConfig
from aslkit.hands import WRIST, Hand
from aslkit.images import Frame, perceptual_hash
from aslkit.likeness import hamming, hands_near, joints_in_pixels

Reason = Literal[
    "too-dark", "too-bright", "no-hand", "two-hands", "cut-off", "too-small", "moved", "blurred", "too-alike"
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
"""In the order in which they are told: what hides the others comes first."""

WORDS: Final[dict[Reason, str]] = {
    "no-hand": "No hand is seen. Hold it inside the picture.",
    "two-hands": "Two hands are seen. Show one only.",
    "cut-off": "The hand is cut off. Move it to the middle.",
    "too-small": "The hand is far away. Come closer.",
    "too-dark": "Too dark. Turn towards a lamp or a window.",
    "too-bright": "Too bright. Turn away from the lamp or the window.",
    "moved": "Moved too fast. Hold the sign still for a moment.",
    "blurred": "Blurred. Hold still, or wipe the lens.",
    "too-alike": "You have this one already. Turn the hand a little.",
}

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

_GLARE: Final = 250
"""A grey value, of 255, from which a pixel holds no more than white."""

_FINE_SIDE: Final = 16
FINE_BITS: Final = _FINE_SIDE**2

_FINE_TELLS: Final = 0.25
"""A hand smaller than this, in the measure of `Look.joints`, hardly changes the picture's hash, whatever it does."""

_ROW: Final = np.dtype([("phash", np.uint64), ("fine", np.uint64, FINE_BITS // 64), ("joints", np.float32, (21, 2))])
_ROOM: Final = 64


@dataclass(frozen=True, kw_only=True)
class Look:
    """What is seen in one frame.

    Attributes:
        hands: how many were found.
        hand: the largest of them; None when none was found.
        width, height: of the frame, pixels.
        phash: of the frame, 64 bits.
        fine_hash: likewise, FINE_BITS bits: tells the same picture, coded anew, from another one.
        blur_fine, blur_coarse: share of the detail that is left when the hand's crop is blurred once more, 0–1, at
            the sizes FINE and COARSE: what is blurred already loses little (`blur_effect`).
        brightness: 95th percentile of the grey crop, or of the whole frame where there is no hand, 0–1.
        glare: share of its pixels that are white, 0–1.
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
    speed: float | None = None

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Float32 (21, 2), in a measure in which the frame's longer side is 1; NaN without a hand."""
        if self.hand is None:
            return np.full((21, 2), np.nan, np.float32)
        longer = max(self.width, self.height)
        return joints_in_pixels(self.hand.landmarks, self.width, self.height) / np.float32(longer)


def look(frame: Frame, hands: Sequence[Hand], *, speed: float | None = None) -> Look:
    """Measure a BGR frame, uint8 (height, width, 3), in which `hands` were found."""
    height, width = frame.shape[:2]
    hand = max(hands, key=lambda each: each.extent, default=None)
    phash, fine_hash = perceptual_hash(frame), perceptual_hash(frame, side=_FINE_SIDE)
    seen = Look(hands=len(hands), hand=hand, width=width, height=height, phash=phash, fine_hash=fine_hash, speed=speed)
    crop = None if hand is None else _hand_crop(frame, hand)
    if crop is None:
        brightness, glare = _light(_scaled(_grey(frame), FINE))
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


def _light(grey: Frame) -> tuple[float, float]:
    """Brightness and glare."""
    return float(np.percentile(grey, 95)) / 255, float((grey >= _GLARE).mean())


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


def _hand_crop(frame: Frame, hand: Hand) -> Frame | None:
    """The hand, grey; None where nothing of it is in the frame."""
    height, width = frame.shape[:2]
    x0, y0, x1, y1 = hand.box * np.array([width, height, width, height])
    half = max(x1 - x0, y1 - y0) * (0.5 + _MARGIN)
    middle_x, middle_y = (x0 + x1) / 2, (y0 + y1) / 2
    left, right = (int(np.clip(middle_x + side, 0, width)) for side in (-half, half))
    top, bottom = (int(np.clip(middle_y + side, 0, height)) for side in (-half, half))
    if min(right - left, bottom - top) < max(8, half / 16):
        return None
    return _grey(frame[top:bottom, left:right])


def _grey(frame: Frame) -> Frame:
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


def _scaled(grey: Frame, side: int) -> Frame:
    scale = side / max(grey.shape)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=how), np.uint8)


class Likable(Protocol):
    """What can be like another: a frame that is looked at, or one that is stored."""

    @property
    def phash(self) -> int:
        """Of 64 bits."""

    @property
    def fine_hash(self) -> int:
        """Of FINE_BITS bits."""

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """As `Look.joints`."""


class Known:
    """What a letter has already: hashes and joints of each frame, to find what is too like it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._rows = np.zeros(_ROOM, _ROW)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, seen: Likable) -> None:
        """Remember a frame under its name."""
        count = len(self._names)
        if count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[count] = _row(seen)
        self._names.append(name)

    def remove(self, name: str) -> None:
        """Forget a frame; one that is not known is none."""
        if name not in self._names:
            return
        place, count = self._names.index(name), len(self._names)
        self._names.pop(place)
        self._rows[place : count - 1] = self._rows[place + 1 : count].copy()

    def alike(self, seen: Look, limits: GateConfig) -> bool:
        """Whether one is near to `seen`, in the picture and in the hand, or is the same picture but for its coding."""
        rows, new = self._rows[: len(self._names)], _row(seen)
        fine_bits = hamming(rows["fine"], new["fine"]).sum(axis=-1, dtype=np.int64)
        if _size(seen.joints) >= _FINE_TELLS and (fine_bits <= limits.alike_fine_bits).any():
            return True
        near = rows[hamming(rows["phash"], new["phash"]) <= limits.alike_bits]
        return bool(hands_near(near["joints"], new["joints"][None], limits.alike_hand).any())


def _row(seen: Likable) -> npt.NDArray[np.void]:
    row = np.zeros((), _ROW)
    row["phash"], row["joints"] = seen.phash, seen.joints
    row["fine"] = np.frombuffer(seen.fine_hash.to_bytes(FINE_BITS // 8), np.uint64)
    return row


def judge(seen: Look, known: Known, limits: GateConfig) -> tuple[Reason, ...]:
    """Return all that is wrong with a frame, gravest first; nothing where it is good."""
    found = set(_faults(seen, limits))
    if not found and known.alike(seen, limits):
        found.add("too-alike")
    return tuple(reason for reason in REASONS if reason in found)


def _faults(seen: Look, limits: GateConfig) -> Iterator[Reason]:
    if seen.brightness < limits.darkest:
        yield "too-dark"
    if seen.glare > limits.brightest:
        yield "too-bright"
    if seen.hand is None:
        yield "no-hand"
        return
    if seen.hands > 1:
        yield "two-hands"
    if _cut_off(seen.hand, limits):
        yield "cut-off"
    if _size(seen.joints) * max(seen.width, seen.height) / min(seen.width, seen.height) < limits.smallest_hand:
        yield "too-small"
    if seen.speed is not None and seen.speed > limits.fastest:
        yield "moved"
    if seen.blur_fine > limits.blur_fine or seen.blur_coarse > limits.blur_coarse:
        yield "blurred"


def _cut_off(hand: Hand, limits: GateConfig) -> bool:
    """Whether a finger leaves the frame, or the wrist by more than a little: it tells less than a fingertip does."""
    beyond = np.maximum(-hand.landmarks[:, :2], hand.landmarks[:, :2] - 1).max(axis=1)
    return bool(beyond[WRIST] > limits.wrist_edge or np.delete(beyond, WRIST).max() > limits.edge)


def _size(joints: npt.NDArray[np.float32]) -> float:
    """Longer side of the hand's box, as a share of the frame's longer side."""
    return float((joints.max(axis=0) - joints.min(axis=0)).max())
