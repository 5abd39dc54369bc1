"""Which copies curation knows as near-duplicates: recall and precision for each thing that may be done to an image.

    ./run bench near_duplicates [FOLDER [IMAGES]]

FOLDER has captures: SIGNER/LETTER/*.jpg; without it, a few are drawn. Of each signer's letter, images are drawn of
which no two look alike; each is copied in several ways; every copy is then compared with all of the same signer and
letter. Recall: copies that are near-duplicates of the frame they were made from. Precision: pairs found of which one
was made from the other.
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

UNLIKE = 8
"""Bits of 64: originals are at least so far apart."""


def copies(image: Frame) -> Iterator[tuple[str, Frame, int]]:
    """Yield what was done, the copy, and the JPEG quality to store it with."""
    height, width = image.shape[:2]
    top, left = round(height * 0.05), round(width * 0.05)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 8, 1)
    yield "the same bytes", image, 95
    yield "JPEG quality 40", image, 40
    yield "half the size", cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA), 85
    yield "1.5 times the size", cv2.resize(image, (width * 3 // 2, height * 3 // 2)), 85
    yield "brighter, 1.3", np.clip(image * 1.3, 0, 255).astype(np.uint8), 85
    yield "darker, 0.7", (image * 0.7).astype(np.uint8), 85
    yield "mirrored", np.ascontiguousarray(image[:, ::-1]), 85
    yield "cropped 5 % each side", cv2.resize(image[top : height - top, left : width - left], (width, height)), 85
    yield "cropped 5 % at a corner", image[top:, left:], 85
    yield "turned by 8°", cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REFLECT), 85


def chosen(folder: Path, wanted: int) -> dict[str, list[Path]]:
    """Originals of each signer and letter, of which no two look alike."""
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
            if all((own ^ other).bit_count() >= UNLIKE for other in hashes[name]):
                found[name].append(cells[name][index])
                hashes[name].append(own)
    return found


def described(paths: list[Path]) -> tuple[list[str], list[int], pa.Table]:
    """What was done, to which original, and what is seen of it."""
    kinds, parents, images = [], [], []
    for parent, path in enumerate(paths):
        for kind, copy, quality in copies(decode_image(path.read_bytes())):
            kinds.append(kind)
            parents.append(parent)
            images.append(encode_jpeg(np.asarray(copy, np.uint8), quality=quality))
    given = pa.RecordBatch.from_pylist(
        [{"content": str(n), "bytes": data} for n, data in enumerate(images)], BYTES_SCHEMA
    )
    looking = MeasureOptions(min_confidence=0.3, second_try=True)
    return kinds, parents, pa.Table.from_batches([measure_batch(given, looking)], MEASURED_SCHEMA)


def near(traits: GroupFeatures, limits: NearDuplicateLimits) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which frames are near-duplicates as pairs, without chains: bool (n, n)."""
    count = len(traits.phash)
    found = np.eye(count, dtype=bool)
    for one in range(count):
        for other in range(one):
            found[one, other] = found[other, one] = (
                connected_components(traits.select(np.array([one, other])), limits)[1] == 0
            )
    return found


def main() -> None:
    """Print the table."""
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 500
    with pictures(Path(sys.argv[1]) if len(sys.argv) > 1 else None) as folder:
        table({name: paths for name, paths in chosen(folder, wanted).items() if paths})


def table(cells: dict[str, list[Path]]) -> None:
    """Of the originals of each signer and letter."""
    limits = load_settings("curate", CurateConfig).limits
    hits: dict[str, int] = {}
    wrong: dict[str, int] = {}
    pairs = 0
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for kinds, parents, seen in pool.map(described, cells.values()):
            parent = np.array(parents)
            found = near(measure_table.group_features(seen), limits)
            originals = np.flatnonzero(np.array(kinds) == "the same bytes")
            for row, kind in enumerate(kinds):
                own = parent[originals] == parent[row]
                hits[kind] = hits.get(kind, 0) + int(found[row, originals[own]].any())
                wrong[kind] = wrong.get(kind, 0) + int(found[row, originals[~own]].sum())
                pairs += int((~own).sum())
    total = sum(map(len, cells.values()))
    print(f"{total} originals; each copy against the originals of its signer and letter: {pairs:,} pairs of others")
    print(f"{'':26}{'recall':>8}{'precision':>11}")
    for kind, hit in hits.items():
        print(f"{kind:26}{hit / total:8.3f}{hit / max(1, hit + wrong[kind]):11.3f}")


if __name__ == "__main__":
    main()
