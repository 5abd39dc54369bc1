"""The columns of a dataset. All code in aslkit that reads or writes Parquet uses these definitions."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABELS, LETTERS

VERSION: Final = 2
"""Version that is written. Version 1 has neither clips nor the columns CLIP_COLUMNS, and is still read."""

READABLE_VERSIONS: Final = (1, VERSION)

SPLITS: Final = ("train", "validation", "test")

COLUMNS: Final = pa.schema(
    [
        pa.field("image", pa.struct([pa.field("bytes", pa.binary()), pa.field("path", pa.string())])),
        pa.field("label", pa.int64()),
        pa.field("signer", pa.string()),
        pa.field("session", pa.string()),
        pa.field("camera", pa.string()),
        pa.field("captured_at", pa.timestamp("ms", tz="UTC")),
        pa.field("handedness", pa.string()),
        pa.field("landmarks", pa.list_(pa.float32())),
        pa.field("hand_score", pa.float32()),
        pa.field("hand_box", pa.list_(pa.float32())),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("sharpness", pa.float32()),
        pa.field("brightness", pa.float32()),
        pa.field("contrast", pa.float32()),
        pa.field("sha256", pa.string()),
        pa.field("phash", pa.uint64()),
        pa.field("group", pa.int64()),
        pa.field("parent", pa.string()),
        pa.field("augmentation", pa.string()),
        pa.field("licence", pa.string()),
        pa.field("consent", pa.string()),
        pa.field("clip", pa.string()),
        pa.field("time_ms", pa.int32()),
    ]
)

CLIP_COLUMNS: Final = ("clip", "time_ms")
"""Columns that are null for an image that is not part of a clip. `clip` identifies the clip in the dataset:
SIGNER/SESSION/LETTER/CLIP. `time_ms` is the time since the first frame of the clip, milliseconds."""

LENGTHS: Final = {"landmarks": 63, "hand_box": 4}
"""Number of values in each list that is not null. The columns are not of type fixed_size_list because Arrow cannot
write null values of that type to Parquet (ADR 2)."""

MAX_COORDINATE: Final = 10.0
"""Largest plausible absolute value of a landmark or box coordinate, as a multiple of the frame's side. Coordinates
slightly outside the frame are normal."""

REJECTED: Final = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("letter", pa.string()),
        pa.field("signer", pa.string()),
        pa.field("session", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
    ]
)
"""Columns of rejected.parquet: one row for each image that curation rejected, with the reason.

flagged.parquet (warnings about accepted images) and reviewed.parquet (decisions of people, with the action as the
reason) have the same columns. `path` is that of the file in captures, `letter` the one that the image shows."""

MERGED_REJECTED: Final = pa.schema([*REJECTED, pa.field("sha256", pa.string()), pa.field("group", pa.int64())])
"""Columns of rejected.parquet in a merged dataset. `sha256` and `group` are set only for frames that the merge itself
excluded. Later merges need them: without them, the result would depend on the order of merging."""

MERGED_FLAGGED: Final = pa.schema([*REJECTED, pa.field("sha256", pa.string())])
"""Columns of flagged.parquet in a merged dataset, where files from different sources can have the same path."""


def with_metadata(facts: dict[str, Any]) -> pa.Schema:
    """Return COLUMNS with metadata: the features that Hugging Face needs to show images and letters, and `facts`."""
    own = {"schema_version": VERSION, "aslkit": __version__, **facts}
    features = huggingface_features(pixels=facts.get("pixels") is not False)
    return COLUMNS.with_metadata(
        {
            "huggingface": json.dumps({"info": {"features": features}}),
            "aslkit": json.dumps(own),
        }
    )


def huggingface_features(*, pixels: bool = True) -> dict[str, Any]:
    """Describe the columns as Hugging Face `datasets` features.

    Args:
        pixels: whether the dataset contains images. If not, `image` is described as a struct, not as an image.
    """
    image_parts = {
        name: {"dtype": dtype, "_type": "Value"} for name, dtype in (("bytes", "binary"), ("path", "string"))
    }
    special = {
        "image": {"_type": "Image"} if pixels else image_parts,
        "label": {"names": list(LABELS), "_type": "ClassLabel"},
        "captured_at": {"dtype": "timestamp[ms, tz=UTC]", "_type": "Value"},
    }
    features: dict[str, Any] = {}
    for field in COLUMNS:
        if field.name in special:
            features[field.name] = special[field.name]
        elif pa.types.is_list(field.type):
            features[field.name] = {"feature": {"dtype": "float32", "_type": "Value"}, "_type": "Sequence"}
        else:
            name = "float32" if field.type == pa.float32() else str(field.type)
            features[field.name] = {"dtype": name, "_type": "Value"}
    return features


def parse_facts(schema: pa.Schema) -> dict[str, Any]:
    """Parse the facts that `with_metadata` wrote. Return an empty dict if they are missing or invalid."""
    own = (schema.metadata or {}).get(b"aslkit")
    try:
        facts = json.loads(own) if own else {}
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def label_names(schema: pa.Schema) -> list[str] | None:
    """Return the label names in a file's Hugging Face metadata, or None if they are missing or invalid."""
    try:
        names = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]["label"]["names"]
        return [str(name) for name in names]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def has_known_labels(schema: pa.Schema) -> bool:
    """Return whether the label names are those of the version of the file, or missing."""
    names = label_names(schema)
    return names is None or names == list(LETTERS if file_version(schema) == 1 else LABELS)


def file_version(schema: pa.Schema) -> Any:
    """Return the schema version that a file states. It can have any type, because the file is untrusted.

    Without a statement, a file without clips is version 1: other programs drop the metadata.
    """
    implied = VERSION if any(name in schema.names for name in CLIP_COLUMNS) else 1
    return parse_facts(schema).get("schema_version", implied)


def check(schema: pa.Schema, source: str) -> None:
    """Validate the version and the columns of a file's schema.

    Args:
        schema: the schema of the file.
        source: name of the file in error messages.

    Raises:
        AslkitError: the schema version is unknown, or a column is missing or has another type.
    """
    version = file_version(schema)
    if version not in READABLE_VERSIONS or isinstance(version, bool):
        raise AslkitError(
            f"{source} has schema version {version}, but this version of aslkit reads versions "
            f"{' and '.join(map(str, READABLE_VERSIONS))} only. Update aslkit."
        )
    for field in COLUMNS:
        if version == 1 and field.name in CLIP_COLUMNS:
            continue
        index = schema.get_field_index(field.name)
        if index < 0:
            raise AslkitError(
                f"{source} has no column {field.name!r}, so it is not an aslkit dataset. `aslkit curate` creates one."
            )
        if schema.field(index).type != field.type:
            raise AslkitError(f"{source}: column {field.name!r} is {schema.field(index).type}, not {field.type}.")


def stored_columns(schema: pa.Schema, names: Sequence[str]) -> list[str]:
    """Return the columns to read from a file: all of `names`, or those that version 1 has."""
    return [name for name in names if name not in CLIP_COLUMNS or file_version(schema) != 1]


def add_clip_columns(rows: pa.Table | pa.RecordBatch, names: Sequence[str]) -> pa.Table | pa.RecordBatch:
    """Return rows with null for those of CLIP_COLUMNS that are in `names` and not in the rows, as in version 1."""
    for name in CLIP_COLUMNS:
        if name in names and name not in rows.schema.names:
            rows = rows.append_column(COLUMNS.field(name), pa.nulls(len(rows), COLUMNS.field(name).type))
    return rows
