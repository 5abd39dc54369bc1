"""Descriptions are kept by the content of the file they describe, so that no image is looked at twice."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aslkit.core.files import atomic_write, remove
from aslkit.core.progress import progress_bar
from aslkit.curate.measure.engine import Engine
from aslkit.curate.measure.measure import MEASURED_SCHEMA, VERSION, MeasureOptions

KEEP_EVERY: Final = 512
"""Images after which what was measured is written down: what a crash can cost."""

MANY_PARTS: Final = 64
"""Files after which they are made one."""


@dataclass(kw_only=True)
class MeasurementCache:
    """All descriptions known, and the folder that keeps them.

    Attributes:
        folder: WORKSPACE/cache/descriptions.
        options: how hands are looked for; another way has other descriptions.
    """

    folder: Path
    options: MeasureOptions
    known: pa.Table = field(init=False)

    def __post_init__(self) -> None:
        """Read what is kept. A damaged file only means that its images are measured again, so it is removed."""
        looking = (
            f"{self.options.min_confidence:g}-{int(self.options.second_try)}" if self.options.hands else "no-hands"
        )
        self._kept = self.folder / f"v{VERSION}-mediapipe-{version('mediapipe')}-{looking}"
        tables, parts = [], []
        for path in sorted(self._kept.glob("*.parquet")):
            try:
                tables.append(pq.read_table(path).cast(MEASURED_SCHEMA))
                parts.append(path)
            except (pa.ArrowException, OSError, ValueError):
                remove(path)
        self.known = pa.concat_tables(tables) if tables else MEASURED_SCHEMA.empty_table()
        if len(tables) > MANY_PARTS:
            self._make_one(parts)

    def fill(self, files: Mapping[str, Path], engine: Engine) -> int:
        """Describe files, content hash to path, that are not known yet; returns how many. Ctrl-C keeps what is done."""
        have = set(self.known.column("content").to_pylist())
        missing = {content: path for content, path in files.items() if content not in have}
        if not missing:
            return 0
        fresh: list[pa.RecordBatch] = []
        with progress_bar("Looking at images", len(missing)) as advance:
            try:
                for batch in engine.describe(missing, self.options):
                    fresh.append(batch)
                    advance(len(batch))
                    if sum(map(len, fresh)) >= KEEP_EVERY:
                        self._keep(fresh)
            finally:
                self._keep(fresh)
        return len(missing)

    def get(self, contents: Sequence[str]) -> pa.Table:
        """Descriptions of files, all known, in the order of their content hashes."""
        rows = pc.index_in(pa.array(contents, pa.string()), self.known.column("content").combine_chunks())
        return self.known.take(rows)

    def _keep(self, fresh: list[pa.RecordBatch]) -> None:
        if not fresh:
            return
        table = pa.Table.from_batches(fresh, MEASURED_SCHEMA)
        name = hashlib.sha256("".join(table.column("content").to_pylist()).encode()).hexdigest()[:16]
        with atomic_write(self._kept / f"{name}.parquet") as partial_file:
            pq.write_table(table, partial_file, compression="zstd")
        self.known = pa.concat_tables([self.known, table])
        fresh.clear()

    def _make_one(self, parts: list[Path]) -> None:
        """Write all that is known to one file in place of those it was read from; another process may add its own."""
        with atomic_write(self._kept / "all.parquet") as partial_file:
            pq.write_table(self.known, partial_file, compression="zstd")
        for path in parts:
            if path.name != "all.parquet":
                remove(path)
