"""Recipes and grids: presets and error messages."""

from dataclasses import replace
from pathlib import Path

import pytest

from aslkit.core.errors import InputError
from aslkit.train.benchmark import cnn, sweep
from aslkit.train.benchmark.recipe import ForestConfig, NetworkConfig, PerceptronConfig, Recipe, load_recipe
from aslkit.train.benchmark.run import filter_recipe
from aslkit.train.fitting.architectures import ARCHITECTURES

RECIPE = """
[benchmark]
seeds = [0]
validation_share = 0.1
random_split = true
random_test_share = 0.2
[models.rf]
architecture = "rf"
trees = 20
depth = 6
"""


def load_text(text: str, folder: Path) -> Recipe:
    path = folder / "own.toml"
    path.write_text(text)
    return load_recipe(str(path))


def test_reference_preset_equals_the_reference_study() -> None:
    recipe = load_recipe("reference")
    forests = [each for each in recipe.models.values() if isinstance(each, ForestConfig)]
    assert [(each.trees, each.depth, each.bins) for each in forests] == [(20, 6, 32), (50, 8, 32)]
    perceptrons = [each for each in recipe.models.values() if isinstance(each, PerceptronConfig)]
    assert [(each.hidden, each.iterations) for each in perceptrons] == [((40, 30), 100), ((256,), 100)]
    (network,) = (each for each in recipe.models.values() if isinstance(each, NetworkConfig))
    assert (network.epochs, network.batch_size, network.learning_rate) == (15, 2 * 120, 0.001)
    assert {each.copies for each in recipe.models.values()} == {0}
    assert {each.feature for each in recipe.models.values()} == {"pixels28"}
    model = ARCHITECTURES[network.network]((28, 28, 1), 24)
    shapes = [tuple(weights.shape) for weights in model.trainable_weights if len(weights.shape) > 1]
    assert shapes == [(5, 5, 1, 32), (5, 5, 32, 64), (3, 3, 64, 128), (128, 128), (128, 24)]


def test_benchmark_preset_has_all_kinds_of_models() -> None:
    recipe = load_recipe("benchmark")
    kinds = {(each.architecture, each.feature) for each in recipe.models.values()}
    assert kinds == {("rf", "pixels14"), ("rf", "hog"), ("mlp", "pixels14"), ("mlp", "hog"), ("cnn", "pixels28")}
    assert all(len(recipe.seeds(name)) == 3 for name in ("cnn", "mlp-hog"))
    assert recipe.benchmark.random_split


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("trees = 20", ""), r"\[models.rf\]: trees is missing"),
        (("trees = 20", "trees = 0"), "trees must be a whole number from 1"),
        (("trees = 20", "tree = 20\ntrees = 20"), "unknown key 'tree'"),
        (('"rf"', '"svm"'), "architecture is 'svm'. Known: rf, mlp, cnn"),
        (("depth = 6", 'depth = 6\nfeature = "landmarks"'), "no feature .* Known: pixels28, pixels14, hog"),
        (("seeds = [0]", "seeds = [0, 0]"), "seeds must not repeat"),
        (("seeds = [0]", "seeds = 0"), "seeds must be a list"),
        (("seeds = [0]", "seeds = [{a = 1}, 2]"), "seeds must be a list of whole numbers from 0"),
        (("depth = 6", "depth = 6\nfeature = {a = 1}"), "feature must be text"),
        (('architecture = "rf"', "architecture = []"), r"architecture is \[\]"),
        (("seeds = [0]", "seeds = []"), "seeds must name"),
        (("validation_share = 0.1", "validation_share = 2"), "validation_share must be"),
        (("random_split = true", 'random_split = "yes"'), "must be true or false"),
        (("[models.rf]", "[model.rf]"), r"unknown section \[model\]"),
        (("[models.rf]", "[models.rf"), "is not a TOML file"),
        ((RECIPE[RECIPE.index("[models") :], ""), "names no model"),
    ],
)
def test_invalid_recipe_is_reported_with_file_and_section(
    change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    load_text(RECIPE, tmp_path)
    with pytest.raises(InputError, match=message) as error:
        load_text(RECIPE.replace(*change), tmp_path)
    assert "own.toml" in error.value.message


def test_missing_recipe_is_reported() -> None:
    with pytest.raises(InputError, match=r"no configuration file nowhere/else.toml, and no preset"):
        load_recipe("nowhere/else.toml")


def test_filter_recipe() -> None:
    recipe = load_recipe("benchmark")
    assert {
        each.architecture for each in filter_recipe(recipe, architecture="cnn", feature=None, seed=None).models.values()
    } == {"cnn"}
    hog = filter_recipe(recipe, architecture="rf", feature="hog", seed=7)
    assert [(each.architecture, each.feature) for each in hog.models.values()] == [("rf", "hog")]
    assert [hog.seeds(name) for name in hog.models] == [(7,)]
    with pytest.raises(InputError, match="It has: "):
        filter_recipe(recipe, architecture="cnn", feature="hog", seed=None)


def test_load_grid_builds_all_combinations(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(RECIPE.replace("trees = 20\ndepth = 6", "[models.rf.grid]\ntrees = [5, 10, 20]\ndepth = [3, 4]"))
    grid = sweep.load_grid(str(path))
    settings = [(each.trees, each.depth) for each in grid.models.values() if isinstance(each, ForestConfig)]
    assert settings == [(trees, depth) for trees in (5, 10, 20) for depth in (3, 4)]
    assert "rf trees=10, depth=4" in grid.models


@pytest.mark.parametrize("axes", ["", "[models.rf.grid]\ntrees = 5\n", "[models.rf.grid]\ntrees = []\n"])
def test_load_grid_rejects_grids_without_lists(axes: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(RECIPE.replace("trees = 20\ndepth = 6", axes))
    with pytest.raises(InputError, match=r"needs a \[models.rf.grid\]"):
        sweep.load_grid(str(path))


def test_reference_grid_preset() -> None:
    grid = sweep.load_grid("reference-grid")
    assert {each.architecture for each in grid.models.values()} == {"rf", "mlp", "cnn"}
    assert any(isinstance(each, PerceptronConfig) and each.hidden == (40, 30) for each in grid.models.values())


def test_make_schedule_scales_with_ranks_if_per_rank() -> None:
    config = NetworkConfig(architecture="cnn", batch_size=120, learning_rate=0.001, warmup_epochs=2.0)
    assert cnn.make_schedule(config, 8) == cnn.make_schedule(config, 1)
    scaled = cnn.make_schedule(replace(config, per_rank=True), 8)
    assert (scaled.batch_size, scaled.warmup_epochs) == (960, 2.0)
    assert scaled.learning_rate == pytest.approx(0.008)
    assert scaled.rate(0, 100) < 0.0001


def test_load_grid_rejects_grids_without_models(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("models = 'all'\n")
    with pytest.raises(InputError, match="names no model"):
        sweep.load_grid(str(path))
