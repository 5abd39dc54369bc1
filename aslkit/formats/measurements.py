"""What is measured in each image of the captures, and the Parquet files that store it, one row per image.

`aslkit capture` measures the frames that it stores, and writes the results into the folder of the session. `aslkit
curate` measures all other images, and keeps the results in the cache of the workspace. The files have one format.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.files import atomic_write
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import MIN_CONFIDENCE, Hand
from aslkit.vision.images import Frame, measure_quality, pixel_hash, to_gray
from aslkit.vision.perceptual_hash import DOWNSCALED_SIDE, downscale_gray

VERSION: Final = 5
"""Version of the measurements. Increment it when they change: images are then measured again."""

SESSION_MEASUREMENTS: Final = ".measurements"
"""Folder in a session for the measurements of its frames. It is hidden, like the trash, and can be deleted."""

MEASURED_SCHEMA: Final = pa.schema(
    [
        pa.field("content", pa.string()),
        pa.field("error", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        *(pa.field(name, pa.float32()) for name in ("sharpness", "brightness", "contrast")),
        pa.field("sha256", pa.string()),
        pa.field("phash", pa.uint64()),
        pa.field("handedness", pa.string()),
        pa.field("landmarks", pa.list_(pa.float32())),
        pa.field("hand_score", pa.float32()),
        pa.field("hand_box", pa.list_(pa.float32())),
        # The columns above are part of a dataset, except `content` and `error`. Those below are only for its checks.
        pa.field("hands", pa.int8()),
        *(pa.field(name, pa.float32()) for name in ("size", "blur_fine", "blur_coarse", "hand_brightness", "glare")),
        pa.field("small", pa.binary(DOWNSCALED_SIDE**2)),
    ]
)
"""One row per image: the SHA-256 of its file (`content`), columns of a dataset, attributes of `FrameMetrics`, and the
result of `downscale_gray`. If the image cannot be decoded, only `content` and `error` are set."""

_LIST_LENGTHS: Final = {"landmarks": 63, "hand_box": 4}


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

    @property
    def folder_name(self) -> str:
        """Name of the folder of measurements with these options; the versions are part of it."""
        hands = f"{self.min_confidence:g}-{int(self.second_try)}" if self.hands else "no-hands"
        return f"v{VERSION}-mediapipe-{version('mediapipe')}-{hands}"


RECORDER_OPTIONS: Final = MeasureOptions(min_confidence=MIN_CONFIDENCE, second_try=True)
"""Options with which `aslkit capture` measures, see `create_landmarker`. They are the defaults of curation."""


def measured_row(content: str, frame: Frame, metrics: FrameMetrics, *, gray: Frame | None = None) -> dict[str, Any]:
    """Return the row of an image.

    Args:
        content: SHA-256 of the image file in hex.
        frame: pixels decoded from the file, BGR, uint8 (height, width, 3).
        metrics: metrics of these pixels.
        gray: the frame in gray, uint8 (height, width), if already computed.
    """
    gray = to_gray(frame) if gray is None else gray
    quality = measure_quality(gray)
    row = {
        "content": content,
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
    return row if metrics.hand is None else row | _hand_columns(metrics.hand)


def _hand_columns(hand: Hand) -> dict[str, Any]:
    return {
        "handedness": hand.handedness,
        "landmarks": hand.landmarks.ravel(),
        "hand_score": hand.score,
        "hand_box": hand.box,
    }


def write_measurements(folder: Path, table: pa.Table) -> Path:
    """Write rows of MEASURED_SCHEMA to a new file in a folder, atomically, and return its path.

    Raises:
        OSError: the disk is full.
    """
    name = hashlib.sha256("".join(table.column("content").to_pylist()).encode()).hexdigest()[:16]
    path = folder / f"{name}.parquet"
    with atomic_write(path) as partial_file:
        pq.write_table(table, partial_file, compression="zstd")
    return path


def read_measurements(folder: Path, *, on_damaged: Callable[[Path], None]) -> dict[Path, pa.Table]:
    """Return the rows of all files in a folder, by file; empty if the folder does not exist.

    Args:
        folder: folder to which `write_measurements` wrote.
        on_damaged: called with each file that cannot be read or has other columns. It is left out.
    """
    tables = {}
    for path in sorted(folder.glob("*.parquet")):
        try:
            table = pq.read_table(path).cast(MEASURED_SCHEMA)
            _check_lengths(table)
            tables[path] = table
        except (pa.ArrowException, OSError, ValueError):
            on_damaged(path)
    return tables


def _check_lengths(table: pa.Table) -> None:
    """Raise ValueError if a list has another length: the file may come from another computer."""
    for name, length in _LIST_LENGTHS.items():
        if pc.any(pc.not_equal(pc.list_value_length(table.column(name)), length)).as_py():
            raise ValueError(f"{name} does not have {length} values")
