"""Image descriptors and augmentation of the benchmark."""

import numpy as np
import pytest

from aslkit.train.benchmark.image_descriptors import DESCRIPTORS, augment_images
from tests.train import published

PIXELS = published.draw_photographs(np.random.default_rng(1))[0][:40]
NO_CHANGE = {"turn_deg": 0.0, "scale": 0.0, "shift": 0.0, "light": 0.0}


@pytest.mark.parametrize(("name", "size"), [("pixels28", 784), ("hog", 324)])
def test_descriptors_have_shape_and_range(name: str, size: int) -> None:
    values = DESCRIPTORS[name](PIXELS)
    assert values.shape == (40, size)
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert 0 < values.max() <= 255
    assert DESCRIPTORS[name](PIXELS[:0]).shape == (0, size)


def test_hog_features_do_not_depend_on_brightness() -> None:
    dark = (PIXELS // 2).astype(np.uint8)
    assert np.abs(DESCRIPTORS["hog"](dark) - DESCRIPTORS["hog"](PIXELS)).mean() < 4
    assert np.abs(DESCRIPTORS["pixels28"](dark) - DESCRIPTORS["pixels28"](PIXELS)).mean() > 20


def test_augment_images_without_spread_changes_nothing() -> None:
    assert (augment_images(PIXELS, np.random.default_rng(0), **NO_CHANGE) == PIXELS).all()


@pytest.mark.parametrize("change", [{"turn_deg": 10.0}, {"scale": 0.2}, {"shift": 0.1}, {"light": 0.4}])
def test_augment_images_changes_each_image_differently(change: dict[str, float]) -> None:
    images = np.repeat(PIXELS[:1], 20, axis=0)
    copies = augment_images(images, np.random.default_rng(0), **NO_CHANGE | change)
    assert len({copy.tobytes() for copy in copies}) > 10


def test_augment_images_does_not_mirror() -> None:
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, :, :10] = 255
    copies = augment_images(
        np.repeat(image, 50, axis=0), np.random.default_rng(0), turn_deg=5, scale=0.1, shift=0.05, light=0.1
    )
    assert (copies[:, :, :10].mean(axis=(1, 2)) > copies[:, :, 18:].mean(axis=(1, 2))).all()
