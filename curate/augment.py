"""Augmented copies of training images: different light, position and camera, the same letter.

No flips, and only small rotations: G and Q, H and U, K and P differ by the direction in which the fingers point.
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
"""Name of the parameters below; change it when they change."""

JPEG_QUALITY: Final = 90
"""JPEG quality of the copies, 1–100."""

_ROWS_PER_BATCH: Final = 32
"""Rows that a worker process augments at once."""

MAX_ROTATION_DEG: Final = 12
"""Letters that differ only by direction are at least 60° apart, so this is well below half of that."""

MAX_SHIFT: Final = 0.08
"""Maximum translation, relative to the size of the frame."""

SCALE_RANGE: Final = (0.85, 1.15)

PERSPECTIVE_RANGE: Final = (0.02, 0.05)
"""Standard deviation of the displacement of the corners, relative to the size of the frame."""

DIM_PROBABILITY: Final = 0.25
"""Share of frames with a hand whose background is dimmed."""

DIM_RANGE: Final = (0.45, 0.85)
"""Factor by which the background is dimmed."""


def augment_batch(batch: pa.RecordBatch, *, copies: int, seed: int) -> pa.RecordBatch:
    """Return augmented copies of the rows, in order. A pure function, mapped by an engine.

    Args:
        batch: rows of `schema.COLUMNS` with their images, from the train split.
        copies: number of copies per row.
        seed: combined with the hash of the image and the number of the copy, so that equal rows give equal bytes.
    """
    augmented = []
    for row in batch.to_pylist():
        frame = decode_image(row["image"]["bytes"])
        augmented += [_augment_row(row, frame, number, seed) for number in range(1, copies + 1)]
    return pa.RecordBatch.from_pylist(augmented, schema.COLUMNS)


def augment_images(
    images: Iterable[pa.Table], *, copies: int, total: int, seed: int, engine: Engine
) -> Iterator[pa.Table]:
    """Yield augmented copies of rows with their images, in order.

    Args:
        images: tables of `schema.COLUMNS`.
        copies: number of copies per row.
        total: number of rows, for the progress bar.
        seed: as for `augment_batch`.
        engine: runs the augmentation.
    """
    batches = (batch for table in images for batch in table.to_batches(max_chunksize=_ROWS_PER_BATCH))
    with progress_bar("Augmenting images", total * copies) as advance:
        for batch in engine.map(partial(augment_batch, copies=copies, seed=seed), batches):
            advance(len(batch))
            yield pa.Table.from_batches([batch])


def _augment_row(row: Mapping[str, Any], frame: Frame, number: int, seed: int) -> dict[str, Any]:
    copy_seed = int.from_bytes(hashlib.sha256(f"{seed}:{row['sha256']}:{number}".encode()).digest()[:4])
    points = None if row["landmarks"] is None else np.array(row["landmarks"], np.float32).reshape(21, 3)
    image, moved, applied = augment_image(frame, points, seed=copy_seed)
    data = encode_jpeg(image, quality=JPEG_QUALITY)
    decoded = decode_image(data)
    quality = measure_quality(decoded)
    stem = row["image"]["path"].rpartition(".")[0]
    recipe = {"preset": PRESET, "seed": copy_seed, "applied": applied}
    return {
        **row,
        "image": {"bytes": data, "path": f"{stem}+{number}.jpg"},
        "landmarks": None if moved is None else moved.ravel(),
        "hand_box": None if moved is None else [*moved[:, :2].min(axis=0), *moved[:, :2].max(axis=0)],
        "sharpness": quality.sharpness,
        "brightness": quality.brightness,
        "contrast": quality.contrast,
        "sha256": pixel_hash(decoded),
        "phash": perceptual_hash(decoded),
        "parent": row["sha256"],
        "augmentation": json.dumps(recipe),
    }


def augment_image(
    frame: Frame, landmarks: npt.NDArray[np.float32] | None, *, seed: int
) -> tuple[Frame, npt.NDArray[np.float32] | None, list[str]]:
    """Augment an image, and transform its landmarks accordingly.

    Args:
        frame: BGR image, uint8 (height, width, 3).
        landmarks: float32 (21, 3), as `Hand.landmarks`; None without a hand.
        seed: 0 to 2**32 - 1; the same seed gives exactly the same result.

    Returns:
        the augmented frame, of the same size; its landmarks; the names of the applied transforms, in order.
    """
    height, width = frame.shape[:2]
    pipeline, rng = _build_pipeline(), np.random.default_rng(seed)
    pipeline.set_random_seed(seed)
    xy = np.zeros((0, 2), np.float32) if landmarks is None else joints_in_pixels(landmarks, width, height)
    dim = landmarks is not None and rng.random() < DIM_PROBABILITY
    source = _dim_background(frame, xy, rng) if dim else frame
    result = pipeline(image=np.ascontiguousarray(source[:, :, ::-1]), keypoints=xy)  # Albumentations expects RGB
    applied = ["BackgroundDimming"] * dim + [name for name, _ in result["applied_transforms"]]
    image = np.ascontiguousarray(result["image"][:, :, ::-1], np.uint8)
    if landmarks is None:
        return image, None, applied
    moved = np.asarray(result["keypoints"], np.float32)
    scale = float(palm_lengths(moved[None])[0] / max(float(palm_lengths(xy[None])[0]), 1e-6))
    depth = landmarks[:, 2:] * scale
    return image, np.concatenate([moved / (width, height), depth], axis=1).astype(np.float32), applied


def _dim_background(frame: Frame, xy: npt.NDArray[np.float32], rng: np.random.Generator) -> Frame:
    """Darken everything but the hand, with a soft edge, as if only the hand were lit."""
    import cv2

    palm = float(palm_lengths(xy[None])[0])
    mask = np.zeros(frame.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(xy).round().astype(np.int32), 1.0)
    diameter = max(int(palm * 0.5) | 1, 3)
    mask = cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (diameter, diameter)))
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(palm * 0.15, 1.0)))
    brightness = mask + (1 - mask) * rng.uniform(*DIM_RANGE)
    return np.asarray(frame * brightness[..., None], np.uint8)


@lru_cache(maxsize=1)
def _build_pipeline() -> Any:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # Albumentations looks for a newer version online
    import albumentations as A
    import cv2

    cv2.setNumThreads(1)  # one worker process per core
    border = {"border_mode": cv2.BORDER_REPLICATE}
    return A.Compose(
        [
            A.Affine(
                rotate=(-MAX_ROTATION_DEG, MAX_ROTATION_DEG),
                translate_percent=(-MAX_SHIFT, MAX_SHIFT),
                scale=SCALE_RANGE,
                p=0.9,
                **border,
            ),
            A.Perspective(scale=PERSPECTIVE_RANGE, keep_size=True, p=0.4, **border),
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
