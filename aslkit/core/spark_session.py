"""Starting Spark, quietly, and saying what is missing where it does not start."""

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import silence_native_log

_SETTINGS: Final = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.memory": "2g",
    "spark.python.worker.reuse": "true",
}


def _not_of_the_bridge(record: logging.LogRecord) -> bool:
    """Whether a line of the log is not of Py4J, which prints tracebacks at Ctrl-C."""
    return "py4j" not in record.pathname


@contextmanager
def open_spark_session(master: str, *, name: str, settings: dict[str, str] | None = None) -> Iterator[Any]:
    """Run a Spark session while the block does; its log stays off the terminal, what fails is raised.

    Args:
        master: as Spark has it: "local[*]", "spark://host:7077".
        name: of the application, as the cluster shows it.
        settings: Spark's, beside those that aslkit sets.

    Raises:
        AslkitError: PySpark or Java is missing, or the master cannot be reached.
    """
    try:
        from pyspark.sql import SparkSession
    except ModuleNotFoundError as error:
        raise AslkitError("Spark is not installed. Install it with: pip install 'aslkit[spark]'") from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName(f"aslkit {name}")
    for key, value in (_SETTINGS | (settings or {})).items():
        builder = builder.config(key, value)
    try:
        with silence_native_log():  # the Java process keeps this silence
            spark = builder.getOrCreate()
    except Exception as error:  # Py4J raises Java's exceptions as its own, PySpark others
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise AslkitError(
            f"Spark did not start on {master}: {first}. `aslkit doctor` says whether Java is there; "
            "for a cluster, check that the address can be reached from here."
        ) from error
    spark.sparkContext.setLogLevel("OFF")
    logging.getLogger().addFilter(_not_of_the_bridge)
    try:
        yield spark
    finally:
        logging.getLogger().removeFilter(_not_of_the_bridge)
        spark.stop()
