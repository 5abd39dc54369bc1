"""The Spark session in which Horovod runs its ranks, and MLlib trains."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from aslkit.core.errors import AslkitError
from aslkit.core.native_libraries import import_keras
from aslkit.core.spark_session import open_spark_session


@contextmanager
def training_session(master: str, *, ranks: int = 0) -> Iterator[Any]:
    """Open a Spark session for training; the driver gets a quarter of this machine's memory, 2 to 16 GB.

    Args:
        master: Spark master URL.
        ranks: number of tasks that Horovod must run at the same time; 0 without Horovod.

    Raises:
        AslkitError: Spark does not start, or has fewer task slots than ranks.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 1_000_000_000
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before Spark starts, so that Horovod's processes inherit it
    # One failure ends the job: Spark cannot repeat a single rank while the others wait for it in an allreduce.
    settings = {"spark.driver.memory": f"{min(max(memory, 2), 16)}g", "spark.task.maxFailures": "1"}
    # Imported while Spark starts: both take seconds, and Horovod needs TensorFlow in this process.
    executor = ThreadPoolExecutor(1)
    keras = executor.submit(import_keras, exact=False) if ranks else None
    with open_spark_session(master, name="train", settings=settings) as spark:
        if keras is not None:
            keras.result()
        executor.shutdown()
        slots = spark.sparkContext.defaultParallelism
        if slots < ranks:
            raise AslkitError(f"{master} can run only {slots} tasks at the same time, fewer than --ranks {ranks}.")
        yield spark
