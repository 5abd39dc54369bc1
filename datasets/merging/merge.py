"""Merge several datasets into one.

The result depends only on the set of inputs. Merging is associative, commutative and idempotent: the rows, their order
and their split are the same whether three datasets are merged at once, one after the other, or one of them twice. To
make this possible, frames that a merge excludes are stored in rejected.parquet with the hash of their pixels and their
group.

There is one exception: augmented copies are only allowed in train. If a merge moves their original out of train, they
are dropped, and a later merge cannot restore them.
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
from aslkit.core.workspace import compose
from aslkit.datasets import card, licences, parquet_store, schema
from aslkit.datasets.clip_split import split_rows
from aslkit.datasets.merging.entries import MergeSource, read_source
from aslkit.datasets.merging.gather_rows import RowGroups, gather_rows
from aslkit.datasets.merging.join import JoinedRows, check_signers, join_sources, rejected_rows
from aslkit.datasets.merging.merge_summary import merge_origins, summarise_merge
from aslkit.datasets.merging.source_row import SourceRow
from aslkit.datasets.split import Split, SplitFrames
from aslkit.datasets.summary import count_rows


@dataclass(frozen=True, kw_only=True)
class MergeInput:
    """A dataset to merge.

    Attributes:
        name: name of the dataset, which the merged dataset also lists.
        folder: the dataset folder.
        renames: new names of signers by old name.
        reference: what the user typed for the dataset, used in errors if two datasets have the same name.
    """

    name: str
    folder: Path
    renames: Mapping[str, str]
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class MergeConfig:
    """Settings of a merge.

    Attributes:
        test_share, validation_share, seed, hold_out: see `aslkit.datasets.clip_split.split_rows`.
        same: signers who are the same person in all datasets, even if the datasets share no recording.
        allow_private: accept private images and images without a licence.
    """

    test_share: float
    validation_share: float
    seed: int
    hold_out: tuple[str, ...] = ()
    same: tuple[str, ...] = ()
    allow_private: bool = False


@dataclass(frozen=True, kw_only=True)
class MergeResult:
    """Result of a merge.

    Attributes:
        folder: the folder of the merged dataset.
        up_to_date: whether the merged dataset already existed, so nothing was written.
        copies_left_out: number of augmented copies dropped because their original is no longer in train.
        summary: counts and notes, ready for JSON.
        licence: licence of the merged dataset.
        sources: fingerprint, names and number of frames of each source dataset.
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
    split: Split
    copies: list[SourceRow]
    facts: dict[str, Any]


def merge_datasets(
    datasets: Sequence[MergeInput], target: Path, config: MergeConfig, *, force: bool = False
) -> MergeResult:
    """Merge datasets into the folder `target`. The inputs are not modified.

    Args:
        datasets: the datasets to merge, at least one.
        target: folder of the merged dataset. Its name is the name of the dataset.
        config: settings of the merge.
        force: overwrite another dataset in `target`.

    Raises:
        SameSignerError: a signer's name is in several datasets, and it is unknown whether it is the same person.
        InputError: images are private, licences are incompatible, or the target is one of the inputs or contains other
            files.
        AslkitError: a dataset is damaged, or no image is left.
    """
    _check_target_is_no_input(datasets, target)
    _check_renames(datasets)
    sources = [read_source(n, each.name, each.folder, each.renames) for n, each in enumerate(datasets)]
    check_signers(sources, config.same, references=[each.reference or each.name for each in datasets])
    plan = _plan_merge(sources, config)
    up_to_date = _is_up_to_date(target, plan.facts, force=force)
    if not up_to_date:
        _write_dataset(plan, target)
    return MergeResult(
        folder=target,
        up_to_date=up_to_date,
        copies_left_out=len(plan.joined.copies) - len(plan.copies),
        summary=plan.facts["summary"],
        licence=plan.facts["licence"],
        sources=plan.facts["merged"],
    )


def _check_target_is_no_input(datasets: Sequence[MergeInput], target: Path) -> None:
    for each in datasets:
        if each.folder.resolve() == target.resolve():
            raise InputError(
                f"The merged dataset would overwrite its source {each.name}. Choose another name with --to."
            )


def _check_renames(datasets: Sequence[MergeInput]) -> None:
    """Check that each renamed signer is in a dataset that the renaming applies to."""
    signers: dict[str, set[str]] = defaultdict(set)
    for each in datasets:
        for old in each.renames:
            names = parquet_store.read_dataset(each.folder, ["signer"]).column("signer").unique().to_pylist()
            signers[old] |= {compose(name) for name in names if name is not None}
    for old, known in signers.items():
        if old not in known:
            raise InputError(f"No signer {old!r} to rename. Known signers: {', '.join(sorted(known))}.")


def _is_up_to_date(target: Path, facts: dict[str, Any], *, force: bool) -> bool:
    """Return whether the target already contains the result. Raise InputError if it contains something else."""
    if not target.is_dir() or not any(target.iterdir()):
        return False
    try:
        existing = parquet_store.read_facts(target)
        rows = count_rows(facts["summary"])
        # Counting the rows as well, because a copied dataset can lack files.
        if existing.get("fingerprint") == facts["fingerprint"] and parquet_store.count_rows(target) == rows:
            return True
        old, new = ({name for origin in each["merged"] for name in origin["names"]} for each in (existing, facts))
        same_sources = old == new
    except (AslkitError, KeyError, TypeError):  # not a dataset, a damaged one, or one that is not a merge
        same_sources = False
    is_dataset = (target / parquet_store.REJECTED_FILE).is_file()
    if same_sources or (force and is_dataset):
        return False
    raise InputError(
        f"{target} is not an earlier merge of the same datasets. Choose another name"
        + (", or overwrite it with --force." if is_dataset else ".")
    )


def _plan_merge(sources: Sequence[MergeSource], config: MergeConfig) -> _Plan:
    joined = join_sources(sources)
    if not joined.kept:
        raise AslkitError("No image is left: all images have the same pixels as images of another letter.")
    frames = SplitFrames(
        signer=np.array([entry.signer for entry in joined.kept]),
        session=np.array([entry.session for entry in joined.kept]),
        label=np.array([entry.label for entry in joined.kept], np.int64),
        group=joined.group,
    )
    shares = {"test_share": config.test_share, "validation_share": config.validation_share, "seed": config.seed}
    clip = np.array([entry.clip for entry in joined.kept], object)
    split = split_rows(frames, clip, **shares, hold_out=config.hold_out)  # type: ignore[arg-type]
    # An augmented copy whose original is now held out would be data leakage.
    in_train = zip(joined.kept, split.names, strict=True)
    train_hashes = {entry.sha256 for entry, name in in_train if name == "train" and entry.clip is None}
    copies = [copy for copy in joined.copies if copy.parent in train_hashes]
    licence = licences.combine_licences(
        ((entry.signer, entry.licence) for entry in (*joined.kept, *copies)), allow_private=config.allow_private
    )
    facts: dict[str, Any] = {
        "config": shares,
        "hold_out": sorted(config.hold_out),
        "merged": merge_origins(sources),
        "licence": licence,
        "pixels": all(entry.has_pixels for entry in (*joined.kept, *copies)),
        "versions": {"aslkit": __version__},
    }
    facts["summary"] = summarise_merge(joined, split, facts["merged"]) | {"augmented": len(copies)}
    facts["fingerprint"] = _fingerprint(joined, split, copies, facts)
    return _Plan(joined=joined, split=split, copies=copies, facts=facts)


def _fingerprint(joined: JoinedRows, split: Split, copies: Sequence[SourceRow], facts: dict[str, Any]) -> str:
    """Return a hash of all contents of the merged dataset."""
    # With the version, because a later one may write other bytes for the same rows.
    digest = hashlib.sha256(json.dumps([__version__, schema.VERSION, facts], sort_keys=True).encode())
    digest.update(json.dumps([rejected_rows(joined), joined.flagged, joined.reviewed], sort_keys=True).encode())
    for entry in (*joined.kept, *copies):
        digest.update(entry.digest)
        digest.update(entry.path.encode() if entry.clip else b"")
    digest.update(joined.group.tobytes())
    digest.update("".join(name[:2] for name in split.names).encode())
    return digest.hexdigest()


def _write_dataset(plan: _Plan, target: Path) -> None:
    joined, copies = plan.joined, plan.copies
    pairs = zip(joined.kept, joined.group.tolist(), strict=True)
    group_of = {entry.sha256: group for entry, group in pairs if entry.clip is None}
    copy_groups = [group_of[copy.parent or ""] for copy in copies]
    row_groups = RowGroups()
    with atomic_write(target) as new, progress_bar("Merging", len(joined.kept) + len(copies)) as advance:

        def advance_by_table(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
            for table in tables:
                yield table
                advance(len(table))

        for name in schema.SPLITS:
            rows = np.flatnonzero(plan.split.names == name)
            entries = [joined.kept[row] for row in rows] + (copies if name == "train" else [])
            groups = joined.group[rows].tolist() + (copy_groups if name == "train" else [])
            tables = advance_by_table(gather_rows(entries, groups, row_groups))
            parquet_store.write_split(new, name, tables, facts=plan.facts)
        for file, columns, findings in (
            (parquet_store.REJECTED_FILE, schema.MERGED_REJECTED, rejected_rows(joined)),
            (parquet_store.FLAGGED_FILE, schema.MERGED_FLAGGED, joined.flagged),
            (parquet_store.REVIEWED_FILE, schema.REJECTED, joined.reviewed),
        ):
            pq.write_table(pa.Table.from_pylist(findings, columns), new / file, compression="zstd")
        card.write_card(new, name=target.name, facts=plan.facts)
