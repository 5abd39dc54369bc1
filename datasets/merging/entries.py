"""The rows of several datasets, without their images: what decides a merge, and where each row lies."""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.files import natural_key
from aslkit.core.letters import INDEX, LETTERS
from aslkit.core.workspace import validate_name
from aslkit.datasets import parquet_store, schema

_AS_THE_COLUMNS: Final = ("signer", "session", "path", "label", "sha256", "phash", "parent", "licence")

Home = tuple[int, int]
"""Number of the dataset, group in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowLocation:
    """Where a row lies: in which file, in which of its row groups, which row of that."""

    path: Path
    row_group: int
    row: int


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRow:
    """One row, or one frame that an earlier merge left out.

    Attributes:
        signer, session, path, label, sha256, parent: as the columns; `signer` and `path` as renamed. Together they
            say which recording it is.
        licence: as the contributor states it.
        hand: whether one was found.
        pixels: whether the picture is there.
        phash: as the column, where it is known.
        digest: of all columns but `group`: of two rows of one recording, the smaller is taken.
        place: None for what an earlier merge left out.
        homes: the groups it is in, of which datasets.
    """

    signer: str
    session: str
    path: str
    label: int
    sha256: str
    parent: str | None
    licence: str | None = None
    hand: bool = False
    pixels: bool = True
    phash: int | None = None
    digest: bytes = b""
    place: RowLocation | None = None
    homes: tuple[Home, ...] = ()

    @property
    def recording(self) -> tuple[object, ...]:
        """Which recording it is."""
        return (self.signer, self.session, self.label, self.path, self.sha256, self.parent)

    @property
    def order(self) -> tuple[object, ...]:
        """The canonical order: photographs, then copies; by signer, session, letter, and as they were taken."""
        about = (self.signer, self.session, self.label, natural_key(self.path), self.sha256)
        return (self.parent is not None, *about, self.parent or "")


@dataclass(frozen=True, kw_only=True)
class MergeSource:
    """A dataset to be merged.

    Attributes:
        name: as the user calls it.
        entries: its rows, then what an earlier merge left out.
        rejected: rows of `schema.REJECTED`, without what an earlier merge left out.
        flagged: rows of `schema.FLAGGED`.
        leaves: what it was made of, see `source_datasets`.
    """

    name: str
    entries: list[SourceRow]
    rejected: list[dict[str, str]]
    flagged: list[dict[str, str]]
    leaves: list[dict[str, Any]] = field(default_factory=list)


def read_source(number: int, name: str, folder: Path, renames: Mapping[str, str]) -> MergeSource:
    """Read all of a dataset that decides a merge, a row group at a time.

    Args:
        number: of the dataset, for `Entry.homes`.
        name: as the user calls it.
        folder: where it lies.
        renames: signers to be called otherwise.

    Raises:
        InputError: there is no dataset, or a signer has a name that cannot be one.
        AslkitError: it is damaged, or a row says impossible things.
    """
    rows = [entry for path in parquet_store.list_files(folder) for entry in _entries(path, number, renames)]
    rejected = _renamed(_found(parquet_store.read_rejected(folder)), renames)
    withheld = [_withheld(row, number, folder) for row in rejected if row.get("sha256")]
    return MergeSource(
        name=name,
        entries=rows + withheld,
        rejected=[_plain(row) for row in rejected if not row.get("sha256")],
        flagged=_flagged(_renamed(_found(parquet_store.read_flagged(folder)), renames), rows),
        leaves=source_datasets(name, folder, rows),
    )


def source_datasets(name: str, folder: Path, rows: list[SourceRow]) -> list[dict[str, Any]]:
    """What a dataset was merged from, or itself: for each `fingerprint`, `names` and `frames`.

    Leaves, not the steps between them: merging in another order gives the same.
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
                for e in merged
            ]
    except (KeyError, TypeError, ValueError) as error:
        raise AslkitError(f"{folder} says in a wrong way what it was merged from ({error}). Merge it anew.") from error
    mark = facts.get("fingerprint")
    if not isinstance(mark, str):
        mark = hashlib.sha256(b"".join(sorted(row.digest for row in rows))).hexdigest()
    frames = sum(row.parent is None for row in rows)
    return [{"fingerprint": mark, "names": [name], "frames": frames}]


def _entries(path: Path, number: int, renames: Mapping[str, str]) -> Iterator[SourceRow]:
    for index, table in enumerate(parquet_store.iter_file_row_groups(path, schema.COLUMNS.names)):
        for row, values in enumerate(table.to_pylist()):
            yield _entry(values, RowLocation(path=path, row_group=index, row=row), number, renames)


def _entry(values: dict[str, Any], place: RowLocation, number: int, renames: Mapping[str, str]) -> SourceRow:
    where = f"{place.path}: row {place.row} of row group {place.row_group}"
    image, label = values.pop("image") or {"bytes": None, "path": None}, values["label"]
    if values["signer"] is None:
        raise AslkitError(
            f"{where} has nothing in 'signer'. Where nobody knows who is seen, people cannot be kept whole in one "
            "split: such a dataset can be trained on by itself, but not merged."
        )
    for name in ("session", "sha256", "group", "path"):
        if (image["path"] if name == "path" else values[name]) is None:
            raise AslkitError(f"{where} has nothing in {name!r}. It is not an aslkit dataset; ask its sender.")
    if label not in range(len(LETTERS)):
        raise AslkitError(f"{where} has label {label}; letters are 0–{len(LETTERS) - 1}. Ask its sender for another.")
    signer = validate_name("signer", values["signer"])
    values |= {"signer": renames.get(signer, signer), "path": _moved(image["path"], signer, renames)}
    home = (number, values.pop("group"))
    digest = hashlib.blake2b(image["bytes"] or b"", digest_size=16)
    digest.update(json.dumps(values, default=str, sort_keys=True).encode())
    return SourceRow(
        **{name: values[name] for name in _AS_THE_COLUMNS},
        hand=values["landmarks"] is not None,
        pixels=image["bytes"] is not None,
        digest=digest.digest(),
        place=place,
        homes=(home,),
    )


def _moved(path: str, signer: str, renames: Mapping[str, str]) -> str:
    """SIGNER/SESSION/LETTER/NAME of a signer who is called otherwise."""
    first, slash, rest = path.partition("/")
    return f"{renames[signer]}/{rest}" if signer in renames and slash and first == signer else path


def _found(table: pa.Table) -> list[dict[str, Any]]:
    names = [name for name in schema.WITHHELD.names if name in table.column_names]
    rows: list[dict[str, Any]] = table.select(names).to_pylist()
    return rows


def _renamed(rows: list[dict[str, Any]], renames: Mapping[str, str]) -> list[dict[str, Any]]:
    for row in rows:
        signer = row.get("signer") or ""
        row |= {"signer": renames.get(signer, signer), "path": _moved(row.get("path") or "", signer, renames)}
        row["detail"] = _told(row.get("detail") or "", renames)
    return rows


def _told(detail: str, renames: Mapping[str, str]) -> str:
    """A finding's particulars, where they name a sitting or a frame: recorded in, like, same pixels as SIGNER/…"""
    names = "|".join(re.escape(name) for name in sorted(renames, key=len, reverse=True))
    return re.sub(rf"(?:(?<=in )|(?<=like )|(?<=as ))(?:{names})(?=/)", lambda m: renames.get(m[0], m[0]), detail)


def _plain(row: dict[str, Any]) -> dict[str, str]:
    return {name: str(row.get(name) or "") for name in schema.REJECTED.names}


def _flagged(found: list[dict[str, Any]], rows: list[SourceRow]) -> list[dict[str, str]]:
    """What is to be known of frames, with the hash of their pixels."""
    pixels: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        pixels[row.signer, row.path].append(row.sha256)
    return [
        {**_plain(row), "sha256": sha256}
        for row in found
        for sha256 in ([row["sha256"]] if row.get("sha256") else pixels[row["signer"], row["path"]])
    ]


def _withheld(row: dict[str, Any], number: int, folder: Path) -> SourceRow:
    if row["letter"] not in INDEX or row.get("group") is None:
        raise AslkitError(
            f"{folder / parquet_store.REJECTED_FILE} is damaged: letter {row['letter']!r}. Merge it anew."
        )
    return SourceRow(
        signer=row["signer"], session=row["session"] or "", path=row["path"], label=INDEX[row["letter"]],
        sha256=row["sha256"], parent=None, homes=((number, row["group"]),),
    )  # fmt: skip
