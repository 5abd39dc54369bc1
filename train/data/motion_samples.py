"""Windows of movements to train a motion network on: of synthetic signers, and of recorded clips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import Track, record_track
from aslkit.synthetic.signer import Signer
from aslkit.vision.motion.contract import MOTION_CLASSES
from aslkit.vision.motion.features import motion_features
from aslkit.vision.motion.track import sample_track

Array = npt.NDArray[np.float32]

NEITHER: Final = len(MOTION_CLASSES) - 1
"""Label of a window in which no letter ends."""

EARLY_S: Final = 0.04
LATE_S: Final = 0.22
"""A window shows a letter if it ends at most this long before or after the end of the movement, seconds."""

UNCLEAR_S: Final = 0.4
"""Windows that end between LATE_S and this after the movement, or in its last quarter, have no label."""

LETTER_WINDOWS: Final = 6
OTHER_WINDOWS: Final = 6
"""Windows of each letter, and of everything else, in one track."""


@dataclass(frozen=True, kw_only=True)
class MotionSamples:
    """n windows.

    Attributes:
        inputs: float32 (n, MOTION_VALUES).
        label: int64 (n,), index in MOTION_CLASSES.
    """

    inputs: Array
    label: npt.NDArray[np.int64]

    def __len__(self) -> int:
        """Number of windows."""
        return len(self.label)


def synthetic_motion_samples(signers: Sequence[str], *, tracks: int, rng: np.random.Generator) -> MotionSamples:
    """Return windows of synthetic signers.

    Args:
        signers: their names.
        tracks: performances of each signer.
        rng: draws the performances, cameras and windows.
    """
    drawn = []
    for name in signers:
        signer = replace(Signer.draw(name), habit_deg=float(rng.uniform(3, 7)))
        writer = ScriptWriter(signer, rng)
        drawn += [record_track(writer.draw(), rng) for _ in range(tracks)]
    return cut_windows(drawn, rng)


def cut_windows(tracks: Iterable[Track], rng: np.random.Generator) -> MotionSamples:
    """Cut tracks into windows with labels, as the recogniser will see them.

    A track that begins with the window, as after a recognised letter, is cut as if the hand had rested before.
    """
    windows, labels, lefts = [], [], []
    for track in tracks:
        for now_s, label in _choose_times(track, rng):
            first = now_s - np.inf
            starts = [start for letter, start, end in track.letters if start < now_s]
            # After a letter, the recogniser forgets what was before it.
            if starts and rng.random() < 0.5:
                first = max([end for _, _, end in track.letters if end < now_s - 0.3], default=-np.inf)
                first = max(first, starts[-1] - rng.uniform(0, 0.5)) if label != NEITHER else first
            rows = (track.time_s <= now_s) & (track.time_s > first) & (track.time_s > now_s - 2.0)
            if rows.any():
                windows.append(sample_track(track.time_s[rows], track.points[rows], now_s))
                labels.append(label)
                lefts.append(track.left)
    points, valid = (np.stack(each) for each in zip(*windows, strict=True))
    return MotionSamples(
        inputs=motion_features(points, valid, left=np.array(lefts)), label=np.array(labels, np.int64)
    )  # fmt: skip


def _choose_times(track: Track, rng: np.random.Generator) -> list[tuple[float, int]]:
    """Return the ends of windows, seconds, and their labels."""
    chosen = []
    for letter, _, end in track.letters:
        times = track.time_s[(track.time_s >= end - EARLY_S) & (track.time_s <= end + LATE_S)]
        if len(times):
            label = MOTION_CLASSES.index(letter)
            chosen += [(float(each), label) for each in rng.choice(times, LETTER_WINDOWS)]
    clear = np.ones(len(track.time_s), bool)
    for _, start, end in track.letters:
        clear &= (track.time_s < end - 0.25 * (end - start)) | (track.time_s > end + UNCLEAR_S)
    if clear.any():
        chosen += [(float(each), NEITHER) for each in rng.choice(track.time_s[clear], OTHER_WINDOWS)]
    return chosen
