"""croissant.json: the dataset's description for search engines and loaders, by MLCommons' Croissant 1.0.

http://mlcommons.org/croissant/1.0 is the specification.
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
RECORDS: Final = "frames"

_WORDS: Final = (
    "citeAs", "column", "extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes",
    "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated",
    "replace", "separator", "source", "subField", "transform",
)  # fmt: skip
"""Of Croissant's vocabulary: mlcroissant wants them all named, used or not."""

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
    **{name: f"cr:{name}" for name in _WORDS},
}

_TYPES: Final = {
    pa.int64(): "sc:Integer",
    pa.int32(): "sc:Integer",
    pa.uint64(): "sc:Integer",
    pa.float32(): "sc:Float",
    pa.list_(pa.float32()): "sc:Float",
    pa.string(): "sc:Text",
    pa.timestamp("ms", tz="UTC"): "sc:Date",
}
_LICENCES: Final = "https://spdx.org/licenses/{}.html"
_UNSPOKEN: Final = ("other", "unknown")


def write_croissant(folder: Path, found: DatasetInfo, *, name: str, licence: str, facts: dict[str, Any]) -> None:
    """Write croissant.json into the dataset's folder.

    Args:
        folder: of the dataset, with its Parquet files.
        found: what it holds.
        name: of the dataset.
        licence: of the whole; an SPDX name, or "other" or "unknown".
        facts: `citation`, `url` and `version` are taken where they are text.
    """
    words = f"{found.images:,} images of the still letters of the ASL fingerspelling alphabet, with hand landmarks."
    about = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": sanitize_text(name),
        "description": words,
        "license": sanitize_text(licence) if licence in _UNSPOKEN else _LICENCES.format(sanitize_text(licence)),
        **{key: sanitize_text(facts[given], most=1000) for key, given in _GIVEN if isinstance(facts.get(given), str)},
        "distribution": [*_files(folder), _FILE_SET],
        "recordSet": [{"@type": "cr:RecordSet", "@id": RECORDS, "name": RECORDS, "field": _fields(facts)}],
    }
    write_text(folder / FILE, json.dumps(about, indent=2, ensure_ascii=False) + "\n")


_GIVEN: Final = (("citeAs", "citation"), ("url", "url"), ("version", "version"))
_FILE_SET: Final = {
    "@type": "cr:FileSet",
    "@id": "parquet",
    "encodingFormat": "application/x-parquet",
    "includes": "data/*.parquet",
}


def _files(folder: Path) -> list[dict[str, str]]:
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


def _fields(facts: dict[str, Any]) -> list[dict[str, Any]]:
    fields = [_field("split", "sc:Text", {"fileProperty": "fullpath"}, {"regex": rf"^.*?({_SPLITS})-\d+-of-.+$"})]
    for column in schema.COLUMNS:
        if column.name == "image":
            if facts.get("pixels") is False:  # landmarks only
                continue
            fields.append(_field("image", "sc:ImageObject", {"column": "image"}, {"jsonPath": "bytes"}))
        else:
            fields.append(_field(column.name, _TYPES[column.type], {"column": column.name}))
            if pa.types.is_list(column.type):
                fields[-1]["repeated"] = True
    return fields


_SPLITS: Final = "|".join(schema.SPLITS)


def _field(name: str, kind: str, extract: dict[str, str], transform: dict[str, str] | None = None) -> dict[str, Any]:
    source = {"fileSet": {"@id": _FILE_SET["@id"]}, "extract": extract}
    if transform is not None:
        source["transform"] = transform
    return {"@type": "cr:Field", "@id": f"{RECORDS}/{name}", "name": name, "dataType": kind, "source": source}
