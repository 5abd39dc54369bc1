"""A tiny valid dataset of pictures made by code, written with the project's own store and card."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.datasets import card, parquet_store, schema
from aslkit.datasets.sharing import manifest
from aslkit.vision.images import (
    Frame,
    decode_image,
    encode_jpeg,
    encode_png,
    measure_quality,
    perceptual_hash,
    pixel_hash,
)

SIGNERS = {"train": ("ada", "ben"), "validation": ("ben",), "test": ("cleo",)}
VERSIONS = {"aslkit": "0.1.0"}


def picture(seed: int, *, width: int = 48, height: int = 40) -> Frame:
    """A smooth coloured pattern, BGR, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x * (seed % 7 + 1) + y * (seed % 5 + 2) * shift + seed) / 9) for shift in (1, 2, 3)]
    return np.asarray(np.stack(waves, axis=-1) * 100 + 128, np.uint8)


def row(index: int, signer: str, **other: Any) -> dict[str, Any]:
    """A frame with a hand; every fourth has none, every fifth is a PNG."""
    frame = picture(index)
    data, suffix = (encode_png(frame), "png") if index % 5 == 4 else (encode_jpeg(frame), "jpg")
    seen, hand = decode_image(data), index % 4 < 3
    measured = measure_quality(seen)
    joints = np.tile([[0.4, 0.5, 0.0]], (21, 1)) + np.outer(np.arange(21) / 100, [1, -1, 0.5])
    return {
        "image": {"bytes": data, "path": f"{signer}/one/A/{index}.{suffix}"},
        "label": index % 24,
        "signer": signer,
        "session": "one",
        "camera": "camera 0",
        "captured_at": datetime(2026, 1, 2 + index % 7, 3, 4, 5, 678_000, tzinfo=UTC) if hand else None,
        "handedness": "left" if index % 3 else "right",
        "landmarks": joints.astype(np.float32).ravel().tolist() if hand else None,
        "hand_score": 0.75 if hand else None,
        "hand_box": [0.4, 0.3, 0.6, 0.5] if hand else None,
        "width": seen.shape[1],
        "height": seen.shape[0],
        "sharpness": measured.sharpness,
        "brightness": measured.brightness,
        "contrast": measured.contrast,
        "sha256": pixel_hash(seen),
        "phash": perceptual_hash(seen),
        "group": index,
        "licence": "CC-BY-4.0",
        "consent": "To be shared.",
    } | other


def rows_of(split: str, count: int) -> list[dict[str, Any]]:
    """Rows of a split, all different from those of the others."""
    names, start = SIGNERS[split], 1000 * schema.SPLITS.index(split)
    return [row(start + index, names[index % len(names)]) for index in range(count)]


def facts_for(splits: dict[str, list[dict[str, Any]]], summary: dict[str, Any]) -> dict[str, Any]:
    """What curation would say of these rows."""
    originals = {name: sum(row.get("parent") is None for row in rows) for name, rows in splits.items()}
    copies = sum(len(rows) for rows in splits.values()) - sum(originals.values())
    frames = sum(originals.values())
    about = {"frames": frames, "groups": frames, "split_by": "signer", "splits": originals, "held_out": ["cleo"],
             "rejected": {"blurred": 2}, "notes": ["Record more."], "augmented": copies}  # fmt: skip
    return {"summary": about | summary, "versions": VERSIONS, "config": {"seed": 0}}


def write(
    folder: Path, splits: dict[str, list[dict[str, Any]]], *, at_once: int = 8, summary: dict[str, Any] | None = None
) -> Path:
    """Write these rows as a dataset; returns its folder."""
    facts = facts_for(splits, summary or {})
    for name, rows in splits.items():
        groups = (pa.Table.from_pylist(rows[at : at + at_once], schema.COLUMNS) for at in range(0, len(rows), at_once))
        parquet_store.write_split(folder, name, groups, facts=facts)
    card.write_card(folder, name=folder.name, facts=facts)
    return folder


def dataset(folder: Path, *, train: int = 30, validation: int = 4, test: int = 12) -> Path:
    """Write a valid dataset; returns its folder."""
    count = {"train": train, "validation": validation, "test": test}
    return write(folder, {name: rows_of(name, number) for name, number in count.items()})


def change(folder: Path, split: str, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Rewrite a split's first file."""
    path = next(path for path in parquet_store.list_files(folder) if path.name.startswith(split))
    table = pq.read_table(path)
    pq.write_table(edit(table).replace_schema_metadata(table.schema.metadata), path)


def with_cell(table: pa.Table, column: str, index: int, value: Any) -> pa.Table:
    """A table with one cell changed."""
    values: Sequence[Any] = table.column(column).to_pylist()
    changed = [value if at == index else each for at, each in enumerate(values)]
    at = table.schema.get_field_index(column)
    return table.set_column(at, table.schema.field(at), pa.array(changed, table.schema.field(at).type))


def content(folder: Path) -> dict[str, bytes]:
    """The files of a dataset that are handed on."""
    return {entry.path: (folder / entry.path).read_bytes() for entry in manifest.build_manifest(folder).files}
