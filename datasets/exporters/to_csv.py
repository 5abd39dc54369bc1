"""Exports as CSV: hand crops of 28×28 as Sign Language MNIST has them, and landmarks."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from aslkit.core.letters import LETTERS
from aslkit.datasets.exporters.rows import ABOUT, SplitExport, sanitize_table
from aslkit.datasets.schema import FAR
from aslkit.datasets.sign_mnist import read_csv
from aslkit.vision.images import ImageError, decode_image
from aslkit.vision.preprocess import PreprocessConfig, pixel_features

CROP: Final = PreprocessConfig(kind="pixels", size=read_csv.SIDE)
"""As the feature pixels28 sees a hand: its square crop, grey, left hands mirrored."""

AXES: Final = tuple(f"{axis}{joint}" for joint in range(21) for axis in "xyz")
_CROPPED: Final = ("image", "label", "hand_box", "handedness")
_Crop = npt.NDArray[np.uint8]


def write_csv28(part: SplitExport) -> int:
    """Write sign_mnist_SPLIT.csv: label, as published (0–24 without 9), and pixel1 to pixel784; returns how many.

    An image that is 28×28 already, and in which no hand was looked for, is taken as it is.
    """
    written = 0
    columns = pa.schema([pa.field(name, pa.uint8()) for name in read_csv.COLUMNS])
    with (
        (part.to / f"sign_mnist_{part.split}.csv").open("wb") as raw,
        pyarrow.csv.CSVWriter(raw, columns, write_options=_HEADLESS) as file,
        ThreadPoolExecutor() as pool,
    ):
        raw.write((",".join(read_csv.COLUMNS) + "\n").encode())
        for table in part.row_groups(_CROPPED):
            crops = list(pool.map(_crop, table.to_pylist()))
            part.left_out.update(each for each in crops if isinstance(each, str))
            taken = [index for index, each in enumerate(crops) if not isinstance(each, str)]
            if taken:
                file.write_table(_as_published(crops, table.column("label").to_pylist(), taken, columns))
            written += len(taken)
    return written


_HEADLESS: Final = pyarrow.csv.WriteOptions(include_header=False)
"""pyarrow puts names in quotes, which the published files do not."""


def _as_published(crops: list[_Crop | str], labels: list[int], taken: list[int], columns: pa.Schema) -> pa.Table:
    pixels = np.stack([np.asarray(crops[index], np.uint8).ravel() for index in taken])
    published = np.array([ord(LETTERS[labels[index]]) - ord("A") for index in taken], np.uint8)
    return pa.Table.from_arrays([pa.array(published), *map(pa.array, np.ascontiguousarray(pixels.T))], schema=columns)


def _crop(row: dict[str, Any]) -> _Crop | str:
    """The hand, grey, uint8 (28, 28), or why there is none."""
    try:
        frame = decode_image((row["image"] or {}).get("bytes") or b"")
    except ImageError as error:
        return error.message
    if row["hand_box"] is None:
        return frame[..., 1] if frame.shape[:2] == (CROP.size, CROP.size) else "no hand found"
    box = np.array(row["hand_box"], np.float32)
    if not np.isfinite(box).all() or np.abs(box).max() > FAR:
        return "hand box far outside"
    values = pixel_features(frame, box, left=row["handedness"] == "left", contract=CROP)
    return np.asarray((values[..., 0] * 255).round(), np.uint8)


def write_landmarks(part: SplitExport) -> int:
    """Write landmarks-SPLIT.csv: what is known of each row, then x0, y0, z0 to z20; returns how many.

    Landmarks are empty where no hand was found.
    """
    written = 0
    writer: Any = None
    try:
        for table in part.row_groups(("label", "landmarks", *ABOUT)):
            flat = _flat(table)
            if writer is None:
                writer = pyarrow.csv.CSVWriter(part.to / f"landmarks-{part.split}.csv", flat.schema)
            writer.write_table(flat)
            written += len(flat)
    finally:
        if writer is not None:
            writer.close()
    return written


def _flat(table: pa.Table) -> pa.Table:
    letters = pa.array([LETTERS[label] for label in table.column("label").to_pylist()], pa.string())
    about = sanitize_table(table.select(["label", *ABOUT])).add_column(0, "letter", letters)
    found = table.column("landmarks").is_valid().to_numpy()
    values = np.zeros((len(table), len(AXES)), np.float32)
    values[found] = table.column("landmarks").combine_chunks().flatten().to_numpy(zero_copy_only=False).reshape(-1, 63)
    for index, name in enumerate(AXES):
        about = about.append_column(name, pa.array(values[:, index], mask=~found))
    return about
