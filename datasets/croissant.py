"""Write croissant.json, the MLCommons Croissant 1.0 metadata that search engines and dataset loaders read.

Specification: http://mlcommons.org/croissant/1.0
"""

import json
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.core.files import file_hash, write_text
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.info import DatasetInfo

FILE: Final = "croissant.json"
RECORD_SET: Final = "frames"

_TERMS: Final = (
    "citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated",
    "replace", "separator", "source", "subField", "transform",
)  # fmt: skip
"""Croissant vocabulary. The mlcroissant package requires all terms in the context, even unused ones."""

_CONTEXT: Final[dict[str, Any]] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{name: f"cr:{name}" for name in _TERMS},
}

_DATA_TYPES: Final = {
    pa.int64(): "sc:Integer",
    pa.int32(): "sc:Integer",
    pa.uint64(): "sc:Integer",
    pa.float32(): "sc:Float",
    pa.list_(pa.float32()): "sc:Float",
    pa.string(): "sc:Text",
    pa.timestamp("ms", tz="UTC"): "sc:Date",
}
_LICENCE_URL: Final = "https://spdx.org/licenses/{}.html"
_LICENCES_WITHOUT_URL: Final = ("other", "unknown")
_OPTIONAL_FACTS: Final = (("citeAs", "citation"), ("url", "url"), ("version", "version"))
"""Croissant properties and the facts they are taken from."""

_FILE_SET: Final = {
    "@type": "cr:FileSet",
    "@id": "parquet",
    "encodingFormat": "application/x-parquet",
    "includes": "data/*.parquet",
}
_SPLITS_PATTERN: Final = "|".join(schema.SPLITS)


def write_croissant(folder: Path, info: DatasetInfo, *, name: str, licence: str, facts: dict[str, Any]) -> None:
    """Write croissant.json into a dataset folder.

    Args:
        folder: the dataset folder, with its Parquet files.
        info: statistics of the dataset.
        name: name of the dataset.
        licence: licence of the whole dataset: an SPDX identifier, "other" or "unknown".
        facts: metadata of the dataset. `citation`, `url` and `version` are used if they are strings.
    """
    description = (
        f"{info.images:,} images of the static letters of the ASL fingerspelling alphabet, with hand landmarks."
    )
    metadata = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": sanitize_text(name),
        "description": description,
        "license": sanitize_text(licence)
        if licence in _LICENCES_WITHOUT_URL
        else _LICENCE_URL.format(sanitize_text(licence)),
        **{
            key: sanitize_text(facts[fact], most=1000)
            for key, fact in _OPTIONAL_FACTS
            if isinstance(facts.get(fact), str)
        },
        "distribution": [*_describe_files(folder), _FILE_SET],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": RECORD_SET, "name": RECORD_SET, "field": _describe_fields(facts)}
        ],
    }
    write_text(folder / FILE, json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")


def _describe_files(folder: Path) -> list[dict[str, str]]:
    return [
        {
            "@type": "cr:FileObject",
            "@id": f"data/{path.name}",
            "name": path.name,
            "contentUrl": f"data/{path.name}",
            "contentSize": f"{path.stat().st_size} B",
            "encodingFormat": "application/x-parquet",
            "sha256": file_hash(path),
        }
        for path in parquet_store.list_files(folder)
    ]


def _describe_fields(facts: dict[str, Any]) -> list[dict[str, Any]]:
    regex = rf"^.*?({_SPLITS_PATTERN})-\d+-of-.+$"
    fields = [_describe_field("split", "sc:Text", {"fileProperty": "fullpath"}, {"regex": regex})]
    for column in schema.COLUMNS:
        if column.name == "image":
            if facts.get("pixels") is False:  # a dataset of landmarks only
                continue
            fields.append(_describe_field("image", "sc:ImageObject", {"column": "image"}, {"jsonPath": "bytes"}))
        else:
            fields.append(_describe_field(column.name, _DATA_TYPES[column.type], {"column": column.name}))
            if pa.types.is_list(column.type):
                fields[-1]["repeated"] = True
    return fields


def _describe_field(
    name: str, data_type: str, extract: dict[str, str], transform: dict[str, str] | None = None
) -> dict[str, Any]:
    source = {"fileSet": {"@id": _FILE_SET["@id"]}, "extract": extract}
    if transform is not None:
        source["transform"] = transform
    return {
        "@type": "cr:Field", "@id": f"{RECORD_SET}/{name}", "name": name, "dataType": data_type, "source": source
    }  # fmt: skip
