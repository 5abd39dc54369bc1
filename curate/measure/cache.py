"""Cache of measurements, by the hash of the image file, so that no image is measured twice."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from aslkit.core.files import remove
from aslkit.core.progress import progress_bar
from aslkit.curate.measure.engine import Engine
from aslkit.formats.measurements import MEASURED_SCHEMA, MeasureOptions, read_measurements, write_measurements

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
        self._folder = self.folder / self.options.folder_name
        tables = read_measurements(self._folder, on_damaged=remove)
        self.known = pa.concat_tables(tables.values()) if tables else MEASURED_SCHEMA.empty_table()
        if len(tables) > MAX_FILES:
            self._merge_files(list(tables))

    def fill(self, files: Mapping[str, Path], engine: Engine) -> int:
        """Measure the files that are not in the cache, and return their number.

        If the run is interrupted, what was measured so far is written.

        Args:
            files: paths by content hash.
            engine: measures the images.
        """
        missing = {content: files[content] for content in self.missing(files)}
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

    def missing(self, contents: Iterable[str]) -> list[str]:
        """Return the content hashes that are not in the cache, in the given order."""
        known = set(self.known.column("content").to_pylist())
        return [content for content in contents if content not in known]

    def add(self, table: pa.Table) -> None:
        """Add rows of `measure.MEASURED_SCHEMA`, which must not be in the cache."""
        write_measurements(self._folder, table)
        self.known = pa.concat_tables([self.known, table])

    def clear(self) -> None:
        """Delete everything that was measured with these options."""
        remove(self._folder)
        self.known = MEASURED_SCHEMA.empty_table()

    def get(self, contents: Sequence[str]) -> pa.Table:
        """Return the measurements of files in the cache, in the order of the given content hashes."""
        rows = pc.index_in(pa.array(contents, pa.string()), self.known.column("content").combine_chunks())
        return self.known.take(rows)

    def _write(self, pending: list[pa.RecordBatch]) -> None:
        """Write the batches to a file and clear the list."""
        if not pending:
            return
        self.add(pa.Table.from_batches(pending, MEASURED_SCHEMA))
        pending.clear()

    def _merge_files(self, files: list[Path]) -> None:
        """Write everything known to one file, and delete the given files; files of other processes are left alone."""
        merged = write_measurements(self._folder, self.known)
        for path in files:
            if path != merged:
                remove(path)
