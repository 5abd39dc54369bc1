"""Write small captured clips."""

from pathlib import Path

import numpy as np

from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.clips import ClipFrame, write_clip
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import encode_jpeg, encode_png
from tests.datasets.factories import picture

WIDTH, HEIGHT = 96, 72


def hand_at(x: float, y: float, *, left: bool = False) -> Hand:
    """Return a hand with its wrist at a position relative to the frame."""
    joints = np.stack([np.linspace(0, 0.2, 21), np.linspace(0, -0.3, 21), np.linspace(0, -0.05, 21)], axis=1)
    return Hand(
        landmarks=(joints + np.array([x, y, 0.0])).astype(np.float32),
        handedness="left" if left else "right",
        score=0.875,
    )


def add_clip(
    workspace: Workspace,
    key: str,
    *,
    seed: int,
    frames: int = 4,
    step_ms: int = 40,
    suffix: str = ".jpg",
    hands: bool = True,
) -> Path:
    """Write a clip, SIGNER/SESSION/LETTER/CLIP, in which a hand moves to the right, and return its folder.

    The second frame shows no hand. The same seed gives the same pixels.
    """
    signer, session, _, _ = key.split("/")
    SessionInfo(signer=signer, session=session, camera="camera 0", licence="CC0-1.0").save(workspace.captures)
    encode = encode_png if suffix == ".png" else encode_jpeg
    written = []
    for index in range(frames):
        hand = hand_at(0.2 + 0.1 * index, 0.6, left=seed % 2 == 1) if hands and index != 1 else None
        line = ClipFrame.from_hand(
            hand, file=f"{index:03d}{suffix}", time_ms=step_ms * index, width=WIDTH, height=HEIGHT
        )
        written.append((line, encode(picture(100 * seed + index, width=WIDTH, height=HEIGHT))))
    folder = workspace.captures / key
    write_clip(folder, written)
    return folder
