"""The gate: what is wrong with a frame, told while there is still time to take a better one."""

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

_FINE_TELLS: Final = 0.25
"""A hand smaller than this, in the measure of `Look.joints`, hardly changes the picture's hash, whatever it does."""

_ROW: Final = np.dtype([("phash", np.uint64), ("fine", np.uint64, FINE_BITS // 64), ("joints", np.float32, (21, 2))])
_ROOM: Final = 64


class Comparable(Protocol):
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


class KeptFrames:
    """What a letter has already: hashes and joints of each frame, to find what is too like it."""

    def __init__(self) -> None:
        self._names: list[str] = []
        self._rows = np.zeros(_ROOM, _ROW)

    def __len__(self) -> int:
        return len(self._names)

    def add(self, name: str, seen: Comparable) -> None:
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

    def find_similar(self, seen: FrameMetrics, limits: GateConfig) -> bool:
        """Whether one is near to `seen`, in the picture and in the hand, or is the same picture but for its coding."""
        rows, new = self._rows[: len(self._names)], _row(seen)
        fine_bits = hamming_distance(rows["fine"], new["fine"]).sum(axis=-1, dtype=np.int64)
        if _extent(seen.joints) >= _FINE_TELLS and (fine_bits <= limits.alike_fine_bits).any():
            return True
        near = rows[hamming_distance(rows["phash"], new["phash"]) <= limits.alike_bits]
        return bool(hands_within(near["joints"], new["joints"][None], limits.alike_hand).any())


def _row(seen: Comparable) -> npt.NDArray[np.void]:
    row = np.zeros((), _ROW)
    row["phash"], row["joints"] = seen.phash, seen.joints
    row["fine"] = np.frombuffer(seen.fine_hash.to_bytes(FINE_BITS // 8), np.uint64)
    return row


def judge_frame(seen: FrameMetrics, known: KeptFrames, limits: GateConfig) -> tuple[Reason, ...]:
    """Return all that is wrong with a frame, gravest first; nothing where it is good."""
    found = set(_faults(seen, limits))
    if not found and known.find_similar(seen, limits):
        found.add("too-alike")
    return tuple(reason for reason in REASONS if reason in found)


def _faults(seen: FrameMetrics, limits: GateConfig) -> Iterator[Reason]:
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
    if seen.size < limits.smallest_hand:
        yield "too-small"
    if seen.speed is not None and seen.speed > limits.fastest:
        yield "moved"
    if seen.blur_fine > limits.blur_fine or seen.blur_coarse > limits.blur_coarse:
        yield "blurred"


def _cut_off(hand: Hand, limits: GateConfig) -> bool:
    """Whether a finger leaves the frame, or the wrist by more than a little: it tells less than a fingertip does."""
    beyond = np.maximum(-hand.landmarks[:, :2], hand.landmarks[:, :2] - 1).max(axis=1)
    return bool(beyond[WRIST] > limits.wrist_edge or np.delete(beyond, WRIST).max() > limits.edge)


def _extent(joints: npt.NDArray[np.float32]) -> float:
    """Longer side of the hand's box, in the measure of the joints."""
    return float((joints.max(axis=0) - joints.min(axis=0)).max())
