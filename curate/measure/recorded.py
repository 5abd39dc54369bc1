"""Takes over what `aslkit capture` measured in the frames it stored, after measuring a sample of them again."""

from collections.abc import Iterable, Mapping
from math import ceil
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.progress import OnMessage, progress_bar
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Engine
from aslkit.formats.measurements import MEASURED_SCHEMA, SESSION_MEASUREMENTS, read_measurements

SAMPLE_SHARE: Final = 0.01
"""Share of the recorded frames of a session that are measured again."""

MIN_SAMPLE: Final = 3
"""Frames that are measured again at least of each session, because each may come from another computer."""

_TOLERANCE: Final = 1e-3
"""Maximum difference of two numbers, absolute or relative; of landmarks, 0.6 pixels of 640. On one computer, both
measurements are equal; another processor may round differently."""


def add_recorded_measurements(
    cache: MeasurementCache,
    files: Mapping[str, Path],
    sessions: Iterable[Path],
    engine: Engine,
    *,
    rng: np.random.Generator,
    on_message: OnMessage,
) -> None:
    """Add the recorder's measurements of files to the cache, unless measuring a random sample again contradicts them.

    Args:
        cache: cache to add to.
        files: paths by content hash.
        sessions: folders of the sessions.
        engine: measures the sample.
        rng: chooses the sample.
        on_message: called if the measurements are not used.
    """
    missing = cache.missing(files)
    if not missing:
        return
    recorded = _read(sessions, cache.options.folder_name, missing, on_message)
    if not len(recorded):
        return
    sample = recorded.take(_choose_sample(recorded, files, rng))
    paths = {content: files[content] for content in sample.column("content").to_pylist()}
    with progress_bar("Checking the recorder's measurements", len(paths)) as advance:
        batches = []
        for batch in engine.measure(paths, cache.options):
            batches.append(batch)
            advance(len(batch))
    differing = find_differing(sample, pa.Table.from_batches(batches, MEASURED_SCHEMA))
    if differing:
        content, column = next(iter(differing.items()))
        on_message(
            f"{len(differing)} of {len(paths)} frames that were measured again differ from what was measured while "
            f"recording, such as {files[content]} in {column}. All {len(recorded):,} are measured again."
        )
    else:
        cache.add(recorded)


def _read(sessions: Iterable[Path], name: str, contents: list[str], on_message: OnMessage) -> pa.Table:
    """Return the recorder's measurements of the files with these hashes, as far as there are any."""

    def report(path: Path) -> None:
        on_message(f"{path} is damaged, so the frames of which it has the measurements are measured again.")

    folders = [session / SESSION_MEASUREMENTS / name for session in sessions]
    tables = [table for folder in folders for table in read_measurements(folder, on_damaged=report).values()]
    if not tables:
        return MEASURED_SCHEMA.empty_table()
    recorded = pa.concat_tables(tables)
    rows = pc.index_in(pa.array(contents, pa.string()), recorded.column("content").combine_chunks())
    return recorded.take(rows.drop_null())


def _choose_sample(recorded: pa.Table, files: Mapping[str, Path], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return random rows, some of each session, int64 (n,)."""
    contents = recorded.column("content").to_pylist()
    session = np.array([str(files[content].parents[1]) for content in contents])
    sample = []
    for name in np.unique(session):
        rows = np.flatnonzero(session == name)
        count = min(len(rows), max(MIN_SAMPLE, ceil(SAMPLE_SHARE * len(rows))))
        sample.append(rng.choice(rows, count, replace=False))
    return np.concatenate(sample)


def find_differing(first: pa.Table, second: pa.Table) -> dict[str, str]:
    """Return the content hashes of the images in which two measurements differ, each with the first such column.

    Args:
        first: rows of `MEASURED_SCHEMA`.
        second: rows of the same images, in any order.
    """
    rows = {row["content"]: row for row in second.to_pylist()}
    differing = {}
    for row in first.to_pylist():
        other = rows[row["content"]]
        columns = [name for name, value in row.items() if not _agree(value, other[name])]
        if columns:
            differing[row["content"]] = columns[0]
    return differing


def _agree(one: object, other: object) -> bool:
    if isinstance(one, float | list) and isinstance(other, float | list):
        return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE))
    return one == other
