"""Measure single images: a pure function of Arrow batches, mapped by an engine."""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.formats.measurements import MEASURED_SCHEMA as MEASURED_SCHEMA
from aslkit.formats.measurements import VERSION as VERSION
from aslkit.formats.measurements import MeasureOptions as MeasureOptions
from aslkit.formats.measurements import measured_row
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import ImageError, decode_image, read_image_file, to_gray

BYTES_SCHEMA: Final = pa.schema([pa.field("content", pa.string()), pa.field("bytes", pa.binary())])
"""Input of `measure_batch`: SHA-256 and content of an image file."""

FILES_SCHEMA: Final = pa.schema([pa.field("content", pa.string()), pa.field("path", pa.binary())])
"""Input of `measure_files`: SHA-256 and path of an image file. The path is in bytes, because it may not be valid
Unicode."""


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
    return measured_row(content, frame, metrics, gray=gray)


@lru_cache(maxsize=1)
def _load_landmarker(options: MeasureOptions) -> HandLandmarker | None:
    """Load the hand landmarker once per process, which takes a second."""
    import cv2

    cv2.setNumThreads(1)  # one worker process per core
    if not options.hands:
        return None
    return HandLandmarker(min_confidence=options.min_confidence, second_try=options.second_try, max_hands=2)
