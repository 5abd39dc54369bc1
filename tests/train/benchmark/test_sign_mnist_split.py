"""Loading and splitting Sign Language MNIST by photograph."""

from pathlib import Path

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.train.benchmark import sign_mnist_split
from aslkit.train.benchmark.sign_mnist_split import BenchmarkImages
from tests.train import published


@pytest.fixture(scope="module")
def images(sign_mnist: Path) -> BenchmarkImages:
    return sign_mnist_split.load_images(sign_mnist, validation_share=0.25, seed=0)


def test_find_photographs_groups_variants() -> None:
    pixels, label, number = published.draw_photographs(np.random.default_rng(3))
    photograph = sign_mnist_split.find_photographs(pixels, label)
    same = number[:, None] == number[None]
    assert ((photograph[:, None] == photograph[None]) == same).mean() > 0.999


def test_load_images_splits_by_photograph(images: BenchmarkImages) -> None:
    train, validation = (set(images.photograph[images.part(name)]) for name in ("train", "validation"))
    assert not train & validation
    assert len(images.part("validation")) == pytest.approx(0.25 * len(images.part("train", "validation")), rel=0.2)
    assert set(images.label[images.part("validation")]) == set(range(24))


def test_load_images_keeps_the_official_test_split(images: BenchmarkImages, sign_mnist: Path) -> None:
    other = sign_mnist_split.load_images(sign_mnist, validation_share=0.4, seed=5)
    assert (images.part("test") == other.part("test")).all()
    assert (images.photograph[images.part("test")] == -1).all()


def test_split_randomly_separates_variants_of_a_photograph(images: BenchmarkImages) -> None:
    shuffled = sign_mnist_split.split_randomly(images, test_share=0.3, validation_share=0.2, seed=0)
    known = shuffled.photograph >= 0
    train, test = (set(shuffled.photograph[(shuffled.split == name) & known]) for name in ("train", "test"))
    assert len(train & test) > 0.5 * len(test)


def test_is_official(dataset: Path, sign_mnist: Path) -> None:
    assert sign_mnist_split.is_official(sign_mnist)
    assert not sign_mnist_split.is_official(dataset)


def test_load_images_rejects_other_sizes(dataset: Path) -> None:
    with pytest.raises(AslkitError, match="28×28"):
        sign_mnist_split.load_images(dataset, validation_share=0.2, seed=0)
