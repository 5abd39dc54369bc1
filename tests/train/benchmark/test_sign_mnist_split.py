"""Sign Language MNIST as the benchmark reads it: what is of one photograph stays on one side."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.benchmark import sign_mnist_split as images_of
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from tests.train import published


@pytest.fixture(scope="module")
def images(sign_mnist: Path) -> BenchmarkImages:
    return images_of.load_images(sign_mnist, validation_share=0.25, seed=0)


def test_images_of_one_photograph_are_found() -> None:
    pixels, label, number = published.photographs(np.random.default_rng(3))
    found = images_of.find_photographs(pixels, label)
    same = number[:, None] == number[None]
    assert ((found[:, None] == found[None]) == same).mean() > 0.999


def test_no_photograph_is_on_both_sides_of_the_validation(images: BenchmarkImages) -> None:
    train, validation = (set(images.photograph[images.part(name)]) for name in ("train", "validation"))
    assert not train & validation
    assert len(images.part("validation")) == pytest.approx(0.25 * len(images.part("train", "validation")), rel=0.2)
    assert set(images.label[images.part("validation")]) == set(range(24))


def test_the_published_test_stays_as_it_is(images: BenchmarkImages, sign_mnist: Path) -> None:
    other = images_of.load_images(sign_mnist, validation_share=0.4, seed=5)
    assert (images.part("test") == other.part("test")).all()
    assert (images.photograph[images.part("test")] == -1).all()


def test_a_random_split_breaks_photographs_up(images: BenchmarkImages) -> None:
    shuffled = images_of.split_randomly(images, test_share=0.3, validation_share=0.2, seed=0)
    known = shuffled.photograph >= 0
    train, test = (set(shuffled.photograph[(shuffled.split == name) & known]) for name in ("train", "test"))
    assert len(train & test) > 0.5 * len(test)


def test_own_images_are_no_published_split(dataset: Path, sign_mnist: Path) -> None:
    assert images_of.is_official(sign_mnist)
    assert not images_of.is_official(dataset)


def test_images_of_another_size_are_refused(dataset: Path) -> None:
    with pytest.raises(AslkitError, match="28×28"):
        images_of.load_images(dataset, validation_share=0.2, seed=0)
