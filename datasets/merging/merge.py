"""Making one dataset of several people's.

A merge is a pure function of the set of what it is given. Merging is associative, commutative and idempotent: the same
rows in the same order, in the same split, whether three datasets are merged at once, one after the other, or twice. For
that it keeps what it left out, with pixels' hash and group, in rejected.parquet. One exception: varied copies, which
only train may carry, are dropped where a merge holds their photograph out, and a later merge cannot bring them back.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import atomic_write
from aslkit.core.progress import progress_bar
from aslkit.core.workspace import SYNTHETIC_PREFIX
from aslkit.datasets import card, duplicate_signers, licences, parquet_store, schema
from aslkit.datasets.merging.entries import MergeSource, SourceRow, read_source
from aslkit.datasets.merging.gather_rows import RowGroups, gather_rows
from aslkit.datasets.merging.join import JoinedRows, check_signers, join_sources, rejected_rows
from aslkit.datasets.split import Split, SplitFrames, split_frames
from aslkit.datasets.summary import summarise_dataset


@dataclass(frozen=True, kw_only=True)
class MergeInput:
    """A dataset to be merged.

    Attributes:
        name: what it is called, in the merged dataset too.
        folder: where it lies.
        renames: which of its signers are to be called otherwise.
        typed: as the user named it, where another has the same name.
    """

    name: str
    folder: Path
    renames: Mapping[str, str]
    typed: str = ""


@dataclass(frozen=True, kw_only=True)
class MergeConfig:
    """How to merge.

    Attributes:
        test_share, validation_share, seed, hold_out: as `aslkit.datasets.split.split_frames` takes them.
        same: signers who are one person in all datasets, though no recording says so.
        allow_unknown_licence: take images that state no licence.
    """

    test_share: float
    validation_share: float
    seed: int
    hold_out: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    allow_unknown_licence: bool = False


@dataclass(frozen=True, kw_only=True)
class MergeResult:
    """What merging did.

    Attributes:
        folder: of the dataset.
        up_to_date: it was there already, just so, and was left as it is.
        copies_left_out: varied copies whose photograph is not in train now.
        summary: what the dataset holds; ready for JSON.
        licence: which the whole may have.
        sources: what it was made of: fingerprint, names and frames of each.
    """

    folder: Path
    up_to_date: bool
    copies_left_out: int
    summary: dict[str, Any]
    licence: str
    sources: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class _Plan:
    joined: JoinedRows
    parts: Split
    copies: list[SourceRow]
    facts: dict[str, Any]


def merge_datasets(
    datasets: Sequence[MergeInput], target: Path, config: MergeConfig, *, force: bool = False
) -> MergeResult:
    """Merge datasets into the folder `target`. What is merged is only read.

    Args:
        datasets: one or more.
        target: where the merged one goes; its name is the dataset's.
        config: how.
        force: overwrite another dataset that lies there.

    Raises:
        SameSignerError: a signer's name is in several datasets, and it is not known whether it is one person.
        InputError: licences that do not go together; the target is one of the datasets, or another dataset.
        AslkitError: a dataset is damaged; no photograph is left.
    """
    _check_apart(datasets, target)
    _check_renames(datasets)
    sources = [read_source(n, each.name, each.folder, each.renames) for n, each in enumerate(datasets)]
    check_signers(sources, config.same, typed=[each.typed or each.name for each in datasets])
    plan = _planned(sources, config)
    up_to_date = _check_free(target, plan.facts, force=force)
    if not up_to_date:
        _write(plan, target)
    return MergeResult(
        folder=target,
        up_to_date=up_to_date,
        copies_left_out=len(plan.joined.copies) - len(plan.copies),
        summary=plan.facts["summary"],
        licence=plan.facts["licence"],
        sources=plan.facts["merged"],
    )


def _check_apart(datasets: Sequence[MergeInput], target: Path) -> None:
    for each in datasets:
        if each.folder.resolve() == target.resolve():
            raise InputError(f"{each.name} would be overwritten by what it is merged into. Give --to another name.")


def _check_renames(datasets: Sequence[MergeInput]) -> None:
    """Check that each signer who is to be called otherwise is in a dataset for which that was said."""
    known: dict[str, set[str]] = defaultdict(set)
    for each in datasets:
        for old in each.renames:
            known[old] |= set(parquet_store.read_dataset(each.folder, ["signer"]).column("signer").to_pylist())
    for old, there in known.items():
        if old not in there:
            raise InputError(f"There is no signer {old!r} to be renamed. There are: {', '.join(sorted(there))}.")


def _check_free(target: Path, facts: dict[str, Any], *, force: bool) -> bool:
    """Whether the target holds just this already. Raises InputError where it holds something else."""
    if not target.is_dir() or not any(target.iterdir()):
        return False
    try:
        before = parquet_store.read_facts(target)
        rows = facts["summary"]["frames"] + facts["summary"]["augmented"]
        if before.get("fingerprint") == facts["fingerprint"] and parquet_store.count_rows(target) == rows:
            return True
        old, new = ({name for leaf in each["merged"] for name in leaf["names"]} for each in (before, facts))
        same = old == new
    except (AslkitError, KeyError, TypeError):  # no dataset, or a damaged one, or one that is no merge
        same = False
    if same or (force and (target / parquet_store.REJECTED_FILE).is_file()):
        return False
    raise InputError(
        f"{target} holds something else than an earlier merge of the same datasets. Choose another name"
        + (", or overwrite it with --force." if (target / parquet_store.REJECTED_FILE).is_file() else ".")
    )


def _planned(sources: Sequence[MergeSource], config: MergeConfig) -> _Plan:
    joined = join_sources(sources)
    if not joined.kept:
        raise AslkitError("No photograph is left: all have the same pixels under several letters.")
    frames = SplitFrames(
        signer=np.array([entry.signer for entry in joined.kept]),
        session=np.array([entry.session for entry in joined.kept]),
        label=np.array([entry.label for entry in joined.kept], np.int64),
        group=joined.group,
    )
    shares = {"test_share": config.test_share, "validation_share": config.validation_share, "seed": config.seed}
    parts = split_frames(frames, **shares, hold_out=config.hold_out)  # type: ignore[arg-type]
    trained = {e.sha256 for e, name in zip(joined.kept, parts.names, strict=True) if name == "train"}
    copies = [copy for copy in joined.copies if copy.parent in trained]
    licence = licences.combine_licences(
        (entry.licence for entry in (*joined.kept, *copies)), allow_unknown=config.allow_unknown_licence
    )
    facts: dict[str, Any] = {
        "config": shares,
        "hold_out": sorted(config.hold_out),
        "merged": _leaves(sources),
        "licence": licence,
        "pixels": all(entry.pixels for entry in (*joined.kept, *copies)),
        "versions": {"aslkit": __version__},
    }
    facts["summary"] = _summary(joined, parts, facts["merged"]) | {"augmented": len(copies)}
    facts["fingerprint"] = _fingerprint(joined, parts, copies, facts)
    return _Plan(joined=joined, parts=parts, copies=copies, facts=facts)


def _leaves(sources: Sequence[MergeSource]) -> list[dict[str, Any]]:
    leaves: dict[str, dict[str, Any]] = {}
    for leaf in (leaf for source in sources for leaf in source.leaves):
        before = leaves.get(leaf["fingerprint"], leaf)
        names = sorted({*before["names"], *leaf["names"]})
        leaves[leaf["fingerprint"]] = {**leaf, "names": names, "frames": min(leaf["frames"], before["frames"])}
    return [leaves[mark] for mark in sorted(leaves)]


def _summary(joined: JoinedRows, parts: Split, leaves: list[dict[str, Any]]) -> dict[str, Any]:
    table = pa.table(
        {
            "label": pa.array([entry.label for entry in joined.kept], pa.int64()),
            "signer": pa.array([entry.signer for entry in joined.kept]),
            "landmarks": pa.array([True if entry.hand else None for entry in joined.kept], pa.bool_()),
            "group": pa.array(joined.group),
            "phash": pa.array([entry.phash for entry in joined.kept], pa.uint64()),
            "parent": pa.array([entry.parent for entry in joined.kept], pa.string()),
        }
    )
    rejected = [*(row["reason"] for row in joined.rejected), *(each.reason for each in joined.excluded)]
    summary = summarise_dataset(table, parts, rejected=rejected, flagged=(row["reason"] for row in joined.flagged))
    made = ", ".join(sorted(f"{'/'.join(leaf['names'])} ({leaf['frames']:,} images)" for leaf in leaves))
    notes = [f"Merged from {made}."]
    drawn = [signer for signer in summary["signers"] if signer.startswith(SYNTHETIC_PREFIX)]
    if drawn and len(drawn) < len(summary["signers"]):
        notes.append(f"Not all are photographs of people: {', '.join(drawn)} are synthetic.")
    return summary | {"notes": [*notes, *summary["notes"], *duplicate_signers.duplicate_signer_warnings(table)]}


def _fingerprint(joined: JoinedRows, parts: Split, copies: Sequence[SourceRow], facts: dict[str, Any]) -> str:
    """Of all that the merged dataset will hold."""
    digest = hashlib.sha256(json.dumps([__version__, schema.VERSION, facts], sort_keys=True).encode())
    digest.update(json.dumps([rejected_rows(joined), joined.flagged], sort_keys=True).encode())
    for entry in (*joined.kept, *copies):
        digest.update(entry.digest)
    digest.update(joined.group.tobytes())
    digest.update("".join(name[:2] for name in parts.names).encode())
    return digest.hexdigest()


def _write(plan: _Plan, target: Path) -> None:
    joined, copies = plan.joined, plan.copies
    number = {entry.sha256: int(group) for entry, group in zip(joined.kept, joined.group, strict=True)}
    row_groups = RowGroups()
    with atomic_write(target) as new, progress_bar("Merging", len(joined.kept) + len(copies)) as advance:

        def counted(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
            for table in tables:
                yield table
                advance(len(table))

        for name in schema.SPLITS:
            rows = np.flatnonzero(plan.parts.names == name)
            entries = [joined.kept[row] for row in rows] + (copies if name == "train" else [])
            groups = [number[entry.parent or entry.sha256] for entry in entries]
            parquet_store.write_split(new, name, counted(gather_rows(entries, groups, row_groups)), facts=plan.facts)
        for file, found in (
            (parquet_store.REJECTED_FILE, rejected_rows(joined)),
            (parquet_store.FLAGGED_FILE, joined.flagged),
        ):
            columns = schema.WITHHELD if file == parquet_store.REJECTED_FILE else schema.FLAGGED
            pq.write_table(pa.Table.from_pylist(found, columns), new / file, compression="zstd")
        card.write_card(new, name=target.name, facts=plan.facts)
