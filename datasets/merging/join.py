"""Join the rows of several datasets: remove duplicates, exclude conflicts and renumber the near-duplicate groups."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.core.letters import LABELS
from aslkit.datasets.merging.clip_units import distinguish_names, expand_clips
from aslkit.datasets.merging.entries import MergeSource
from aslkit.datasets.merging.source_row import SourceGroup, SourceRow

DUPLICATE: Final = "duplicate"
CONFLICT: Final = "conflicting-label"
"""Reason codes in rejected.parquet, the same as those of curation."""


@dataclass(frozen=True, kw_only=True)
class ExcludedRow:
    """A frame that the merge excluded.

    Attributes:
        entry: the frame.
        reason: DUPLICATE or CONFLICT.
        detail: the path of the frame with the same pixels.
        group: the near-duplicate group. An excluded frame still connects the groups it was in.
    """

    entry: SourceRow
    reason: str
    detail: str
    group: int = -1


@dataclass(frozen=True, kw_only=True)
class JoinedRows:
    """The rows of several datasets as one set. It does not depend on the order of the datasets or on earlier merges.

    Attributes:
        kept: originals, in canonical order, with the frames of clips.
        group: group number of each of these, int64 (n,), numbered from 0 in that order.
        excluded: frames and clips with the same pixels as another one, of the same or another letter, in canonical
            order. A clip is one entry.
        copies: augmented copies of all splits, in canonical order.
        rejected: rows of `schema.REJECTED`, without `excluded`.
        flagged: rows of `schema.MERGED_FLAGGED`.
        reviewed: rows of `schema.REJECTED`, the decisions of people.
    """

    kept: list[SourceRow]
    group: npt.NDArray[np.int64]
    excluded: list[ExcludedRow]
    copies: list[SourceRow]
    rejected: list[dict[str, str]]
    flagged: list[dict[str, str]]
    reviewed: list[dict[str, str]]


class SameSignerError(InputError):
    """A signer's name is in several datasets, and it is unknown whether it is the same person.

    Attributes:
        signer: the name of the signer.
        datasets: names of the datasets with that signer.
        number: number of the last of these datasets.
    """

    def __init__(self, signer: str, datasets: Sequence[str], number: int) -> None:
        last = datasets[-1]
        super().__init__(
            f"Signer {signer!r} is in {' and in '.join(datasets)}, with no recording in common. Is it the same person? "
            f"If so, use --same {signer}. If not, rename one of them: --rename {last}:{signer}={signer}-2. "
            "Treating two people as one signer would invalidate the test on unseen signers."
        )
        self.signer, self.datasets, self.number = signer, list(datasets), number


def check_signers(sources: Sequence[MergeSource], same: Collection[str], *, references: Sequence[str]) -> None:
    """Check that each signer's name stands for one person: two datasets with the name must share recordings.

    Args:
        sources: the datasets.
        same: signers who are known to be one person.
        references: unambiguous names of the datasets, used in errors if two datasets have the same name.

    Raises:
        SameSignerError: it is unknown whether a signer is one person.
        InputError: a name in `same` is not the name of a signer.
    """
    pixels: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, source in enumerate(sources):
        for entry in source.entries:
            pixels[entry.signer][number].add(entry.sha256)
    if unknown := sorted(set(same) - set(pixels)):
        raise InputError(f"Unknown signer {unknown[0]!r}. Known signers: {', '.join(sorted(pixels))}.")
    for signer in sorted(set(pixels) - set(same)):
        if unconnected := _find_unconnected(pixels[signer]):
            names = [sources[number].name for number in unconnected]
            if len(set(names)) < len(names):
                names = [references[number] for number in unconnected]
            raise SameSignerError(signer, names, unconnected[-1])


def _find_unconnected(pixels: dict[int, set[str]]) -> list[int]:
    """Return one dataset of each connected component, or an empty list if all datasets are connected.

    Two datasets are connected if they share a recording, directly or through other datasets.
    """
    components: list[tuple[int, set[str]]] = []
    for number, own in pixels.items():
        touching = [component for component in components if component[1] & own]
        components = [component for component in components if not component[1] & own]
        first = min([number, *(component[0] for component in touching)])
        components.append((first, own.union(*(component[1] for component in touching))))
    return sorted(component[0] for component in components) if len(components) > 1 else []


def join_sources(sources: Sequence[MergeSource]) -> JoinedRows:
    """Join the rows of several datasets into one set.

    Rows of the same recording (same signer, session, name and pixels) become one row. Of several originals with the
    same pixels and letter, the first one in canonical order is kept, regardless of the signer. Originals with the same
    pixels and different letters are all excluded. Augmented copies are kept if their original is kept. A clip counts as
    one recording, with the pixels and times of all its frames.
    """
    entries = _merge_recordings(entry for source in sources for entry in source.entries)
    originals = [entry for entry in entries if entry.parent is None]
    rejected = _unique_rows(row for source in sources for row in source.rejected)
    kept, excluded = _exclude_same_pixels(originals)
    # Excluded frames take part, because they can connect two groups of different datasets.
    groups = _number_groups([*kept, *(each.entry for each in excluded)])
    known_paths = {(entry.signer, entry.path) for entry in originals}
    kept_frames = {(entry.signer, entry.path, entry.sha256) for entry in kept}
    parents = {(entry.sha256, entry.signer, entry.session, entry.label) for entry in kept}
    flagged = _unique_rows(row for source in sources for row in source.flagged)
    reviewed = _unique_rows(row for source in sources for row in source.reviewed)
    rows = expand_clips(distinguish_names(kept))
    return JoinedRows(
        kept=[row for _, row in rows],
        group=groups[np.array([number for number, _ in rows], np.int64)],
        excluded=[replace(e, group=int(g)) for e, g in zip(excluded, groups[len(kept) :], strict=True)],
        copies=[e for e in entries if e.parent and (e.parent, e.signer, e.session, e.label) in parents],
        rejected=[row for row in rejected if (row["signer"], row["path"]) not in known_paths],
        flagged=[row for row in flagged if (row["signer"], row["path"], row["sha256"]) in kept_frames],
        # A dataset made before the decision can still have a frame that was dropped later.
        reviewed=[
            row for row in reviewed if row["reason"] != "drop" or (row["signer"], row["path"]) not in known_paths
        ],
    )


def _merge_recordings(entries: Iterable[SourceRow]) -> list[SourceRow]:
    """Return one entry for each recording, with the source groups of all its rows, in canonical order."""
    by_recording: dict[tuple[object, ...], list[SourceRow]] = defaultdict(list)
    for entry in entries:
        by_recording[entry.recording_key].append(entry)
    merged = []
    for rows in by_recording.values():
        # A rule that does not depend on the order of the sources; merging would otherwise not be commutative.
        best = min(rows, key=lambda entry: (entry.location is None, entry.digest))
        merged.append(replace(best, source_groups=tuple(group for entry in rows for group in entry.source_groups)))
    return sorted(merged, key=lambda entry: entry.sort_key)


def _unique_rows(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return [dict(row) for row in sorted({tuple(row.items()) for row in rows})]


def _exclude_same_pixels(originals: list[SourceRow]) -> tuple[list[SourceRow], list[ExcludedRow]]:
    by_hash: dict[str, list[SourceRow]] = defaultdict(list)
    for entry in originals:
        by_hash[entry.sha256].append(entry)
    kept, excluded = [], []
    for entry in originals:
        identical = by_hash[entry.sha256]
        conflicting = next((other for other in identical if other.label != entry.label), None)
        if conflicting:
            excluded.append(ExcludedRow(entry=entry, reason=CONFLICT, detail=f"same pixels as {conflicting.path}"))
            continue
        first = next((other for other in identical if other.location is not None), entry)
        if entry is first and entry.location is not None:
            kept.append(entry)
        else:
            excluded.append(ExcludedRow(entry=entry, reason=DUPLICATE, detail=f"same pixels as {first.path}"))
    return kept, excluded


def _number_groups(entries: list[SourceRow]) -> npt.NDArray[np.int64]:
    """Number the near-duplicate groups.

    Groups of different datasets are joined if they share a frame or frames with the same pixels.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    # A bipartite graph: each entry is connected to its source groups and to the hash of its pixels. A clip is also
    # connected to those of its frames that show a hand: two clips of one video can overlap.
    links: dict[SourceGroup | str, int] = {}
    rows, columns = [], []
    for row, entry in enumerate(entries):
        own: tuple[SourceGroup | str, ...] = (
            *entry.source_groups,
            entry.sha256,
            *(frame.sha256 for frame in entry.frames if frame.has_hand),
        )
        for link in own:
            rows.append(row)
            columns.append(len(entries) + links.setdefault(link, len(links)))
    count = len(entries) + len(links)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    _, first, number = np.unique(component[: len(entries)], return_index=True, return_inverse=True)
    # scipy's component numbers follow the order of its search; renumber them by their first frame.
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[number], np.int64)


def rejected_rows(joined: JoinedRows) -> list[dict[str, object]]:
    """Return rows of `schema.MERGED_REJECTED`: frames rejected before the merge, and frames that the merge excluded."""
    before: list[dict[str, object]] = [{**row, "sha256": None, "group": None} for row in joined.rejected]
    excluded: list[dict[str, object]] = [
        {
            "path": each.entry.path,
            "letter": LABELS[each.entry.label],
            "signer": each.entry.signer,
            "session": each.entry.session,
            "reason": each.reason,
            "detail": each.detail,
            "sha256": each.entry.sha256,
            "group": each.group,
        }
        for each in joined.excluded
    ]
    return [*before, *excluded]
