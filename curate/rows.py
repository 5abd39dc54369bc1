"""The rows of a dataset: what was described and what the captures say of each frame, then its image."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.captures import SessionInfo
from aslkit.curate import describe
from aslkit.curate.clean import Judged
from aslkit.curate.config import CurateConfig
from aslkit.curate.group import near_duplicates
from aslkit.datasets import schema, store
from aslkit.images import read_file, without_traces
from aslkit.letters import INDEX

_MOST_BYTES: Final = 256_000_000
"""Of images in memory at once; Arrow holds at most 2 GB in one column."""


def described(kept: Sequence[Judged]) -> pa.Table:
    """What was measured of each frame: rows of `describe.DESCRIBED`."""
    return pa.Table.from_pylist([each.seen for each in kept], describe.DESCRIBED)


def groups(kept: Sequence[Judged], seen: pa.Table, config: CurateConfig) -> npt.NDArray[np.int64]:
    """The group of near-duplicates of each frame, int64 (n,); `seen` is what `described` gave."""
    hands = np.full((len(kept), 21, 2), np.nan, np.float32)
    found = seen.column("landmarks").is_valid().to_numpy()
    sides = np.stack([seen.column(name).to_numpy()[found] for name in ("width", "height")], axis=1)
    hands[found] = landmarks(seen)[..., :2] * sides[:, None]
    return near_duplicates(
        seen.column("phash").to_numpy(),
        hands,
        np.array([f"{each.frame.signer}/{each.frame.letter}" for each in kept]),
        distance=config.group_distance,
        hand_distance=config.group_hand_distance,
    )


def landmarks(seen: pa.Table) -> npt.NDArray[np.float32]:
    """Of those frames in which a hand was found: float32 (n, 21, 3), as `Hand.landmarks`."""
    flat = seen.column("landmarks").combine_chunks().flatten()
    return np.asarray(flat.to_numpy(), np.float32).reshape(-1, 21, 3)


def table(
    kept: Sequence[Judged], seen: pa.Table, group: npt.NDArray[np.int64], infos: dict[tuple[str, str], SessionInfo]
) -> pa.Table:
    """All rows, frames in the order they were taken, without the images themselves."""
    own = []
    for each in kept:
        frame, info = each.frame, infos[each.frame.signer, each.frame.session]
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


def with_images(table: pa.Table, kept: Sequence[Judged], rows: Any) -> Iterator[pa.Table]:
    """The rows with their image files, a row group at a time, or less where the images are large."""
    images: list[dict[str, Any]] = []
    size, start = 0, 0
    for index, row in enumerate(rows):
        frame = kept[row].frame
        # As imported or recorded there is nothing to take away; in folders that somebody made by hand there may be.
        images.append({"bytes": without_traces(read_file(frame.path)), "path": frame.key})
        size += len(images[-1]["bytes"])
        if (index + 1) % store.ROWS_PER_GROUP == 0 or index + 1 == len(rows) or size > _MOST_BYTES:
            yield _filled(table.slice(start, len(images)), images)
            images, size, start = [], 0, index + 1


def grouped(batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield the same rows in tables of `store.ROWS_PER_GROUP`, or fewer where their images are large."""
    waiting: list[pa.Table] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= store.ROWS_PER_GROUP or sum(each.nbytes for each in waiting) > _MOST_BYTES:
            yield pa.concat_tables(waiting)
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting)


def _filled(part: pa.Table, images: list[dict[str, Any]]) -> pa.Table:
    at = part.schema.get_field_index("image")
    return part.set_column(at, "image", pa.array(images, schema.COLUMNS.field("image").type))
