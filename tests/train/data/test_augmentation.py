"""Augmentation of hands and grayscale images."""

import numpy as np
import pytest

from aslkit.train.data.augmentation import augment_crops, augment_images, augment_landmarks
from tests.train import published
from tests.train.preprocessed import synthetic_hands

PIXELS = published.draw_photographs(np.random.default_rng(1))[0][:40]
NO_CHANGE = {"turn_deg": 0.0, "scale": 0.0, "shift": 0.0, "light": 0.0}


def test_augment_landmarks_changes_hands_but_not_the_letter(rng: np.random.Generator) -> None:
    hands = synthetic_hands("L", 8)
    augmented = augment_landmarks(hands, 0.0, rng)
    assert augmented.shape == hands.shape
    assert augmented.dtype == np.float32
    assert not np.allclose(augmented, hands, atol=0.01)
    # In an L, the tip of the index finger is the landmark farthest from the wrist.
    assert (np.linalg.norm(augmented, axis=-1).argmax(axis=1) == 8).mean() > 0.8


def test_augment_landmarks_mirrors_the_given_share(rng: np.random.Generator) -> None:
    hands = np.repeat(synthetic_hands("L", 1), 400, axis=0)
    thumb_side = np.sign(hands[0, 4, 0])
    sides = np.sign(augment_landmarks(hands, 0.5, rng)[:, 4, 0])
    assert 0.35 < (sides == -thumb_side).mean() < 0.65


def test_augment_crops_changes_crops_within_range(rng: np.random.Generator) -> None:
    crops = rng.random((4, 28, 28, 1)).astype(np.float32)
    augmented = augment_crops(crops, 0.5, rng)
    assert augmented.shape == crops.shape
    assert augmented.min() >= 0
    assert augmented.max() <= 1
    assert not np.allclose(augmented, crops)


def test_augment_landmarks_is_reproducible() -> None:
    hands = synthetic_hands("A", 3)
    first, second = (augment_landmarks(hands, 0.5, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


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


def test_augment_images_keeps_type_and_range_of_floats() -> None:
    images = PIXELS.astype(np.float32) / 255
    copies = augment_images(images, np.random.default_rng(0), turn_deg=5, scale=0.1, shift=0.05, light=0.5)
    assert copies.dtype == np.float32
    assert 0 <= copies.min() < copies.max() <= 1
