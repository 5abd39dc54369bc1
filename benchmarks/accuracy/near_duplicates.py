"""Near-duplicate detection: recall and precision for each kind of modified copy.

    ./run bench near_duplicates [FOLDER [IMAGES]]

FOLDER has captures, SIGNER/LETTER/*.jpg; without it, synthetic images are generated. Of each signer and letter,
dissimilar originals are sampled and copied in several ways. Each copy is compared with all originals of the same signer
and letter. Recall: share of copies detected as near-duplicates of their original. Precision: share of detected pairs in
which one is a copy of the other.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa

from aslkit.core.config import load_settings
from aslkit.curate.config import CurateConfig, NearDuplicateLimits
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.measure import BYTES_SCHEMA, MEASURED_SCHEMA, MeasureOptions, measure_batch
from aslkit.curate.measure.near_duplicates import GroupFeatures, connected_components
from aslkit.vision.images import Frame, decode_image, encode_jpeg, perceptual_hash
from benchmarks.speed.curation import pictures

MIN_DISTANCE = 8
"""Minimum Hamming distance of two originals, of 64 bits."""


def copies(image: Frame) -> Iterator[tuple[str, Frame, int]]:
    """Yield the kind of each copy, the copy, and its JPEG quality."""
    height, width = image.shape[:2]
    top, left = round(height * 0.05), round(width * 0.05)
    rotation = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1)
    yield "the same bytes", image, 95
    yield "JPEG quality 40", image, 40
    yield "half the size", cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), 85
    yield "1.5 times the size", cv2.resize(image, (width * 3 // 2, height * 3 // 2)), 85
    yield "brighter, 1.3", np.clip(image * 1.3, 0, 255).astype(np.uint8), 85
    yield "darker, 0.7", (image * 0.7).astype(np.uint8), 85
    yield "mirrored", np.ascontiguousarray(image[:, ::-1]), 85
    yield "cropped 5 % each side", cv2.resize(image[top : height - top, left : width - left], (width, height)), 85
    yield "cropped 5 % at a corner", image[top:, left:], 85
    yield "rotated by 8°", cv2.warpAffine(image, rotation, (width, height), borderMode=cv2.BORDER_REFLECT), 85


def sample_originals(folder: Path, wanted: int) -> dict[str, list[Path]]:
    """Sample dissimilar originals of each signer and letter."""
    rng = np.random.default_rng(0)
    cells = {f"{path.parent.name}/{path.name}": sorted(path.glob("*.*")) for path in sorted(folder.glob("*/?"))}
    found: dict[str, list[Path]] = {name: [] for name in cells}
    hashes: dict[str, list[int]] = {name: [] for name in cells}
    orders = {name: iter(rng.permutation(len(paths))) for name, paths in cells.items()}
    for _ in range(max(map(len, cells.values()))):
        for name, order in orders.items():
            index = next(order, None)
            if index is None or sum(map(len, found.values())) >= wanted:
                continue
            own = perceptual_hash(decode_image(cells[name][index].read_bytes()))
            if all((own ^ other).bit_count() >= MIN_DISTANCE for other in hashes[name]):
                found[name].append(cells[name][index])
                hashes[name].append(own)
    return found


def measure_copies(paths: list[Path]) -> tuple[list[str], list[int], pa.Table]:
    """Return the kind, the index of the original, and the measurements of each copy."""
    kinds, parents, images = [], [], []
    for parent, path in enumerate(paths):
        for kind, copy, quality in copies(decode_image(path.read_bytes())):
            kinds.append(kind)
            parents.append(parent)
            images.append(encode_jpeg(np.asarray(copy, np.uint8), quality=quality))
    batch = pa.RecordBatch.from_pylist(
        [{"content": str(n), "bytes": data} for n, data in enumerate(images)], BYTES_SCHEMA
    )
    options = MeasureOptions(min_confidence=0.3, second_try=True)
    return kinds, parents, pa.Table.from_batches([measure_batch(batch, options)], MEASURED_SCHEMA)


def compare_pairs(features: GroupFeatures, limits: NearDuplicateLimits) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which pairs are near-duplicates, without chains: bool (n, n)."""
    count = len(features.phash)
    found = np.eye(count, dtype=bool)
    for one in range(count):
        for other in range(one):
            found[one, other] = found[other, one] = (
                connected_components(features.select(np.array([one, other])), limits)[1] == 0
            )
    return found


def main() -> None:
    """Print the table."""
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else None) as folder:
        print_table({name: paths for name, paths in sample_originals(folder, wanted).items() if paths})


def print_table(cells: dict[str, list[Path]]) -> None:
    """Measure and print recall and precision of each kind of copy."""
    limits = load_settings("curate", CurateConfig).limits
    hits: dict[str, int] = {}
    wrong: dict[str, int] = {}
    pairs = 0
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for kinds, parents, measurements in pool.map(measure_copies, cells.values()):
            parent = np.array(parents)
            found = compare_pairs(measure_table.group_features(measurements), limits)
            originals = np.flatnonzero(np.array(kinds) == "the same bytes")
            for row, kind in enumerate(kinds):
                own = parent[originals] == parent[row]
                hits[kind] = hits.get(kind, 0) + int(found[row, originals[own]].any())
                wrong[kind] = wrong.get(kind, 0) + int(found[row, originals[~own]].sum())
                pairs += int((~own).sum())
    total = sum(map(len, cells.values()))
    print(f"{total} originals; each copy compared with all originals of its signer and letter: {pairs:,} other pairs")
    print(f"{'':26}{'recall':>8}{'precision':>11}")
    for kind, hit in hits.items():
        print(f"{kind:26}{hit / total:8.3f}{hit / max(1, hit + wrong[kind]):11.3f}")


if __name__ == "__main__":
    main()
