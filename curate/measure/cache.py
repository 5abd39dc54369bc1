"""Cache of measurements, by the hash of the image file, so that no image is measured twice."""

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

IMAGES_PER_FILE: Final = 512
"""Number of measured images after which they are written: the most that a crash can lose."""

MAX_FILES: Final = 64
"""Number of cache files above which they are merged into one."""


@dataclass(kw_only=True)
class MeasurementCache:
    """All known measurements, and the folder that stores them.

    Attributes:
        folder: WORKSPACE/cache/descriptions.
        options: how images are measured; the cache of each set of options is separate.
        known: rows of `measure.MEASURED_SCHEMA`.
    """

    folder: Path
    options: MeasureOptions
    known: pa.Table = field(init=False)

    def __post_init__(self) -> None:
        """Read the cache. Delete damaged files; their images are measured again."""
        options = self.options
        hands = f"{options.min_confidence:g}-{int(options.second_try)}" if options.hands else "no-hands"
        self._folder = self.folder / f"v{VERSION}-mediapipe-{version('mediapipe')}-{hands}"
        tables, files = [], []
        for path in sorted(self._folder.glob("*.parquet")):
            try:
                tables.append(pq.read_table(path).cast(MEASURED_SCHEMA))
                files.append(path)
            except (pa.ArrowException, OSError, ValueError):
                remove(path)
        self.known = pa.concat_tables(tables) if tables else MEASURED_SCHEMA.empty_table()
        if len(tables) > MAX_FILES:
            self._merge_files(files)

    def fill(self, files: Mapping[str, Path], engine: Engine) -> int:
        """Measure the files that are not in the cache, and return their number.

        If the run is interrupted, what was measured so far is written.

        Args:
            files: paths by content hash.
            engine: measures the images.
        """
        known = set(self.known.column("content").to_pylist())
        missing = {content: path for content, path in files.items() if content not in known}
        if not missing:
            return 0
        pending: list[pa.RecordBatch] = []
        with progress_bar("Measuring images", len(missing)) as advance:
            try:
                for batch in engine.measure(missing, self.options):
                    pending.append(batch)
                    advance(len(batch))
                    if sum(map(len, pending)) >= IMAGES_PER_FILE:
                        self._write(pending)
            finally:
                self._write(pending)
        return len(missing)

    def get(self, contents: Sequence[str]) -> pa.Table:
        """Return the measurements of files in the cache, in the order of the given content hashes."""
        rows = pc.index_in(pa.array(contents, pa.string()), self.known.column("content").combine_chunks())
        return self.known.take(rows)

    def _write(self, pending: list[pa.RecordBatch]) -> None:
        """Write the batches to a file and clear the list."""
        if not pending:
            return
        table = pa.Table.from_batches(pending, MEASURED_SCHEMA)
        name = hashlib.sha256("".join(table.column("content").to_pylist()).encode()).hexdigest()[:16]
        with atomic_write(self._folder / f"{name}.parquet") as partial_file:
            pq.write_table(table, partial_file, compression="zstd")
        self.known = pa.concat_tables([self.known, table])
        pending.clear()

    def _merge_files(self, files: list[Path]) -> None:
        """Write everything known to one file, and delete the given files; files of other processes are left alone."""
        with atomic_write(self._folder / "all.parquet") as partial_file:
            pq.write_table(self.known, partial_file, compression="zstd")
        for path in files:
            if path.name != "all.parquet":
                remove(path)
