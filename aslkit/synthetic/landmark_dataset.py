"""Landmarks of synthetic signers, as MediaPipe finds them in their pictures: a training's people who never run out.

They lie in `landmarks.npz` beside this file, made by

    python -m aslkit.synthetic.landmark_dataset

which draws every picture and looks for the hand in it, some nine minutes. The joints themselves, without the picture,
would cost nothing, but help strangers less: what the landmarker makes of a hand is part of what there is to learn.
"""

import sys
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.letters import LETTERS
from aslkit.synthetic.rest_poses import REST_POSES

SIGNERS: Final = 40
FREER_FROM: Final = 20
"""From this number on, signers form letters more freely, and some otherwise."""

FREER_DEG: Final = 6.0
"""Their habit_deg: twice the usual."""

FRAMES: Final = 12
"""Of each signer and letter, and of each way to rest."""

NO_LETTER: Final = len(LETTERS)
"""The label of a hand at rest."""

INTERVAL_S: Final = 0.7
"""Between frames: the hand has moved on."""

WIDTH, HEIGHT = 640, 480

FILE: Final = Path(__file__).parent / "landmarks.npz"


@dataclass(frozen=True, kw_only=True)
class Landmarks:
    """Hands of synthetic signers, n of them.

    Attributes:
        points: float32 (n, 21, 3), as `Hand.landmarks` of frames of WIDTH×HEIGHT pixels; kept to half a pixel.
        label: int64 (n,), index of the letter, or NO_LETTER.
        left: bool (n,), which the landmarker took for left hands.
    """

    points: npt.NDArray[np.float32]
    label: npt.NDArray[np.int64]
    left: npt.NDArray[np.bool_]


@cache
def load_landmarks() -> Landmarks:
    """Those that come with aslkit."""
    with np.load(FILE, allow_pickle=False) as file:
        return Landmarks(
            points=file["points"].astype(np.float32), label=file["label"].astype(np.int64), left=file["left"]
        )


def generate_landmarks(
    signers: range, letters: tuple[str, ...] = (*LETTERS, *REST_POSES), *, frames: int = FRAMES
) -> Landmarks:
    """Draw signers and look for their hands; frames in which none is found are left out.

    Args:
        signers: their numbers.
        letters: that they sign, and how they rest: of `rests.RESTS`.
        frames: of each signer and letter, or rest.
    """
    from aslkit.synthetic.frames import render_frames as stream
    from aslkit.synthetic.signer import Signer, SyntheticSession
    from aslkit.vision.hand_landmarker import HandLandmarker

    points, label, left = [], [], []
    with HandLandmarker() as landmarker:
        for number in signers:
            signer = Signer.draw(f"synthetic-{number:02d}")
            if number >= FREER_FROM:
                signer = replace(signer, habit_deg=FREER_DEG, other_forms=True)
            session = SyntheticSession.draw(signer, "one")
            for letter in letters:
                drawn = stream(
                    letter, signer=signer, session=session, width=WIDTH, height=HEIGHT, fps=1 / INTERVAL_S
                )  # fmt: skip
                for frame in islice(drawn, frames):
                    hand = landmarker.find(frame.image)
                    if hand is not None:
                        points.append(hand.landmarks)
                        label.append(NO_LETTER if letter in REST_POSES else LETTERS.index(letter))
                        left.append(hand.handedness == "left")
    return Landmarks(points=np.stack(points), label=np.array(label), left=np.array(left))


def main() -> None:
    """Write FILE."""
    made = generate_landmarks(range(SIGNERS))
    np.savez_compressed(
        FILE, points=made.points.astype(np.float16), label=made.label.astype(np.uint8), left=made.left
    )  # fmt: skip
    sys.stdout.write(f"{len(made.label)} hands in {FILE}\n")


if __name__ == "__main__":
    main()
