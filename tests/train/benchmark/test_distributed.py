"""Training on Spark: a failing rank is reported, MLlib's models can be saved, and one rank needs no Spark.

That two ranks train like one, and resuming after a killed rank, are tested on a cluster, in tests/cluster.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.benchmark import cnn, sign_mnist_split
from aslkit.train.benchmark.image_descriptors import Pixels
from aslkit.train.benchmark.mllib import fit_mllib, step_weights
from aslkit.train.benchmark.model_trial import MLLIB, BenchmarkSettings, train_model
from aslkit.train.benchmark.recipe import ForestConfig, MllibConfig, PerceptronConfig
from aslkit.train.benchmark.spark_progress import StepCounter
from aslkit.train.engine.checkpoints import CheckpointStore
from aslkit.train.engine.horovod_ranks import RankTask, train_on_ranks
from aslkit.train.engine.row_blocks import write_blocks
from aslkit.train.engine.training_loop import Schedule
from aslkit.train.engine.training_session import training_session

RESUME = "aslkit train --resume here"


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    with training_session("local[2]", ranks=2) as running:
        yield running


@pytest.fixture(scope="module")
def images(sign_mnist: Path) -> sign_mnist_split.BenchmarkImages:
    return sign_mnist_split.load_images(sign_mnist, validation_share=0.25, seed=0)


def _fail_on_rank_1(images: Pixels, rng: np.random.Generator) -> Any:
    if os.environ.get("HOROVOD_RANK") == "1":
        raise ValueError("invalid images on this rank")
    return cnn.scale_images(images)


def build_task(augment: Any, images: sign_mnist_split.BenchmarkImages, store: CheckpointStore) -> RankTask:
    write_blocks(store, cnn.training_rows(images), ranks=2, seed=0)
    schedule = Schedule(
        epochs=3, patience=0, batch_size=64, learning_rate=0.003, warmup_epochs=0, cosine=False, label_smoothing=0
    )
    build = partial(cnn.build_network, "cnn", 0)
    return RankTask(build=build, variants=[augment], to_inputs=cnn.scale_images, schedule=schedule, seed=0, store=store)


def test_train_on_ranks_reports_the_failing_rank(
    images: sign_mnist_split.BenchmarkImages, tmp_path: Path, spark: Any
) -> None:
    task = build_task(_fail_on_rank_1, images, CheckpointStore(url=str(tmp_path)))
    with pytest.raises(AslkitError) as error:
        train_on_ranks(task, ranks=2, resume=RESUME, on_epochs=lambda history: None)
    assert "Rank 1 of 2 failed" in error.value.message
    assert "ValueError: invalid images on this rank" in error.value.message
    assert RESUME in error.value.message


_EPOCHS = count()


def _wait_after_first_epoch(images: Pixels, rng: np.random.Generator) -> Any:
    if next(_EPOCHS):
        time.sleep(300)  # the interrupt ends the rank before
    return cnn.scale_images(images)


def test_interrupt_keeps_the_finished_epochs(
    images: sign_mnist_split.BenchmarkImages, tmp_path: Path, spark: Any
) -> None:
    store, handler = CheckpointStore(url=str(tmp_path)), signal.getsignal(signal.SIGINT)
    task = build_task(_wait_after_first_epoch, images, store)

    def press(history: list[dict[str, float]]) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train_on_ranks(task, ranks=2, resume=RESUME, on_epochs=press)
    assert len(store.load().history) == 1
    assert signal.getsignal(signal.SIGINT) is handler
    assert store.pop_failures(2) == {}


@pytest.mark.parametrize(
    "values",
    [{"architecture": "rf", "trees": 2, "depth": 3}, {"architecture": "mlp", "hidden": [8], "iterations": 3}],
)
def test_mllib_pipeline_is_alphabetical_and_survives_saving(
    values: dict[str, Any], images: sign_mnist_split.BenchmarkImages, tmp_path: Path, spark: Any
) -> None:
    from pyspark.ml import PipelineModel

    from aslkit.core.letters import LETTERS
    from aslkit.train.benchmark.mllib import MllibModel
    from aslkit.train.benchmark.recipe import build_model_config

    folder = tmp_path / "our 100% club"
    folder.mkdir()
    # Some letters have more images than others, so an order by frequency would be different.
    rows = images.part("train")
    selected = rows[(images.label[rows] >= 12) | (np.arange(len(rows)) % 2 == 0)]
    split = np.where(np.isin(np.arange(len(images)), selected) | (images.split != "train"), images.split, "out")
    unbalanced = sign_mnist_split.BenchmarkImages(
        pixels=images.pixels, label=images.label, photograph=images.photograph, split=split
    )
    settings = BenchmarkSettings(folder=folder, ranks=1, master="local[2]", resume="", spark=spark)
    with train_model(
        "one", build_model_config(values, "test"), unbalanced, seed=0, settings=settings, title=""
    ) as trial:
        assert trial.details.engine == MLLIB
        trial.save(folder / "saved")
        validation = images.pixels[images.part("validation")]
        predicted = trial.predict(validation)
        loaded = PipelineModel.load(str(folder / "saved"))
        assert tuple(loaded.stages[0].labels) == LETTERS
        reloaded = MllibModel(pipeline=loaded, spark=spark, scratch=folder / "scratch", fit_s=0)
        inputs = validation.reshape(len(validation), -1).astype(np.float32)
        assert (reloaded.predict(inputs) == predicted).all()
        one_hot = loaded.transform(_build_frame(spark, inputs, folder)).select("label", "label_vec").first()
        assert one_hot.label_vec.size == 24
        assert one_hot.label_vec[int(one_hot.label)] == 1
    assert not (folder / "checkpoints" / "one").exists()
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    "config",
    [
        ForestConfig(architecture="rf", trees=2, depth=3),
        PerceptronConfig(architecture="mlp", hidden=(8,), iterations=3),
    ],
)
def test_progress_counts_the_steps_of_spark(
    config: MllibConfig, images: sign_mnist_split.BenchmarkImages, tmp_path: Path, spark: Any
) -> None:
    """The names of Spark's jobs may change with its version."""
    counter = StepCounter(spark.sparkContext.statusTracker())
    rows = images.part("train")
    fit_mllib(
        config, images.pixels[rows].reshape(len(rows), -1).astype(np.float32), images.label[rows], spark=spark,
        scratch=tmp_path, seed=0,
    )  # fmt: skip
    assert counter.count_new() == len(step_weights(config))


def _build_frame(spark: Any, inputs: Any, folder: Path) -> Any:
    from aslkit.train.benchmark.mllib import to_spark_frame

    return to_spark_frame(spark, inputs, np.zeros(len(inputs), np.int64), folder / "frame.parquet")


def test_single_rank_needs_neither_spark_nor_horovod(sign_mnist: Path, tmp_path: Path) -> None:
    code = f"""
import sys
sys.modules["pyspark"] = sys.modules["horovod"] = None  # importing them fails
from pathlib import Path
from aslkit.train.benchmark import recipe, run
from aslkit.train.benchmark.model_trial import BenchmarkSettings
model = recipe.NetworkConfig(architecture="cnn", epochs=1)
benchmark = recipe.BenchmarkConfig(seeds=(0,), validation_share=0.25, random_split=False, random_test_share=0.2)
settings = BenchmarkSettings(folder=Path({str(tmp_path / "run")!r}), ranks=1, master="local[*]", resume="")
chosen = recipe.Recipe(benchmark=benchmark, models={{"cnn": model}})
run.run_benchmark(Path({str(sign_mnist)!r}), chosen, settings)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
    assert (tmp_path / "run" / "metrics.json").exists()
