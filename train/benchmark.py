"""The benchmark: several models on Sign Language MNIST, its official split kept, and a leaderboard."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from itertools import count
from pathlib import Path
from typing import Any, Final

from aslkit import __version__
from aslkit.errors import AslkitError, InputError
from aslkit.files import remove, size_of
from aslkit.train import leaderboard, photographs
from aslkit.train.photographs import Images
from aslkit.train.recipe import ModelConfig, Recipe
from aslkit.train.trial import Setting, measured, spark_for, trained

RESULTS_FILE: Final = "results.jsonl"
"""One line for each model that is done: what `--resume` need not do again."""

OFFICIAL: Final = "official"
RANDOM: Final = "random"
_PACKAGES: Final = ("tensorflow", "keras", "pyspark", "horovod", "numpy")


@dataclass(frozen=True, kw_only=True)
class Benchmarked:
    """A finished benchmark: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One training: of a model of the recipe, with a seed, on a split."""

    name: str
    seed: int
    split: str

    @property
    def key(self) -> str:
        """A name for it that no other task has."""
        return f"{self.name}-{self.seed}-{self.split}"


def new_folder(runs: Path, name: str) -> Path:
    """A folder for a new run, that no other has."""
    return next(folder for number in count(1) if not (folder := runs / f"{name}-{number}").exists())


def benchmark(dataset: Path, recipe: Recipe, setting: Setting) -> Benchmarked:
    """Train and measure every model with every seed; what an earlier run of this folder has done is not done again.

    Raises:
        InputError: no such dataset.
        AslkitError: Spark, Horovod or TensorFlow is missing or fails. What is done is kept.
    """
    begun = time.perf_counter()
    images = photographs.load(dataset, validation_share=recipe.benchmark.validation_share, seed=0)
    setting.folder.mkdir(parents=True, exist_ok=True)
    done = results(setting.folder)
    tasks = [task for task in _tasks(recipe) if task.key not in done]
    with spark_for((recipe.models[task.name] for task in tasks), ranks=setting.ranks, master=setting.master) as spark:
        here = replace(setting, spark=spark)
        for number, task in enumerate(tasks, start=1):
            title = (
                f"{task.name}, seed {task.seed}{', random split' * (task.split == RANDOM)} ({number} of {len(tasks)})"
            )
            done[task.key] = _done(task, recipe, images, here, title)
            append(setting.folder, task.key, done[task.key])
    models = _models(list(done.values()), recipe)
    metrics = {
        "aslkit": __version__,
        "dataset": "sign-mnist",
        "kind": "benchmark",
        "best": leaderboard.best(models),
        "photographs": int(images.photograph.max()) + 1,
        "versions": _versions(),
        "seconds": round(time.perf_counter() - begun, 1),
        "models": models,
    }
    leaderboard.write(setting.folder, metrics)
    remove(setting.folder / "checkpoints")
    return Benchmarked(folder=setting.folder, metrics=metrics)


def _tasks(recipe: Recipe) -> Iterator[Task]:
    """All trainings; the random split once a model, at the end: it only shows the leak."""
    for name in recipe.models:
        for seed in recipe.seeds(name):
            yield Task(name=name, seed=seed, split=OFFICIAL)
    if recipe.benchmark.random_split:
        for name in recipe.models:
            yield Task(name=name, seed=recipe.seeds(name)[0], split=RANDOM)


def _done(task: Task, recipe: Recipe, images: Images, setting: Setting, title: str) -> dict[str, Any]:
    """Train one model and measure it. The test is read here, after everything was chosen."""
    config, shown = recipe.models[task.name], images
    if task.split == RANDOM:  # as the reference study did, which varied no images either
        config, shown = replace(config, copies=0), _at_random(images, recipe, task.seed)
    with trained(task.key, config, shown, seed=task.seed, setting=setting, title=title) as trial:
        result = {"name": task.name, "seed": task.seed, "split": task.split, **trial.about}
        result |= {split: measured(trial.predict, shown, split) for split in ("validation", "test")}
        model = setting.folder / "models" / task.name
        if task.split == OFFICIAL and task.seed == recipe.seeds(task.name)[0]:
            remove(model)
            trial.save(model)
        return result | {"size_bytes": size_of(model)}


def results(folder: Path) -> dict[str, dict[str, Any]]:
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


def append(folder: Path, key: str, result: dict[str, Any]) -> None:
    """Keep the result of a training."""
    with (folder / RESULTS_FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"key": key, "result": result}) + "\n")


def _at_random(images: Images, recipe: Recipe, seed: int) -> Images:
    settings = recipe.benchmark
    return photographs.at_random(
        images, test_share=settings.random_test_share, validation_share=settings.validation_share, seed=seed
    )


def _models(done: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    """Entries of metrics.json: one for each model and seed, the random split's figure beside each."""
    leaky = {each["name"]: each for each in done if each["split"] == RANDOM}
    entries = []
    for each in done:
        if each["split"] != OFFICIAL or each["name"] not in recipe.models:
            continue
        config, random = recipe.models[each["name"]], leaky.get(each["name"])
        kept = {key: value for key, value in each.items() if key not in ("split", "test", "validation")}
        entries.append(
            {
                "dataset": "sign-mnist",
                "architecture": config.architecture,
                "feature": config.feature,
                "network": getattr(config, "network", None),
                "official_test": _brief(each["test"]),
                "grouped_validation": _brief(each["validation"]),
                "random_split": random and {**_brief(random["test"]), "seed": random["seed"], "leaks": True},
                **kept,
                "predict_ms": each["test"]["predict_ms"],
                "confusion": each["test"]["confusion"],
            }
        )
    return entries


def _brief(measured_: dict[str, Any]) -> dict[str, Any]:
    return {key: measured_[key] for key in ("accuracy", "macro_f1", "n", "worst_letter")}


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def only(recipe: Recipe, *, architecture: str | None, feature: str | None, seed: int | None) -> Recipe:
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
        raise InputError(f"The benchmark has no {feature or 'feature'} × {architecture or 'model'}. It has: {have}.")
    if seed is None:
        return Recipe(benchmark=recipe.benchmark, models=models)
    once = {name: replace(config, seeds=(seed,)) for name, config in models.items()}
    return Recipe(benchmark=recipe.benchmark, models=once)
