"""Recipes of the benchmark: which models, with which settings. One TOML file each; see configs/benchmark.toml."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, Final, TypeVar

from aslkit.core.config import check_bool, check_integer, check_number
from aslkit.core.errors import InputError
from aslkit.train.benchmark.image_descriptors import DESCRIPTORS

Table = TypeVar("Table")


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """What holds for all models.

    Attributes:
        seeds: each model is trained once with each.
        validation_share: of train, by whole photographs.
        random_split: train each model once more on the reference study's protocol, which leaks, to show by how much;
            without varied copies, as it had none.
        random_test_share: of all images, in that split.
    """

    seeds: tuple[int, ...]
    validation_share: float
    random_split: bool
    random_test_share: float

    def __post_init__(self) -> None:
        """Check every setting once."""
        object.__setattr__(self, "seeds", _seeds(self.seeds))
        if not self.seeds:
            raise InputError("seeds must name one or more whole numbers, as [0, 1, 2].")
        check_number("validation_share", self.validation_share, 0.05, 0.5)
        check_bool("random_split", self.random_split)
        check_number("random_test_share", self.random_test_share, 0.05, 0.5)


def _seeds(given: Any) -> tuple[int, ...]:
    """Check seeds.

    Raises:
        InputError: not a list of whole numbers, each once.
    """
    told = f"seeds must be a list of whole numbers, each once, as [0, 1, 2]; it is {given!r}."
    if not isinstance(given, list | tuple):
        raise InputError(told)
    for seed in given:
        check_integer("seeds", seed, 0, 2**31 - 1)
    if len(set(given)) < len(given):
        raise InputError(told)
    return tuple(given)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What every model has.

    Attributes:
        architecture: "rf", "mlp" or "cnn".
        feature: what it sees of an image, of `descriptors.DESCRIPTORS`.
        copies: varied copies of each training image beside the image itself. A network sees one anew in each epoch, in
            place of the image.
        turn_deg, scale, shift, light: standard deviations of a copy's turn (degrees), of the logarithm of its size, of
            its place (share of the side), and of the logarithm of its contrast.
    """

    architecture: str
    feature: str = "pixels28"
    copies: int = 0
    turn_deg: float = 6.0
    scale: float = 0.07
    shift: float = 0.04
    light: float = 0.15
    seeds: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check every setting once."""
        if not isinstance(self.feature, str) or self.feature not in DESCRIPTORS:
            raise InputError(f"There is no feature {self.feature!r} here. Known: {', '.join(DESCRIPTORS)}.")
        check_integer("copies", self.copies, 0, 20)
        check_number("turn_deg", self.turn_deg, 0, 45)
        check_number("scale", self.scale, 0, 0.5)
        check_number("shift", self.shift, 0, 0.5)
        check_number("light", self.light, 0, 1)
        object.__setattr__(self, "seeds", _seeds(self.seeds))


@dataclass(frozen=True, kw_only=True)
class ForestConfig(ModelConfig):
    """Spark MLlib's RandomForestClassifier.

    Attributes:
        trees, depth: how many, and how deep.
        bins: thresholds that are tried of each value. Half as many are twice as fast in a deep forest.
        features_per_split: as MLlib has it: "sqrt", "log2", "onethird", "all", a share or a number.
        leaf: images that a leaf has at least; a deep forest costs memory for each node.
        sampled: share of the images that each tree is grown on, 0–1.
    """

    trees: int
    depth: int
    bins: int = 32
    features_per_split: str = "sqrt"
    leaf: int = 1
    sampled: float = 1.0

    def __post_init__(self) -> None:
        """Check every setting once."""
        super().__post_init__()
        check_integer("trees", self.trees, 1, 10_000)
        check_integer("depth", self.depth, 1, 30)
        check_integer("bins", self.bins, 2, 256)
        check_integer("leaf", self.leaf, 1, 1_000_000)
        check_number("sampled", self.sampled, 0.001, 1)


@dataclass(frozen=True, kw_only=True)
class PerceptronConfig(ModelConfig):
    """Spark MLlib's MultilayerPerceptronClassifier: sigmoid units, L-BFGS over all images.

    Attributes:
        hidden: units of each hidden layer.
        iterations: at most.
        standardised: each input is scaled to mean 0 and standard deviation 1, in place of 0–255 to 0–1.
    """

    hidden: tuple[int, ...]
    iterations: int = 100
    standardised: bool = False

    def __post_init__(self) -> None:
        """Check every setting once."""
        super().__post_init__()
        object.__setattr__(self, "hidden", tuple(self.hidden) if isinstance(self.hidden, list | tuple) else (0,))
        for units in self.hidden:
            check_integer("hidden", units, 1, 65_536)
        check_integer("iterations", self.iterations, 1, 100_000)
        check_bool("standardised", self.standardised)


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(ModelConfig):
    """A convolutional network, trained by Keras in one process or by Horovod on several ranks.

    Attributes:
        network: which, of `architectures.ARCHITECTURES`.
        epochs: at most.
        patience: epochs without a lower validation loss before it ends; 0 never ends early.
        batch_size: images of a step, over all ranks.
        learning_rate: at its height.
        warmup_epochs: while the rate rises.
        cosine: whether the rate falls to nothing along a cosine.
        label_smoothing: 0–1.
        per_rank: batch_size and learning_rate are of one rank; with more ranks both are as many times as large. Wants
            warmup_epochs. Else the batch is divided among the ranks, and the curve is the same however many there are.
    """

    network: str = "cnn"
    epochs: int = 15
    patience: int = 0
    batch_size: int = 120
    learning_rate: float = 0.001
    warmup_epochs: float = 0.0
    cosine: bool = False
    label_smoothing: float = 0.0
    per_rank: bool = False

    def __post_init__(self) -> None:
        """Check every setting once."""
        super().__post_init__()
        check_integer("epochs", self.epochs, 1, 10_000)
        check_integer("patience", self.patience, 0, 10_000)
        check_integer("batch_size", self.batch_size, 1, 65_536)
        check_number("learning_rate", self.learning_rate, 1e-7, 1)
        check_number("warmup_epochs", self.warmup_epochs, 0, 100)
        check_integer("copies", self.copies, 0, 1)
        check_bool("cosine", self.cosine)
        check_number("label_smoothing", self.label_smoothing, 0, 0.9)
        check_bool("per_rank", self.per_rank)


def digest(*settings: Any) -> str:
    """Eight hex digits of dataclasses: equal for equal settings."""
    text = json.dumps([asdict(each) for each in settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


KINDS: Final[dict[str, type[ModelConfig]]] = {"rf": ForestConfig, "mlp": PerceptronConfig, "cnn": NetworkConfig}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A whole benchmark: settings for all, and models by name."""

    benchmark: BenchmarkConfig
    models: Mapping[str, ModelConfig]

    def seeds(self, name: str) -> tuple[int, ...]:
        """What a model is trained with."""
        return self.models[name].seeds or self.benchmark.seeds


def read_toml(name: str) -> dict[str, Any]:
    """Read a TOML file, or a preset that is installed with aslkit: "benchmark", "reference" or "reference-grid".

    Raises:
        InputError: neither is there, or it is no TOML file.
    """
    path = Path(name)
    preset = resources.files("aslkit.configs").joinpath(f"{path.name.removesuffix('.toml')}.toml")
    try:
        text = path.read_text(encoding="utf-8") if path.is_file() else preset.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise InputError(f"There is no configuration file {name}, nor a preset of that name.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{name} is not a TOML file: {error}.") from error


def load_recipe(name: str) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: no such file, an unknown key, or a setting out of range.
    """
    tables = read_toml(name)
    if stray := sorted(set(tables) - {"benchmark", "models"}):
        raise InputError(f"{name}: unknown section [{stray[0]}]. A recipe has [benchmark] and [models.NAME].")
    return Recipe(
        benchmark=build_settings(BenchmarkConfig, tables.get("benchmark", {}), f"{name}, [benchmark]"),
        models={
            key: build_model_config(values, f"{name}, [models.{key}]")
            for key, values in model_tables(tables, name).items()
        },
    )


def model_tables(tables: dict[str, Any], name: str) -> dict[str, Any]:
    """The sections [models.NAME] of the recipe or grid `name`.

    Raises:
        InputError: there are none.
    """
    models = tables.get("models", {})
    if not isinstance(models, dict) or not models:
        raise InputError(f"{name} names no model. Write [models.NAME] with architecture = {' or '.join(KINDS)}.")
    return models


def build_model_config(values: Any, where: str) -> ModelConfig:
    """Build the settings of one model.

    Raises:
        InputError: no such architecture, an unknown or a missing key, or a setting out of range.
    """
    kind = values.get("architecture") if isinstance(values, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{where}: architecture is {kind!r}. Known: {', '.join(KINDS)}.")
    return build_settings(KINDS[kind], values, where)


def build_settings(settings: type[Table], values: Any, where: str) -> Table:
    """Build `settings` from a TOML table, and say where it is wrong.

    Raises:
        InputError: an unknown or a missing key, or a setting out of range.
    """
    if not isinstance(values, dict):
        raise InputError(f"{where} must be a section, not {values!r}.")
    known = {field.name: field.default is MISSING for field in fields(settings)}  # type: ignore[arg-type]
    if unknown := sorted(set(values) - set(known)):
        raise InputError(f"{where}: unknown key {unknown[0]!r}. Known: {', '.join(sorted(known))}.")
    if missing := [key for key, needed in known.items() if needed and key not in values]:
        raise InputError(f"{where}: {missing[0]} is missing.")
    try:
        return settings(**values)
    except InputError as error:
        raise InputError(f"{where}: {error.message}") from error
