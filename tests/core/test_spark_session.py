from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core.spark_session import open_spark_session, spark_path


def test_spark_reads_paths_with_pattern_characters(tmp_path: Path) -> None:
    with open_spark_session("local[1]", name="test") as spark:
        for name in ("plain", "O'Brien's [x] *? {a,b} #1 50% %20 back\\slash", "प्रिया"):
            path = tmp_path / name / "rows.parquet"
            path.parent.mkdir()
            pq.write_table(pa.table({"number": [1, 2]}), path)
            assert spark.read.parquet(spark_path(path)).count() == 2
