"""Varied copies of training images: other light, other place, other camera, and still the same letter.

No flips, and little turning: G and Q, H and U, K and P differ by where they point.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.progress import progress_bar
from aslkit.curate.measure.engine import Engine
from aslkit.datasets import schema
from aslkit.vision.images import Frame, decode_image, encode_jpeg, measure_quality, perceptual_hash, pixel_hash
from aslkit.vision.near_duplicate import joints_in_pixels, palm_lengths

PRESET: Final = "gentle-1"
"""Of the limits below; another preset is another recipe."""

QUALITY: Final = 90
"""JPEG, 1–100."""

_AT_ONCE: Final = 32
"""Rows of one batch for a process."""

TURN_DEG: Final = 12
SHIFT: Final = 0.08
SCALE: Final = (0.85, 1.15)
PERSPECTIVE: Final = (0.02, 0.05)
DIMMED: Final = 0.25
DIM: Final = (0.45, 0.85)
"""Letters that differ by where they point are at least 60° apart; so little stays far from half of that."""


def augment_batch(batch: pa.RecordBatch, *, copies: int, seed: int) -> pa.RecordBatch:
    """Return varied copies of rows, `augment_images` for each, in order. A pure function, for an engine to map.

    Args:
        batch: rows of `schema.COLUMNS` with their images, of train.
        copies: of each row.
        seed: with the image's own hash it decides each copy: the same rows give the same bytes.
    """
    varied = []
    for row in batch.to_pylist():
        frame = decode_image(row["image"]["bytes"])
        varied += [_copy(row, frame, number, seed) for number in range(1, copies + 1)]
    return pa.RecordBatch.from_pylist(varied, schema.COLUMNS)


def augment_images(
    images: Iterable[pa.Table], *, of_each: int, total: int, seed: int, engine: Engine
) -> Iterator[pa.Table]:
    """Yield varied copies of rows with their images, in order.

    Args:
        images: tables of `schema.COLUMNS`.
        of_each: how many copies of each row.
        total: how many rows there are, for the progress bar.
        seed: as `augment_batch` takes it.
        engine: makes them.
    """
    batches = (batch for table in images for batch in table.to_batches(max_chunksize=_AT_ONCE))
    with progress_bar("Augmenting", total * of_each) as advance:
        for batch in engine.map(partial(augment_batch, copies=of_each, seed=seed), batches):
            advance(len(batch))
            yield pa.Table.from_batches([batch])


def _copy(row: Mapping[str, Any], frame: Frame, number: int, seed: int) -> dict[str, Any]:
    chance = int.from_bytes(hashlib.sha256(f"{seed}:{row['sha256']}:{number}".encode()).digest()[:4])
    points = None if row["landmarks"] is None else np.array(row["landmarks"], np.float32).reshape(21, 3)
    image, moved, applied = augment_image(frame, points, seed=chance)
    data = encode_jpeg(image, quality=QUALITY)
    seen = decode_image(data)
    measured = measure_quality(seen)
    stem = row["image"]["path"].rpartition(".")[0]
    recipe = {"preset": PRESET, "seed": chance, "applied": applied}
    return {
        **row,
        "image": {"bytes": data, "path": f"{stem}+{number}.jpg"},
        "landmarks": None if moved is None else moved.ravel(),
        "hand_box": None if moved is None else [*moved[:, :2].min(axis=0), *moved[:, :2].max(axis=0)],
        "sharpness": measured.sharpness,
        "brightness": measured.brightness,
        "contrast": measured.contrast,
        "sha256": pixel_hash(seen),
        "phash": perceptual_hash(seen),
        "parent": row["sha256"],
        "augmentation": json.dumps(recipe),
    }


def augment_image(
    frame: Frame, landmarks: npt.NDArray[np.float32] | None, *, seed: int
) -> tuple[Frame, npt.NDArray[np.float32] | None, list[str]]:
    """Vary an image, and move its landmarks with it.

    Args:
        frame: BGR, uint8 (height, width, 3).
        landmarks: float32 (21, 3), as `Hand.landmarks`; None where there is no hand.
        seed: 0 to 2**32 - 1; the same gives the same to the bit.

    Returns:
        the frame, of the same size; the landmarks; what was applied, in order.
    """
    height, width = frame.shape[:2]
    compose, rng = _compose(), np.random.default_rng(seed)
    compose.set_random_seed(seed)
    xy = np.zeros((0, 2), np.float32) if landmarks is None else joints_in_pixels(landmarks, width, height)
    dim = landmarks is not None and rng.random() < DIMMED
    lit = _dimmed(frame, xy, rng) if dim else frame
    done = compose(image=np.ascontiguousarray(lit[:, :, ::-1]), keypoints=xy)  # its colours are RGB
    applied = ["BackgroundDimming"] * dim + [name for name, _ in done["applied_transforms"]]
    image = np.ascontiguousarray(done["image"][:, :, ::-1], np.uint8)
    if landmarks is None:
        return image, None, applied
    moved = np.asarray(done["keypoints"], np.float32)
    grown = float(palm_lengths(moved[None])[0] / max(float(palm_lengths(xy[None])[0]), 1e-6))
    depth = landmarks[:, 2:] * grown
    return image, np.concatenate([moved / (width, height), depth], axis=1).astype(np.float32), applied


def _dimmed(frame: Frame, xy: npt.NDArray[np.float32], rng: np.random.Generator) -> Frame:
    """Darken what is not the hand, softly: a room behind a lit hand."""
    import cv2

    palm = float(palm_lengths(xy[None])[0])
    hand = np.zeros(frame.shape[:2], np.float32)
    cv2.fillConvexPoly(hand, cv2.convexHull(xy).round().astype(np.int32), 1.0)
    reach = max(int(palm * 0.5) | 1, 3)
    hand = cv2.dilate(hand, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
    hand = np.asarray(cv2.GaussianBlur(hand, (0, 0), max(palm * 0.15, 1.0)))
    light = hand + (1 - hand) * rng.uniform(*DIM)
    return np.asarray(frame * light[..., None], np.uint8)


@lru_cache(maxsize=1)
def _compose() -> Any:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # it asks the network for news of itself
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)  # the processes share the cores already
    edge = {"border_mode": cv2.BORDER_REPLICATE}
    return A.Compose(
        [
            A.Affine(
                rotate=(-TURN_DEG, TURN_DEG),
                translate_percent=(-SHIFT, SHIFT),
                scale=SCALE,
                p=0.9,
                **edge,
            ),
            A.Perspective(scale=PERSPECTIVE, keep_size=True, p=0.4, **edge),
            A.RandomBrightnessContrast(brightness_limit=0.2, contrast_limit=0.15, brightness_by_max=False, p=0.7),
            A.PlanckianJitter(temperature_limit=(4500, 8500), p=0.5),
            A.RandomShadow(num_shadows_limit=(1, 1), shadow_intensity_range=(0.15, 0.35), p=0.15),
            A.OneOf([A.GaussianBlur(sigma_limit=(0.3, 0.9)), A.MotionBlur(blur_limit=(3, 5))], p=0.25),
            A.GaussNoise(std_range=(0.005, 0.02), p=0.4),
            A.ImageCompression(quality_range=(60, 95), p=0.4),
        ],
        keypoint_params=A.KeypointParams(format="xy", remove_invisible=False),
        save_applied_params=True,
    )
