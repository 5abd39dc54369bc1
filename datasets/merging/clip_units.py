"""Treat each clip as one recording when datasets are merged, and as its frames again afterwards."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.core.letters import LABELS, MOTION_LETTERS
from aslkit.core.sanitize import sanitize_text
from aslkit.datasets.merging.source_row import SourceRow

_HASH_CHARS: Final = 8
_SUFFIX: Final = re.compile(rf"~([0-9a-f]{{{_HASH_CHARS}}})$")
"""End of the name of a clip that `distinguish_names` renamed: the start of `SourceRow.sha256` of the clip."""


def collect_clips(rows: Iterable[SourceRow]) -> list[SourceRow]:
    """Return the rows of one dataset, with one entry for each clip instead of its frames.

    The entry of a clip has the clip's name as `path`, a hash of times and pixels as `sha256`, and its frames in
    `frames`, sorted by time.

    Raises:
        AslkitError: a clip is inconsistent.
    """
    units: list[SourceRow] = []
    clips: dict[str, list[SourceRow]] = {}
    for row in rows:
        _check_row(row)
        if row.clip is None:
            units.append(row)
        else:
            clips.setdefault(row.clip, []).append(row)
    return units + [_make_unit(name, frames) for name, frames in clips.items()]


def _check_row(row: SourceRow) -> None:
    """Raise AslkitError if a row of a movement is not in a clip, or a row of a clip is not one of a movement."""
    letter = LABELS[row.label]
    problem = ""
    if row.clip is None and letter in MOTION_LETTERS:
        problem = f"shows {letter}, which is signed with a movement, but is not part of a clip"
    elif row.clip is not None and (letter not in MOTION_LETTERS or row.time_ms is None or row.parent is not None):
        problem = "is part of a clip, but has another letter than J or Z, no time_ms, or is an augmented copy"
    if problem:
        raise AslkitError(
            f"The image {sanitize_text(row.path)} of {sanitize_text(row.signer)} {problem}. `aslkit dataset verify` "
            "lists all problems."
        )


def _make_unit(name: str, rows: list[SourceRow]) -> SourceRow:
    frames = tuple(sorted(rows, key=lambda row: (row.time_ms or 0, row.sha256)))
    first = frames[0]
    if len({(row.signer, row.session, row.label) for row in frames}) > 1:
        raise AslkitError(
            f"The clip {sanitize_text(name)} has several signers, sessions or letters. `aslkit dataset verify` lists "
            "all problems."
        )
    content = "".join(f"{row.time_ms} {row.sha256}\n" for row in frames)
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    digest = hashlib.blake2b(b"".join(row.digest for row in frames), digest_size=16).digest()
    suffix = _SUFFIX.search(name)
    base = name[: suffix.start()] if suffix and sha256.startswith(suffix[1]) else name
    return replace(
        first, path=base, clip=base, time_ms=None, sha256=sha256, digest=digest, joints=None, phash=None,
        frames=tuple(_rename(row, name, base) for row in frames),
        source_groups=tuple(dict.fromkeys(group for row in frames for group in row.source_groups)),
    )  # fmt: skip


def distinguish_names(units: Sequence[SourceRow]) -> list[SourceRow]:
    """Return the entries with different names for different clips that have the same name.

    Each of them gets a suffix that depends on its content only, so that the result does not depend on the order of
    merging.
    """
    counts = Counter(unit.path for unit in units if unit.frames)
    return [
        _rename_unit(unit, f"{unit.path}~{unit.sha256[:_HASH_CHARS]}")
        if unit.frames and counts[unit.path] > 1
        else unit
        for unit in units
    ]


def expand_clips(units: Iterable[SourceRow]) -> list[tuple[int, SourceRow]]:
    """Return the rows of entries with the number of their entry: the frames of a clip, or the entry itself."""
    return [(number, row) for number, unit in enumerate(units) for row in (unit.frames or (unit,))]


def _rename_unit(unit: SourceRow, name: str) -> SourceRow:
    return replace(unit, path=name, clip=name, frames=tuple(_rename(row, unit.path, name) for row in unit.frames))


def _rename(row: SourceRow, old: str, new: str) -> SourceRow:
    path = new + row.path[len(old) :] if row.path.startswith(f"{old}/") else row.path
    return replace(row, clip=new, path=path)
