"""Recipes: the installed ones are sound, and what is wrong in one's own is said with its place."""

from dataclasses import replace
from pathlib import Path

import pytest

from aslkit.core.errors import InputError
from aslkit.train.benchmark import cnn, sweep
from aslkit.train.benchmark.recipe import ForestConfig, NetworkConfig, PerceptronConfig, Recipe, load_recipe
from aslkit.train.benchmark.run import filter_recipe
from aslkit.train.fitting.architectures import ARCHITECTURES

GOOD = """
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


def of(text: str, folder: Path) -> Recipe:
    path = folder / "own.toml"
    path.write_text(text)
    return load_recipe(str(path))


def test_the_reference_recipe_is_the_reference() -> None:
    read = load_recipe("reference")
    forests = [each for each in read.models.values() if isinstance(each, ForestConfig)]
    assert [(each.trees, each.depth, each.bins) for each in forests] == [(20, 6, 32), (50, 8, 32)]
    perceptrons = [each for each in read.models.values() if isinstance(each, PerceptronConfig)]
    assert [(each.hidden, each.iterations) for each in perceptrons] == [((40, 30), 100), ((256,), 100)]
    (network,) = (each for each in read.models.values() if isinstance(each, NetworkConfig))
    assert (network.epochs, network.batch_size, network.learning_rate) == (15, 2 * 120, 0.001)
    assert {each.copies for each in read.models.values()} == {0}
    assert {each.feature for each in read.models.values()} == {"pixels28"}
    model = ARCHITECTURES[network.network]((28, 28, 1), 24)
    shapes = [tuple(weights.shape) for weights in model.trainable_weights if len(weights.shape) > 1]
    assert shapes == [(5, 5, 1, 32), (5, 5, 32, 64), (3, 3, 64, 128), (128, 128), (128, 24)]


def test_ours_has_every_kind_on_pixels_and_some_on_gradients() -> None:
    read = load_recipe("benchmark")
    kinds = {(each.architecture, each.feature) for each in read.models.values()}
    assert kinds == {("rf", "pixels28"), ("rf", "hog"), ("mlp", "pixels28"), ("mlp", "hog"), ("cnn", "pixels28")}
    assert all(len(read.seeds(name)) == 3 for name in ("cnn", "mlp-hog"))
    assert read.benchmark.random_split


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("trees = 20", ""), r"\[models.rf\]: trees is missing"),
        (("trees = 20", "trees = 0"), "trees must be a whole number from 1"),
        (("trees = 20", "tree = 20\ntrees = 20"), "unknown key 'tree'"),
        (('"rf"', '"svm"'), "architecture is 'svm'. Known: rf, mlp, cnn"),
        (("depth = 6", 'depth = 6\nfeature = "landmarks"'), "no feature 'landmarks' here. Known: pixels28, hog"),
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
        ((GOOD[GOOD.index("[models") :], ""), "names no model"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(change: tuple[str, str], said: str, tmp_path: Path) -> None:
    of(GOOD, tmp_path)
    with pytest.raises(InputError, match=said) as error:
        of(GOOD.replace(*change), tmp_path)
    assert "own.toml" in error.value.message


def test_a_missing_recipe_is_told_of() -> None:
    with pytest.raises(InputError, match=r"no configuration file nowhere/else.toml, and no preset"):
        load_recipe("nowhere/else.toml")


def test_a_part_of_a_recipe() -> None:
    read = load_recipe("benchmark")
    assert {
        each.architecture for each in filter_recipe(read, architecture="cnn", feature=None, seed=None).models.values()
    } == {"cnn"}
    hog = filter_recipe(read, architecture="rf", feature="hog", seed=7)
    assert [(each.architecture, each.feature) for each in hog.models.values()] == [("rf", "hog")]
    assert [hog.seeds(name) for name in hog.models] == [(7,)]
    with pytest.raises(InputError, match="It has: "):
        filter_recipe(read, architecture="cnn", feature="hog", seed=None)


def test_a_grid_is_all_combinations(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(GOOD.replace("trees = 20\ndepth = 6", "[models.rf.grid]\ntrees = [5, 10, 20]\ndepth = [3, 4]"))
    grid = sweep.load_grid(str(path))
    settings = [(each.trees, each.depth) for each in grid.models.values() if isinstance(each, ForestConfig)]
    assert settings == [(trees, depth) for trees in (5, 10, 20) for depth in (3, 4)]
    assert "rf trees=10, depth=4" in grid.models


@pytest.mark.parametrize("axes", ["", "[models.rf.grid]\ntrees = 5\n", "[models.rf.grid]\ntrees = []\n"])
def test_a_grid_without_lists_is_told_of(axes: str, tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text(GOOD.replace("trees = 20\ndepth = 6", axes))
    with pytest.raises(InputError, match=r"needs a \[models.rf.grid\]"):
        sweep.load_grid(str(path))


def test_the_reference_grid_is_sound() -> None:
    grid = sweep.load_grid("reference-grid")
    assert {each.architecture for each in grid.models.values()} == {"rf", "mlp", "cnn"}
    assert any(isinstance(each, PerceptronConfig) and each.hidden == (40, 30) for each in grid.models.values())


def test_batch_and_rate_are_of_all_ranks_or_of_one() -> None:
    whole = NetworkConfig(architecture="cnn", batch_size=120, learning_rate=0.001, warmup_epochs=2.0)
    assert cnn.make_schedule(whole, 8) == cnn.make_schedule(whole, 1)
    grown = cnn.make_schedule(replace(whole, per_rank=True), 8)
    assert (grown.batch_size, grown.warmup_epochs) == (960, 2.0)
    assert grown.learning_rate == pytest.approx(0.008)
    assert grown.rate(0, 100) < 0.0001


def test_a_grid_whose_models_are_none_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "grid.toml"
    path.write_text("models = 'all'\n")
    with pytest.raises(InputError, match="names no model"):
        sweep.load_grid(str(path))
