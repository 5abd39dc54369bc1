"""Augmented copies: how many are grouped with their photo, and how many photos of different people are joined.

    ./run bench near_duplicates [SOURCE ...] [--photos N]

SOURCE is a folder with captures, SIGNER/LETTER/*.jpg, or a dataset; without it, synthetic images are generated. Of each
signer and letter, up to N dissimilar photos are sampled. Each gets three copies with one to three random changes:
rotated by up to 15°, cropped by up to 20 %, sheared by up to 10°, brightened by up to 25 %, mirrored, blurred, noisy.
All are curated as images of one signer, with random names, as in a public export. They are also curated with the hands
cut out and pasted on black, white and gray.

"by hash" is the grouping without the search for copies: by perceptual hashes and hands alone.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.config import load_settings
from aslkit.core.letters import LETTERS
from aslkit.curate.config import CurateConfig
from aslkit.curate.measure.engine import Local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.curate.measure.measure import MEASURED_SCHEMA, MeasureOptions
from aslkit.curate.measure.table import group_features
from aslkit.datasets import parquet_store
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.vision.hand_landmarker import FINGERS, MIDDLE, WRIST, create_landmarker
from aslkit.vision.images import Frame, decode_image, encode_jpeg, perceptual_hash
from aslkit.vision.near_duplicate import joints_in_pixels
from benchmarks.speed.curation import pictures

MIN_DISTANCE: Final = 10
"""Minimum Hamming distance of two photos of a signer and letter, of 64 bits."""

COPIES: Final = 3
CHANGES: Final = ("rotated", "cropped", "sheared", "brightened", "mirrored", "blurred", "noisy")
BACKGROUNDS: Final = {"photo": None, "black": 0, "white": 255, "gray": 128}


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image file in memory, with its photo and the changes made to it."""

    signer: str
    letter: str
    photo: int
    changes: tuple[str, ...]
    data: bytes


def change(image: Frame, kind: str, rng: np.random.Generator) -> Frame:
    """Change an image at random."""
    height, width = image.shape[:2]
    border = int(rng.choice([cv2.BORDER_CONSTANT, cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE]))
    match kind:
        case "rotated":
            turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.uniform(-15, 15), 1)
            changed = cv2.warpAffine(image, turn, (width, height), borderMode=border)
        case "cropped":
            share = rng.uniform(0, 0.2)
            left, top = rng.uniform(0, share, 2)
            part = image[
                round(top * height) : height - round((share - top) * height),
                round(left * width) : width - round((share - left) * width),
            ]
            changed = cv2.resize(part, (width, height))
        case "sheared":
            x, y = np.tan(np.radians(rng.uniform(-10, 10, 2)))
            slant = np.array([[1, x, -x * height / 2], [y, 1, -y * width / 2]])
            changed = cv2.warpAffine(image, slant, (width, height), borderMode=border)
        case "brightened":
            changed = np.clip(image * rng.uniform(0.75, 1.25), 0, 255)
        case "mirrored":
            changed = np.ascontiguousarray(image[:, ::-1])
        case "blurred":
            changed = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, max(width, height) / 180))
        case _:
            changed = image.copy()
            changed[rng.random((height, width)) < rng.uniform(0, 0.02)] = rng.integers(0, 256, 3)
    return np.asarray(changed, np.uint8)


def sample_photos(source: Path, count: int) -> Iterator[tuple[str, str, bytes]]:
    """Yield signer, letter and content of dissimilar photos."""
    rng = np.random.default_rng(1)
    for (signer, letter), files in read_cells(source).items():
        hashes: list[int] = []
        for index in rng.permutation(len(files)):
            data = files[index].read_bytes() if isinstance(files[index], Path) else files[index]
            own = perceptual_hash(decode_image(data))
            if len(hashes) < count and all((own ^ other).bit_count() >= MIN_DISTANCE for other in hashes):
                hashes.append(own)
                yield signer, letter, data


def read_cells(source: Path) -> dict[tuple[str, str], list[Any]]:
    """Return the images of each signer and letter: paths, or bytes."""
    cells: dict[tuple[str, str], list[Any]] = {}
    if not (source / "data").is_dir():
        for folder in sorted(path for path in source.glob("*/?") if path.name in LETTERS):
            cells[folder.parent.name, folder.name] = sorted(folder.glob("*.*"))
        return cells
    for row in parquet_store.read_dataset(source, ["signer", "label", "image"]).to_pylist():
        cells.setdefault((row["signer"], LETTERS[row["label"]]), []).append(row["image"]["bytes"])
    return dict(sorted(cells.items()))


def cut_out(image: Frame, joints: npt.NDArray[np.float32], background: int) -> Frame:
    """Return the hand on a plain background, as if its outline were drawn around the joints."""
    palm = float(np.linalg.norm(joints[MIDDLE[0]] - joints[WRIST]))
    points = np.round(joints).astype(np.int32)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points[[WRIST, *(finger[0] for finger in FINGERS)]]), 255)
    for finger in FINGERS:
        cv2.polylines(mask, [points[[WRIST, *finger]]], False, 255, max(1, round(0.35 * palm)))
    plain = np.full_like(image, background)
    return np.where(mask[..., None] > 0, image, plain)


def make_images(photos: list[tuple[int, tuple[str, str, bytes]]], background: int | None) -> list[Image]:
    """Return the photos and their copies, with the background replaced unless it is None."""
    images = []
    with create_landmarker() as landmarker:
        for number, (signer, letter, data) in photos:
            rng = np.random.default_rng(1000 + number)
            frame = decode_image(data)
            if background is not None:
                hand = landmarker.find(frame)
                if hand is None:
                    continue
                frame = cut_out(frame, joints_in_pixels(hand.landmarks, frame.shape[1], frame.shape[0]), background)
                data = encode_jpeg(frame)
            images.append(Image(signer=signer, letter=letter, photo=number, changes=(), data=data))
            for _ in range(COPIES):
                copy, kinds = frame, rng.permutation(CHANGES)[: rng.integers(1, 4)].tolist()
                for kind in kinds:
                    copy = change(copy, kind, rng)
                encoded = encode_jpeg(copy, quality=int(rng.integers(75, 95)))
                images.append(Image(signer=signer, letter=letter, photo=number, changes=tuple(kinds), data=encoded))
    return images


def group_images(images: list[Image], folder: Path) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Measure and group the images as frames of one signer; returns the groups, and those by hash alone."""
    config, engine = load_settings("curate", CurateConfig), Local()
    frames = []
    for name, index in enumerate(np.random.default_rng(0).permutation(len(images))):
        path = folder / images[index].letter / f"{name:06}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(images[index].data)
        frames.append((index, CapturedFrame(path=path, signer="public", session="one", letter=images[index].letter)))
    captured = [frame for _, frame in sorted(frames, key=lambda pair: pair[0])]
    options = MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    batches = engine.measure({str(index): frame.path for index, frame in enumerate(captured)}, options)
    measured = pa.Table.from_batches(sorted(batches, key=lambda batch: int(batch["content"][0].as_py())))
    measured = measured.cast(MEASURED_SCHEMA)
    sessions = {("public", "one"): SessionInfo(signer="public", session="one", camera="unknown")}
    group = group_frames(
        captured, measured, sessions, limits=config.limits, engine=engine, cache=folder / "copies.json"
    )
    part = np.array([frame.letter for frame in captured])
    return group, engine.group(group_features(measured), part, config.limits)


def count_joined(images: list[Image], group: npt.NDArray[np.int64]) -> dict[str, tuple[int, int]]:
    """Return hits and total of: copies grouped, pairs of different people, and of different photos of one person."""
    photo, signer, letter = (
        np.array([getattr(image, name) for image in images]) for name in ("photo", "signer", "letter")
    )
    original = {image.photo: index for index, image in enumerate(images) if not image.changes}
    grouped = [group[index] == group[original[image.photo]] for index, image in enumerate(images) if image.changes]
    counts = Counter[str]()
    for name in np.unique(letter):
        rows = np.flatnonzero(letter == name)
        joined = np.triu(group[rows, None] == group[None, rows], 1)
        people = np.triu(signer[rows, None] != signer[None, rows], 1)
        others = np.triu((signer[rows, None] == signer[None, rows]) & (photo[rows, None] != photo[None, rows]), 1)
        counts += Counter(people=people.sum(), people_joined=(people & joined).sum())
        counts += Counter(photos=others.sum(), photos_joined=(others & joined).sum())
    return {
        "copies": (int(sum(grouped)), len(grouped)),
        "people": (counts["people_joined"], counts["people"]),
        "photos": (counts["photos_joined"], counts["photos"]),
    }


def percent(count: tuple[int, int]) -> str:
    """Format hits of a total."""
    return f"{count[0] / count[1]:.2%}" if count[1] else "–"


def run(source: Path, count: int) -> None:
    """Print both tables for one source."""
    photos = list(enumerate(sample_photos(source, count)))
    people = len({signer for _, (signer, _, _) in photos})
    print(f"\n{source.name}: {len(photos)} photos of {people} people, {COPIES} copies of each")
    print(f"{'background':12}{'copies':>9}{'by hash':>9}{'people':>9}{'photos':>9}{'groups':>8}{'right':>7}")
    for name, background in BACKGROUNDS.items():
        chunks = [photos[start : start + 16] for start in range(0, len(photos), 16)]
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            made = pool.map(make_images, chunks, [background] * len(chunks))
            images = [image for chunk in made for image in chunk]
        with tempfile.TemporaryDirectory() as folder:
            group, by_hash = group_images(images, Path(folder))
        counts, before = count_joined(images, group), count_joined(images, by_hash)
        print(
            f"{name:12}{percent(counts['copies']):>9}{percent(before['copies']):>9}{percent(counts['people']):>9}"
            f"{percent(counts['photos']):>9}{len(np.unique(group)):8}{len({image.photo for image in images}):7}",
            flush=True,
        )
        if background is None:
            by_change = {kind: _count_change(images, group, kind) for kind in CHANGES}
    print("copies of photos by change: " + ", ".join(f"{kind} {percent(hits)}" for kind, hits in by_change.items()))


def _count_change(images: list[Image], group: npt.NDArray[np.int64], kind: str) -> tuple[int, int]:
    chosen = [index for index, image in enumerate(images) if not image.changes or kind in image.changes]
    return count_joined([images[index] for index in chosen], group[chosen])["copies"]


def main() -> None:
    """Parse the arguments and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", type=Path)
    parser.add_argument("--photos", type=int, default=4)
    arguments = parser.parse_args()
    print("copies: grouped with their photo; people, photos: pairs of images of different people, or of different")
    print("photos of one person, in one group (letter by letter)")
    for source in arguments.sources or [None]:
        with pictures(source) as folder:
            run(folder, arguments.photos)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
