"""The quality gate: decides whether a frame is good enough to be stored, while it can still be recorded again."""

from collections.abc import Iterator
from typing import Final, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt

from aslkit.capture.config import GateConfig
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import WRIST, Hand
from aslkit.vision.near_duplicate import hamming_distance, hands_within
from aslkit.vision.perceptual_hash import FINE_BITS

Reason = Literal[
    "too-dark", "too-bright", "no-hand", "two-hands", "cut-off", "too-small", "moved", "blurred", "too-alike"
]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
"""Reasons for rejection, in order of priority: a reason that can cause others comes first."""

REASON_MESSAGES: Final[dict[Reason, str]] = {
    "no-hand": "No hand found. Hold it inside the image.",
    "two-hands": "Two hands found. Show only one.",
    "cut-off": "The hand is cut off. Move it to the centre.",
    "too-small": "The hand is too far away. Come closer.",
    "too-dark": "Too dark. Turn towards a lamp or a window.",
    "too-bright": "Too bright. Turn away from the lamp or the window.",
    "moved": "Too fast. Hold the sign still for a moment.",
    "blurred": "Blurred. Hold still, or clean the lens.",
    "too-alike": "Too similar to a stored frame. Turn the hand slightly.",
}

_MIN_EXTENT_FOR_FINE_HASH: Final = 0.25
"""A hand smaller than this, relative to the longer side of the frame, hardly affects the hash of the whole image."""

_ROW: Final = np.dtype([("phash", np.uint64), ("fine", np.uint64, FINE_BITS // 64), ("joints", np.float32, (21, 2))])
_INITIAL_ROWS: Final = 64


class Comparable(Protocol):
    """A frame that can be compared with others: `FrameMetrics` or `IndexEntry`."""

    @property
    def phash(self) -> int:
        """Perceptual hash, 64 bits."""

    @property
    def fine_hash(self) -> int:
        """Fine perceptual hash, FINE_BITS bits."""

    @property
    def joints(self) -> npt.NDArray[np.float32]:
        """Hand joints, float32 (21, 2), see `FrameMetrics.joints`."""


class KeptFrames:
    """Hashes and joints of the stored frames of one letter, for finding near-duplicates."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._rows = np.zeros(_INITIAL_ROWS, _ROW)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, frame: Comparable) -> None:
        """Add a frame under a unique name."""
        count = len(self._names)
        if count == len(self._rows):
            # Doubling keeps the cost per added frame constant.
            self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
        self._rows[count] = _to_row(frame)
        self._names.append(name)

    def remove(self, name: str) -> None:
        """Remove a frame; unknown names are ignored."""
        if name not in self._names:
            return
        index, count = self._names.index(name), len(self._names)
        self._names.pop(index)
        self._rows[index : count - 1] = self._rows[index + 1 : count].copy()

    def find_similar(self, metrics: FrameMetrics, limits: GateConfig) -> bool:
        """Return whether a stored frame is a near-duplicate, or the same image with another compression."""
        rows, new = self._rows[: len(self._names)], _to_row(metrics)
        fine_bits = hamming_distance(rows["fine"], new["fine"]).sum(axis=-1, dtype=np.int64)
        if _extent(metrics.joints) >= _MIN_EXTENT_FOR_FINE_HASH and (fine_bits <= limits.alike_fine_bits).any():
            return True
        # The hash first, because it is cheaper to compare than 21 joints.
        near = rows[hamming_distance(rows["phash"], new["phash"]) <= limits.alike_bits]
        return bool(hands_within(near["joints"], new["joints"][None], limits.alike_hand).any())


def _to_row(frame: Comparable) -> npt.NDArray[np.void]:
    row = np.zeros((), _ROW)
    row["phash"], row["joints"] = frame.phash, frame.joints
    # Four words of 64 bits. Their byte order does not matter, because only differing bits are counted.
    row["fine"] = np.frombuffer(frame.fine_hash.to_bytes(FINE_BITS // 8), np.uint64)
    return row


def judge_frame(metrics: FrameMetrics, kept: KeptFrames, limits: GateConfig) -> tuple[Reason, ...]:
    """Return the reasons for rejecting a frame, in the order of REASONS; empty if it is good.

    Args:
        metrics: metrics of the frame.
        kept: stored frames of the same letter.
        limits: configuration of the gate.
    """
    found = set(_find_faults(metrics, limits))
    # A frame with a fault is rejected anyway.
    if not found and kept.find_similar(metrics, limits):
        found.add("too-alike")
    return tuple(reason for reason in REASONS if reason in found)


def _find_faults(metrics: FrameMetrics, limits: GateConfig) -> Iterator[Reason]:
    if metrics.brightness < limits.darkest:
        yield "too-dark"
    if metrics.glare > limits.brightest:
        yield "too-bright"
    if metrics.hand is None:
        yield "no-hand"
        return
    if metrics.hands > 1:
        yield "two-hands"
    if _is_cut_off(metrics.hand, limits):
        yield "cut-off"
    if metrics.size < limits.smallest_hand:
        yield "too-small"
    if metrics.speed is not None and metrics.speed > limits.fastest:
        yield "moved"
    if metrics.blur_fine > limits.blur_fine or metrics.blur_coarse > limits.blur_coarse:
        yield "blurred"


def _is_cut_off(hand: Hand, limits: GateConfig) -> bool:
    """Return whether a joint is outside the frame. The wrist has its own limit, because it matters less for a sign."""
    beyond = np.maximum(-hand.landmarks[:, :2], hand.landmarks[:, :2] - 1).max(axis=1)
    return bool(beyond[WRIST] > limits.wrist_edge or np.delete(beyond, WRIST).max() > limits.edge)


def _extent(joints: npt.NDArray[np.float32]) -> float:
    """Return the longer side of the bounding box of the joints, in their units."""
    return float((joints.max(axis=0) - joints.min(axis=0)).max())
