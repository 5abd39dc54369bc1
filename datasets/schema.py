"""The contract of a dataset: its columns. Everything that reads or writes Parquet in aslkit comes here."""

import json
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.datasets.schema_versions import past, upgraded

VERSION: Final = 1
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
    ]
)

LENGTHS: Final = {"landmarks": 63, "hand_box": 4}
"""Values in each list that is not null. Not a fixed_size_list: Parquet files of Arrow hold no null ones (ADR 2)."""

FAR: Final = 10.0
"""A landmark or box that lies so many times the frame's side outside of it is no hand's: a little outside is usual."""

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
"""Of rejected.parquet: one row for each image that curation did not take, and why."""

WITHHELD: Final = pa.schema([*REJECTED, pa.field("sha256", pa.string()), pa.field("group", pa.int64())])
"""Of rejected.parquet in a merged dataset. `sha256` and `group` are null but where merging itself left the frame out:
a later merge must know of it, or its outcome would depend on the order of merging."""

FLAGGED: Final = pa.schema([*REJECTED, pa.field("sha256", pa.string())])
"""Of flagged.parquet in a merged dataset: files of two people's may have one name."""


def with_metadata(facts: dict[str, Any]) -> pa.Schema:
    """Return COLUMNS with what Hugging Face needs to show images and letter names, and with aslkit's own `facts`."""
    own = {"schema_version": VERSION, "aslkit": __version__, **facts}
    features = huggingface_features(pixels=facts.get("pixels") is not False)
    return COLUMNS.with_metadata(
        {
            "huggingface": json.dumps({"info": {"features": features}}),
            "aslkit": json.dumps(own),
        }
    )


def huggingface_features(*, pixels: bool = True) -> dict[str, Any]:
    """The columns in the words of Hugging Face `datasets`; without pixels, an image is only what its parts are."""
    parts = {name: {"dtype": dtype, "_type": "Value"} for name, dtype in (("bytes", "binary"), ("path", "string"))}
    special = {
        "image": {"_type": "Image"} if pixels else parts,
        "label": {"names": list(LETTERS), "_type": "ClassLabel"},
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
    """Read what `with_metadata` wrote; empty where another program wrote the file, or something else stands there."""
    own = (schema.metadata or {}).get(b"aslkit")
    try:
        facts = json.loads(own) if own else {}
    except (ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def label_names(schema: pa.Schema) -> list[str] | None:
    """The letters' names as Hugging Face shows them; None where the file says none that can be read."""
    try:
        said = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]["label"]["names"]
        return [str(name) for name in said]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def check(schema: pa.Schema, where: str) -> None:
    """Raise AslkitError unless a file's columns are those of the contract, or of a past version of it."""
    version = _version(schema)
    before = past(version)
    if version != VERSION and before is None:
        raise AslkitError(f"{where} has schema version {version}; this aslkit reads {VERSION}. Update aslkit.")
    for field in COLUMNS if before is None else before.columns:
        index = schema.get_field_index(field.name)
        if index < 0:
            raise AslkitError(f"{where} has no column {field.name!r}. It is not an aslkit dataset; curate makes one.")
        if schema.field(index).type != field.type:
            raise AslkitError(f"{where}: column {field.name!r} is {schema.field(index).type}, not {field.type}.")


def columns_to_read(schema: pa.Schema, columns: Sequence[str] | None) -> list[str] | None:
    """Which columns of a file to read so that `upgrade_table` can give `columns`; None is all."""
    before = past(_version(schema))
    if before is not None:
        return list(before.columns.names)
    return None if columns is None else list(columns)


def upgrade_table(table: pa.Table, schema: pa.Schema, columns: Sequence[str] | None) -> pa.Table:
    """Bring what was read of a file to the columns of today.

    Args:
        table: the columns that `columns_to_read` names.
        schema: of the file, which `check` let pass.
        columns: which are wanted, all where None; "image.path" is the image's name without its bytes.
    """
    if is_current(schema):
        return table
    table = upgraded(table, _version(schema), VERSION)
    if columns is None:
        return table
    wanted = table.select([name for name in COLUMNS.names if name in columns or f"{name}.path" in columns])
    if "image.path" not in columns:
        return wanted
    path = pa.compute.struct_field(wanted.column("image").combine_chunks(), "path")
    return wanted.set_column(
        wanted.schema.get_field_index("image"), "image", pa.StructArray.from_arrays([path], ["path"])
    )


def is_current(schema: pa.Schema) -> bool:
    """Whether a file that `check` let pass is of VERSION, so that it can be read as it is."""
    return past(_version(schema)) is None


def _version(schema: pa.Schema) -> Any:
    return parse_facts(schema).get("schema_version", VERSION)
