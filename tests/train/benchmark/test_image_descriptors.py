"""What models of the benchmark see of an image, and how images are varied."""

import numpy as np
import pytest

from aslkit.train.benchmark.image_descriptors import DESCRIPTORS, augment_images
from tests.train import published

PIXELS = published.photographs(np.random.default_rng(1))[0][:40]
STILL = {"turn_deg": 0.0, "scale": 0.0, "shift": 0.0, "light": 0.0}


@pytest.mark.parametrize(("name", "size"), [("pixels28", 784), ("hog", 324)])
def test_shapes_and_ranges(name: str, size: int) -> None:
    values = DESCRIPTORS[name](PIXELS)
    assert values.shape == (40, size)
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert 0 < values.max() <= 255
    assert DESCRIPTORS[name](PIXELS[:0]).shape == (0, size)


def test_gradients_do_not_see_the_brightness() -> None:
    dark = (PIXELS // 2).astype(np.uint8)
    assert np.abs(DESCRIPTORS["hog"](dark) - DESCRIPTORS["hog"](PIXELS)).mean() < 4
    assert np.abs(DESCRIPTORS["pixels28"](dark) - DESCRIPTORS["pixels28"](PIXELS)).mean() > 20


def test_without_any_spread_a_copy_is_the_image() -> None:
    assert (augment_images(PIXELS, np.random.default_rng(0), **STILL) == PIXELS).all()


@pytest.mark.parametrize("change", [{"turn_deg": 10.0}, {"scale": 0.2}, {"shift": 0.1}, {"light": 0.4}])
def test_each_kind_of_variation_changes_images_each_by_its_own(change: dict[str, float]) -> None:
    same = np.repeat(PIXELS[:1], 20, axis=0)
    copies = augment_images(same, np.random.default_rng(0), **STILL | change)
    assert len({copy.tobytes() for copy in copies}) > 10


def test_copies_are_never_mirrored() -> None:
    one = np.zeros((1, 28, 28), np.uint8)
    one[0, :, :10] = 255
    copies = augment_images(
        np.repeat(one, 50, axis=0), np.random.default_rng(0), turn_deg=5, scale=0.1, shift=0.05, light=0.1
    )
    assert (copies[:, :, :10].mean(axis=(1, 2)) > copies[:, :, 18:].mean(axis=(1, 2))).all()
