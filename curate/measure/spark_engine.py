"""The same work on Spark: for captures that outgrow one machine. Its rows equal those of the local engine."""

from collections.abc import Iterable, Iterator, Mapping
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
from aslkit.curate.measure.near_duplicates import GroupFeatures, Integers, component_ids, connected_components

AT_ONCE: Final = 8192
"""Images of one Spark job: what an interruption can cost, and what comes back to this process at once."""

BATCH: Final = 32
"""Images in memory of a worker at once."""

_LINKED: Final = "row long, first long"


@contextmanager
def spark_engine(master: str) -> Iterator["SparkEngine"]:
    """Run a Spark session while the block does.

    Args:
        master: as Spark has it: "local[*]", "spark://host:7077". Each worker needs this version of aslkit, and sees the
            captures under the same path.

    Raises:
        AslkitError: Spark does not start.
    """
    settings = {"spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH)}
    if not master.startswith("local"):  # a worker whose disk is full fails fast, and would be given all that is left
        settings["spark.excludeOnFailure.enabled"] = "true"
    with open_spark_session(master, name="curate", settings=settings) as spark:
        yield SparkEngine(spark=spark)


@dataclass(frozen=True, kw_only=True)
class SparkEngine:
    """An `engine.Engine` on a Spark session."""

    spark: Any

    def describe(self, files: Mapping[str, Path], looking: MeasureOptions) -> Iterator[pa.RecordBatch]:
        """Likewise: workers read the images themselves, `mapInArrow`."""
        from pyspark.sql.pandas.types import from_arrow_schema

        work, out = (
            partial(_described, looking=looking, version=__version__),
            from_arrow_schema(_plain(MEASURED_SCHEMA)),
        )
        for batch in file_batches(files, AT_ONCE):
            parts = min(4 * self.spark.sparkContext.defaultParallelism, -(-len(batch) // BATCH))
            frame = self.spark.createDataFrame(pa.Table.from_batches([batch])).repartition(parts)
            found = _collected(frame.mapInArrow(work, out))
            yield from _typed(found).to_batches()

    def group(self, traits: GroupFeatures, within: npt.NDArray[Any], limits: NearDuplicateLimits) -> Integers:
        """Likewise: a worker compares all frames of a signer and letter, which is the band that pairs lie in."""
        count = len(within)
        table = pa.table(
            {
                "row": np.arange(count),
                "within": pa.array(within.astype(str)),
                **{name: list(map(bytes, getattr(traits, name))) for name in ("phash", "fine_hash", "hand_hash")},
                "hands": pa.ListArray.from_arrays(np.arange(0, 42 * count + 1, 42, np.int32), traits.hands.ravel()),
                "left": traits.left,
            }
        )

        def work(part: pa.Table) -> pa.Table:  # by these types Spark knows what to hand in
            return _linked(part, limits)

        frame = self.spark.createDataFrame(table).groupBy("within")
        found = _collected(frame.applyInArrow(work, _LINKED))
        first = np.empty(count, np.int64)
        first[found.column("row").to_numpy()] = found.column("first").to_numpy()
        return component_ids(first)

    def map(self, work: Work, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Likewise; by processes beside this one, which has to read and write the images anyway."""
        return map_local(work, batches)


def _described(batches: Iterator[pa.RecordBatch], *, looking: MeasureOptions, version: str) -> Iterator[pa.RecordBatch]:
    """In a worker: read files and describe them."""
    if version != __version__:
        raise RuntimeError(f"aslkit {__version__} is installed on a worker, {version} where the command was given.")
    for batch in batches:
        found = pa.Table.from_batches([measure_files(batch, looking)])
        yield from found.cast(_plain(MEASURED_SCHEMA), safe=False).to_batches()


def _linked(table: pa.Table, limits: NearDuplicateLimits) -> pa.Table:
    """In a worker: the groups of one part."""
    table = table.sort_by("row")
    rows = table.column("row").to_numpy()
    hashes = {
        name: np.stack([np.frombuffer(value, np.uint8) for value in table.column(name).to_pylist()])
        for name in ("phash", "fine_hash", "hand_hash")
    }
    hands = table.column("hands").combine_chunks().flatten().to_numpy().reshape(-1, 21, 2)
    traits = GroupFeatures(**hashes, hands=hands, left=table.column("left").to_numpy())
    return pa.table({"row": rows, "first": rows[connected_components(traits, limits)]})


def _collected(frame: Any) -> pa.Table:
    """What Spark computes.

    Raises:
        AslkitError: a worker failed, with the last line of what it said.
    """
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return frame.toArrow()
    except (PySparkException, Py4JError) as error:
        lines = [line.strip() for line in str(error).splitlines() if "Error" in line or "Exception" in line]
        raise AslkitError(
            f"Spark failed: {lines[-1] if lines else error}. Each worker needs aslkit {__version__} and must see the "
            "captures under the same path. What was looked at is kept: run the same command again."
        ) from error


def _plain(schema: pa.Schema) -> pa.Schema:
    """The same columns in types that Spark has: no unsigned integers, no bytes of fixed length."""

    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_uint64(kind):
            return pa.int64()
        return pa.binary() if pa.types.is_fixed_size_binary(kind) else kind

    return pa.schema([pa.field(field.name, plain(field.type)) for field in schema])


def _typed(table: pa.Table) -> pa.Table:
    """Rows of _plain(DESCRIBED) as rows of DESCRIBED."""
    return table.cast(MEASURED_SCHEMA, safe=False)
