"""Frames as what is said of a dataset takes them."""

import numpy as np

from aslkit.core.letters import INDEX
from aslkit.datasets.split import SplitFrames


def several(*rows: tuple[str, str, str, int]) -> SplitFrames:
    """Frames of (signer, session, letter, how many), each a group of its own."""
    long = [row[:3] for row in rows for _ in range(row[3])]
    signer, session, letter = zip(*long, strict=True)
    return SplitFrames(
        signer=np.array(signer),
        session=np.array(session),
        label=np.array([INDEX[each] for each in letter], np.int64),
        group=np.arange(len(long)),
    )
