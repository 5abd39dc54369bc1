"""Spark engine, for captures that are too large for one machine. It returns the same rows as the local engine."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit import __version__
from aslkit.core.errors import AslkitError
from aslkit.core.spark_session import open_spark_session
from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure.engine import Work, map_local
from aslkit.curate.measure.measure import MEASURED_SCHEMA, MeasureOptions, file_batches, measure_files
from aslkit.curate.measure.near_duplicates import GroupFeatures, Integers, connected_components, number_groups

IMAGES_PER_JOB: Final = 8192
"""Images of one Spark job: the most that an interruption can lose, and the rows returned to the driver at once."""

IMAGES_PER_BATCH: Final = 32
"""Images in the memory of a worker at once."""

_GROUP_SCHEMA: Final = "row long, first long"


@contextmanager
def spark_engine(master: str) -> Iterator["SparkEngine"]:
    """Start a Spark session for the duration of a `with` block.

    Args:
        master: Spark master, such as "local[*]" or "spark://host:7077". Each worker needs this version of aslkit and
            access to the captures under the same path.

    Raises:
        AslkitError: Spark does not start.
    """
    settings = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(IMAGES_PER_BATCH)}
    if not master.startswith("local"):
        # A broken worker, for example with a full disk, fails fast and would be given all remaining tasks.
        settings["spark.excludeOnFailure.enabled"] = "true"
    with open_spark_session(master, name="curate", settings=settings) as spark:
        yield SparkEngine(spark=spark)


@dataclass(frozen=True, kw_only=True)
class SparkEngine:
    """Engine on a Spark session.

    Attributes:
        spark: pyspark.sql.SparkSession.
    """

    spark: Any

    def measure(self, files: Mapping[str, Path], options: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Measure the files with `mapInArrow`; the workers read them."""
        from pyspark.sql.pandas.types import from_arrow_schema

        work = partial(_measure_on_worker, options=options, version=__version__)
        schema = from_arrow_schema(_to_spark_types(MEASURED_SCHEMA))
        for batch in file_batches(files, IMAGES_PER_JOB):
            parts = min(4 * self.spark.sparkContext.defaultParallelism, -(-len(batch) // IMAGES_PER_BATCH))
            frame = self.spark.createDataFrame(pa.Table.from_batches([batch])).repartition(parts)
            measured = _collect(frame.mapInArrow(work, schema))
            yield from measured.cast(MEASURED_SCHEMA, safe=False).to_batches()

    def group(self, features: GroupFeatures, part: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Group near-duplicates; one worker compares all frames of a signer and letter."""
        count = len(part)
        table = pa.table(
            {
                "row": np.arange(count),
                "part": pa.array(part.astype(str)),
                "phash": list(map(bytes, features.phash)),
                "hands": pa.ListArray.from_arrays(np.arange(0, 42 * count + 1, 42, np.int32), features.hands.ravel()),
            }
        )

        def work(table: pa.Table) -> pa.Table:  # Spark reads these annotations; a partial would have none
            return _group_on_worker(table, limits)

        frame = self.spark.createDataFrame(table).groupBy("part")
        grouped = _collect(frame.applyInArrow(work, _GROUP_SCHEMA))
        first = np.empty(count, np.int64)
        first[grouped.column("row").to_numpy()] = grouped.column("first").to_numpy()
        return number_groups(first)

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Run `work` in local processes: the driver reads and writes the images anyway."""
        return map_local(work, batches)

    def map_files(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Run `work` on the workers, one batch per task."""
        serialized = list(map(_serialize, batches))
        if not serialized:
            return iter(())
        tasks = self.spark.sparkContext.parallelize(serialized, len(serialized))
        results = tasks.map(lambda batch: _serialize(work(_deserialize(batch))))
        return map(_deserialize, _run_job(results.collect))


def _measure_on_worker(
    batches: Iterator[pa.RecordBatch], *, options: MeasureOptions, version: str
) -> Iterator[pa.RecordBatch]:
    """Read and measure files; runs on a worker."""
    if version != __version__:
        raise RuntimeError(f"A worker has aslkit {__version__} installed, but this computer has {version}.")
    for batch in batches:
        measured = pa.Table.from_batches([measure_files(batch, options)])
        yield from measured.cast(_to_spark_types(MEASURED_SCHEMA), safe=False).to_batches()


def _group_on_worker(table: pa.Table, limits: NearDuplicateLimits) -> pa.Table:
    """Group the near-duplicates of one part; runs on a worker."""
    table = table.sort_by("row")
    rows = table.column("row").to_numpy()
    phash = np.stack([np.frombuffer(value, np.uint8) for value in table.column("phash").to_pylist()])
    hands = table.column("hands").combine_chunks().flatten().to_numpy().reshape(-1, 21, 2)
    features = GroupFeatures(phash=phash, hands=hands)
    return pa.table({"row": rows, "first": rows[connected_components(features, limits)]})


def _collect(frame: Any) -> pa.Table:
    """Compute a Spark data frame; raises as `_run_job`."""
    return _run_job(frame.toArrow)


def _run_job(job: Callable[[], Any]) -> Any:
    """Run a Spark job.

    Raises:
        AslkitError: a worker failed; the message has the last line of its error.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return job()
    except (PySparkException, Py4JError) as error:
        lines = [line.strip() for line in str(error).splitlines() if "Error" in line or "Exception" in line]
        raise AslkitError(
            f"Spark failed: {lines[-1] if lines else error}. Each worker needs aslkit {__version__} and must see the "
            "captures under the same path. Measured images are cached: run the same command again to continue."
        ) from error


def _serialize(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return bytes(sink.getvalue())


def _deserialize(data: bytes) -> pa.RecordBatch:
    return pa.ipc.open_stream(data).read_next_batch()


def _to_spark_types(schema: pa.Schema) -> pa.Schema:
    """Return the columns with types that Spark supports: no unsigned integers, no fixed-size binary."""

    def convert(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_uint64(kind):
            return pa.int64()
        return pa.binary() if pa.types.is_fixed_size_binary(kind) else kind

    return pa.schema([pa.field(field.name, convert(field.type)) for field in schema])
