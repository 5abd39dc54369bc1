"""Videos of the synthetic signer, for tests of clips."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import Frame

FPS = 30.0

ONE_J = slice(68, 103)
"""The frames of `render_j` in which J is drawn once, with a rest before and after it."""


@cache
def render_j(count: int = 180) -> tuple[Frame, ...]:
    """Return frames of a synthetic signer who draws J three times, and returns to the start after the first two."""
    frames = render_frames("J", signer=Signer.draw("synthetic-ada"), session=SyntheticSession(name="plain"), fps=FPS)
    return tuple(next(frames).image for _ in range(count))


def write_movie(path: Path, frames: tuple[Frame, ...], *, mirrored: bool = False) -> Path:
    """Write a video, and return its path."""
    height, width = frames[0].shape[:2]
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (width, height))
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[:, ::-1]) if mirrored else frame)
    writer.release()
    return path
