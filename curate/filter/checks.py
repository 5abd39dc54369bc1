"""What may be wrong with a frame that can be read. A check finds frames; what becomes of them the settings say.

Limits that depend on room and camera hold twice: a frame must be beyond the limit, and stand out in its own sitting.
One fixed number would drop a whole person's camera.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Meta

from aslkit.core.config import Share
from aslkit.core.robust_statistics import robust_std
from aslkit.vision.hand_landmarker import WRIST

Action = Literal["drop", "flag", "keep"]

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
Mask = npt.NDArray[np.bool_]

ENOUGH: Final = 20
"""Frames of a sitting from which it can be said what is usual in it; with fewer, the limit alone decides."""

_LEAST_SPREAD: Final = 0.01
"""Of all measures here, 0–1: a sitting in which nothing varies would call every ripple an outlier."""


@dataclass(frozen=True, kw_only=True)
class CheckConfig:
    """Settings of the checks, section [checks]: what to do with the frames that each check finds, and the limits.

    "drop" moves a frame to rejected.parquet, "flag" keeps it and lists it in flagged.parquet, "keep" skips the check.
    Faults of a recording, which the recorder rejects as well, are dropped. Hard frames are only flagged: live
    recognition meets them too, and a test set without them would be optimistic.
    """

    small_image: Annotated[Action, Meta(description="Smaller than `smallest_image`.")] = "drop"
    blurred: Annotated[Action, Meta(description="Blurred, and more so than its recording session.")] = "drop"
    dark: Annotated[Action, Meta(description="Hand too dark, and darker than its session.")] = "drop"
    bright: Annotated[Action, Meta(description="Hand overexposed, and more so than its session.")] = "drop"
    tiny_hand: Annotated[Action, Meta(description="Hand smaller than `smallest_hand`.")] = "drop"
    low_contrast: Annotated[Action, Meta(description="Low contrast, and lower than its session.")] = "flag"
    no_hand: Annotated[Action, Meta(description="No hand found.")] = "flag"
    two_hands: Annotated[Action, Meta(description="Two hands found; the larger one is used.")] = "flag"
    cut_off: Annotated[Action, Meta(description="Hand partly outside the frame.")] = "flag"
    wrong_hand: Annotated[Action, Meta(description="Not the signer's dominant hand.")] = "flag"
    label_doubt: Annotated[Action, Meta(description="Looks like another letter; check the label.")] = "flag"
    few_frames: Annotated[Action, Meta(description="Fewer than `fewest` frames of this signer's letter.")] = "flag"
    one_sitting: Annotated[Action, Meta(description="All frames of this signer's letter are from one session.")] = (
        "flag"
    )
    smallest_image: Annotated[
        int, Meta(ge=1, le=16_000, description="Minimum of the shorter side, pixels; 28 as in Sign Language MNIST.")
    ] = 28
    blur_fine: Annotated[Share, Meta(description="Maximum blur; this and the next six as in [gate].")] = 0.63
    blur_coarse: Annotated[Share, Meta(description="Maximum blur of the reduced image.")] = 0.61
    darkest: Annotated[Share, Meta(description="Minimum brightness of the hand.")] = 0.22
    brightest: Annotated[Share, Meta(description="Maximum share of white pixels in the hand's crop.")] = 0.25
    smallest_hand: Annotated[
        Share, Meta(description="Minimum size of the hand, relative to the shorter side of the frame.")
    ] = 0.15
    edge: Annotated[
        Share, Meta(description="How far finger joints may lie outside the frame, relative to its size.")
    ] = 0.0
    wrist_edge: Annotated[Share, Meta(description="The same for the wrist.")] = 0.1
    least_contrast: Annotated[
        float, Meta(ge=0, le=0.5, description="Minimum standard deviation of the gray values, 0–0.5.")
    ] = 0.04
    outlier: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="Standard deviations from the session's median beyond which a frame is an outlier.",
        ),
    ] = 3
    fewest: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Minimum frames per letter and signer; 20 are two seconds of recording."),
    ] = 20
    doubt: Annotated[Share, Meta(description="Confidence in another letter from which the label is questioned.")] = 0.9


@dataclass(frozen=True, kw_only=True)
class CheckFinding:
    """A frame that a check found.

    Attributes:
        index: of the frame.
        check: one of CHECKS.
        detail: the particulars, in a few words.
    """

    index: int
    check: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class CheckInput:
    """Frames to be checked, n of them, all readable.

    Attributes:
        measurements: rows of `describe.DESCRIBED`.
        session: str (n,), signer and session.
        dominant_hand: str (n,), the signer's usual hand.
        label_issue: float64 (n,), how sure others are of another letter than the frame's, 0–1; 0 where they are of none.
        suggested: str (n,), that letter.
        letter: str (n,), signer and letter.
    """

    measurements: pa.Table
    session: Texts
    dominant_hand: Texts
    label_issue: Floats
    suggested: Texts
    letter: Texts

    def number(self, name: str) -> Floats:
        """A column, float64 (n,); NaN where the frame has none."""
        return np.asarray(self.measurements.column(name).to_numpy(), np.float64)

    @cached_property
    def found(self) -> Mask:
        """Whether a hand was, bool (n,)."""
        return np.asarray(self.measurements.column("landmarks").is_valid())

    @cached_property
    def beyond(self) -> npt.NDArray[np.float32]:
        """By how much each joint lies outside of the frame, as a share of it, float32 (n, 21); -inf without a hand."""
        out = np.full((len(self.found), 21), -np.inf, np.float32)
        points = self.measurements.column("landmarks").combine_chunks().flatten().to_numpy().reshape(-1, 21, 3)[..., :2]
        out[self.found] = np.maximum(-points, points - 1).max(axis=2)
        return out

    def is_outlier(self, values: Floats, limit: float) -> Mask:
        """Which values are so many standard deviations above the median of their own sitting, bool (n,).

        Median and median absolute deviation, which a few bad frames do not move (Iglewicz and Hoaglin, "How to Detect
        and Handle Outliers", 1993). Where a sitting is too short to tell, all stand out: the fixed limit decides.
        """
        out = np.ones(len(values), bool)
        for sitting in np.unique(self.session):
            own = (self.session == sitting) & np.isfinite(values)
            if own.sum() >= ENOUGH:
                middle = float(np.median(values[own]))
                out[own] = values[own] > middle + limit * max(robust_std(values[own], middle), _LEAST_SPREAD)
        return out


Found = tuple[Mask, Callable[[int], str]]
"""Which frames, bool (n,); and the particulars of one."""


def _small_image(frames: CheckInput, limits: CheckConfig) -> Found:
    width, height = frames.number("width"), frames.number("height")
    found = np.minimum(width, height) < limits.smallest_image
    return found, lambda i: f"{width[i]:.0f}×{height[i]:.0f} pixels"


def _blurred(frames: CheckInput, limits: CheckConfig) -> Found:
    fine, coarse = frames.number("blur_fine"), frames.number("blur_coarse")
    found = ((fine > limits.blur_fine) & frames.is_outlier(fine, limits.outlier)) | (
        (coarse > limits.blur_coarse) & frames.is_outlier(coarse, limits.outlier)
    )
    return frames.found & found, lambda i: f"blur {fine[i]:.2f}, of a reduced picture {coarse[i]:.2f}"


def _dark(frames: CheckInput, limits: CheckConfig) -> Found:
    light = frames.number("hand_brightness")
    found = (light < limits.darkest) & frames.is_outlier(-light, limits.outlier)
    return found, lambda i: f"brightness {light[i]:.2f}"


def _bright(frames: CheckInput, limits: CheckConfig) -> Found:
    glare = frames.number("glare")
    found = (glare > limits.brightest) & frames.is_outlier(glare, limits.outlier)
    return found, lambda i: f"{glare[i]:.0%} of it white"


def _low_contrast(frames: CheckInput, limits: CheckConfig) -> Found:
    contrast = frames.number("contrast")
    found = (contrast < limits.least_contrast) & frames.is_outlier(-contrast, limits.outlier)
    return found, lambda i: f"contrast {contrast[i]:.2f}"


def _no_hand(frames: CheckInput, _: CheckConfig) -> Found:
    return ~frames.found, lambda _: "no hand was found"


def _two_hands(frames: CheckInput, _: CheckConfig) -> Found:
    return frames.number("hands") > 1, lambda _: "the larger one is taken"


def _cut_off(frames: CheckInput, limits: CheckConfig) -> Found:
    fingers = np.delete(frames.beyond, WRIST, axis=1).max(axis=1)
    found = (fingers > limits.edge) | (frames.beyond[:, WRIST] > limits.wrist_edge)
    return found, lambda i: f"{max(frames.beyond[i]):.1%} of the frame beyond its edge"


def _tiny_hand(frames: CheckInput, limits: CheckConfig) -> Found:
    size = frames.number("size")
    return frames.found & (size < limits.smallest_hand), lambda i: f"{size[i]:.0%} of the frame's shorter side"


def _wrong_hand(frames: CheckInput, _: CheckConfig) -> Found:
    side = np.array(frames.measurements.column("handedness").to_pylist(), object)
    found = frames.found & (frames.dominant_hand != "") & (side != frames.dominant_hand)
    return (
        found,
        lambda i: f"looks like the {side[i]} hand; the signer's usual one is the {frames.dominant_hand[i]} one",
    )


def _label_doubt(frames: CheckInput, limits: CheckConfig) -> Found:
    return (
        frames.label_issue > limits.doubt,
        lambda i: f"looks like {frames.suggested[i]} ({frames.label_issue[i]:.0%} sure)",
    )


def _few_frames(frames: CheckInput, limits: CheckConfig) -> Found:
    _, which, counts = np.unique(frames.letter, return_inverse=True, return_counts=True)
    return (counts < limits.fewest)[which], lambda i: f"one of {counts[which[i]]} of this letter and signer"


def _one_sitting(frames: CheckInput, _: CheckConfig) -> Found:
    which, sitting = (np.unique(names, return_inverse=True)[1] for names in (frames.letter, frames.session))
    met = np.unique(np.stack([which, sitting]), axis=1)
    found = np.bincount(met[0], minlength=1) < 2
    return np.asarray(found[which]), lambda i: f"this letter of the signer was recorded in {frames.session[i]} only"


CHECKS: Final[dict[str, Callable[[CheckInput, CheckConfig], Found]]] = {
    "small_image": _small_image,
    "dark": _dark,
    "bright": _bright,
    "low_contrast": _low_contrast,
    "no_hand": _no_hand,
    "two_hands": _two_hands,
    "cut_off": _cut_off,
    "tiny_hand": _tiny_hand,
    "blurred": _blurred,
    "wrong_hand": _wrong_hand,
    "label_doubt": _label_doubt,
    "few_frames": _few_frames,
    "one_sitting": _one_sitting,
}

OF_LETTERS: Final = ("few_frames", "one_sitting")
"""Checks that find no single frame, but all of a signer's letter."""


def run_checks(frames: CheckInput, config: CheckConfig, action: Action) -> Iterator[CheckFinding]:
    """Yield what the checks with that action find; a frame may be found by several, in the order of CHECKS."""
    for name, find in CHECKS.items():
        if getattr(config, name) == action:
            found, detail = find(frames, config)
            yield from (CheckFinding(index=int(i), check=name, detail=detail(int(i))) for i in np.flatnonzero(found))


def dominant_hand_per_signer(side: npt.NDArray[Any], signer: Texts) -> Texts:
    """The hand that most frames of each signer show, str (n,); empty where hardly more show it than the other.

    Args:
        side: (n,), "left", "right" or None.
        signer: str (n,).
    """
    usual = np.full(len(signer), "", "<U5")
    for name in np.unique(signer):
        own = signer == name
        right, left = (int((side[own] == which).sum()) for which in ("right", "left"))
        if max(right, left) >= ENOUGH and max(right, left) >= 2 * min(right, left):
            usual[own] = "right" if right > left else "left"
    return usual
