"""Factories of small inputs."""

import numpy as np

from aslkit.core.letters import INDEX
from aslkit.datasets.split import SplitFrames


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
