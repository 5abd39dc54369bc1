"""Landmarks of 40 synthetic signers, detected by MediaPipe in rendered images, used as extra training samples.

They are stored in `landmarks.npz`, which this command creates in about nine minutes:

    python -m aslkit.synthetic.landmark_dataset

The posed joints would be available without rendering, but they improve the accuracy on unseen signers less: the
detector's errors are part of what a model has to learn (ADR 16).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.synthetic.rest_poses import REST_POSES

if TYPE_CHECKING:
    from aslkit.vision.hand_landmarker import Hand
    from aslkit.vision.images import Frame

SIGNERS: Final = 40
FIRST_VARIED_SIGNER: Final = 20
"""Signers from this number on vary more and use variants of some letters."""

VARIED_HABIT_DEG: Final = 6.0
"""`habit_deg` of these signers, twice the default."""

FRAMES: Final = 12
"""Images per signer and letter, and per signer and rest pose."""

NO_LETTER: Final = len(LETTERS)
"""Label of a rest pose."""

INTERVAL_S: Final = 0.7
"""Time between frames, seconds, so that the hand moves."""

WIDTH, HEIGHT = 640, 480

FILE: Final = Path(__file__).parent / "landmarks.npz"


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Landmarks of n synthetic hands.

    Attributes:
        points: float32 (n, 21, 3), as `Hand.landmarks` in frames of WIDTH×HEIGHT pixels, accurate to half a pixel.
        label: int64 (n,), index of the letter, or NO_LETTER.
        left: bool (n,), whether MediaPipe detected a left hand.
    """

    points: npt.NDArray[np.float32]
    label: npt.NDArray[np.int64]
    left: npt.NDArray[np.bool_]


@cache
def load_landmarks() -> Landmarks:
    """Load the landmarks that are part of aslkit."""
    with np.load(FILE, allow_pickle=False) as file:
        return Landmarks(
            points=file["points"].astype(np.float32), label=file["label"].astype(np.int64), left=file["left"]
        )


def generate_landmarks(
    signers: range, letters: tuple[str, ...] = (*LETTERS, *REST_POSES), *, frames: int = FRAMES
) -> Landmarks:
    """Render signers and detect their hands. Images without a detected hand are skipped.

    Args:
        signers: numbers of the signers.
        letters: letters and keys of `rest_poses.REST_POSES`.
        frames: images per signer and letter or rest pose.
    """
    found = [(hand.landmarks, label, hand.handedness == "left") for _, hand, label in render_hands(
        signers, letters, frames=frames
    )]  # fmt: skip
    points, label, left = zip(*found, strict=True)
    return Landmarks(points=np.stack(points), label=np.array(label), left=np.array(left))


def render_hands(
    signers: range, letters: tuple[str, ...] = (*LETTERS, *REST_POSES), *, frames: int = FRAMES
) -> Iterator["tuple[Frame, Hand, int]"]:
    """Yield rendered images, BGR, the detected hand, and the label. Arguments: see `generate_landmarks`."""
    from aslkit.synthetic.frames import render_frames
    from aslkit.synthetic.signer import Signer, SyntheticSession
    from aslkit.vision.hand_landmarker import HandLandmarker

    with HandLandmarker() as landmarker:
        for number in signers:
            signer = Signer.draw(f"synthetic-{number:02d}")
            if number >= FIRST_VARIED_SIGNER:
                signer = replace(signer, habit_deg=VARIED_HABIT_DEG, use_variants=True)
            session = SyntheticSession.draw(signer, "one")
            for letter in letters:
                label = NO_LETTER if letter in REST_POSES else LETTERS.index(letter)
                images = render_frames(
                    letter, signer=signer, session=session, width=WIDTH, height=HEIGHT, fps=1 / INTERVAL_S
                )  # fmt: skip
                for frame in islice(images, frames):
                    hand = landmarker.find(frame.image)
                    if hand is not None:
                        yield frame.image, hand, label


def main() -> None:
    """Create landmarks.npz."""
    landmarks = generate_landmarks(range(SIGNERS))
    np.savez_compressed(
        FILE, points=landmarks.points.astype(np.float16), label=landmarks.label.astype(np.uint8), left=landmarks.left
    )  # fmt: skip
    sys.stdout.write(f"Stored {len(landmarks.label)} hands in {FILE}\n")


if __name__ == "__main__":
    main()
