"""The benchmark: several models on Sign Language MNIST, its official split kept, and a leaderboard."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit import __version__
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import folder_size, remove
from aslkit.formats.run_folder import RESULTS_FILE
from aslkit.train.benchmark import leaderboard, sign_mnist_split
from aslkit.train.benchmark.model_trial import BenchmarkSettings, evaluate_split, open_spark_if_needed, train_model
from aslkit.train.benchmark.recipe import ModelConfig, Recipe, digest
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from aslkit.train.reporting.environment import describe_environment

OFFICIAL: Final = "official"
RANDOM: Final = "random"


@dataclass(frozen=True, kw_only=True)
class BenchmarkResult:
    """A finished benchmark: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class BenchmarkTask:
    """One training.

    Attributes:
        name: of the model in the recipe.
        config: its settings.
        seed: of its chance.
        split: OFFICIAL or RANDOM.
        key: of its result: that of other settings is another.
    """

    name: str
    config: ModelConfig
    seed: int
    split: str
    key: str

    @property
    def title(self) -> str:
        """What is shown while it runs."""
        return f"{self.name}, seed {self.seed}{', random split' * (self.split == RANDOM)}"


def run_benchmark(dataset: Path, recipe: Recipe, setting: BenchmarkSettings) -> BenchmarkResult:
    """Train and measure every model with every seed; what an earlier run of this folder has done is not done again.

    Raises:
        InputError: no such dataset.
        AslkitError: Spark, Horovod or TensorFlow is missing or fails. What is done is kept.
    """
    begun = time.perf_counter()
    images = sign_mnist_split.load_images(dataset, validation_share=recipe.benchmark.validation_share, seed=0)
    setting.folder.mkdir(parents=True, exist_ok=True)
    tasks, known = list(_tasks(recipe)), load_results(setting.folder)
    missing = [task for task in tasks if task.key not in known]
    with open_spark_if_needed((task.config for task in missing), ranks=setting.ranks, master=setting.master) as spark:
        here = replace(setting, spark=spark)
        for number, task in enumerate(missing, start=1):
            title = f"{task.title} ({number} of {len(missing)})"
            known[task.key] = _done(task, recipe, images, here, title)
            append_result(setting.folder, task.key, known[task.key])
    models = _models([(task, known[task.key]) for task in tasks], dataset.name)
    metrics = {
        "aslkit": __version__,
        "dataset": dataset.name,
        "kind": "benchmark",
        "best": leaderboard.best_pixel_model(models),
        "photographs": int(images.photograph.max()) + 1,
        "environment": msgspec.to_builtins(describe_environment()),
        "seconds": round(time.perf_counter() - begun, 1),
        "models": models,
    }
    leaderboard.write_leaderboard(setting.folder, metrics)
    remove(setting.folder / "checkpoints")
    return BenchmarkResult(folder=setting.folder, metrics=metrics)


def _tasks(recipe: Recipe) -> Iterator[BenchmarkTask]:
    """All trainings; the random split once a model, at the end: it only shows the leak."""
    for name, config in recipe.models.items():
        for seed in recipe.seeds(name):
            yield _task(name, config, seed, OFFICIAL, recipe)
    if recipe.benchmark.random_split:
        for name, config in recipe.models.items():  # as the reference study did, which varied no images either
            yield _task(name, replace(config, copies=0), recipe.seeds(name)[0], RANDOM, recipe)


def _task(name: str, config: ModelConfig, seed: int, split: str, recipe: Recipe) -> BenchmarkTask:
    key = f"{name}-{seed}-{split}-{digest(replace(config, seeds=()), replace(recipe.benchmark, seeds=(seed,)))}"
    return BenchmarkTask(name=name, config=config, seed=seed, split=split, key=key)


def _done(
    task: BenchmarkTask, recipe: Recipe, images: BenchmarkImages, setting: BenchmarkSettings, title: str
) -> dict[str, Any]:
    """Train one model and measure it. The test is read here, after everything was chosen."""
    shown = images if task.split == OFFICIAL else _at_random(images, recipe, task.seed)
    with train_model(task.key, task.config, shown, seed=task.seed, setting=setting, title=title) as trial:
        found = {split: evaluate_split(trial.predict, shown, split) for split in ("validation", "test")}
        model = setting.folder / "models" / task.name
        if task.split == OFFICIAL and task.seed == recipe.seeds(task.name)[0]:
            remove(model)
            trial.save(model)
        return trial.about | found | {"size_bytes": folder_size(model)}


def load_results(folder: Path) -> dict[str, dict[str, Any]]:
    """What a folder has of trainings that are done, by key.

    Raises:
        AslkitError: a line cannot be read.
    """
    path = folder / RESULTS_FILE
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        return {each["key"]: each["result"] for each in lines}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Delete its last line, and go on with the rest.") from error


def append_result(folder: Path, key: str, result: dict[str, Any]) -> None:
    """Keep the result of a training."""
    with (folder / RESULTS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, "result": result}) + "\n")


def _at_random(images: BenchmarkImages, recipe: Recipe, seed: int) -> BenchmarkImages:
    settings = recipe.benchmark
    return sign_mnist_split.split_randomly(
        images, test_share=settings.random_test_share, validation_share=settings.validation_share, seed=seed
    )


def _models(done: Sequence[tuple[BenchmarkTask, dict[str, Any]]], dataset: str) -> list[dict[str, Any]]:
    """Entries of metrics.json: one for each model and seed, the random split's figure beside each."""
    leaky = {task.name: _brief(result["test"]) | {"seed": task.seed, "leaks": True}
             for task, result in done if task.split == RANDOM}  # fmt: skip
    return [
        {
            "dataset": dataset,
            "name": task.name,
            "architecture": task.config.architecture,
            "feature": task.config.feature,
            "network": getattr(task.config, "network", None),
            "seed": task.seed,
            "official_test": _brief(result["test"]),
            "grouped_validation": _brief(result["validation"]),
            "random_split": leaky.get(task.name),
            **{key: value for key, value in result.items() if key not in ("test", "validation")},
            "predict_ms": result["test"]["predict_ms"],
            "settings": asdict(task.config),
            "confusion": result["test"]["confusion"],
        }
        for task, result in done
        if task.split == OFFICIAL
    ]


def _brief(measured_: dict[str, Any]) -> dict[str, Any]:
    return {key: measured_[key] for key in ("accuracy", "macro_f1", "n", "worst_letter")}


def filter_recipe(recipe: Recipe, *, architecture: str | None, feature: str | None, seed: int | None) -> Recipe:
    """The part of a recipe that was asked for.

    Raises:
        InputError: it has no such model.
    """
    models: Mapping[str, ModelConfig] = {
        name: config
        for name, config in recipe.models.items()
        if architecture in (None, "auto", name, config.architecture) and feature in (None, config.feature)
    }
    if not models:
        have = ", ".join(f"{config.feature} × {config.architecture}" for config in recipe.models.values())
        asked = " × ".join(filter(None, (feature, architecture)))
        raise InputError(f"The benchmark has no model {asked}. It has: {have}.")
    if seed is None:
        return Recipe(benchmark=recipe.benchmark, models=models)
    once = {name: replace(config, seeds=(seed,)) for name, config in models.items()}
    return Recipe(benchmark=recipe.benchmark, models=once)
