"""The benchmark: train several models on the official split of Sign Language MNIST, and write a leaderboard."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Struct

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size, remove
from aslkit.formats.benchmark_metrics import (
    BenchmarkMetrics,
    ModelMetrics,
    RandomSplitMetrics,
    TrainingDetails,
    TrialMetrics,
)
from aslkit.formats.run_folder import RESULTS_FILE
from aslkit.train.benchmark import leaderboard, sign_mnist_split
from aslkit.train.benchmark.ensemble import load_ensemble
from aslkit.train.benchmark.model_trial import (
    BenchmarkSettings,
    TrialResult,
    evaluate_split,
    open_spark_if_needed,
    train_model,
)
from aslkit.train.benchmark.recipe import ModelConfig, NetworkConfig, Recipe, digest
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.reporting.environment import describe_environment

OFFICIAL: Final = "official"
RANDOM: Final = "random"

Result = TypeVar("Result", bound=Struct)


class _ResultLine(Struct, Generic[Result]):
    """A line of the results file."""

    key: str
    result: Result


@dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """A finished benchmark: its folder, and the content of its metrics.json."""

    folder: Path
    metrics: BenchmarkMetrics


@dataclass(frozen=True, kw_only=True)
class BenchmarkTask:
    """One training.

    Attributes:
        name: name of the model in the recipe.
        config: settings of the model.
        seed: random seed.
        split: OFFICIAL or RANDOM.
        key: key of its result; differs for different settings.
        folder: folder of its model, in the folder "models".
        members: trainings of the networks of an ensemble, which itself is not trained; otherwise empty.
    """

    name: str
    config: ModelConfig
    seed: int
    split: str
    key: str
    folder: str
    members: Sequence["BenchmarkTask"] = ()

    @property
    def title(self) -> str:
        """Title of the progress bar."""
        return f"{self.name}, seed {self.seed}{', random split' * (self.split == RANDOM)}"


def run_benchmark(dataset: Path, recipe: Recipe, settings: BenchmarkSettings) -> BenchmarkResult:
    """Train and evaluate every model with every seed. Results that the folder already has are not computed again.

    Raises:
        InputError: no dataset found.
        AslkitError: Spark, Horovod or TensorFlow is missing or fails. Finished results are kept.
    """
    started = time.perf_counter()
    images = sign_mnist_split.load_images(dataset, validation_share=recipe.benchmark.validation_share, seed=0)
    settings.folder.mkdir(parents=True, exist_ok=True)
    tasks, results = list(_iter_tasks(recipe)), load_results(settings.folder, TrialMetrics)
    missing = [task for task in tasks if task.key not in results]
    trained = [task.config for task in missing if not task.members]
    with open_spark_if_needed(trained, ranks=settings.ranks, master=settings.master) as spark:
        with_spark = replace(settings, spark=spark)
        for number, task in enumerate(missing, start=1):
            title = f"{task.title} ({number} of {len(missing)})"
            results[task.key] = _run_task(task, recipe, images, with_spark, title, results)
            # Written after every model, so that an interruption loses at most one.
            append_result(settings.folder, task.key, results[task.key])
    models = _model_entries([(task, results[task.key]) for task in tasks], dataset.name)
    metrics = BenchmarkMetrics(
        aslkit=__version__,
        dataset=dataset.name,
        best=leaderboard.best_pixel_model(models),
        photographs=int(images.photograph.max()) + 1,
        environment=describe_environment(),
        seconds=round(time.perf_counter() - started, 1),
        models=models,
    )
    leaderboard.write_leaderboard(settings.folder, metrics)
    remove(settings.folder / "checkpoints")
    return BenchmarkResult(folder=settings.folder, metrics=metrics)


def _iter_tasks(recipe: Recipe) -> Iterator[BenchmarkTask]:
    """Yield all trainings. The random split comes last and once per model: it only shows the data leakage."""
    for name, config in recipe.models.items():
        trainings = [_build_task(name, config, seed, OFFICIAL, recipe) for seed in recipe.seeds(name)]
        yield from trainings
        if isinstance(config, NetworkConfig) and config.ensemble and len(trainings) > 1:
            ensemble = _build_task(name, config, trainings[0].seed, OFFICIAL, recipe)
            title = f"{name}-ensemble"
            yield replace(ensemble, name=title, folder=title, key=f"{title}-{ensemble.key}", members=trainings)
    if recipe.benchmark.random_split:
        for name, config in recipe.models.items():
            yield _build_task(name, _without_augmentation(config, recipe), recipe.seeds(name)[0], RANDOM, recipe)


def _without_augmentation(config: ModelConfig, recipe: Recipe) -> ModelConfig:
    """Return the settings for the random split: without augmentation, as in the reference study."""
    epochs = recipe.benchmark.random_epochs
    if isinstance(config, NetworkConfig) and epochs:
        return replace(config, copies=0, epochs=min(epochs, config.epochs))
    return replace(config, copies=0)


def _build_task(name: str, config: ModelConfig, seed: int, split: str, recipe: Recipe) -> BenchmarkTask:
    # With a digest of the settings, so that --resume never mixes results of different recipes.
    key = f"{name}-{seed}-{split}-{digest(replace(config, seeds=()), replace(recipe.benchmark, seeds=(seed,)))}"
    folder = name if seed == recipe.seeds(name)[0] else f"{name}-seed-{seed}"
    return BenchmarkTask(name=name, config=config, seed=seed, split=split, key=key, folder=folder)


def _run_task(
    task: BenchmarkTask,
    recipe: Recipe,
    images: BenchmarkImages,
    settings: BenchmarkSettings,
    title: str,
    results: Mapping[str, TrialMetrics],
) -> TrialMetrics:
    """Train one model and evaluate it. The test split is read only here, after all choices are made."""
    part = images if task.split == OFFICIAL else _split_randomly(images, recipe, task.seed)
    with _open_trial(task, part, settings, title, results) as trial:
        validation, test = (evaluate_split(trial.predict, part, split) for split in ("validation", "test"))
        model = _model_folder(task, settings)
        if task.split == OFFICIAL:
            remove(model)
            trial.save(model)
        details = msgspec.structs.asdict(trial.details)
        return TrialMetrics(**details, validation=validation, test=test, size_bytes=folder_size(model))


def _open_trial(
    task: BenchmarkTask,
    images: BenchmarkImages,
    settings: BenchmarkSettings,
    title: str,
    results: Mapping[str, TrialMetrics],
) -> AbstractContextManager[TrialResult]:
    """Train the model of a task, or load the trained networks of an ensemble."""
    if not task.members:
        return train_model(task.key, task.config, images, seed=task.seed, settings=settings, title=title)
    assert isinstance(task.config, NetworkConfig)
    folders = [_model_folder(each, settings) for each in task.members]
    fit_s = sum(results[each.key].fit_s for each in task.members)
    return nullcontext(load_ensemble(folders, task.config.network, fit_s=fit_s))


def _model_folder(task: BenchmarkTask, settings: BenchmarkSettings) -> Path:
    return settings.folder / "models" / task.folder


def load_results(folder: Path, kind: type[Result]) -> dict[str, Result]:
    """Read the results of finished trainings, by key.

    Args:
        folder: folder of a benchmark or sweep.
        kind: type of a result: `TrialMetrics` for a benchmark, `SweepRow` for a sweep.

    Raises:
        AslkitError: the file is damaged.
    """
    path = folder / RESULTS_FILE
    try:
        lines = msgspec.json.Decoder(_ResultLine[kind]).decode_lines(path.read_bytes())  # type: ignore[valid-type]
        return {line.key: line.result for line in lines}
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise AslkitError(f"{path} is damaged ({error}). Delete its last line, then resume.") from error


def append_result(folder: Path, key: str, result: Struct) -> None:
    """Append the result of a training to the results file."""
    with (folder / RESULTS_FILE).open("ab") as file:
        file.write(msgspec.json.encode(_ResultLine(key, result)) + b"\n")


def _split_randomly(images: BenchmarkImages, recipe: Recipe, seed: int) -> BenchmarkImages:
    config = recipe.benchmark
    return sign_mnist_split.split_randomly(
        images, test_share=config.random_test_share, validation_share=config.validation_share, seed=seed
    )


def _model_entries(results: Sequence[tuple[BenchmarkTask, TrialMetrics]], dataset: str) -> list[ModelMetrics]:
    """Return the entries of metrics.json: one per model and seed, with the model's result on the random split."""
    random_split = {
        task.name: RandomSplitMetrics(**msgspec.structs.asdict(result.test.summary()), seed=task.seed)
        for task, result in results
        if task.split == RANDOM
    }
    return [
        _model_entry(task, result, dataset, random_split.get(task.name))
        for task, result in results
        if task.split == OFFICIAL
    ]


def _model_entry(
    task: BenchmarkTask, result: TrialMetrics, dataset: str, random_split: RandomSplitMetrics | None
) -> ModelMetrics:
    details = {name: getattr(result, name) for name in TrainingDetails.__struct_fields__}
    return ModelMetrics(
        **details,
        dataset=dataset,
        name=task.name,
        architecture=task.config.architecture,
        feature=task.config.feature,
        network=None if task.members else getattr(task.config, "network", None),
        seed=task.seed,
        official_test=result.test.summary(),
        grouped_validation=result.validation.summary(),
        random_split=random_split,
        size_bytes=result.size_bytes,
        predict_ms=result.test.predict_ms,
        settings=asdict(task.config),
        confusion=result.test.confusion,
    )


def filter_recipe(recipe: Recipe, *, architecture: str | None, feature: str | None, seed: int | None) -> Recipe:
    """Return the part of a recipe with the given architecture, feature and seed; None selects all.

    Raises:
        InputError: the recipe has no such model.
    """
    models: Mapping[str, ModelConfig] = {
        name: config
        for name, config in recipe.models.items()
        if architecture in (None, "auto", name, config.architecture) and feature in (None, config.feature)
    }
    if not models:
        known = ", ".join(f"{config.feature} × {config.architecture}" for config in recipe.models.values())
        requested = " × ".join(filter(None, (feature, architecture)))
        raise InputError(f"The benchmark has no model {requested}. It has: {known}.")
    if seed is None:
        return Recipe(benchmark=recipe.benchmark, models=models)
    with_seed = {name: replace(config, seeds=(seed,)) for name, config in models.items()}
    return Recipe(benchmark=recipe.benchmark, models=with_seed)
