"""Statistics of a dataset, computed from its metadata and small columns without reading the images."""

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
from aslkit.datasets.summary import summarise_clips
from aslkit.formats.licences import is_private

UNKNOWN: Final = "unknown"
"""Replaces null in the columns signer, session and camera."""

UNSTATED: Final = "not stated"
"""Replaces null in the columns licence and consent."""

_COLUMNS: Final = (
    "label", "signer", "session", "camera", "captured_at", "hand_score", "group", "parent", "licence", "consent",
    "clip",
)  # fmt: skip
_PLAUSIBLE_TIMES_MS: Final = (631_152_000_000, 4_102_444_800_000)
"""1990 to 2100, in milliseconds since 1970. Times outside are treated as errors and ignored."""


@dataclass(frozen=True, kw_only=True)
class SplitInfo:
    """Statistics of one split.

    Attributes:
        rows: number of rows, including augmented copies.
        copies: number of augmented copies.
        groups: number of distinct groups of near-duplicates.
        signers: names of the signers, sorted.
        files: number of Parquet files.
        file_bytes: total size of the files.
        arrow_bytes: total uncompressed size of the row groups.
    """

    rows: int
    copies: int
    groups: int
    signers: tuple[str, ...]
    files: int
    file_bytes: int
    arrow_bytes: int


@dataclass(frozen=True, kw_only=True)
class SignerInfo:
    """Statistics of one signer, without augmented copies.

    Attributes:
        images: number of images, without those of clips.
        clips: number of clips.
        sessions: number of recording sessions.
        letters: number of distinct letters.
        coverage: share of images with a detected hand, 0–1; of the frames of clips if there are no other images.
        cameras: names of the cameras, sorted.
        splits: names of the splits that contain the signer, in the order of `schema.SPLITS`.
    """

    images: int
    clips: int
    sessions: int
    letters: int
    coverage: float
    cameras: tuple[str, ...]
    splits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """Statistics of a dataset. Counts exclude augmented copies unless noted otherwise.

    Attributes:
        name: name of the dataset folder.
        folder: path of the dataset folder.
        images: number of images, without those of clips.
        clips: number of clips by letter, signer and split, as from `summary.summarise_clips`; empty without clips.
        copies: number of augmented copies in train.
        groups: number of groups of near-duplicates, or None if near-duplicates were not searched for.
        sessions: number of distinct pairs of signer and session.
        coverage: share of images with a detected hand, 0–1.
        recorded: first and last day in ISO format, or None if no image has a plausible time.
        splits: statistics of the non-empty splits, in order.
        signers: statistics by signer name; `UNKNOWN` stands for null.
        cameras, licences, consents: number of images by value, with those of clips.
        private_signers: names of the signers whose images are private.
        letters: for each of the 24 letters, the number of images by split.
        bytes_on_disk: total size of all files in the folder.
        facts: the metadata stored in the dataset: how it was made, from which sources and with which settings.
    """

    name: str
    folder: Path
    images: int
    clips: dict[str, Any]
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
    private_signers: list[str]
    letters: dict[str, dict[str, int]]
    bytes_on_disk: int
    facts: dict[str, Any]

    @property
    def summary(self) -> dict[str, Any]:
        """The summary that curation stored; empty if another program made the dataset."""
        return as_dict(self.facts.get("summary"))


def summarise_folder(folder: Path) -> DatasetInfo:
    """Compute the statistics of a dataset.

    Raises:
        InputError: the folder contains no dataset.
        AslkitError: the dataset is damaged or does not have the expected schema.
    """
    table = parquet_store.read_dataset(folder, _COLUMNS)
    for name in ("signer", "session", "camera"):
        table = _fill_nulls(table, name, UNKNOWN)
    for name in ("licence", "consent"):
        table = _fill_nulls(table, name, UNSTATED)
    originals = table.filter(pc.is_null(table.column("parent")))
    stills = _select_stills(originals)
    group = stills.column("group")
    sessions = originals.group_by(["signer", "session"]).aggregate([])
    return DatasetInfo(
        name=folder.absolute().name,
        folder=folder,
        images=len(stills),
        clips=summarise_clips(originals, np.array(originals.column("split").to_pylist(), str)) or {},
        copies=len(table) - len(originals),
        groups=None if len(group) and group.null_count == len(group) else pc.count_distinct(group).as_py(),
        sessions=len(sessions),
        coverage=_hand_coverage(stills if len(stills) else originals),
        recorded=_recording_days(originals.column("captured_at")),
        splits=_summarise_splits(folder, table),
        signers=_summarise_signers(originals),
        cameras=_count_values(originals, "camera"),
        licences=_count_values(originals, "licence"),
        consents=_count_values(originals, "consent"),
        private_signers=_find_private_signers(originals),
        letters=_count_letters(stills),
        bytes_on_disk=sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file()),
        facts=parquet_store.read_facts(folder),
    )


def _select_stills(table: pa.Table) -> pa.Table:
    return table.filter(pc.is_null(table.column("clip")))


def as_dict(value: Any) -> dict[str, Any]:
    """Return the value if it is a dict, or an empty dict. Metadata in a file is untrusted and can have any type."""
    return value if isinstance(value, dict) else {}


def _fill_nulls(table: pa.Table, name: str, text: str) -> pa.Table:
    index = table.schema.get_field_index(name)
    return table.set_column(index, name, pc.fill_null(table.column(name), text))


def _count_values(table: pa.Table, name: str) -> dict[str, int]:
    """Count the rows by value of a column, the most common value first."""
    counts = Counter({each["values"]: each["counts"] for each in pc.value_counts(table.column(name)).to_pylist()})
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _hand_coverage(table: pa.Table) -> float:
    score = table.column("hand_score")
    return round(1 - int(score.null_count) / max(len(score), 1), 4)


def _find_private_signers(table: pa.Table) -> list[str]:
    pairs = table.group_by(["signer", "licence"]).aggregate([]).to_pylist()
    return sorted({pair["signer"] for pair in pairs if is_private(pair["licence"])})


def _summarise_splits(folder: Path, table: pa.Table) -> dict[str, SplitInfo]:
    splits = {}
    for name in schema.SPLITS:
        rows = table.filter(pc.equal(table.column("split"), name))
        paths = [path for path in parquet_store.list_files(folder) if path.name.startswith(f"{name}-")]
        if not paths:
            continue
        splits[name] = SplitInfo(
            rows=len(rows),
            copies=len(rows) - rows.column("parent").null_count,
            groups=pc.count_distinct(rows.column("group")).as_py(),
            signers=tuple(sorted(rows.column("signer").unique().to_pylist())),
            files=len(paths),
            file_bytes=sum(path.stat().st_size for path in paths),
            arrow_bytes=sum(_uncompressed_bytes(path) for path in paths),
        )
    return splits


def _uncompressed_bytes(path: Path) -> int:
    metadata = pq.read_metadata(path)
    return sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups))


def _summarise_signers(originals: pa.Table) -> dict[str, SignerInfo]:
    signers = {}
    for name in sorted(originals.column("signer").unique().to_pylist()):
        rows = originals.filter(pc.equal(originals.column("signer"), name))
        splits = set(rows.column("split").unique().to_pylist())
        stills = _select_stills(rows)
        signers[name] = SignerInfo(
            images=len(stills),
            clips=len(rows.column("clip").drop_null().unique()),
            sessions=len(rows.column("session").unique()),
            letters=len(rows.column("label").unique()),
            coverage=_hand_coverage(stills if len(stills) else rows),
            cameras=tuple(sorted(rows.column("camera").unique().to_pylist())),
            splits=tuple(split for split in schema.SPLITS if split in splits),
        )
    return signers


def _count_letters(originals: pa.Table) -> dict[str, dict[str, int]]:
    label = pc.fill_null(originals.column("label"), -1).to_numpy()
    split = np.array(originals.column("split").to_pylist(), str)
    return {
        letter: {name: int(((label == index) & (split == name)).sum()) for name in schema.SPLITS}
        for index, letter in enumerate(LETTERS)
    }


def _recording_days(captured_at: Any) -> tuple[str, str] | None:
    times = pc.drop_null(captured_at.cast(pa.int64()))
    # A single wrong clock, or a hostile value that datetime cannot represent, must not decide the range.
    plausible = pc.and_(pc.greater_equal(times, _PLAUSIBLE_TIMES_MS[0]), pc.less(times, _PLAUSIBLE_TIMES_MS[1]))
    ends: Mapping[str, int | None] = pc.min_max(times.filter(plausible)).as_py()
    if ends["min"] is None or ends["max"] is None:
        return None
    first, last = (datetime.fromtimestamp(ends[end] / 1000, UTC).date().isoformat() for end in ("min", "max"))  # type: ignore[operator]
    return first, last
