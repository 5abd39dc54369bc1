"""Image descriptors of the benchmark."""

import numpy as np
import pytest

from aslkit.train.benchmark.image_descriptors import DESCRIPTORS, normalise_contrast
from tests.train import published

PIXELS = published.draw_photographs(np.random.default_rng(1))[0][:40]


@pytest.mark.parametrize(("name", "size"), [("pixels28", 784), ("pixels14", 196), ("hog", 324)])
def test_descriptors_have_shape_and_range(name: str, size: int) -> None:
    values = DESCRIPTORS[name](PIXELS)
    assert values.shape == (40, size)
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert 0 < values.max() <= 255
    assert DESCRIPTORS[name](PIXELS[:0]).shape == (0, size)


def test_reduced_pixels_are_means_of_four() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 2:4, 4:6] = [[10, 20], [30, 41]]
    assert DESCRIPTORS["pixels14"](image).reshape(14, 14)[1, 2] == 25.25


def test_hog_features_do_not_depend_on_brightness() -> None:
    dark = (PIXELS // 2).astype(np.uint8)
    assert np.abs(DESCRIPTORS["hog"](dark) - DESCRIPTORS["hog"](PIXELS)).mean() < 4
    assert np.abs(DESCRIPTORS["pixels28"](dark) - DESCRIPTORS["pixels28"](PIXELS)).mean() > 20


def test_normalised_images_do_not_depend_on_exposure() -> None:
    dark = (PIXELS // 2).astype(np.uint8)
    difference = normalise_contrast(dark).astype(int) - normalise_contrast(PIXELS)
    assert np.abs(difference).mean() < 1
    assert normalise_contrast(PIXELS).dtype == np.uint8
    assert (normalise_contrast(np.full((1, 28, 28), 7, np.uint8)) == 128).all()
