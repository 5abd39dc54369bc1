"""Export images: one folder for each letter, or WebDataset tar shards for streaming."""

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet

from aslkit.core.letters import LABELS
from aslkit.core.workspace import make_name
from aslkit.datasets import schema
from aslkit.datasets.exporters.rows import METADATA_COLUMNS, SplitExport, export_image, sanitize_cell, sanitize_table
from aslkit.vision.images import ImageError

SHARD_BYTES: Final = 256_000_000
"""Size in bytes at which a new tar file is started."""

_COLUMNS: Final = ("image", "label", *METADATA_COLUMNS)
_MAX_TIME_MS: Final = 4_102_444_800_000  # the year 2100
_Row = tuple[dict[str, Any], bytes, str]


def write_imagefolder(part: SplitExport) -> int:
    """Write SPLIT/LETTER/SIGNER-NUMBER.jpg and SPLIT/metadata.parquet, and return the number of images.

    A clip is a folder, SPLIT/LETTER/SIGNER-NUMBER, with one image for each frame, in the order of their times.
    """
    metadata: list[dict[str, Any]] = []
    clips: dict[str, tuple[str, int]] = {}
    for number, (row, data, suffix) in enumerate(_iter_images(part, uniform=False)):
        letter = LABELS[row["label"]]
        name = f"{letter}/{make_name(row['signer'] or 'unknown')[:40]}-{number:06d}"
        if row["clip"] is not None:
            name, frames = clips.get(row["clip"], (name, 0))
            clips[row["clip"]] = name, frames + 1
            name = f"{name}/{frames:04d}"
        name += suffix
        path = part.to / part.split / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        metadata.append({"file_name": name, "letter": letter} | {key: row[key] for key in ("label", *METADATA_COLUMNS)})
    if metadata:
        table = sanitize_table(pa.Table.from_pylist(metadata, _metadata_schema()))
        pyarrow.parquet.write_table(table, part.to / part.split / "metadata.parquet")
    return len(metadata)


def _metadata_schema() -> pa.Schema:
    """Return the columns of metadata.parquet.

    Hugging Face reads the label names from the metadata of the schema. From a CSV file, labels would be strings.
    """
    texts = [pa.field(name, pa.string()) for name in ("file_name", "letter")]
    columns = [schema.COLUMNS.field(name) for name in ("label", *METADATA_COLUMNS)]
    known = schema.huggingface_features()
    features = {each.name: {"dtype": "string", "_type": "Value"} for each in texts}
    features |= {each.name: known[each.name] for each in columns}
    return pa.schema([*texts, *columns]).with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


def write_webdataset(part: SplitExport) -> int:
    """Write SPLIT-000000.tar and so on, and return the number of images.

    Each sample is NUMBER.jpg, NUMBER.cls (the label, 0–25) and NUMBER.json. A frame of a clip is a sample; clip and
    time_ms in its JSON file say which one. All images have the format of the first
    one, because readers expect the same files in each sample.
    """
    count, shard, size = 0, 0, SHARD_BYTES
    with ExitStack() as stack:
        for row, data, suffix in _iter_images(part, uniform=True):
            if size >= SHARD_BYTES:
                # Closes the previous shard, which writes the end of its archive.
                stack.close()
                archive = stack.enter_context(tarfile.open(part.to / f"{part.split}-{shard:06d}.tar", "w"))
                shard, size = shard + 1, 0
            metadata = {"letter": LABELS[row["label"]]} | {key: sanitize_cell(row[key]) for key in METADATA_COLUMNS}
            encoded = json.dumps(metadata, default=lambda time: time.isoformat()).encode()
            for ending, content in ((suffix, data), (".cls", str(row["label"]).encode()), (".json", encoded)):
                _add_file(archive, f"{part.split}-{count:06d}{ending}", content)
                size += len(content)
            count += 1
    return count


def _add_file(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # no owner and no time, so that exports are reproducible
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def _iter_images(part: SplitExport, *, uniform: bool) -> Iterator[_Row]:
    """Yield the rows with their image files and suffixes. If `uniform`, all images have the format of the first one."""
    required: str | None = None
    for table in part.row_groups(_COLUMNS):
        for row in _iter_rows(table):
            try:
                data, suffix = export_image(row["image"] and row["image"]["bytes"], suffix=required)
            except ImageError as error:
                part.left_out[error.message] += 1
                continue
            if uniform and required is None:
                required = suffix if suffix in (".jpg", ".png") else ".png"
                data, suffix = export_image(data, suffix=required)
            yield row, data, suffix


def _iter_rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the rows as dicts. Times that Python cannot represent become None."""
    index = table.schema.get_field_index("captured_at")
    # to_pylist raises an error for times outside the range of Python's datetime, which a damaged file can contain.
    times = table.column(index).cast(pa.int64())
    valid = pa.compute.less(pa.compute.abs_checked(pa.compute.fill_null(times, 0)), _MAX_TIME_MS)
    yield from table.set_column(index, "captured_at", pa.compute.if_else(valid, table.column(index), None)).to_pylist()
