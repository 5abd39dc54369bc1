"""What a dataset holds, in figures: from its metadata and small columns, without its images."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.letters import LETTERS
from aslkit.datasets import parquet_store, schema

UNKNOWN: Final = "unknown"
"""Stands for null: of a signer, a session or a camera."""

UNSTATED: Final = "not stated"
"""Stands for null: of licence and consent."""

_COLUMNS: Final = (
    "label", "signer", "session", "camera", "captured_at", "hand_score", "group", "parent", "licence", "consent",
)  # fmt: skip
_YEARS_MS: Final = (631_152_000_000, 4_102_444_800_000)
"""1990 to 2100: other dates are mistakes."""


@dataclass(frozen=True, kw_only=True)
class SplitInfo:
    """One split: rows, among them varied copies; distinct groups of near-duplicates and signers; bytes."""

    rows: int
    copies: int
    groups: int
    signers: tuple[str, ...]
    files: int
    file_bytes: int
    arrow_bytes: int


@dataclass(frozen=True, kw_only=True)
class SignerInfo:
    """One signer: images, sessions, letters, cameras; `coverage`, share of images in which a hand was found."""

    images: int
    sessions: int
    letters: int
    coverage: float
    cameras: tuple[str, ...]
    splits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What is known of a dataset. Counts are of images without varied copies, where nothing else is said.

    Attributes:
        name: of its folder.
        folder: where it lies.
        images: how many there are.
        copies: varied copies in train.
        groups: of near-duplicates; None where they were not looked for.
        sessions: distinct pairs of signer and session.
        coverage: share of images in which a hand was found, 0–1.
        recorded: first and last day, ISO; None where no image has a plausible time.
        splits: those that have rows, in order.
        signers: by name; `UNKNOWN` where null.
        cameras, licences, consents: images of each.
        letters: images of each of the 24, and of these those of each split.
        bytes_on_disk: of all files in the folder.
        facts: what the dataset says of itself: how it was made, from what, with which settings.
    """

    name: str
    folder: Path
    images: int
    copies: int
    groups: int | None
    sessions: int
    coverage: float
    recorded: tuple[str, str] | None
    splits: dict[str, SplitInfo]
    signers: dict[str, SignerInfo]
    cameras: dict[str, int]
    licences: dict[str, int]
    consents: dict[str, int]
    letters: dict[str, dict[str, int]]
    bytes_on_disk: int
    facts: dict[str, Any]

    @property
    def summary(self) -> dict[str, Any]:
        """What curation counted; empty where another program made the dataset."""
        return as_dict(self.facts.get("summary"))


def summarise_folder(folder: Path) -> DatasetInfo:
    """Count a dataset.

    Raises:
        InputError: no dataset there.
        AslkitError: it is damaged, or not of the schema.
    """
    table = parquet_store.read_dataset(folder, _COLUMNS)
    for name in ("signer", "session", "camera"):
        table = _filled(table, name, UNKNOWN)
    for name in ("licence", "consent"):
        table = _filled(table, name, UNSTATED)
    originals = table.filter(pc.is_null(table.column("parent")))
    group = originals.column("group")
    pairs = originals.group_by(["signer", "session"]).aggregate([])
    return DatasetInfo(
        name=folder.absolute().name,
        folder=folder,
        images=len(originals),
        copies=len(table) - len(originals),
        groups=None if group.null_count == len(group) else pc.count_distinct(group).as_py(),
        sessions=len(pairs),
        coverage=_coverage(originals),
        recorded=_days(originals.column("captured_at")),
        splits=_parts(folder, table),
        signers=_people(originals),
        cameras=_counts(originals, "camera"),
        licences=_counts(originals, "licence"),
        consents=_counts(originals, "consent"),
        letters=_letters(originals),
        bytes_on_disk=sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()),
        facts=parquet_store.read_facts(folder),
    )


def as_dict(value: Any) -> dict[str, Any]:
    """The value, if it is a dict; what a file says of itself may be anything."""
    return value if isinstance(value, dict) else {}


def _filled(table: pa.Table, name: str, word: str) -> pa.Table:
    at = table.schema.get_field_index(name)
    return table.set_column(at, name, pc.fill_null(table.column(name), word))


def _counts(table: pa.Table, name: str) -> dict[str, int]:
    """Rows of each value, the most common first."""
    found = Counter({each["values"]: each["counts"] for each in pc.value_counts(table.column(name)).to_pylist()})
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _coverage(table: pa.Table) -> float:
    score = table.column("hand_score")
    return round(1 - int(score.null_count) / max(len(score), 1), 4)


def _parts(folder: Path, table: pa.Table) -> dict[str, SplitInfo]:
    parts = {}
    for name in schema.SPLITS:
        own = table.filter(pc.equal(table.column("split"), name))
        paths = [path for path in parquet_store.list_files(folder) if path.name.startswith(f"{name}-")]
        if not paths:
            continue
        parts[name] = SplitInfo(
            rows=len(own),
            copies=len(own) - own.column("parent").null_count,
            groups=pc.count_distinct(own.column("group")).as_py(),
            signers=tuple(sorted(own.column("signer").unique().to_pylist())),
            files=len(paths),
            file_bytes=sum(path.stat().st_size for path in paths),
            arrow_bytes=sum(_uncompressed(path) for path in paths),
        )
    return parts


def _uncompressed(path: Path) -> int:
    about = pq.read_metadata(path)
    return sum(about.row_group(index).total_byte_size for index in range(about.num_row_groups))


def _people(originals: pa.Table) -> dict[str, SignerInfo]:
    found = {}
    for name in sorted(originals.column("signer").unique().to_pylist()):
        own = originals.filter(pc.equal(originals.column("signer"), name))
        splits = set(own.column("split").unique().to_pylist())
        found[name] = SignerInfo(
            images=len(own),
            sessions=len(own.column("session").unique()),
            letters=len(own.column("label").unique()),
            coverage=_coverage(own),
            cameras=tuple(sorted(own.column("camera").unique().to_pylist())),
            splits=tuple(split for split in schema.SPLITS if split in splits),
        )
    return found


def _letters(originals: pa.Table) -> dict[str, dict[str, int]]:
    label = pc.fill_null(originals.column("label"), -1).to_numpy()
    split = np.array(originals.column("split").to_pylist(), str)
    return {
        letter: {name: int(((label == index) & (split == name)).sum()) for name in schema.SPLITS}
        for index, letter in enumerate(LETTERS)
    }


def _days(captured: Any) -> tuple[str, str] | None:
    times = pc.drop_null(captured.cast(pa.int64()))
    inside = pc.and_(pc.greater_equal(times, _YEARS_MS[0]), pc.less(times, _YEARS_MS[1]))
    ends: Mapping[str, int | None] = pc.min_max(times.filter(inside)).as_py()
    if ends["min"] is None or ends["max"] is None:
        return None
    first, last = (datetime.fromtimestamp(ends[end] / 1000, UTC).date().isoformat() for end in ("min", "max"))  # type: ignore[operator]
    return first, last
