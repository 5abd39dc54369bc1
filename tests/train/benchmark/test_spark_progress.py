"""Progress of a training of Spark MLlib, with a simulated status tracker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from aslkit.train.benchmark import spark_progress
from aslkit.train.benchmark.mllib import step_weights
from aslkit.train.benchmark.recipe import ForestConfig, PerceptronConfig


@dataclass
class Tracker:
    """Simulates `pyspark.StatusTracker`: a status and a stage name per job."""

    jobs: dict[int, tuple[str, str]] = field(default_factory=dict)

    def getJobIdsForGroup(self) -> list[int]:
        return list(self.jobs)

    def getJobInfo(self, job: int) -> Any:
        return SimpleNamespace(status=self.jobs[job][0], stageIds=[job])

    def getStageInfo(self, stage: int) -> Any:
        return SimpleNamespace(name=self.jobs[stage][1])


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Record the steps of the progress bar; the first number is its total."""
    recorded: list[int] = []

    @contextmanager
    def record(title: str, total: int) -> Iterator[Any]:
        recorded.append(total)
        yield recorded.append

    monkeypatch.setattr(spark_progress, "progress_bar", record)
    monkeypatch.setattr(spark_progress, "_POLL_INTERVAL_S", 0.01)
    return recorded


def run_training(tracker: Any, weights: list[int], jobs: dict[int, tuple[str, str]]) -> None:
    spark = SimpleNamespace(sparkContext=SimpleNamespace(statusTracker=lambda: tracker))
    with spark_progress.spark_progress_bar("rf", spark, weights):
        tracker.jobs.update(jobs)


def test_counter_counts_only_finished_steps_of_this_training() -> None:
    step = "treeAggregate at LBFGS.scala:261"
    tracker = Tracker({0: ("SUCCEEDED", step)})
    counter = spark_progress.StepCounter(tracker)
    tracker.jobs |= {1: ("SUCCEEDED", "count at Java"), 2: ("SUCCEEDED", step), 3: ("RUNNING", step)}
    assert counter.count_new() == 1
    assert counter.count_new() == 0
    tracker.jobs |= {3: ("SUCCEEDED", step), 4: ("FAILED", "collectAsMap at RandomForest.scala:751")}
    assert counter.count_new() == 2


def test_bar_advances_by_the_weight_of_each_step(steps: list[int]) -> None:
    name = "collectAsMap at RandomForest.scala:751"
    run_training(Tracker(), [1, 2, 3, 4], {0: ("SUCCEEDED", name), 1: ("SUCCEEDED", name)})
    assert steps == [10, 1, 2, 7]  # 7 at the end


def test_more_steps_than_expected_do_not_exceed_the_total(steps: list[int]) -> None:
    run_training(Tracker(), [1, 1], {job: ("SUCCEEDED", "treeAggregate at LBFGS") for job in range(5)})
    assert steps == [2, 1, 1, 0]


def test_failure_to_read_the_progress_does_not_end_the_training(steps: list[int]) -> None:
    class Broken(Tracker):
        def getJobInfo(self, job: int) -> Any:
            raise ConnectionError("Java ended")

    run_training(Broken(), [1, 1], {0: ("SUCCEEDED", "")})
    assert steps == [2, 2]


def test_exception_of_the_training_is_raised(steps: list[int]) -> None:
    spark = SimpleNamespace(sparkContext=SimpleNamespace(statusTracker=Tracker))
    with pytest.raises(ValueError, match="heap"), spark_progress.spark_progress_bar("rf", spark, [1]):
        raise ValueError("heap")


def test_weights_have_a_step_per_level_or_iteration() -> None:
    assert len(step_weights(ForestConfig(architecture="rf", trees=5, depth=4))) == 5
    assert len(step_weights(PerceptronConfig(architecture="mlp", hidden=(8,), iterations=6))) == 7
