"""Typed metrics of a benchmark (metrics.json, results.jsonl) and of a sweep (results.jsonl)."""

from typing import Any, Literal

from msgspec import Struct, field

from aslkit.formats.run_folder import Environment


class LetterAccuracy(Struct, kw_only=True):
    """A letter, and its accuracy, 0–1."""

    letter: str
    accuracy: float


class SplitMetrics(Struct, kw_only=True):
    """Metrics of a model on one split: accuracy and macro F1, 0–1, number of images, letter of the lowest accuracy."""

    accuracy: float
    macro_f1: float
    n: int
    worst_letter: LetterAccuracy

    def summary(self) -> "SplitMetrics":
        """Return the same metrics without those that a subclass adds."""
        return SplitMetrics(**{name: getattr(self, name) for name in SplitMetrics.__struct_fields__})


class MeasuredSplit(SplitMetrics, kw_only=True):
    """Metrics on one split, with time and confusion matrix.

    Attributes:
        predict_ms: milliseconds per image, predicting all at once.
        confusion: number of images, (24, 24), rows signed, columns predicted.
    """

    predict_ms: float
    confusion: list[list[int]]


class RandomSplitMetrics(SplitMetrics, kw_only=True):
    """Metrics on a random split, which leaks: variants of one photograph are on both sides."""

    seed: int
    leaks: bool = True


class TrainingDetails(Struct, kw_only=True):
    """How a model was trained.

    Attributes:
        fit_s: duration, seconds.
        engine: "keras", "horovod-on-spark", "spark-mllib", or "ensemble" of networks that were trained before.
        ranks: number of processes.
        epochs, best_epoch, epoch_s: number of epochs, the one with the lowest validation loss, median duration in
            seconds; null for models without epochs.
        start_s: seconds before the first step; null for models without epochs.
        history: a row per epoch; empty for models without epochs.
    """

    fit_s: float
    engine: str
    ranks: int
    epochs: int | None = None
    best_epoch: int | None = None
    epoch_s: float | None = None
    start_s: float | None = None
    history: list[dict[str, int | float]] = []


class TrialMetrics(TrainingDetails, kw_only=True):
    """Result of one training: a line of a benchmark's results.jsonl. `size_bytes` is the size of the saved model."""

    validation: MeasuredSplit
    test: MeasuredSplit
    size_bytes: int


class ModelMetrics(TrainingDetails, kw_only=True):
    """A model with one seed, as listed in metrics.json.

    Attributes:
        network: its architecture's name in `train.fitting.architectures`; null for a model of Spark MLlib.
        official_test: metrics on the published test split.
        grouped_validation: metrics on photographs that were not trained on; models are selected by it.
        random_split: metrics with the reference study's protocol; null if it was not measured.
        settings: of the model, as in the recipe.
        confusion: on the published test split; see `MeasuredSplit`.
    """

    dataset: str
    name: str
    architecture: str
    feature: str
    network: str | None
    seed: int
    official_test: SplitMetrics
    grouped_validation: SplitMetrics
    random_split: RandomSplitMetrics | None
    size_bytes: int
    predict_ms: float
    settings: dict[str, Any]
    confusion: list[list[int]]


class BestModel(Struct, kw_only=True):
    """The best pixel model of a benchmark, which provides initial weights.

    Attributes:
        name: in the recipe.
        network: its architecture's name in `train.fitting.architectures`; null for a model of Spark MLlib.
        model: its folder, relative to the run.
        grouped_validation: mean accuracy over its seeds, 0–1; the model was selected by it.
    """

    name: str
    architecture: str | None = None
    network: str | None = None
    feature: str | None = None
    model: str = ""
    chosen_by: str = "grouped_validation"
    grouped_validation: float | None = None


class BenchmarkMetrics(Struct, kw_only=True):
    """metrics.json of a benchmark.

    Attributes:
        best: null if no pixel model was trained.
        photographs: number of photographs in the training and validation splits.
        seconds: duration of the benchmark; of its last part, if it was resumed.
        models: one entry per model and seed.
    """

    aslkit: str | None = None
    dataset: str | None = None
    kind: Literal["benchmark"] = "benchmark"
    best: BestModel | None = None
    photographs: int = 0
    environment: Environment = field(default_factory=Environment)
    seconds: float = 0.0
    models: list[ModelMetrics] = []


class SweepRow(Struct, kw_only=True):
    """Result of one model of a sweep: a line of its results.jsonl. Metrics are null if the model failed.

    Attributes:
        model: name in the grid.
        settings: the varied settings.
        grouped_validation, macro_f1: accuracy and macro F1 on the grouped validation, 0–1.
        fit_s, epochs: see `TrainingDetails`.
        failed: first line of the error message; null if it did not fail.
    """

    model: str = ""
    architecture: str
    feature: str
    settings: dict[str, Any]
    grouped_validation: float | None = None
    macro_f1: float | None = None
    fit_s: float | None = None
    epochs: int | None = None
    failed: str | None = None
