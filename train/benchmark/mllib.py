"""Random forests and perceptrons of Spark MLlib. The only module of training that imports PySpark."""

import time
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
from aslkit.train.benchmark.recipe import ForestConfig, MllibConfig, PerceptronConfig
from aslkit.vision.preprocess import Array

_ROW_GROUP_SIZE: Final = 4096
_MAX_PIXEL: Final = 255.0

_BLOCK_SIZE: Final = 1024
"""Images that MLlib's perceptron stacks into one matrix. With its default of 128, training takes 1.5 times as long."""

_MAX_FOREST_MB: Final = 1024
"""Memory for the statistics of the nodes that are split in one pass over the data, MB. With MLlib's default of 256, a
forest needs more passes."""


def is_spark_alive(spark: Any) -> bool:
    """Return whether a session still works. It does not after its Java process ran out of memory."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return bool(spark.range(1).count() == 1)
    except (Py4JError, PySparkException, OSError):  # Java exceptions, Spark exceptions, lost connection
        return False


@dataclass(frozen=True, kw_only=True)
class MllibModel:
    """A fitted pipeline.

    Attributes:
        pipeline: pyspark.ml.PipelineModel.
        spark: Spark session of the pipeline.
        scratch: folder for files that Spark reads.
        fit_s: duration of fitting, seconds.
    """

    pipeline: Any
    spark: Any
    scratch: Path
    fit_s: float

    def predict(self, inputs: Array) -> npt.NDArray[np.int64]:
        """Predict the index of the letter, int64 (n,), for each of `inputs`, float32 (n, d)."""
        # StringIndexer numbers only the letters that occur in the training images.
        letter_by_class = [LETTERS.index(name) for name in self.pipeline.stages[0].labels]
        placeholder = np.full(len(inputs), letter_by_class[0])  # the pipeline requires a known letter in each row
        frame = to_spark_frame(self.spark, inputs, placeholder, self.scratch / "predict.parquet")
        # Spark returns partitions in any order.
        table = self.pipeline.transform(frame).select("row", "prediction").toArrow().sort_by("row")
        classes = table.column("prediction").to_numpy().astype(np.int64)
        predicted: npt.NDArray[np.int64] = np.array(letter_by_class)[classes]
        return predicted

    def save(self, folder: Path) -> None:
        """Write the pipeline in the format of `pyspark.ml.PipelineModel.load`."""
        self.pipeline.write().overwrite().save(_file_url(folder))


def fit_mllib(
    config: MllibConfig, inputs: Array, label: npt.NDArray[np.int64], *, spark: Any, scratch: Path, seed: int
) -> MllibModel:
    """Fit a random forest or a perceptron.

    The pipeline indexes letters in alphabetical order (Spark's default is by frequency), adds a one-hot column, and
    scales the inputs.

    Args:
        config: a ForestConfig or PerceptronConfig.
        inputs: float32 (n, d), 0–255.
        label: index of the letter, int64 (n,).
        spark: Spark session.
        scratch: folder for files that Spark reads.
        seed: random seed of the model.

    Raises:
        AslkitError: Spark failed.
    """
    from pyspark.ml import Pipeline
    from pyspark.ml.feature import OneHotEncoder, StringIndexer

    frame = to_spark_frame(spark, inputs, label, scratch / "train.parquet").cache()
    stages = [
        StringIndexer(inputCol="letter", outputCol="label", stringOrderType="alphabetAsc"),
        OneHotEncoder(inputCol="label", outputCol="label_vec", dropLast=False),
        _build_scaler(config, inputs.shape[1]),
        _build_estimator(config, inputs.shape[1], len(np.unique(label)), seed),
    ]
    try:
        frame.count()  # read and cache the data, so that only fitting is timed
        started = time.perf_counter()
        fitted = Pipeline(stages=stages).fit(frame)
    except Exception as error:  # Py4J and PySpark wrap Java exceptions in several types
        raise AslkitError(
            f"Spark failed to fit {config.architecture}: {next(iter(str(error).splitlines()), '')[:300]}. Fewer trees, "
            "a smaller depth or fewer units need less memory."
        ) from error
    finally:
        frame.unpersist()
    return MllibModel(pipeline=fitted, spark=spark, scratch=scratch, fit_s=time.perf_counter() - started)


def step_weights(config: MllibConfig) -> list[int]:
    """Return the expected durations of the steps of a training, for `spark_progress_bar`."""
    if isinstance(config, PerceptronConfig):
        return [1] * (config.iterations + 1)  # the first step evaluates the initial weights
    assert isinstance(config, ForestConfig)
    # The first step finds the thresholds. Deeper levels have more nodes; measured, the time grows about linearly.
    return [1, *range(1, config.depth + 1)]


def _build_scaler(config: MllibConfig, inputs: int) -> Any:
    """Return the stage that scales 0–255 to 0–1, or each value to mean 0 and standard deviation 1."""
    from pyspark.ml.feature import ElementwiseProduct, StandardScaler
    from pyspark.ml.linalg import Vectors

    columns = {"inputCol": "values", "outputCol": "features"}
    if isinstance(config, PerceptronConfig) and config.standardised:
        return StandardScaler(withMean=True, withStd=True, **columns)
    return ElementwiseProduct(scalingVec=Vectors.dense([1 / _MAX_PIXEL] * inputs), **columns)


def _build_estimator(config: MllibConfig, inputs: int, classes: int, seed: int) -> Any:
    from pyspark.ml.classification import MultilayerPerceptronClassifier, RandomForestClassifier

    if isinstance(config, ForestConfig):
        return RandomForestClassifier(
            numTrees=config.trees,
            maxDepth=config.depth,
            maxBins=config.bins,
            featureSubsetStrategy=config.features_per_split,
            minInstancesPerNode=config.leaf,
            subsamplingRate=config.sampled,
            maxMemoryInMB=_MAX_FOREST_MB,
            cacheNodeIds=True,  # otherwise all trees are sent to the executors for each level
            seed=seed,
        )
    if isinstance(config, PerceptronConfig):
        layers = [inputs, *config.hidden, classes]
        return MultilayerPerceptronClassifier(
            layers=layers, maxIter=config.iterations, blockSize=_BLOCK_SIZE, seed=seed
        )
    raise AssertionError(f"{config.architecture} is not an MLlib model")


def to_spark_frame(spark: Any, inputs: Array, label: npt.NDArray[np.int64], path: Path) -> Any:
    """Write images to a Parquet file, and return them as a Spark DataFrame: columns row, letter and values (a vector).

    Args:
        spark: Spark session.
        inputs: float32 (n, d).
        label: index of the letter, int64 (n,).
        path: Parquet file to write.
    """
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
    pq.write_table(table, path, row_group_size=_ROW_GROUP_SIZE, compression="lz4")
    frame = spark.read.parquet(core.spark_path(path))
    # One partition per core: each partition holds its own statistics of all nodes of a forest.
    return frame.select("row", "letter", array_to_vector("values").alias("values")).repartition(
        spark.sparkContext.defaultParallelism
    )


def _file_url(path: Path) -> str:
    """Return a path as a URL for Hadoop, which does not decode the percent-encoding of `Path.as_uri`."""
    return f"file://{path.absolute().as_posix()}"
