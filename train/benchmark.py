"""The benchmark: several models on Sign Language MNIST, its official split kept, and a leaderboard of what they are worth."""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from aslkit import __version__
from aslkit.errors import AslkitError, InputError
from aslkit.files import remove, size_of, write_text
from aslkit.letters import LETTERS
from aslkit.progress import bar
from aslkit.train import leaderboard, networks, photographs
from aslkit.train.checkpoints import Store
from aslkit.train.descriptors import DESCRIPTORS, Pixels, varied
from aslkit.train.evaluate import Answers, confusion, measure
from aslkit.train.photographs import Images
from aslkit.train.recipe import ModelConfig, NetworkConfig, Recipe

RESULTS_FILE: Final = "results.jsonl"
"""One line for each model that is done: what `--resume` need not do again."""

RANDOM: Final = "random"


class Fitted(Protocol):
    """A trained model of any kind."""

    fit_s: float

    def predict(self, images: Any) -> npt.NDArray[np.int64]:
        """Say letters."""

    def save(self, folder: Path) -> None:
        """Write it."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where a benchmark runs.

    Attributes:
        dataset: its folder.
        folder: of the run.
        ranks: of networks.
        master: of Spark.
    """

    dataset: Path
    folder: Path
    ranks: int
    master: str

    @property
    def resume(self) -> str:
        """The command that goes on with this run."""
        return f"aslkit train --dataset {self.dataset} --resume {self.folder}"


@dataclass(frozen=True, kw_only=True)
class Benchmarked:
    """A finished benchmark: its folder, and its metrics as metrics.json has them."""

    folder: Path
    metrics: dict[str, Any]


def new_folder(runs: Path, dataset: Path) -> Path:
    """A folder for a new run, that no other has."""
    return next(folder for number in count(1) if not (folder := runs / f"{dataset.name}-benchmark-{number}").exists())


def benchmark(recipe: Recipe, setting: Setting) -> Benchmarked:
    """Train and measure every model with every seed; what an earlier run of this folder has done is not done again.

    Raises:
        InputError: no such dataset.
        AslkitError: Spark, Horovod or TensorFlow is missing or fails. What is done is kept.
    """
    begun = time.perf_counter()
    images = photographs.load(setting.dataset, validation_share=recipe.benchmark.validation_share, seed=0)
    setting.folder.mkdir(parents=True, exist_ok=True)
    done = {(each["name"], each["seed"], each["split"]): each for each in _results(setting.folder)}
    tasks = [task for task in _tasks(recipe) if task not in done]
    with _spark(recipe, setting, tasks) as spark:
        for number, (name, seed, split) in enumerate(tasks, start=1):
            what = images if split == "official" else _at_random(images, recipe, seed)
            title = f"{name}, seed {seed}{', random split' if split == RANDOM else ''} ({number} of {len(tasks)})"
            result = _one(name, recipe.models[name], what, seed, setting, spark, title, split)
            done[name, seed, split] = result
            with (setting.folder / RESULTS_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
    metrics = {
        "aslkit": __version__,
        "dataset": "sign-mnist",
        "kind": "benchmark",
        "models": _models(list(done.values()), recipe),
        "photographs": int(images.photograph.max()) + 1,
        "versions": _versions(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    metrics["best"] = leaderboard.best(metrics["models"])
    leaderboard.write(setting.folder, metrics)
    remove(setting.folder / "checkpoints")
    return Benchmarked(folder=setting.folder, metrics=metrics)


def _tasks(recipe: Recipe) -> Iterator[tuple[str, int, str]]:
    """Name, seed and split of each training; the random split once a model, at the end: it only shows the leak."""
    for name in recipe.models:
        for seed in recipe.benchmark.seeds:
            yield name, seed, "official"
    if recipe.benchmark.random_split:
        for name in recipe.models:
            yield name, recipe.benchmark.seeds[0], RANDOM


def _results(folder: Path) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in (folder / RESULTS_FILE).read_text(encoding="utf-8").splitlines() if line]
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise AslkitError(f"{folder / RESULTS_FILE} is damaged ({error}). Delete its last line.") from error


def _at_random(images: Images, recipe: Recipe, seed: int) -> Images:
    settings = recipe.benchmark
    return photographs.at_random(
        images, test_share=settings.random_test_share, validation_share=settings.validation_share, seed=seed
    )


def _one(
    name: str,
    config: ModelConfig,
    images: Images,
    seed: int,
    setting: Setting,
    spark: Any,
    title: str,
    split: str,
) -> dict[str, Any]:
    """Train one model and measure it: a line of results.jsonl."""
    own = setting.folder / "checkpoints" / f"{name}-{seed}-{split}"
    if isinstance(config, NetworkConfig):
        place = networks.Place(ranks=setting.ranks, store=Store(url=str(own)), title=title, resume=setting.resume)
        network = networks.fit(config, images, seed=seed, place=place)
        about: dict[str, Any] = _of_network(network, setting)
        predict, fitted = network.predict, network
    else:
        with bar(title, 1):
            fitted, predict = _mllib(config, images, seed, spark, own)
        about = {"engine": "spark-mllib", "ranks": 1, "epochs": None, "epoch_s": None, "history": []}
    result = {"name": name, "seed": seed, "split": split, "fit_s": round(fitted.fit_s, 3), **about}
    result |= _measured(predict, images)
    if split == "official":
        if seed == 0 or not (setting.folder / "models" / name).exists():
            fitted.save(setting.folder / "models" / name)
        result["size_bytes"] = size_of(setting.folder / "models" / name)
    shutil.rmtree(own, ignore_errors=True)
    return result


def _of_network(network: networks.NetworkModel, setting: Setting) -> dict[str, Any]:
    rows = network.state.history
    return {
        "engine": "keras" if setting.ranks == 1 else "horovod-on-spark",
        "ranks": setting.ranks,
        "epochs": len(rows),
        "best_epoch": network.state.best_epoch,
        "epoch_s": round(float(np.median([row["seconds"] for row in rows])), 3),
        "start_s": round(network.start_s, 3),
        "history": rows,
    }


def _mllib(
    config: ModelConfig, images: Images, seed: int, spark: Any, scratch: Path
) -> tuple[Any, Callable[[Pixels], npt.NDArray[np.int64]]]:
    from aslkit.train import spark as mllib

    describe, train = DESCRIPTORS[config.feature], images.part("train")
    pixels, rng = images.pixels[train], np.random.default_rng(seed)
    copies = [
        varied(pixels, rng, turn_deg=config.turn_deg, scale=config.scale, shift=config.shift, light=config.light)
        for _ in range(config.copies)
    ]
    inputs = describe(np.concatenate([pixels, *copies]))
    label = np.tile(images.label[train], config.copies + 1)
    model = mllib.fit(config, inputs, label, spark=spark, scratch=scratch, seed=seed)
    return model, lambda asked: model.predict(describe(asked))


def _measured(predict: Callable[[Pixels], npt.NDArray[np.int64]], images: Images) -> dict[str, Any]:
    """Figures on validation and test. Nothing is chosen here, and nothing after it is by the test."""
    found: dict[str, Any] = {}
    for split in ("validation", "test"):
        rows = images.part(split)
        begun = time.perf_counter()
        answers = Answers(truth=images.label[rows], said=predict(images.pixels[rows]))
        figures = measure(answers)
        worst = min(figures["per_letter"].items(), key=lambda item: item[1]["accuracy"])
        found[split] = {
            "accuracy": figures["accuracy"],
            "macro_f1": figures["macro_f1"],
            "n": figures["n"],
            "worst_letter": {"letter": worst[0], "accuracy": worst[1]["accuracy"]},
        }
        if split == "test":
            found["predict_ms"] = round(1000 * (time.perf_counter() - begun) / max(len(rows), 1), 4)
            found["confusion"] = confusion(answers)[:, : len(LETTERS)].tolist()
    return found


def _models(results: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    """Entries of metrics.json: one for each model and seed, the random split's figure beside each."""
    leaky = {each["name"]: each for each in results if each["split"] == RANDOM}
    entries = []
    for each in results:
        if each["split"] != "official":
            continue
        config, random = recipe.models[each["name"]], leaky.get(each["name"])
        kept = {key: value for key, value in each.items() if key not in ("split", "test", "validation")}
        entries.append(
            {
                "dataset": "sign-mnist",
                "architecture": config.architecture,
                "feature": config.feature,
                "network": getattr(config, "network", None),
                "official_test": each["test"],
                "grouped_validation": each["validation"],
                "random_split": random and {**random["test"], "seed": random["seed"], "leaks": True},
                **kept,
            }
        )
    return entries


@contextmanager
def _spark(recipe: Recipe, setting: Setting, tasks: list[tuple[str, int, str]]) -> Iterator[Any]:
    """A Spark session, where one of the tasks needs it."""
    wanted = [recipe.models[name] for name, _, _ in tasks]
    network = any(isinstance(config, NetworkConfig) for config in wanted)
    if not any(not isinstance(config, NetworkConfig) or setting.ranks > 1 for config in wanted):
        yield None
        return
    from aslkit.train.spark import spark_session

    with spark_session(setting.master, ranks=setting.ranks if network else 0) as spark:
        yield spark


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("tensorflow", "keras", "pyspark", "horovod", "numpy"):
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
        raise InputError(f"The benchmark has no {feature or 'feature'} × {architecture or 'architecture'}. It has: {have}.")
    settings = recipe.benchmark if seed is None else replace(recipe.benchmark, seeds=(seed,))
    return Recipe(benchmark=settings, models=models)
