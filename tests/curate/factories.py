"""Factories of small inputs."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import INDEX
from aslkit.datasets.split import SplitFrames
from aslkit.synthetic.landmark_dataset import HEIGHT, WIDTH, load_landmarks
from aslkit.vision.preprocess import canonical_points


def make_frames(*rows: tuple[str, str, str, int]) -> SplitFrames:
    """Return frames for rows of (signer, session, letter, count), each frame in a group of its own."""
    frames = [row[:3] for row in rows for _ in range(row[3])]
    signer, session, letter = zip(*frames, strict=True)
    return SplitFrames(
        signer=np.array(signer),
        session=np.array(session),
        label=np.array([INDEX[each] for each in letter], np.int64),
        group=np.arange(len(frames)),
    )


def synthetic_hands(letters: Sequence[str], *, step: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Return every `step`-th hand of synthetic signers that shows one of the letters, and the labels.

    The hands are float32 (n, 21, 3), as returned by `canonical_points`.
    """
    hands = load_landmarks()
    rows = np.flatnonzero(np.isin(hands.label, [INDEX[letter] for letter in letters]))[::step]
    points = canonical_points(
        hands.points[rows], widths=np.full(len(rows), WIDTH), heights=np.full(len(rows), HEIGHT),
        left=hands.left[rows], mirror_left=True,
    )  # fmt: skip
    return points, hands.label[rows]
