"""Checks of readable frames. A check finds frames; the settings decide whether they are dropped or flagged.

For measures that depend on the room and the camera, a frame must exceed the limit and be an outlier in its own session.
A fixed limit alone would drop every frame of a soft camera or a dark room.
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

MIN_FRAMES: Final = 20
"""Minimum number of frames from which outliers of a session and the dominant hand of a signer are estimated."""

_MIN_STD: Final = 0.01
"""Minimum standard deviation, for measures of 0–1: without it, noise would be an outlier in a session that hardly
varies."""


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
        index: index of the frame.
        check: name of the check, a key of CHECKS.
        detail: particulars of this frame.
    """

    index: int
    check: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class CheckInput:
    """n readable frames to check.

    Attributes:
        measurements: rows of `measure.MEASURED_SCHEMA`.
        session: str (n,), signer and session.
        dominant_hand: str (n,), dominant hand of the signer, "left" or "right"; empty if unknown.
        label_issue: float64 (n,), confidence in another letter than the label, 0–1; 0 without a label issue.
        suggested: str (n,), predicted letter.
        letter: str (n,), signer and letter.
    """

    measurements: pa.Table
    session: Texts
    dominant_hand: Texts
    label_issue: Floats
    suggested: Texts
    letter: Texts

    def number(self, name: str) -> Floats:
        """Return a numeric column, float64 (n,); NaN for missing values."""
        return np.asarray(self.measurements.column(name).to_numpy(), np.float64)

    @cached_property
    def has_hand(self) -> Mask:
        """Frames with a detected hand, bool (n,)."""
        return np.asarray(self.measurements.column("landmarks").is_valid())

    @cached_property
    def overshoot(self) -> npt.NDArray[np.float32]:
        """How far each joint lies outside the frame, relative to its size, float32 (n, 21); -inf without a hand."""
        overshoot = np.full((len(self.has_hand), 21), -np.inf, np.float32)
        points = self.measurements.column("landmarks").combine_chunks().flatten().to_numpy().reshape(-1, 21, 3)[..., :2]
        overshoot[self.has_hand] = np.maximum(-points, points - 1).max(axis=2)
        return overshoot

    def is_outlier(self, values: Floats, max_deviation: float) -> Mask:
        """Return which values are high outliers in their own session, bool (n,).

        The standard deviation is estimated from the median absolute deviation, which is robust to a few bad frames
        (Iglewicz and Hoaglin, "How to Detect and Handle Outliers", 1993). In a session of fewer than MIN_FRAMES, every
        frame counts as an outlier, so that the fixed limit alone decides.

        Args:
            values: float64 (n,).
            max_deviation: maximum difference from the median of the session, in standard deviations.
        """
        outliers = np.ones(len(values), bool)
        for session in np.unique(self.session):
            rows = (self.session == session) & np.isfinite(values)
            if rows.sum() >= MIN_FRAMES:
                median = float(np.median(values[rows]))
                outliers[rows] = values[rows] > median + max_deviation * max(robust_std(values[rows], median), _MIN_STD)
        return outliers


CheckResult = tuple[Mask, Callable[[int], str]]
"""The frames that a check found, bool (n,), and a function from the index of a frame to the detail of its finding."""


def _small_image(frames: CheckInput, config: CheckConfig) -> CheckResult:
    width, height = frames.number("width"), frames.number("height")
    found = np.minimum(width, height) < config.smallest_image
    return found, lambda i: f"{width[i]:.0f}×{height[i]:.0f} pixels"


def _blurred(frames: CheckInput, config: CheckConfig) -> CheckResult:
    fine, coarse = frames.number("blur_fine"), frames.number("blur_coarse")
    found = ((fine > config.blur_fine) & frames.is_outlier(fine, config.outlier)) | (
        (coarse > config.blur_coarse) & frames.is_outlier(coarse, config.outlier)
    )
    return frames.has_hand & found, lambda i: f"blur {fine[i]:.2f}, of a reduced picture {coarse[i]:.2f}"


def _dark(frames: CheckInput, config: CheckConfig) -> CheckResult:
    brightness = frames.number("hand_brightness")
    found = (brightness < config.darkest) & frames.is_outlier(-brightness, config.outlier)
    return found, lambda i: f"brightness {brightness[i]:.2f}"


def _bright(frames: CheckInput, config: CheckConfig) -> CheckResult:
    glare = frames.number("glare")
    found = (glare > config.brightest) & frames.is_outlier(glare, config.outlier)
    return found, lambda i: f"{glare[i]:.0%} of it white"


def _low_contrast(frames: CheckInput, config: CheckConfig) -> CheckResult:
    contrast = frames.number("contrast")
    found = (contrast < config.least_contrast) & frames.is_outlier(-contrast, config.outlier)
    return found, lambda i: f"contrast {contrast[i]:.2f}"


def _no_hand(frames: CheckInput, _: CheckConfig) -> CheckResult:
    return ~frames.has_hand, lambda _: "no hand was found"


def _two_hands(frames: CheckInput, _: CheckConfig) -> CheckResult:
    return frames.number("hands") > 1, lambda _: "the larger one is taken"


def _cut_off(frames: CheckInput, config: CheckConfig) -> CheckResult:
    fingers = np.delete(frames.overshoot, WRIST, axis=1).max(axis=1)
    found = (fingers > config.edge) | (frames.overshoot[:, WRIST] > config.wrist_edge)
    return found, lambda i: f"{max(frames.overshoot[i]):.1%} of the frame beyond its edge"


def _tiny_hand(frames: CheckInput, config: CheckConfig) -> CheckResult:
    size = frames.number("size")
    return frames.has_hand & (size < config.smallest_hand), lambda i: f"{size[i]:.0%} of the frame's shorter side"


def _wrong_hand(frames: CheckInput, _: CheckConfig) -> CheckResult:
    handedness = np.array(frames.measurements.column("handedness").to_pylist(), object)
    found = frames.has_hand & (frames.dominant_hand != "") & (handedness != frames.dominant_hand)
    return (
        found,
        lambda i: f"looks like the {handedness[i]} hand; the signer's usual one is the {frames.dominant_hand[i]} one",
    )


def _label_issue(frames: CheckInput, config: CheckConfig) -> CheckResult:
    return (
        frames.label_issue > config.doubt,
        lambda i: f"looks like {frames.suggested[i]} ({frames.label_issue[i]:.0%} sure)",
    )


def _few_frames(frames: CheckInput, config: CheckConfig) -> CheckResult:
    _, letter, counts = np.unique(frames.letter, return_inverse=True, return_counts=True)
    return (counts < config.fewest)[letter], lambda i: f"one of {counts[letter[i]]} of this letter and signer"


def _one_session(frames: CheckInput, _: CheckConfig) -> CheckResult:
    letter, session = (np.unique(names, return_inverse=True)[1] for names in (frames.letter, frames.session))
    pairs = np.unique(np.stack([letter, session]), axis=1)
    found = np.bincount(pairs[0], minlength=1) < 2
    return np.asarray(found[letter]), lambda i: f"this letter of the signer was recorded in {frames.session[i]} only"


CHECKS: Final[dict[str, Callable[[CheckInput, CheckConfig], CheckResult]]] = {
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
    "label_doubt": _label_issue,
    "few_frames": _few_frames,
    "one_sitting": _one_session,
}

LETTER_CHECKS: Final = ("few_frames", "one_sitting")
"""Checks that find all frames of a signer's letter, rather than single frames."""


def run_checks(frames: CheckInput, config: CheckConfig, action: Action) -> Iterator[CheckFinding]:
    """Yield the findings of the checks with the given action, in the order of CHECKS; a frame can have several."""
    for name, check in CHECKS.items():
        if getattr(config, name) == action:
            found, detail = check(frames, config)
            yield from (CheckFinding(index=int(i), check=name, detail=detail(int(i))) for i in np.flatnonzero(found))


def dominant_hand_per_signer(handedness: npt.NDArray[Any], signer: Texts) -> Texts:
    """Return the dominant hand of each frame's signer, str (n,).

    It is unknown, an empty string, if fewer than MIN_FRAMES frames show it, or less than twice as many as the other.

    Args:
        handedness: object (n,), "left", "right" or None.
        signer: str (n,), name of the signer.
    """
    dominant = np.full(len(signer), "", "<U5")
    for name in np.unique(signer):
        rows = signer == name
        right, left = (int((handedness[rows] == side).sum()) for side in ("right", "left"))
        if max(right, left) >= MIN_FRAMES and max(right, left) >= 2 * min(right, left):
            dominant[rows] = "right" if right > left else "left"
    return dominant
