"""Export to CSV: 28×28 hand crops in the format of Sign Language MNIST, or landmarks."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from aslkit.core.letters import LABELS, LETTERS
from aslkit.datasets.exporters.rows import IN_CLIP, METADATA_COLUMNS, NO_IMAGE, SplitExport, sanitize_table
from aslkit.datasets.schema import MAX_COORDINATE
from aslkit.datasets.sign_mnist import parse_csv
from aslkit.vision.images import ImageError, decode_image
from aslkit.vision.preprocess import PreprocessConfig, pixel_features

CROP_CONFIG: Final = PreprocessConfig(kind="pixels", size=parse_csv.SIDE)
"""Preprocessing of the feature pixels28: a square greyscale crop of the hand, with left hands mirrored."""

LANDMARK_COLUMNS: Final = tuple(f"{axis}{joint}" for joint in range(21) for axis in "xyz")
_CROP_COLUMNS: Final = ("image", "label", "hand_box", "handedness", "clip")
_Crop = npt.NDArray[np.uint8]

_NO_HEADER: Final = pyarrow.csv.WriteOptions(include_header=False)
"""The header is written separately, because pyarrow quotes the names and the published files do not."""


def write_csv28(part: SplitExport) -> int:
    """Write sign_mnist_SPLIT.csv and return the number of rows.

    The columns are label, 0–24 without 9 as in the published files, and pixel1 to pixel784. An image that already has
    28×28 pixels and no hand box is exported without cropping. The frames of clips are skipped: the format has no J
    and Z.
    """
    written = 0
    columns = pa.schema([pa.field(name, pa.uint8()) for name in parse_csv.COLUMNS])
    with (
        (part.to / f"sign_mnist_{part.split}.csv").open("wb") as raw,
        pyarrow.csv.CSVWriter(raw, columns, write_options=_NO_HEADER) as file,
        ThreadPoolExecutor() as pool,
    ):
        raw.write((",".join(parse_csv.COLUMNS) + "\n").encode())
        for table in part.row_groups(_CROP_COLUMNS):
            stills = table.column("clip").is_null()
            part.left_out.update({IN_CLIP: count} if (count := len(table) - sum(stills.to_pylist())) else {})
            table = table.filter(stills)
            crops = list(pool.map(_crop_hand, table.to_pylist()))
            part.left_out.update(crop for crop in crops if isinstance(crop, str))
            cropped = [index for index, crop in enumerate(crops) if not isinstance(crop, str)]
            if cropped:
                file.write_table(_to_published_table(crops, table.column("label").to_pylist(), cropped, columns))
            written += len(cropped)
    return written


def _to_published_table(
    crops: list[_Crop | str], labels: list[int], cropped: list[int], columns: pa.Schema
) -> pa.Table:
    pixels = np.stack([np.asarray(crops[index], np.uint8).ravel() for index in cropped])
    published_labels = np.array([ord(LETTERS[labels[index]]) - ord("A") for index in cropped], np.uint8)
    # Transposed to (784, n), one array for each column of the CSV file.
    arrays = [pa.array(published_labels), *map(pa.array, np.ascontiguousarray(pixels.T))]
    return pa.Table.from_arrays(arrays, schema=columns)


def _crop_hand(row: dict[str, Any]) -> _Crop | str:
    """Return the hand as greyscale, uint8 (28, 28), or the reason why it cannot be cropped."""
    data = (row["image"] or {}).get("bytes")
    if row["label"] >= len(LETTERS):
        return "J or Z, but not part of a clip"
    if data is None:
        return NO_IMAGE
    try:
        frame = decode_image(data)
    except ImageError as error:
        return error.message
    if row["hand_box"] is None:
        return frame[..., 1] if frame.shape[:2] == (CROP_CONFIG.size, CROP_CONFIG.size) else "no hand detected"
    box = np.array(row["hand_box"], np.float32)
    if not np.isfinite(box).all() or np.abs(box).max() > MAX_COORDINATE:
        return "hand box far outside the image"
    values = pixel_features(frame, box, left=row["handedness"] == "left", contract=CROP_CONFIG)
    return np.asarray((values[..., 0] * 255).round(), np.uint8)


def write_landmarks(part: SplitExport) -> int:
    """Write landmarks-SPLIT.csv and return the number of rows.

    The columns are letter, label, METADATA_COLUMNS and x0, y0, z0 to x20, y20, z20. Landmarks are empty if no hand was
    detected. The rows of a clip have its name in the column clip, and their time in time_ms.
    """
    written = 0
    writer: Any = None
    try:
        for table in part.row_groups(("label", "landmarks", *METADATA_COLUMNS)):
            rows = _flatten_landmarks(table)
            if writer is None:
                writer = pyarrow.csv.CSVWriter(part.to / f"landmarks-{part.split}.csv", rows.schema)
            writer.write_table(rows)
            written += len(rows)
    finally:
        if writer is not None:
            writer.close()
    return written


def _flatten_landmarks(table: pa.Table) -> pa.Table:
    letters = pa.array([LABELS[label] for label in table.column("label").to_pylist()], pa.string())
    rows = sanitize_table(table.select(["label", *METADATA_COLUMNS])).add_column(0, "letter", letters)
    has_hand = table.column("landmarks").is_valid().to_numpy()
    values = np.zeros((len(table), len(LANDMARK_COLUMNS)), np.float32)
    # flatten skips null lists, so its rows belong to the rows with a hand only.
    landmarks = table.column("landmarks").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    values[has_hand] = landmarks.reshape(-1, 63)
    for index, name in enumerate(LANDMARK_COLUMNS):
        rows = rows.append_column(name, pa.array(values[:, index], mask=~has_hand))
    return rows
