"""What becomes of the rows of several datasets: which are one, which are left out, which groups they make."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.datasets.merging.entries import Home, MergeSource, SourceRow

DUPLICATE: Final = "duplicate"
CONFLICT: Final = "conflicting-label"
"""Reasons, as curation gives them."""


@dataclass(frozen=True, kw_only=True)
class ExcludedRow:
    """A frame that merging left out, why, and its group, which it still holds together."""

    entry: SourceRow
    reason: str
    detail: str
    group: int = -1


@dataclass(frozen=True, kw_only=True)
class JoinedRows:
    """All rows of several datasets as one set: the same whatever the order, and whatever was merged before.

    Attributes:
        kept: photographs, in canonical order.
        group: int64 (n,), of each; numbered from 0 in that order.
        excluded: frames whose pixels are there already, or are under two letters; in canonical order.
        copies: varied copies, in canonical order, of whatever split.
        rejected: rows of `schema.REJECTED`, without `excluded`.
        flagged: rows of `schema.FLAGGED`.
    """

    kept: list[SourceRow]
    group: npt.NDArray[np.int64]
    excluded: list[ExcludedRow]
    copies: list[SourceRow]
    rejected: list[dict[str, str]]
    flagged: list[dict[str, str]]


class SameSignerError(InputError):
    """A signer's name is in several datasets, and nothing in them says whether it is one person.

    Attributes:
        signer: the name.
        datasets: where it is, as the user calls them.
        number: of the last of these.
    """

    def __init__(self, signer: str, datasets: Sequence[str], number: int) -> None:
        last = datasets[-1]
        super().__init__(
            f"Signer {signer!r} is in {' and in '.join(datasets)}, with no recording in common: is it the same person? "
            f"If so, say --same {signer}. If not, give one of them another name: --rename {last}:{signer}={signer}-2. "
            "People taken for one another would spoil the test on unseen people."
        )
        self.signer, self.datasets, self.number = signer, list(datasets), number


def check_signers(sources: Sequence[MergeSource], same: Collection[str], *, typed: Sequence[str]) -> None:
    """Check that each signer's name stands for one person: those of two datasets have recordings in common.

    Args:
        sources: the datasets.
        same: signers who are known to be one person.
        typed: what to call the datasets where two have one name.

    Raises:
        SameSignerError: nobody knows.
        InputError: a name in `same` is no signer's.
    """
    pixels: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, source in enumerate(sources):
        for entry in source.entries:
            pixels[entry.signer][number].add(entry.sha256)
    if strange := sorted(set(same) - set(pixels)):
        raise InputError(f"There is no signer {strange[0]!r}. There are: {', '.join(sorted(pixels))}.")
    for signer in sorted(set(pixels) - set(same)):
        if apart := _apart(pixels[signer]):
            names = [sources[number].name for number in apart]
            if len(set(names)) < len(names):
                names = [typed[number] for number in apart]
            raise SameSignerError(signer, names, apart[-1])


def _apart(pixels: dict[int, set[str]]) -> list[int]:
    """One dataset of each of two or more that have nothing in common, not even by way of others."""
    parts: list[tuple[int, set[str]]] = []
    for number, own in pixels.items():
        meeting = [part for part in parts if part[1] & own]
        parts = [part for part in parts if not part[1] & own]
        first = min([number, *(part[0] for part in meeting)])
        parts.append((first, own.union(*(part[1] for part in meeting))))
    return sorted(part[0] for part in parts) if len(parts) > 1 else []


def join_sources(sources: Sequence[MergeSource]) -> JoinedRows:
    """Make one set of the rows of several datasets.

    Rows of one recording (same signer, session, name and pixels) are one. Of equal pixels under several names the first
    in canonical order stays, whoever is said to be seen; equal pixels under several letters all go. A copy stays with
    the photograph it was made of.
    """
    entries = _one_each(entry for source in sources for entry in source.entries)
    photographs = [entry for entry in entries if entry.parent is None]
    rejected = _distinct(row for source in sources for row in source.rejected)
    taken, left_out = _judged(photographs)
    groups = _groups([*taken, *(each.entry for each in left_out)])
    known = {(entry.signer, entry.path) for entry in photographs}
    mine = {(entry.signer, entry.path, entry.sha256) for entry in taken}
    originals = {(entry.sha256, entry.signer, entry.session, entry.label) for entry in taken}
    flagged = _distinct(row for source in sources for row in source.flagged)
    return JoinedRows(
        kept=taken,
        group=groups[: len(taken)],
        excluded=[replace(e, group=int(g)) for e, g in zip(left_out, groups[len(taken) :], strict=True)],
        copies=[e for e in entries if e.parent and (e.parent, e.signer, e.session, e.label) in originals],
        rejected=[row for row in rejected if (row["signer"], row["path"]) not in known],
        flagged=[row for row in flagged if (row["signer"], row["path"], row["sha256"]) in mine],
    )


def _one_each(entries: Iterable[SourceRow]) -> list[SourceRow]:
    """Of each recording one entry, which has the homes of all; in canonical order."""
    found: dict[tuple[object, ...], list[SourceRow]] = defaultdict(list)
    for entry in entries:
        found[entry.recording].append(entry)
    one = []
    for same in found.values():
        best = min(same, key=lambda entry: (entry.place is None, entry.digest))
        one.append(replace(best, homes=tuple(home for entry in same for home in entry.homes)))
    return sorted(one, key=lambda entry: entry.order)


def _distinct(rows: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    return [dict(row) for row in sorted({tuple(row.items()) for row in rows})]


def _judged(photographs: list[SourceRow]) -> tuple[list[SourceRow], list[ExcludedRow]]:
    alike: dict[str, list[SourceRow]] = defaultdict(list)
    for entry in photographs:
        alike[entry.sha256].append(entry)
    taken, left_out = [], []
    for entry in photographs:
        twins = alike[entry.sha256]
        other = next((twin for twin in twins if twin.label != entry.label), None)
        if other:
            left_out.append(ExcludedRow(entry=entry, reason=CONFLICT, detail=f"same pixels as {other.path}"))
            continue
        first = next((twin for twin in twins if twin.place is not None), entry)
        if entry is first and entry.place is not None:
            taken.append(entry)
        else:
            left_out.append(ExcludedRow(entry=entry, reason=DUPLICATE, detail=f"same pixels as {first.path}"))
    return taken, left_out


def _groups(entries: list[SourceRow]) -> npt.NDArray[np.int64]:
    """Groups that keep those of every dataset whole: joined where they share a frame, or frames of equal pixels."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ties: dict[Home | str, int] = {}
    rows, columns = [], []
    for row, entry in enumerate(entries):
        own: tuple[Home | str, ...] = (*entry.homes, entry.sha256)
        for tie in own:
            rows.append(row)
            columns.append(len(entries) + ties.setdefault(tie, len(ties)))
    count = len(entries) + len(ties)
    graph = coo_array((np.ones(len(rows), bool), (rows, columns)), shape=(count, count))
    _, part = connected_components(graph, directed=False)
    _, first, number = np.unique(part[: len(entries)], return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(len(first))
    return np.asarray(rank[number], np.int64)


def rejected_rows(joined: JoinedRows) -> list[dict[str, object]]:
    """Rows of `schema.WITHHELD`: what was rejected before, and what merging left out."""
    before: list[dict[str, object]] = [{**row, "sha256": None, "group": None} for row in joined.rejected]
    now: list[dict[str, object]] = [
        {
            "path": each.entry.path,
            "letter": LETTERS[each.entry.label],
            "signer": each.entry.signer,
            "session": each.entry.session,
            "reason": each.reason,
            "detail": each.detail,
            "sha256": each.entry.sha256,
            "group": each.group,
        }
        for each in joined.excluded
    ]
    return [*before, *now]
