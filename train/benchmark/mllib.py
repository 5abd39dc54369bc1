"""Random forests and perceptrons of Spark MLlib, as Spark ML pipelines. The only PySpark import of training."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from aslkit.core import spark_session as core
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.train.benchmark.recipe import ForestConfig, ModelConfig, PerceptronConfig
from aslkit.vision.preprocess import Array

_ROWS: Final = 4096
_WHITE: Final = 255.0

_BLOCK: Final = 1024
"""Images that MLlib's perceptron stacks into one matrix; with its own 128 training takes half as long again."""

_FOREST_MB: Final = 1024
"""What a forest may use for the counts of the nodes that it splits at once; with MLlib's own 256 it passes over the
data more often."""


@contextmanager
def training_session(master: str, *, ranks: int = 0) -> Iterator[Any]:
    """A Spark session for training, with a quarter of this machine's memory (2 to 16 GB) for the driver.

    Args:
        master: as Spark has it.
        ranks: how many tasks Horovod needs at once; 0 without.

    Raises:
        AslkitError: Spark does not start, or has fewer slots than ranks.
    """
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4 // 1_000_000_000
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before Spark starts: Horovod's services are its children
    settings = {"spark.driver.memory": f"{min(max(memory, 2), 16)}g", "spark.task.maxFailures": "1"}
    with core.open_spark_session(master, name="train", settings=settings) as spark:
        slots = spark.sparkContext.defaultParallelism
        if slots < ranks:
            raise AslkitError(f"{master} runs {slots} tasks at once, fewer than --ranks {ranks}.")
        yield spark


def is_spark_alive(spark: Any) -> bool:
    """Whether a session can still be asked; a Java process that ran out of memory takes it along."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return bool(spark.range(1).count() == 1)
    except (Py4JError, PySparkException, OSError):  # Java's exceptions, Spark's own, a connection that is gone
        return False


@dataclass(frozen=True, kw_only=True)
class MllibModel:
    """A fitted pipeline.

    Attributes:
        pipeline: pyspark.ml.PipelineModel.
        spark: the session it lives in.
        scratch: a folder for what is handed to Spark.
        fit_s: seconds that fitting took.
    """

    pipeline: Any
    spark: Any
    scratch: Path
    fit_s: float

    def predict(self, inputs: Array) -> npt.NDArray[np.int64]:
        """Say a letter for each of `inputs`, float32 (n, d): its index, int64 (n,)."""
        by_index = [LETTERS.index(name) for name in self.pipeline.stages[0].labels]
        unasked = np.full(len(inputs), by_index[0])  # the pipeline wants some letter that it knows
        asked = to_spark_frame(self.spark, inputs, unasked, self.scratch / "asked.parquet")
        said = self.pipeline.transform(asked).select("row", "prediction").toArrow().sort_by("row")
        chosen: npt.NDArray[np.int64] = np.array(by_index)[said.column("prediction").to_numpy().astype(np.int64)]
        return chosen

    def save(self, folder: Path) -> None:
        """Write the pipeline as Spark does; `pyspark.ml.PipelineModel.load` reads it."""
        self.pipeline.write().overwrite().save(_url(folder))


def fit_mllib(
    config: ModelConfig, inputs: Array, label: npt.NDArray[np.int64], *, spark: Any, scratch: Path, seed: int
) -> MllibModel:
    """Fit a forest or a perceptron.

    The pipeline indexes letters alphabetically (never by frequency), writes them one-hot beside, and scales.

    Args:
        config: a ForestConfig or PerceptronConfig.
        inputs: float32 (n, d), 0–255.
        label: int64 (n,), index of the letter.
        spark: the session.
        scratch: a folder for what is handed to Spark.
        seed: of the model's chance.

    Raises:
        AslkitError: Spark failed.
    """
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import OneHotEncoder, StringIndexer

    shown = to_spark_frame(spark, inputs, label, scratch / "train.parquet").cache()
    stages = [
        StringIndexer(inputCol="letter", outputCol="label", stringOrderType="alphabetAsc"),
        OneHotEncoder(inputCol="label", outputCol="label_vec", dropLast=False),
        _scaled(config, inputs.shape[1]),
        _estimator(config, inputs.shape[1], len(np.unique(label)), seed),
    ]
    try:
        shown.count()  # reading is not fitting
        begun = time.perf_counter()
        fitted = Pipeline(stages=stages).fit(shown)
    except Exception as error:  # Py4J raises Java's exceptions as its own, PySpark others
        raise AslkitError(
            f"Spark failed to fit {config.architecture}: {next(iter(str(error).splitlines()), '')[:300]}. Fewer trees, "
            "a smaller depth or fewer units need less memory."
        ) from error
    finally:
        shown.unpersist()
    return MllibModel(pipeline=fitted, spark=spark, scratch=scratch, fit_s=time.perf_counter() - begun)


def _scaled(config: ModelConfig, inputs: int) -> Any:
    """The stage that scales 0–255 to 0–1, or each value to mean 0 and standard deviation 1."""
    from pyspark.ml.feature import ElementwiseProduct, StandardScaler
    from pyspark.ml.linalg import Vectors

    columns = {"inputCol": "values", "outputCol": "features"}
    if isinstance(config, PerceptronConfig) and config.standardised:
        return StandardScaler(withMean=True, withStd=True, **columns)
    return ElementwiseProduct(scalingVec=Vectors.dense([1 / _WHITE] * inputs), **columns)


def _estimator(config: ModelConfig, inputs: int, classes: int, seed: int) -> Any:
    from pyspark.ml.classification import MultilayerPerceptronClassifier, RandomForestClassifier

    if isinstance(config, ForestConfig):
        return RandomForestClassifier(
            numTrees=config.trees,
            maxDepth=config.depth,
            maxBins=config.bins,
            featureSubsetStrategy=config.features_per_split,
            minInstancesPerNode=config.leaf,
            subsamplingRate=config.sampled,
            maxMemoryInMB=_FOREST_MB,
            seed=seed,
        )
    if isinstance(config, PerceptronConfig):
        layers = [inputs, *config.hidden, classes]
        return MultilayerPerceptronClassifier(layers=layers, maxIter=config.iterations, blockSize=_BLOCK, seed=seed)
    raise AssertionError(f"{config.architecture} is not of MLlib")


def to_spark_frame(spark: Any, inputs: Array, label: npt.NDArray[np.int64], path: Path) -> Any:
    """The images as Spark reads them, from a Parquet file: columns row, letter and values (a vector)."""
    from pyspark.ml.functions import array_to_vector

    values = pa.FixedSizeListArray.from_arrays(pa.array(inputs.ravel()), inputs.shape[1])
    table = pa.table(
        {
            "row": np.arange(len(label)),
            "letter": [LETTERS[each] for each in label],
            "values": values.cast(pa.list_(pa.float32())),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=_ROWS, compression="lz4")
    read = spark.read.parquet(_url(path))
    # A part for each core and no more: each holds its own counts of all nodes of a forest.
    return read.select("row", "letter", array_to_vector("values").alias("values")).repartition(
        spark.sparkContext.defaultParallelism
    )


def _url(path: Path) -> str:
    """A place on this machine as Hadoop takes it, which does not decode what `as_uri` encodes."""
    return f"file://{path.absolute().as_posix()}"
