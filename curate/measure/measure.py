"""What can be known of an image by looking at it alone. One pure function over Arrow batches; an engine maps it."""

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
from aslkit.vision.perceptual_hash import DOWNSCALED_SIDE, FINE_BYTES, downscale_gray

VERSION: Final = 3
"""Raise it when a description changes: what was measured before is then measured again."""

GIVEN: Final = pa.schema([pa.field("content", pa.string()), pa.field("bytes", pa.binary())])
"""In: the SHA-256 of the image file, and the file itself."""

FILES_SCHEMA: Final = pa.schema([pa.field("content", pa.string()), pa.field("path", pa.binary())])
"""In: the same, and where the file lies, as the system has it: a name need not be text."""

_MEASURED: Final = (
    "width", "height", "sharpness", "brightness", "contrast", "sha256", "phash",
    "handedness", "landmarks", "hand_score", "hand_box",
)  # fmt: skip

OPTIONS_SCHEMA: Final = pa.schema(
    [
        pa.field("hands", pa.int8()),
        *(pa.field(name, pa.float32()) for name in ("size", "blur_fine", "blur_coarse", "hand_brightness", "glare")),
        pa.field("fine_hash", pa.binary(FINE_BYTES)),
        pa.field("hand_hash", pa.binary(FINE_BYTES)),
        pa.field("small", pa.binary(DOWNSCALED_SIDE**2)),
    ]
)
"""Columns that only the checks need: attributes of `frame_metrics.FrameMetrics`, and `downscale_gray`, the downscaled image."""

MEASURED_SCHEMA: Final = pa.schema(
    [
        GIVEN.field("content"),
        pa.field("error", pa.string()),
        *(COLUMNS.field(name) for name in _MEASURED),
        *OPTIONS_SCHEMA,
    ]
)
"""Out: one row for each in; only `content` and `error` are set where the image cannot be decoded."""


@dataclass(frozen=True, kw_only=True)
class MeasureOptions:
    """How hands are looked for; part of what a description depends on.

    Attributes:
        min_confidence, second_try: as `HandLandmarker`.
        hands: whether they are looked for at all; that takes nine tenths of the time.
    """

    min_confidence: float
    second_try: bool
    hands: bool = True


def measure_batch(batch: pa.RecordBatch, looking: MeasureOptions) -> pa.RecordBatch:
    """Describe a batch of GIVEN; returns one of DESCRIBED, rows in the same order. Depends on nothing else."""
    landmarker = _landmarker(looking)
    contents, images = batch.column("content").to_pylist(), batch.column("bytes")
    rows = [_row(content, data.as_py(), landmarker) for content, data in zip(contents, images, strict=True)]
    return pa.RecordBatch.from_pylist(rows, MEASURED_SCHEMA)


def measure_files(batch: pa.RecordBatch, looking: MeasureOptions) -> pa.RecordBatch:
    """As `measure_batch`, of a batch of NAMED, whose files are read one at a time."""
    landmarker = _landmarker(looking)
    named = zip(batch.column("content").to_pylist(), batch.column("path").to_pylist(), strict=True)
    rows = [_row(content, read_image_file(Path(os.fsdecode(path))), landmarker) for content, path in named]
    return pa.RecordBatch.from_pylist(rows, MEASURED_SCHEMA)


def file_batches(files: Mapping[str, Path], size: int) -> Iterator[pa.RecordBatch]:
    """Yield files, content hash to path, as batches of NAMED of `size` rows."""
    contents, paths = list(files), [os.fsencode(path.absolute()) for path in files.values()]
    for start in range(0, len(contents), size):
        part = slice(start, start + size)
        yield pa.RecordBatch.from_arrays([pa.array(contents[part]), pa.array(paths[part])], schema=FILES_SCHEMA)


def _row(content: str, data: bytes, landmarker: HandLandmarker | None) -> dict[str, Any]:
    try:
        frame = decode_image(data)
    except ImageError as error:
        return {"content": content, "error": error.message}
    grey = to_gray(frame)
    seen = measure_frame(frame, landmarker.find_all(frame) if landmarker else [], grey=grey)
    return {"content": content, **_seen(frame, grey, seen), **_hand(seen)}


def _seen(frame: Frame, grey: Frame, seen: FrameMetrics) -> dict[str, Any]:
    measured = measure_quality(grey)
    return {
        "width": seen.width,
        "height": seen.height,
        "sharpness": measured.sharpness,
        "brightness": measured.brightness,
        "contrast": measured.contrast,
        "sha256": pixel_hash(frame),
        "phash": seen.phash,
        "hands": seen.hands,
        "size": seen.size,
        "blur_fine": seen.blur_fine,
        "blur_coarse": seen.blur_coarse,
        "hand_brightness": seen.brightness,
        "glare": seen.glare,
        "fine_hash": seen.fine_hash.to_bytes(FINE_BYTES),
        "small": downscale_gray(grey).tobytes(),
    }


def _hand(seen: FrameMetrics) -> dict[str, Any]:
    hand = seen.hand
    if hand is None:
        return {}
    return {
        "hand_hash": seen.hand_hash.to_bytes(FINE_BYTES),
        "handedness": hand.handedness,
        "landmarks": hand.landmarks.ravel(),
        "hand_score": hand.score,
        "hand_box": hand.box,
    }


@lru_cache(maxsize=1)
def _landmarker(looking: MeasureOptions) -> HandLandmarker | None:
    """One a process: it takes a second to start."""
    import cv2

    cv2.setNumThreads(1)  # the processes share the cores already
    if not looking.hands:
        return None
    return HandLandmarker(min_confidence=looking.min_confidence, second_try=looking.second_try, max_hands=2)
