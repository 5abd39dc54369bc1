"""Build the rows of a dataset from the measurements, the sessions and the image files."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.letters import INDEX
from aslkit.curate.measure.near_duplicates import GroupFeatures
from aslkit.datasets import parquet_store, schema
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.vision.images import read_image_file, strip_metadata
from aslkit.vision.perceptual_hash import hash_bytes
from aslkit.vision.preprocess import canonical_points

_MAX_IMAGE_BYTES: Final = 256_000_000
"""Maximum size of the images in memory at once. Arrow allows at most 2 GB in one column."""


_CAPTURED_COLUMNS: Final = ("label", "signer", "session", "camera", "captured_at", "licence", "consent")
"""Columns that come from the captures; the others are measured."""


class ImageFile(Protocol):
    """An image of a dataset.

    Attributes:
        path: path of its file.
        key: `image.path` in the dataset.
    """

    @property
    def path(self) -> Path: ...  # noqa: D102

    @property
    def key(self) -> str: ...  # noqa: D102


def group_features(measurements: pa.Table) -> GroupFeatures:
    """Return the features by which frames are compared, from rows of `measure.MEASURED_SCHEMA`."""
    hands = np.full((len(measurements), 21, 2), np.nan, np.float32)
    has_hand = measurements.column("landmarks").is_valid().to_numpy()
    sizes = np.stack([measurements.column(name).to_numpy()[has_hand] for name in ("width", "height")], axis=1)
    hands[has_hand] = landmark_array(measurements)[..., :2] * sizes[:, None]
    return GroupFeatures(
        phash=hash_bytes(measurements.column("phash").to_numpy()),
        hands=hands,
    )


def hashes_to_bytes(column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Convert a fixed-size binary column to uint8 (n, bytes); nulls become zeros."""
    width = column.type.byte_width
    values = pc.fill_null(column, bytes(width)).combine_chunks()
    flat = np.frombuffer(values.buffers()[1], np.uint8)[values.offset * width :]
    return flat[: len(values) * width].reshape(-1, width)


def landmark_array(measurements: pa.Table) -> npt.NDArray[np.float32]:
    """Return the landmarks of the frames that have a hand, float32 (hands, 21, 3), as `Hand.landmarks`."""
    flat = measurements.column("landmarks").combine_chunks().flatten()
    return np.asarray(flat.to_numpy(), np.float32).reshape(-1, 21, 3)


def right_hands(measurements: pa.Table) -> npt.NDArray[np.float32]:
    """Return the hands, left ones mirrored, as `canonical_points` does: float32 (hands, 21, 3).

    Args:
        measurements: with the columns landmarks, handedness, width and height; rows without a hand are skipped.
    """
    hands = measurements.filter(measurements.column("landmarks").is_valid())
    return canonical_points(
        landmark_array(hands),
        widths=hands.column("width").to_numpy(),
        heights=hands.column("height").to_numpy(),
        left=pc.fill_null(pc.equal(hands.column("handedness"), "left"), False).to_numpy(),
        mirror_left=True,
    )


def build_table(
    frames: Sequence[CapturedFrame],
    measurements: pa.Table,
    group: npt.NDArray[np.int64],
    sessions: dict[tuple[str, str], SessionInfo],
) -> pa.Table:
    """Return the rows of `schema.COLUMNS` in the order of the frames, without the images.

    Args:
        frames: n frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        group: int64 (n,), near-duplicates.
        sessions: by signer and session.
    """
    rows = []
    for frame in frames:
        info = sessions[frame.signer, frame.session]
        rows.append(
            {
                "label": INDEX[frame.letter],
                "signer": frame.signer,
                "session": frame.session,
                "camera": info.camera,
                "captured_at": frame.captured_at,
                "licence": info.licence,
                "consent": info.consent,
            }
        )
    columns = {
        "group": pa.array(group),
        "image": pa.nulls(len(frames), schema.COLUMNS.field("image").type),
    }
    captured = pa.Table.from_pylist(rows, pa.schema([schema.COLUMNS.field(name) for name in _CAPTURED_COLUMNS]))
    for field in schema.COLUMNS:
        if field.name in captured.column_names:
            columns[field.name] = captured.column(field.name)
        elif field.name in measurements.column_names:
            columns[field.name] = measurements.column(field.name)
        elif field.name not in columns:
            columns[field.name] = pa.nulls(len(frames), field.type)
    return pa.table({name: columns[name] for name in schema.COLUMNS.names}, schema=schema.COLUMNS)


def add_images(table: pa.Table, frames: Sequence[ImageFile], rows: Any) -> Iterator[pa.Table]:
    """Yield the rows with their image files, one row group at a time, or fewer rows if the images are large.

    Args:
        table: rows of `build_table`.
        frames: all frames of the dataset, or all frames of its clips.
        rows: for each row of the table, the index of its frame.
    """
    images: list[dict[str, Any]] = []
    size, start = 0, 0
    for index, row in enumerate(rows):
        frame = frames[row]
        # Recorded and imported images have no metadata, but images that a user copied into the folder may have.
        images.append({"bytes": strip_metadata(read_image_file(frame.path)), "path": frame.key})
        size += len(images[-1]["bytes"])
        if (index + 1) % parquet_store.ROWS_PER_GROUP == 0 or index + 1 == len(rows) or size > _MAX_IMAGE_BYTES:
            yield _fill_images(table.slice(start, len(images)), images)
            images, size, start = [], 0, index + 1


def regroup_rows(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the rows in tables of at least `parquet_store.ROWS_PER_GROUP`, or fewer if the images are large."""
    pending: list[pa.Table] = []
    for batch in batches:
        pending.append(batch)
        rows, size = sum(map(len, pending)), sum(table.nbytes for table in pending)
        if rows >= parquet_store.ROWS_PER_GROUP or size > _MAX_IMAGE_BYTES:
            yield pa.concat_tables(pending)
            pending = []
    if pending:
        yield pa.concat_tables(pending)


def _fill_images(table: pa.Table, images: list[dict[str, Any]]) -> pa.Table:
    column = table.schema.get_field_index("image")
    return table.set_column(column, "image", pa.array(images, schema.COLUMNS.field("image").type))
