"""Start a Spark session without its log, with clear errors if it fails."""

import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.installation import missing_module
from aslkit.core.native_libraries import suppress_native_log

_SETTINGS: Final = {
    # Spark's web page would open a port, without any access control.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "2g",
    "spark.python.worker.reuse": "true",
}


def spark_path(path: Path) -> str:
    """Return a local path for `spark.read`, which takes { } [ ] * ? in a path for a pattern.

    It is not `Path.as_uri`, because Spark does not decode percent-encoding.
    """
    escaped = re.sub(r"[\\{}\[\]*?]", lambda match: "\\" + match[0], path.absolute().as_posix())
    return f"file://{escaped}"


def _is_not_py4j(record: logging.LogRecord) -> bool:
    """Return whether a log record is not from Py4J, which logs tracebacks at Ctrl-C."""
    return "py4j" not in record.pathname


@contextmanager
def open_spark_session(master: str, *, name: str, settings: dict[str, str] | None = None) -> Iterator[Any]:
    """Run a Spark session for the duration of the block. Its log is suppressed; failures are raised.

    Args:
        master: Spark master, such as "local[*]" or "spark://host:7077".
        name: of the application, shown by the cluster.
        settings: additional Spark settings.

    Raises:
        AslkitError: PySpark or Java is missing, or the master cannot be reached.
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise missing_module("pyspark", extra="spark", purpose="Spark") from error
    # PySpark 4 would start the first python3 on the PATH, which may belong to another environment.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName(f"aslkit {name}")
    for key, value in (_SETTINGS | (settings or {})).items():
        builder = builder.config(key, value)
    try:
        with suppress_native_log():  # the Java process inherits the redirection
            spark = builder.getOrCreate()
    except Exception as error:  # Py4J wraps Java exceptions, PySpark has its own
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise AslkitError(
            f"Spark did not start on {master}: {first}. `aslkit doctor` checks Java. "
            "For a cluster, check that the address can be reached from this computer."
        ) from error
    spark.sparkContext.setLogLevel("OFF")
    # py4j 0.10.9 logs these tracebacks with the root logger, so a level for the logger "py4j" has no effect.
    logging.getLogger().addFilter(_is_not_py4j)
    try:
        yield spark
    finally:
        logging.getLogger().removeFilter(_is_not_py4j)
        spark.stop()
