"""Measure single images: a pure function of Arrow batches, mapped by an engine."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.datasets.schema import COLUMNS
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame, ImageError, decode_image, measure_quality, pixel_hash, read_image_file, to_gray
from aslkit.vision.perceptual_hash import DOWNSCALED_SIDE, downscale_gray

VERSION: Final = 5
"""Version of the measurements. Increment it when they change: cached images are then measured again."""

BYTES_SCHEMA: Final = pa.schema([pa.field("content", pa.string()), pa.field("bytes", pa.binary())])
"""Input of `measure_batch`: SHA-256 and content of an image file."""

FILES_SCHEMA: Final = pa.schema([pa.field("content", pa.string()), pa.field("path", pa.binary())])
"""Input of `measure_files`: SHA-256 and path of an image file. The path is in bytes, because it may not be valid
Unicode."""

_DATASET_COLUMNS: Final = (
    "width", "height", "sharpness", "brightness", "contrast", "sha256", "phash",
    "handedness", "landmarks", "hand_score", "hand_box",
)  # fmt: skip

CHECK_SCHEMA: Final = pa.schema(
    [
        pa.field("hands", pa.int8()),
        *(pa.field(name, pa.float32()) for name in ("size", "blur_fine", "blur_coarse", "hand_brightness", "glare")),
        pa.field("small", pa.binary(DOWNSCALED_SIDE**2)),
    ]
)
"""Columns that are not part of a dataset: attributes of `FrameMetrics`, and the result of `downscale_gray`."""

MEASURED_SCHEMA: Final = pa.schema(
    [
        BYTES_SCHEMA.field("content"),
        pa.field("error", pa.string()),
        *(COLUMNS.field(name) for name in _DATASET_COLUMNS),
        *CHECK_SCHEMA,
    ]
)
"""Output: one row per image. If an image cannot be decoded, only `content` and `error` are set."""


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """Options that the measurements depend on.

    Attributes:
        min_confidence, second_try: as in `HandLandmarker`.
        hands: whether to detect hands, which takes 90 % of the time.
    """

    min_confidence: float
    second_try: bool
    hands: bool = True


def measure_batch(batch: pa.RecordBatch, options: MeasureOptions) -> pa.RecordBatch:
    """Measure a batch of BYTES_SCHEMA, and return a batch of MEASURED_SCHEMA with the rows in the same order."""
    landmarker = _load_landmarker(options)
    contents, images = batch.column("content").to_pylist(), batch.column("bytes")
    rows = [_measure_image(content, data.as_py(), landmarker) for content, data in zip(contents, images, strict=True)]
    return pa.RecordBatch.from_pylist(rows, MEASURED_SCHEMA)


def measure_files(batch: pa.RecordBatch, options: MeasureOptions) -> pa.RecordBatch:
    """Like `measure_batch`, for a batch of FILES_SCHEMA. The files are read one at a time."""
    landmarker = _load_landmarker(options)
    files = zip(batch.column("content").to_pylist(), batch.column("path").to_pylist(), strict=True)
    rows = [_measure_image(content, read_image_file(Path(os.fsdecode(path))), landmarker) for content, path in files]
    return pa.RecordBatch.from_pylist(rows, MEASURED_SCHEMA)


def file_batches(files: Mapping[str, Path], size: int) -> Iterator[pa.RecordBatch]:
    """Yield files, given as paths by content hash, in batches of FILES_SCHEMA with `size` rows."""
    contents, paths = list(files), [os.fsencode(path.absolute()) for path in files.values()]
    for start in range(0, len(contents), size):
        part = slice(start, start + size)
        yield pa.RecordBatch.from_arrays([pa.array(contents[part]), pa.array(paths[part])], schema=FILES_SCHEMA)


def _measure_image(content: str, data: bytes, landmarker: HandLandmarker | None) -> dict[str, Any]:
    try:
        frame = decode_image(data)
    except ImageError as error:
        return {"content": content, "error": error.message}
    gray = to_gray(frame)
    metrics = measure_frame(frame, landmarker.find_all(frame) if landmarker else [], grey=gray)
    return {"content": content, **_frame_columns(frame, gray, metrics), **_hand_columns(metrics)}


def _frame_columns(frame: Frame, gray: Frame, metrics: FrameMetrics) -> dict[str, Any]:
    quality = measure_quality(gray)
    return {
        "width": metrics.width,
        "height": metrics.height,
        "sharpness": quality.sharpness,
        "brightness": quality.brightness,
        "contrast": quality.contrast,
        "sha256": pixel_hash(frame),
        "phash": metrics.phash,
        "hands": metrics.hands,
        "size": metrics.size,
        "blur_fine": metrics.blur_fine,
        "blur_coarse": metrics.blur_coarse,
        "hand_brightness": metrics.brightness,
        "glare": metrics.glare,
        "small": downscale_gray(gray).tobytes(),
    }


def _hand_columns(metrics: FrameMetrics) -> dict[str, Any]:
    hand = metrics.hand
    if hand is None:
        return {}
    return {
        "handedness": hand.handedness,
        "landmarks": hand.landmarks.ravel(),
        "hand_score": hand.score,
        "hand_box": hand.box,
    }


@lru_cache(maxsize=1)
def _load_landmarker(options: MeasureOptions) -> HandLandmarker | None:
    """Load the hand landmarker once per process, which takes a second."""
    import cv2

    cv2.setNumThreads(1)  # one worker process per core
    if not options.hands:
        return None
    return HandLandmarker(min_confidence=options.min_confidence, second_try=options.second_try, max_hands=2)
