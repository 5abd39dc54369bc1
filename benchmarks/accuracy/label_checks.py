"""Precision and recall of the label checks: swapped letters and single wrong labels, planted in a dataset.

./run bench label_checks DATASET
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from aslkit.core.config import load_settings
from aslkit.core.letters import INDEX, LETTERS
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.label_issues import label_issue_scores
from aslkit.curate.measure.table import right_hands
from aslkit.curate.report.recommendations import recommend_recordings
from aslkit.datasets import parquet_store
from aslkit.datasets.split import SplitFrames

PAIRS = tuple(map(tuple, ("UV", "MN", "AS", "DX", "KP", "GQ", "EO", "RU")))
WRONG_SHARE = 0.02
FEW = 9
"""Frames of each letter and signer, too few for cleanlab; two of them get another letter."""
ALL = 1_000_000


def main(dataset: Path) -> None:
    """Print the alarms on the dataset's own labels, on planted swaps, and on random wrong labels."""
    table = parquet_store.read_dataset(dataset)
    table = table.filter(table.column("landmarks").is_valid())
    points, frames = right_hands(table), SplitFrames.from_table(table)
    confidence_limit = load_settings("checks", CheckConfig).doubt
    print(f"{len(points):,} hands of {len(set(frames.signer))} signers")
    clean = find_swaps(points, frames)
    doubted = label_issue_scores(points, frames.label)[0] > confidence_limit
    print(f"own labels: {doubted.mean():.2%} doubted; may be swapped: {sorted(clean) or 'none'}")
    planted = found = other = 0
    for signer in sorted(set(frames.signer.tolist())):
        for a, b in PAIRS:
            own = [(frames.signer == signer) & (frames.label == INDEX[letter]) for letter in (a, b)]
            if not all(rows.any() for rows in own):
                continue
            label = np.select(own, [INDEX[b], INDEX[a]], frames.label)
            warnings = find_swaps(points, replace(frames, label=label))
            planted, found = planted + 1, found + ((signer, *sorted((a, b))) in warnings)
            other += len(warnings - {(signer, *sorted((a, b)))})
    print(f"planted swaps: {found} of {planted} found, {other} other warnings")
    rng = np.random.default_rng(0)
    wrong = rng.random(len(points)) < WRONG_SHARE
    label = np.where(wrong, (frames.label + rng.integers(1, len(LETTERS), len(points))) % len(LETTERS), frames.label)
    doubted = label_issue_scores(points, label)[0] > confidence_limit
    hits = (doubted & wrong).sum()
    print(f"single wrong labels: recall {hits / wrong.sum():.2f}, precision {hits / max(doubted.sum(), 1):.2f}")
    check_few_frames(points, frames, confidence_limit)


def check_few_frames(points: npt.NDArray[np.float32], frames: SplitFrames, confidence_limit: float) -> None:
    """Print recall and precision of wrong labels in FEW frames of each letter, for each signer."""
    rng = np.random.default_rng(0)
    for signer in sorted(set(frames.signer.tolist())):
        own = [np.flatnonzero((frames.signer == signer) & (frames.label == index)) for index in range(len(LETTERS))]
        rows = np.concatenate([rng.permutation(each)[:FEW] for each in own])
        wrong = np.concatenate([np.arange(min(FEW, len(each))) < 2 for each in own])
        label = np.where(wrong, (frames.label[rows] + 7) % len(LETTERS), frames.label[rows])
        doubted = label_issue_scores(points[rows], label)[0] > confidence_limit
        hits = (doubted & wrong).sum()
        print(f"few frames of {signer}: recall {hits / wrong.sum():.2f}, precision {hits / max(doubted.sum(), 1):.2f}")


def find_swaps(points: npt.NDArray[np.float32], frames: SplitFrames) -> set[tuple[str, ...]]:
    """Return signer and letters of each warning that labels may be swapped."""
    predicted = label_issue_scores(points, frames.label)[1]
    found, _ = recommend_recordings(frames, predicted, limit=ALL)
    return {(each.signer, *sorted(each.letters)) for each in found if "may be swapped" in each.text}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
