"""Read the rows of a dataset without their images: what determines a merge, and where each row is stored."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABEL_INDEX, LABELS
from aslkit.core.workspace import validate_name
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.duplicate_signers import scale_joints
from aslkit.datasets.merging.clip_units import collect_clips
from aslkit.datasets.merging.source_row import RowLocation, SourceRow

_COPIED_COLUMNS: Final = (
    "signer",
    "session",
    "path",
    "label",
    "sha256",
    "phash",
    "parent",
    "licence",
    "clip",
    "time_ms",
)


@dataclass(frozen=True, kw_only=True)
class MergeSource:
    """The contents of a dataset to merge.

    Attributes:
        name: name of the dataset.
        entries: the rows, followed by what an earlier merge excluded. A clip is one entry.
        rejected: rows of `schema.REJECTED`, without the frames that an earlier merge excluded.
        flagged: rows of `schema.MERGED_FLAGGED`.
        reviewed: rows of `schema.REJECTED`, the decisions of people.
        origins: the datasets it was made from, see `list_origins`.
    """

    name: str
    entries: list[SourceRow]
    rejected: list[dict[str, str]]
    flagged: list[dict[str, str]]
    reviewed: list[dict[str, str]] = field(default_factory=list)
    origins: list[dict[str, Any]] = field(default_factory=list)


def read_source(number: int, name: str, folder: Path, renames: Mapping[str, str]) -> MergeSource:
    """Read what determines a merge from a dataset, one row group at a time.

    Args:
        number: number of the dataset, for `SourceRow.source_groups`.
        name: name of the dataset.
        folder: the dataset folder.
        renames: new names of signers by old name.

    Raises:
        InputError: the folder contains no dataset, or a signer's name is invalid.
        AslkitError: the dataset is damaged, or a row contains invalid values.
    """
    rows = [entry for path in parquet_store.list_files(folder) for entry in _iter_entries(path, number, renames)]
    rejected = _rename_in_findings(_read_known_columns(parquet_store.read_rejected(folder)), renames)
    excluded = [_excluded_entry(row, number, folder) for row in rejected if row.get("sha256")]
    flagged = _rename_in_findings(_read_known_columns(parquet_store.read_flagged(folder)), renames)
    reviewed = _rename_in_findings(_read_known_columns(parquet_store.read_reviewed(folder)), renames)
    return MergeSource(
        name=name,
        entries=collect_clips(rows) + excluded,
        rejected=[_to_rejected_row(row) for row in rejected if not row.get("sha256")],
        flagged=_add_pixel_hashes(flagged, rows),
        reviewed=list(map(_to_rejected_row, reviewed)),
        origins=list_origins(name, folder, rows),
    )


def list_origins(name: str, folder: Path, rows: list[SourceRow]) -> list[dict[str, Any]]:
    """Return the unmerged datasets that a dataset was made from.

    Each has `fingerprint`, `names`, `frames`, the number of stills, and `clips`, which is missing if there are none.

    Intermediate merges are not listed, so the result does not depend on the order of merging.
    """
    facts = parquet_store.read_facts(folder)
    merged = facts.get("merged")
    try:
        if isinstance(merged, list):
            return [
                {
                    "fingerprint": str(e["fingerprint"]),
                    "names": sorted(map(str, e["names"])),
                    "frames": int(e["frames"]),
                }
                | ({"clips": int(e["clips"])} if "clips" in e else {})
                for e in merged
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise AslkitError(
            f"The list of source datasets in {folder} is invalid ({error}). Merge the sources again."
        ) from error
    fingerprint = facts.get("fingerprint")
    if not isinstance(fingerprint, str):
        fingerprint = hashlib.sha256(b"".join(sorted(row.digest for row in rows))).hexdigest()
    frames = sum(row.parent is None and row.clip is None for row in rows)
    clips = len({row.clip for row in rows} - {None})
    return [{"fingerprint": fingerprint, "names": [name], "frames": frames} | ({"clips": clips} if clips else {})]


def _iter_entries(path: Path, number: int, renames: Mapping[str, str]) -> Iterator[SourceRow]:
    for index, table in enumerate(parquet_store.iter_file_row_groups(path, schema.COLUMNS.names)):
        for row, values in enumerate(table.to_pylist()):
            yield _make_entry(values, RowLocation(path=path, row_group=index, row=row), number, renames)


def _make_entry(values: dict[str, Any], location: RowLocation, number: int, renames: Mapping[str, str]) -> SourceRow:
    position = f"{location.path}: row {location.row} of row group {location.row_group}"
    image, label = values.pop("image") or {"bytes": None, "path": None}, values["label"]
    if values["signer"] is None:
        raise AslkitError(
            f"{position} has no value for 'signer'. A dataset with unknown signers cannot be merged, because each "
            "signer must stay in one split. You can still train on it alone."
        )
    for name in ("session", "sha256", "group", "path"):
        if (image["path"] if name == "path" else values[name]) is None:
            raise AslkitError(
                f"{position} has no value for {name!r}, so it is not an aslkit dataset. Ask the sender for a valid one."
            )
    if label not in range(len(LABELS)):
        raise AslkitError(
            f"{position} has label {label}, but labels are 0–{len(LABELS) - 1}. Ask the sender for a valid dataset."
        )
    signer = validate_name("signer", values["signer"])
    values |= {"signer": renames.get(signer, signer), "path": _rename_in_path(image["path"], signer, renames)}
    values["clip"] = values["clip"] and _rename_in_path(values["clip"], signer, renames)
    source_group = (number, values.pop("group"))
    # Without `group`, whose numbers each dataset assigns on its own.
    digest = hashlib.blake2b(image["bytes"] or b"", digest_size=16)
    # Without the names of clips either: a merge may change them.
    hashed = {name: value for name, value in values.items() if not values["clip"] or name not in ("path", "clip")}
    digest.update(json.dumps(hashed, default=str, sort_keys=True).encode())
    return SourceRow(
        **{name: values[name] for name in _COPIED_COLUMNS},
        joints=_pack_joints(values),
        has_pixels=image["bytes"] is not None,
        digest=digest.digest(),
        location=location,
        source_groups=(source_group,),
    )


def _pack_joints(values: Mapping[str, Any]) -> bytes | None:
    if values["landmarks"] is None:
        return None
    landmarks = np.array(values["landmarks"], np.float32).reshape(1, 21, 3)
    sizes = np.array([[values["width"] or 1, values["height"] or 1]])
    return scale_joints(landmarks, sizes).astype(np.float16).tobytes()


def _rename_in_path(path: str, signer: str, renames: Mapping[str, str]) -> str:
    """Replace the signer in SIGNER/SESSION/LETTER/NAME if the signer is renamed."""
    first, slash, rest = path.partition("/")
    return f"{renames[signer]}/{rest}" if signer in renames and slash and first == signer else path


def _read_known_columns(table: pa.Table) -> list[dict[str, Any]]:
    names = [name for name in schema.MERGED_REJECTED.names if name in table.column_names]
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return rows


def _rename_in_findings(rows: list[dict[str, Any]], renames: Mapping[str, str]) -> list[dict[str, Any]]:
    for row in rows:
        signer = row.get("signer") or ""
        row |= {"signer": renames.get(signer, signer), "path": _rename_in_path(row.get("path") or "", signer, renames)}
        row["detail"] = _rename_in_detail(row.get("detail") or "", renames)
    return rows


def _rename_in_detail(detail: str, renames: Mapping[str, str]) -> str:
    """Rename signers in the detail of a finding if it names a session or a frame.

    The details of curation contain "in SIGNER/…", "like SIGNER/…" or "as SIGNER/…".
    """
    names = "|".join(re.escape(name) for name in sorted(renames, key=len, reverse=True))
    return re.sub(rf"(?:(?<=in )|(?<=like )|(?<=as ))(?:{names})(?=/)", lambda m: renames.get(m[0], m[0]), detail)


def _to_rejected_row(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(row.get(name) or "") for name in schema.REJECTED.names}


def _add_pixel_hashes(flagged: list[dict[str, Any]], rows: list[SourceRow]) -> list[dict[str, str]]:
    """Return the warnings about frames with the hashes of the frames' pixels."""
    hashes: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        hashes[row.signer, row.path].append(row.sha256)
    return [
        {**_to_rejected_row(row), "sha256": sha256}
        for row in flagged
        for sha256 in ([row["sha256"]] if row.get("sha256") else hashes[row["signer"], row["path"]])
    ]


def _excluded_entry(row: dict[str, Any], number: int, folder: Path) -> SourceRow:
    if row["letter"] not in LABEL_INDEX or row.get("group") is None:
        raise AslkitError(
            f"{folder / parquet_store.REJECTED_FILE} is damaged: letter {row['letter']!r}. Merge the sources again."
        )
    return SourceRow(
        signer=row["signer"], session=row["session"] or "", path=row["path"], label=LABEL_INDEX[row["letter"]],
        sha256=row["sha256"], parent=None, source_groups=((number, row["group"]),),
    )  # fmt: skip
