"""People under two names: how many are found, and how many different people are called one person.

    ./run bench duplicate_signers SOURCE [SOURCE ...] [--frames N]

SOURCE is a folder with captures, SIGNER/LETTER/*.jpg, or a dataset. Up to N consecutive frames of each signer and
letter are used, as they are and with the hands cut out and pasted on black, white and gray.

different people: all pairs of people. "flagged" is the largest share of a person's frames that are near-duplicates of
frames of another, "warnings" the number of pairs that are reported.
one person under two names: the frames of each person are divided between two names, alternately or in halves by time.
"by hash" is the comparison without the hands.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import cv2
import numpy as np
import numpy.typing as npt

from aslkit.datasets import duplicate_signers
from aslkit.datasets.duplicate_signers import ComparedHands, find_duplicate_signers
from aslkit.vision.hand_landmarker import create_landmarker
from aslkit.vision.images import decode_image, perceptual_hash
from aslkit.vision.near_duplicate import joints_in_pixels
from benchmarks.accuracy.near_duplicates import BACKGROUNDS, cut_out, read_cells

Rows = list[tuple[str, int, npt.NDArray[np.float32]]]
"""Signer, perceptual hash and joints of each frame with a hand."""

NO_LIMIT: Final = 1e9


def measure_cell(signer: str, files: list[Any], background: int | None) -> Rows:
    """Return the frames of one signer and letter that show a hand."""
    cv2.setNumThreads(1)
    rows: Rows = []
    with create_landmarker() as landmarker:
        for file in files:
            frame = decode_image(file.read_bytes() if isinstance(file, Path) else file)
            hand = landmarker.find(frame)
            if hand is not None and background is not None:
                frame = cut_out(frame, joints_in_pixels(hand.landmarks, frame.shape[1], frame.shape[0]), background)
                hand = landmarker.find(frame)
            if hand is not None:
                joints = joints_in_pixels(hand.landmarks, frame.shape[1], frame.shape[0]) / max(frame.shape[:2])
                rows.append((signer, perceptual_hash(frame), joints.astype(np.float32)))
    return rows


def compare(rows: Rows, names: list[str], *, hands: bool) -> tuple[float, int]:
    """Return the largest share of near-duplicates of a name, and the number of reported pairs."""
    frames = ComparedHands(
        signer=np.array(names, str),
        phash=np.array([phash for _, phash, _ in rows], np.uint64),
        joints=np.stack([joints for _, _, joints in rows]),
    )
    limit = duplicate_signers.MAX_HAND_DISTANCE if hands else NO_LIMIT
    with patch.object(duplicate_signers, "MAX_HAND_DISTANCE", limit):
        found = find_duplicate_signers(frames)
        with patch.object(duplicate_signers, "MIN_SHARE", 0.0):
            shares = [each.share for each in find_duplicate_signers(frames)]
    pairs = {frozenset((each.signer, each.other)) for each in found}
    return max(shares, default=0.0), len(pairs)


def count_found(rows: Rows, rule: str, *, hands: bool) -> tuple[int, int]:
    """Return how many people are found under two names, and of how many."""
    people, found = sorted({signer for signer, _, _ in rows}), 0
    for person in people:
        own = [row for row in rows if row[0] == person]
        second = [index % 2 if rule == "alternately" else 2 * index >= len(own) for index in range(len(own))]
        found += compare(own, [f"{person}-{int(part)}" for part in second], hands=hands)[1]
    return found, len(people)


def run(sources: list[Path], count: int) -> None:
    """Print the table."""
    cells = [
        (f"{source.name}/{signer}", files[:count])
        for source in sources
        for (signer, _), files in read_cells(source).items()
    ]
    print(f"{len({signer for signer, _ in cells})} people, {sum(len(files) for _, files in cells):,} frames")
    print(f"{'':14}{'different people: with hands':>34}{'by hash':>26}{'one person, alternately':>26}{'halves':>10}")
    for name, background in BACKGROUNDS.items():
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            measured = pool.map(measure_cell, *zip(*cells, strict=True), [background] * len(cells))
            rows = [row for cell in measured for row in cell]
        names = [signer for signer, _, _ in rows]
        text = f"{name:14}"
        for hands in (True, False):
            share, pairs = compare(rows, names, hands=hands)
            text += f"{f'flagged {share:.1%}, warnings {pairs}':>{34 if hands else 26}}"
        for rule, width in (("alternately", 26), ("halves", 10)):
            text += f"{'{} of {}'.format(*count_found(rows, rule, hands=True)):>{width}}"
        print(text, flush=True)


def main() -> None:
    """Parse the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="+", type=Path)
    parser.add_argument("--frames", type=int, default=20)
    arguments = parser.parse_args()
    run(arguments.sources, arguments.frames)


if __name__ == "__main__":
    main()
