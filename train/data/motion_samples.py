"""Windows of movements to train a motion network on: of synthetic signers, and of recorded clips."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import INDEX
from aslkit.synthetic.landmark_dataset import HEIGHT, WIDTH, load_landmarks
from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import MAX_FPS, MIN_FPS, Track, record_track
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

_SHAPES: Final = frozenset(INDEX[letter] for letter in "IYDGLX")
"""Labels of the static letters with the hand shape of J or Z."""

LETTER_WINDOWS: Final = 6
OTHER_WINDOWS: Final = 8
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


def synthetic_motion_samples(
    signers: Sequence[str], *, tracks: int, rng: np.random.Generator, still_share: float = 0.5
) -> MotionSamples:
    """Return windows of synthetic signers.

    Args:
        signers: their names.
        tracks: performances of each signer.
        rng: draws the performances, cameras and windows.
        still_share: performances of static letters, as negative samples, relative to the others.
    """
    drawn = []
    for name in signers:
        signer = replace(Signer.draw(name), habit_deg=float(rng.uniform(3, 7)))
        writer = ScriptWriter(signer, rng)
        drawn += [record_track(writer.draw(), rng) for _ in range(tracks)]
    return cut_windows([*drawn, *still_letter_tracks(round(still_share * len(drawn)), rng)], rng)


def still_letter_tracks(count: int, rng: np.random.Generator) -> list[Track]:
    """Return performances of static letters that contain no drawn letter.

    A held letter changes between the detected hands of one synthetic signer, as the hand and the errors of the detector
    do. Meanwhile the hand moves about in the picture.
    """
    landmarks = load_landmarks()
    points = landmarks.points * np.array([WIDTH, HEIGHT, WIDTH], np.float32)
    points -= points[:, :1]
    # The rows of one signer and letter follow each other.
    starts = np.flatnonzero(np.diff(landmarks.label, prepend=-1))
    runs = np.split(np.arange(len(points)), starts[1:])
    like = [run for run in runs if landmarks.label[run[0]] in _SHAPES]
    return [_draw_still_letters(points, runs, like, rng) for _ in range(count)]


def _draw_still_letters(
    points: Array, runs: list[npt.NDArray[np.int64]], like: list[npt.NDArray[np.int64]], rng: np.random.Generator
) -> Track:
    times, hands, now_s = [0.0], [points[rng.choice(runs[int(rng.integers(len(runs)))])]], 0.0
    for _ in range(int(rng.integers(3, 7))):
        chosen = like if rng.random() < 0.4 else runs
        run = chosen[int(rng.integers(len(chosen)))]
        now_s += float(rng.uniform(0.15, 0.35))  # the transition from the letter before
        for _ in range(int(rng.integers(3, 8))):
            times.append(now_s)
            hands.append(points[rng.choice(run)])
            now_s += 0.125
    fps = float(np.exp(rng.uniform(np.log(MIN_FPS), np.log(MAX_FPS))))
    frames = np.arange(0, times[-1], 1 / fps)
    after = np.clip(np.searchsorted(times, frames, side="right"), 1, len(times) - 1)
    known = np.array(times)
    share = ((frames - known[after - 1]) / (known[after] - known[after - 1]))[:, None, None]
    stacked = np.stack(hands)
    moved = stacked[after - 1] * (1 - share) + stacked[after] * share
    moved[..., :2] += _move_about(frames, rng, size=float(np.ptp(stacked[0, :, 1])))[:, None]
    left = bool(rng.random() < 0.5)
    found = rng.random(len(frames)) > rng.choice((0.0, 0.1))
    return Track(
        time_s=frames[found], points=moved[found].astype(np.float32), left=left, letters=(), end_s=float(frames[-1])
    )  # fmt: skip


def _move_about(times_s: npt.NDArray[np.float64], rng: np.random.Generator, *, size: float) -> npt.NDArray[np.float64]:
    """Return the place of a hand of a size, float64 (n, 2): it drifts, and is moved aside now and then."""
    place = np.zeros((len(times_s), 2))
    for _ in range(int(rng.integers(0, 5))):
        start, duration = rng.uniform(0, times_s[-1]), rng.uniform(0.15, 0.8)
        angle = rng.uniform(0, 2 * np.pi)
        step = size * rng.uniform(0, 1.0) * np.array([np.cos(angle), np.sin(angle)])
        place += step * np.clip((times_s - start) / duration, 0, 1)[:, None]
    return place


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
