"""Make small valid datasets of generated images, written with the project's own store and card."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.letters import LABEL_INDEX, LETTERS, MOTION_LETTERS
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
COMPARED_COLUMNS = (
    "label", "signer", "session", "camera", "handedness", "landmarks", "hand_box", "hand_score", "width", "sha256",
    "phash", "group", "parent", "licence", "clip", "time_ms",
)  # fmt: skip


def picture(seed: int, *, width: int = 48, height: int = 40) -> Frame:
    """Generate a smooth coloured pattern, BGR, uint8 (height, width, 3)."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin((x * (seed % 7 + 1) + y * (seed % 5 + 2) * shift + seed) / 9) for shift in (1, 2, 3)]
    return np.asarray(np.stack(waves, axis=-1) * 100 + 128, np.uint8)


def row(index: int, signer: str, **other: Any) -> dict[str, Any]:
    """Make a row. Every fourth one has no hand, every fifth one is a PNG."""
    frame = picture(index)
    data, suffix = (encode_png(frame), "png") if index % 5 == 4 else (encode_jpeg(frame), "jpg")
    decoded, hand = decode_image(data), index % 4 < 3
    quality = measure_quality(decoded)
    landmarks = np.tile([[0.4, 0.5, 0.0]], (21, 1)) + np.outer(np.arange(21) / 100, [1, -1, 0.5])
    return {
        "image": {"bytes": data, "path": f"{signer}/one/A/{index}.{suffix}"},
        "label": index % 24,
        "signer": signer,
        "session": "one",
        "camera": "camera 0",
        "captured_at": datetime(2026, 1, 2 + index % 7, 3, 4, 5, 678_000, tzinfo=UTC) if hand else None,
        "handedness": "left" if index % 3 else "right",
        "landmarks": landmarks.astype(np.float32).ravel().tolist() if hand else None,
        "hand_score": 0.75 if hand else None,
        "hand_box": [0.4, 0.3, 0.6, 0.5] if hand else None,
        "width": decoded.shape[1],
        "height": decoded.shape[0],
        "sharpness": quality.sharpness,
        "brightness": quality.brightness,
        "contrast": quality.contrast,
        "sha256": pixel_hash(decoded),
        "phash": perceptual_hash(decoded),
        "group": index,
        "licence": "CC-BY-4.0",
        "consent": "To be shared.",
        "clip": None,
        "time_ms": None,
    } | other


def clip_rows(start: int, signer: str, name: str, *, letter: str = "J", frames: int = 4) -> list[dict[str, Any]]:
    """Make the rows of a clip: 30 frames per second, a hand in three of four, and a group of their own."""
    key = f"{signer}/one/{letter}/{name}"
    return [
        row(start + index, signer, clip=key, time_ms=33 * index, label=LABEL_INDEX[letter], group=start)
        | {"image": row(start + index, signer)["image"] | {"path": f"{key}/{index:03d}.{_suffix(start + index)}"}}
        for index in range(frames)
    ]


def _suffix(index: int) -> str:
    return "png" if index % 5 == 4 else "jpg"


def rows_of(split: str, count: int) -> list[dict[str, Any]]:
    """Make the rows of a split, all different from those of other splits."""
    names, start = SIGNERS[split], 1000 * schema.SPLITS.index(split)
    return [row(start + index, names[index % len(names)]) for index in range(count)]


def facts_for(splits: dict[str, list[dict[str, Any]]], summary: dict[str, Any]) -> dict[str, Any]:
    """Make the facts that curation would store for these rows."""
    originals = {name: sum(row.get("parent") is None for row in rows) for name, rows in splits.items()}
    copies = sum(len(rows) for rows in splits.values()) - sum(originals.values())
    frames = sum(originals.values())
    clips = {name: [row for row in rows if row.get("clip")] for name, rows in splits.items()}
    if any(clips.values()):
        summary = {"clips": {"frames": {name: len(rows) for name, rows in clips.items()}}} | summary
        originals = {name: count - len(clips[name]) for name, count in originals.items()}
        frames = sum(originals.values())
    base = {"frames": frames, "groups": frames, "split_by": "signer", "splits": originals, "held_out": ["cleo"],
             "rejected": {"blurred": 2}, "notes": ["Record more."], "augmented": copies}  # fmt: skip
    return {"summary": base | summary, "versions": VERSIONS, "config": {"seed": 0}}


def write(
    folder: Path, splits: dict[str, list[dict[str, Any]]], *, group_rows: int = 8, summary: dict[str, Any] | None = None
) -> Path:
    """Write rows as a dataset and return its folder."""
    facts = facts_for(splits, summary or {})
    for name, rows in splits.items():
        groups = (
            pa.Table.from_pylist(rows[at : at + group_rows], schema.COLUMNS) for at in range(0, len(rows), group_rows)
        )
        parquet_store.write_split(folder, name, groups, facts=facts)
    card.write_card(folder, name=folder.name, facts=facts)
    return folder


def dataset(folder: Path, *, train: int = 30, validation: int = 4, test: int = 12) -> Path:
    """Write a valid dataset and return its folder."""
    count = {"train": train, "validation": validation, "test": test}
    return write(folder, {name: rows_of(name, number) for name, number in count.items()})


def dataset_with_clips(folder: Path) -> Path:
    """Write a valid dataset with six clips of three signers, and return its folder."""
    splits = {name: rows_of(name, 12) for name in schema.SPLITS}
    for number, (split, signer) in enumerate((("train", "ada"), ("validation", "ben"), ("test", "cleo"))):
        for letter in MOTION_LETTERS:
            start = 10_000 + 1000 * number + 100 * MOTION_LETTERS.index(letter)
            splits[split] += clip_rows(start, signer, f"20260102T03040{number}000Z", letter=letter)
    return write(folder, splits)


def to_version_1(folder: Path) -> Path:
    """Rewrite a dataset without clips as version 1 of the schema wrote it, and return its folder."""
    for path in parquet_store.list_files(folder):
        table = pq.read_table(path).drop_columns(list(schema.CLIP_COLUMNS))
        own = json.loads(table.schema.metadata[b"aslkit"]) | {"schema_version": 1}
        known = json.loads(table.schema.metadata[b"huggingface"])
        features = known["info"]["features"]
        for name in schema.CLIP_COLUMNS:
            del features[name]
        features["label"]["names"] = list(LETTERS)
        pq.write_table(
            table.replace_schema_metadata({"aslkit": json.dumps(own), "huggingface": json.dumps(known)}), path
        )
    return folder


def change(folder: Path, split: str, edit: Callable[[pa.Table], pa.Table]) -> None:
    """Rewrite the first file of a split."""
    path = next(path for path in parquet_store.list_files(folder) if path.name.startswith(split))
    table = pq.read_table(path)
    pq.write_table(edit(table).replace_schema_metadata(table.schema.metadata), path)


def with_cell(table: pa.Table, column: str, index: int, value: Any) -> pa.Table:
    """Return a table with one cell changed."""
    values: Sequence[Any] = table.column(column).to_pylist()
    changed = [value if row == index else each for row, each in enumerate(values)]
    position = table.schema.get_field_index(column)
    field = table.schema.field(position)
    return table.set_column(position, field, pa.array(changed, field.type))


def content(folder: Path) -> dict[str, bytes]:
    """Read the files of a dataset that are shared."""
    return {entry.path: (folder / entry.path).read_bytes() for entry in manifest.build_manifest(folder).files}


def comparable_rows(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of a dataset by split, in a form that other libraries can produce; see `comparable_row`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in parquet_store.read_dataset(folder).to_pylist():
        found.setdefault(each["split"], []).append(comparable_row(each))
    return found


def comparable_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return COMPARED_COLUMNS, `when` in milliseconds since 1970, `path` and number of `bytes` of the image."""
    when = row["captured_at"]
    columns = {name: row[name] for name in COMPARED_COLUMNS}
    derived = {"when": None if when is None else round(when.timestamp() * 1000), "bytes": len(row["image"]["bytes"])}
    return columns | derived | {"path": row["image"]["path"]}
