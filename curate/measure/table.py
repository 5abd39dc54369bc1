"""The rows of a dataset: what was described and what the captures say of each frame, then its image."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.letters import INDEX
from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure.engine import Engine
from aslkit.curate.measure.near_duplicates import GroupFeatures
from aslkit.datasets import parquet_store, schema
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.vision.images import read_image_file, strip_metadata
from aslkit.vision.perceptual_hash import hash_bytes
from aslkit.vision.preprocess import canonical_points

_MOST_BYTES: Final = 256_000_000
"""Of images in memory at once; Arrow holds at most 2 GB in one column."""


def find_groups(
    frames: Sequence[CapturedFrame], seen: pa.Table, limits: NearDuplicateLimits, engine: Engine
) -> npt.NDArray[np.int64]:
    """The group of near-duplicates of each frame, int64 (n,).

    Args:
        frames: that can be read, n of them.
        seen: what was measured of them, rows of `describe.DESCRIBED`.
        limits: up to what frames are near-duplicates.
        engine: that compares them.
    """
    within = np.array([f"{frame.signer}/{frame.letter}" for frame in frames])
    return engine.group(group_features(seen), within, limits)


def group_features(seen: pa.Table) -> GroupFeatures:
    """What frames are compared by; `seen` as for `find_groups`."""
    hands = np.full((len(seen), 21, 2), np.nan, np.float32)
    found = seen.column("landmarks").is_valid().to_numpy()
    sides = np.stack([seen.column(name).to_numpy()[found] for name in ("width", "height")], axis=1)
    hands[found] = landmark_array(seen)[..., :2] * sides[:, None]
    return GroupFeatures(
        phash=hash_bytes(seen.column("phash").to_numpy()),
        fine_hash=hashes_to_bytes(seen.column("fine_hash")),
        hand_hash=hashes_to_bytes(seen.column("hand_hash")),
        hands=hands,
        left=pc.fill_null(pc.equal(seen.column("handedness"), "left"), False).to_numpy(),
    )


def hashes_to_bytes(column: pa.ChunkedArray) -> npt.NDArray[np.uint8]:
    """Bytes of equal length, uint8 (n, bytes); zeros where there are none."""
    width = column.type.byte_width
    values = pc.fill_null(column, bytes(width)).combine_chunks()
    flat = np.frombuffer(values.buffers()[1], np.uint8)[values.offset * width :]
    return flat[: len(values) * width].reshape(-1, width)


def landmark_array(seen: pa.Table) -> npt.NDArray[np.float32]:
    """Of those frames in which a hand was found: float32 (n, 21, 3), as `Hand.landmarks`."""
    flat = seen.column("landmarks").combine_chunks().flatten()
    return np.asarray(flat.to_numpy(), np.float32).reshape(-1, 21, 3)


def right_hands(seen: pa.Table) -> npt.NDArray[np.float32]:
    """The hands found, as right ones, float32 (n, 21, 3), as `canonical_points` gives them.

    Args:
        seen: with the columns landmarks, handedness, width and height.
    """
    found = seen.filter(seen.column("landmarks").is_valid())
    return canonical_points(
        landmark_array(found),
        widths=found.column("width").to_numpy(),
        heights=found.column("height").to_numpy(),
        left=pc.fill_null(pc.equal(found.column("handedness"), "left"), False).to_numpy(),
        mirror_left=True,
    )


def build_table(
    kept: Sequence[CapturedFrame],
    seen: pa.Table,
    group: npt.NDArray[np.int64],
    infos: dict[tuple[str, str], SessionInfo],
) -> pa.Table:
    """All rows, frames in the order they were taken, without the images themselves."""
    own = []
    for frame in kept:
        info = infos[frame.signer, frame.session]
        own.append(
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
        "image": pa.nulls(len(kept), schema.COLUMNS.field("image").type),
    }
    mine = pa.Table.from_pylist(own, pa.schema([schema.COLUMNS.field(name) for name in own[0]]))
    for field in schema.COLUMNS:
        if field.name in mine.column_names:
            columns[field.name] = mine.column(field.name)
        elif field.name in seen.column_names:
            columns[field.name] = seen.column(field.name)
        elif field.name not in columns:
            columns[field.name] = pa.nulls(len(kept), field.type)
    return pa.table({name: columns[name] for name in schema.COLUMNS.names}, schema=schema.COLUMNS)


def add_images(table: pa.Table, kept: Sequence[CapturedFrame], rows: Any) -> Iterator[pa.Table]:
    """The rows with their image files, a row group at a time, or less where the images are large."""
    images: list[dict[str, Any]] = []
    size, start = 0, 0
    for index, row in enumerate(rows):
        frame = kept[row]
        # As imported or recorded there is nothing to take away; in folders that somebody made by hand there may be.
        images.append({"bytes": strip_metadata(read_image_file(frame.path)), "path": frame.key})
        size += len(images[-1]["bytes"])
        if (index + 1) % parquet_store.ROWS_PER_GROUP == 0 or index + 1 == len(rows) or size > _MOST_BYTES:
            yield _filled(table.slice(start, len(images)), images)
            images, size, start = [], 0, index + 1


def regroup_rows(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `store.ROWS_PER_GROUP`, or fewer where their images are large."""
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= parquet_store.ROWS_PER_GROUP or sum(each.nbytes for each in waiting) > _MOST_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _filled(part: pa.Table, images: list[dict[str, Any]]) -> pa.Table:
    at = part.schema.get_field_index("image")
    return part.set_column(at, "image", pa.array(images, schema.COLUMNS.field("image").type))
