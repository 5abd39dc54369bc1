"""Exports with images: a folder for each letter, and tar shards for training from a stream."""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv

from aslkit.core.letters import LETTERS
from aslkit.core.workspace import make_name
from aslkit.datasets.exporters.rows import ABOUT, SplitExport, export_image, sanitize_cell, sanitize_table
from aslkit.vision.images import ImageError

SHARD_BYTES: Final = 256_000_000
"""Of one tar file."""

_COLUMNS: Final = ("image", "label", *ABOUT)
_Row = tuple[dict[str, Any], bytes, str]


def write_imagefolder(part: SplitExport) -> int:
    """Write SPLIT/LETTER/SIGNER-NUMBER.jpg, and SPLIT/metadata.csv with what is known of each; returns how many."""
    told: list[dict[str, Any]] = []
    for number, (row, data, suffix) in enumerate(_images(part, uniform=False)):
        letter = LETTERS[row["label"]]
        name = f"{letter}/{make_name(row['signer'] or 'unknown')[:40]}-{number:06d}{suffix}"
        path = part.to / part.split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        told.append({"file_name": name, "label": letter} | {key: row[key] for key in ABOUT})
    if told:
        pyarrow.csv.write_csv(sanitize_table(pa.Table.from_pylist(told)), part.to / part.split / "metadata.csv")
    return len(told)


def write_webdataset(part: SplitExport) -> int:
    """Write SPLIT-000000.tar, … with NUMBER.jpg, NUMBER.cls (label, 0–23) and NUMBER.json; returns how many.

    All images are of the format of the first, since readers want the same files for each.
    """
    count, shard, size = 0, 0, SHARD_BYTES
    with ExitStack() as stack:
        for row, data, suffix in _images(part, uniform=True):
            if size >= SHARD_BYTES:
                stack.close()
                archive = stack.enter_context(tarfile.open(part.to / f"{part.split}-{shard:06d}.tar", "w"))
                shard, size = shard + 1, 0
            about = {"letter": LETTERS[row["label"]]} | {key: sanitize_cell(row[key]) for key in ABOUT}
            told = json.dumps(about, default=lambda when: when.isoformat()).encode()
            for ending, content in ((suffix, data), (".cls", str(row["label"]).encode()), (".json", told)):
                _add(archive, f"{part.split}-{count:06d}{ending}", content)
                size += len(content)
            count += 1
    return count


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # without owner or time: the same dataset gives the same bytes
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _images(part: SplitExport, *, uniform: bool) -> Iterator[_Row]:
    """Yield rows with their image files and suffixes; where `uniform`, all of the format of the first."""
    wanted: str | None = None
    for table in part.row_groups(_COLUMNS):
        for row in _rows(table):
            try:
                data, suffix = export_image(row["image"] and row["image"]["bytes"], suffix=wanted)
            except ImageError as error:
                part.left_out[error.message] += 1
                continue
            if uniform and wanted is None:
                wanted = suffix if suffix in (".jpg", ".png") else ".png"
                data, suffix = export_image(data, suffix=wanted)
            yield row, data, suffix


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Rows as dicts; a time that no calendar has is null."""
    at = table.schema.get_field_index("captured_at")
    when = table.column(at).cast(pa.int64())
    inside = pa.compute.less(pa.compute.abs_checked(pa.compute.fill_null(when, 0)), 4_102_444_800_000)
    yield from table.set_column(at, "captured_at", pa.compute.if_else(inside, table.column(at), None)).to_pylist()
