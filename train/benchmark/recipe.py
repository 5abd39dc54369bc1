"""Recipes: the models of a benchmark and their settings. One TOML file each, such as configs/benchmark.toml."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from msgspec import Meta

from aslkit.core.config import build_settings, read_toml
from aslkit.core.errors import InputError
from aslkit.train.benchmark.image_descriptors import DESCRIPTORS

_Seeds = tuple[Annotated[int, Meta(ge=0, le=2**31 - 1)], ...]
_Spread = Annotated[float, Meta(ge=0, le=0.5)]


@dataclass(frozen=True, kw_only=True)
class BenchmarkConfig:
    """Settings of all models of a benchmark, section [benchmark]."""

    seeds: Annotated[_Seeds, Meta(description="Each model is trained once with each seed.")]
    validation_share: Annotated[
        float, Meta(ge=0.05, le=0.5, description="Share of the train split used for validation, by whole photographs.")
    ]
    random_split: Annotated[
        bool,
        Meta(
            description="Also train each model on a random split, as the reference study did, without augmentation, to "
            "show the effect of its data leakage."
        ),
    ]
    random_epochs: Annotated[
        int, Meta(ge=0, description="Maximum epochs of a network in that split; 0 for as many as otherwise.")
    ] = 0
    random_test_share: Annotated[
        float, Meta(ge=0.05, le=0.5, description="Share of all images to test on in that split.")
    ]

    def __post_init__(self) -> None:
        """Check the seeds, which depend on each other."""
        _check_seeds(self.seeds)
        if not self.seeds:
            raise InputError("seeds must name one or more whole numbers, as [0, 1, 2].")


def _check_seeds(seeds: tuple[int, ...]) -> None:
    if len(set(seeds)) < len(seeds):
        raise InputError(f"seeds must not repeat a number; it is {list(seeds)}.")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Settings that every model has, section [models.NAME]."""

    architecture: Annotated[str, Meta(description="rf, mlp or cnn.")]
    feature: Annotated[str, Meta(description="Input of the model, one of `image_descriptors.DESCRIPTORS`.")] = (
        "pixels28"
    )
    copies: Annotated[
        int,
        Meta(
            ge=0, le=20,
            description="Augmented copies per training image. A cnn sees a new one instead of the image in each epoch.",
        ),
    ] = 0  # fmt: skip
    turn_deg: Annotated[float, Meta(ge=0, le=45, description="Standard deviation of a copy's rotation, degrees;")] = 6.0
    scale: Annotated[_Spread, Meta(description="of the logarithm of its size;")] = 0.07
    shift: Annotated[_Spread, Meta(description="of its position, as a share of the side;")] = 0.04
    light: Annotated[float, Meta(ge=0, le=1, description="of the logarithm of its contrast.")] = 0.15
    seeds: Annotated[_Seeds, Meta(description="Seeds of this model, instead of those of the benchmark.")] = ()

    def __post_init__(self) -> None:
        """Check what a type cannot express."""
        if self.feature not in DESCRIPTORS:
            raise InputError(f"There is no feature {self.feature!r} here. Known: {', '.join(DESCRIPTORS)}.")
        _check_seeds(self.seeds)


@dataclass(frozen=True, kw_only=True)
class MllibConfig(ModelConfig):
    """Settings of all models of Spark MLlib."""

    normalised: Annotated[
        bool, Meta(description="Scale each image to the same mean and standard deviation of its pixels.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class ForestConfig(MllibConfig):
    """Settings of a random forest, Spark MLlib's RandomForestClassifier."""

    trees: Annotated[int, Meta(ge=1, le=10_000, description="Number of trees.")]
    depth: Annotated[int, Meta(ge=1, le=30, description="Maximum depth.")]
    bins: Annotated[
        int,
        Meta(ge=2, le=256, description="Thresholds tried per value; half as many double the speed of a deep forest."),
    ] = 32
    features_per_split: Annotated[
        str, Meta(description='As in MLlib: "sqrt", "log2", "onethird", "all", a share or a number.')
    ] = "sqrt"
    leaf: Annotated[int, Meta(ge=1, le=1_000_000, description="Minimum images per leaf; each node needs memory.")] = 1
    sampled: Annotated[float, Meta(ge=0.001, le=1, description="Share of the images on which each tree is grown.")] = (
        1.0
    )


@dataclass(frozen=True, kw_only=True)
class PerceptronConfig(MllibConfig):
    """Settings of Spark MLlib's MultilayerPerceptronClassifier: sigmoid units, L-BFGS over all images."""

    hidden: Annotated[
        tuple[Annotated[int, Meta(ge=1, le=65_536)], ...], Meta(description="Units of each hidden layer.")
    ]
    iterations: Annotated[int, Meta(ge=1, le=100_000, description="Maximum number of iterations.")] = 100
    standardised: Annotated[
        bool, Meta(description="Scale inputs to mean 0 and standard deviation 1 instead of 0–255 to 0–1.")
    ] = False


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(ModelConfig):
    """Settings of a convolutional network, trained by Keras in one process or by Horovod on several ranks."""

    network: Annotated[str, Meta(description="One of `architectures.ARCHITECTURES`.")] = "cnn"
    epochs: Annotated[int, Meta(ge=1, le=10_000, description="Maximum number of epochs.")] = 15
    patience: Annotated[
        int, Meta(ge=0, le=10_000, description="Early stopping: epochs without a lower validation loss; 0 disables it.")
    ] = 0
    batch_size: Annotated[int, Meta(ge=1, le=65_536, description="Images per step, over all ranks.")] = 120
    learning_rate: Annotated[float, Meta(ge=1e-7, le=1, description="Maximum learning rate.")] = 0.001
    warmup_epochs: Annotated[float, Meta(ge=0, le=100, description="Epochs in which the learning rate rises.")] = 0.0
    cosine: Annotated[bool, Meta(description="Let the learning rate decay to 0 along a cosine.")] = False
    label_smoothing: Annotated[float, Meta(ge=0, le=0.9, description="Label smoothing.")] = 0.0
    ensemble: Annotated[
        bool, Meta(description="Also evaluate the mean of the probabilities of the networks of all seeds.")
    ] = False
    per_rank: Annotated[
        bool,
        Meta(
            description="batch_size and learning_rate are per rank and grow with the number of ranks; needs "
            "warmup_epochs. Otherwise the batch is divided among the ranks, and the result does not depend on their "
            "number."
        ),
    ] = False

    def __post_init__(self) -> None:
        """Check what a type cannot express."""
        super().__post_init__()
        if self.copies > 1:
            raise InputError(f"copies must be 0 or 1 for a cnn; it is {self.copies}.")


def digest(*settings: Any) -> str:
    """Return eight hex digits that are equal for equal settings, which are dataclasses."""
    text = json.dumps([asdict(each) for each in settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


KINDS: Final[dict[str, type[ModelConfig]]] = {"rf": ForestConfig, "mlp": PerceptronConfig, "cnn": NetworkConfig}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A benchmark: settings of all models, and settings of each model by name."""

    benchmark: BenchmarkConfig
    models: Mapping[str, ModelConfig]

    def seeds(self, name: str) -> tuple[int, ...]:
        """Return the seeds with which a model is trained."""
        return self.models[name].seeds or self.benchmark.seeds


def read_recipe(name: str) -> dict[str, Any]:
    """Read a TOML file, or a preset of aslkit: "benchmark", "reference" or "reference-grid".

    Raises:
        InputError: neither exists, or it is not a TOML file.
    """
    path = Path(name)
    if path.is_file():
        return read_toml(path)
    preset = resources.files("aslkit.configs").joinpath(f"{path.name.removesuffix('.toml')}.toml")
    if not preset.is_file():
        raise InputError(f"There is no configuration file {name}, and no preset of that name.")
    with resources.as_file(preset) as file:
        return read_toml(file)


def load_recipe(name: str) -> Recipe:
    """Read a recipe.

    Raises:
        InputError: no such file, an unknown key, or a setting out of range.
    """
    tables = read_recipe(name)
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
    """Return the sections [models.NAME] of the recipe or grid `name`.

    Raises:
        InputError: there are none.
    """
    models = tables.get("models", {})
    if not isinstance(models, dict) or not models:
        raise InputError(f"{name} names no model. Write [models.NAME] with architecture = {' or '.join(KINDS)}.")
    return models


def build_model_config(values: Any, location: str) -> ModelConfig:
    """Build the settings of one model.

    Args:
        values: content of a section [models.NAME].
        location: file and section, for error messages.

    Raises:
        InputError: no such architecture, an unknown or a missing key, or a setting out of range.
    """
    kind = values.get("architecture") if isinstance(values, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise InputError(f"{location}: architecture is {kind!r}. Known: {', '.join(KINDS)}.")
    return build_settings(KINDS[kind], values, location)
