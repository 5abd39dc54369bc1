"""Augmentation and preprocessing of features."""

import cv2
import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.train.data.features import FEATURES, augment_crops, augment_landmarks, get_feature
from aslkit.vision.preprocess import (
    CROP_MARGIN,
    Array,
    PreprocessConfig,
    canonical_points,
    landmark_features,
    pixel_features,
)
from tests.train import preprocessed


def _hands(letter: str, count: int) -> Array:
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    stream = render_frames(letter, signer=signer, session=session, width=128, height=96)
    joints = np.stack([next(stream).joints for _ in range(count)])
    size = np.full(count, 128), np.full(count, 96)
    left = np.full(count, signer.left_handed)
    return canonical_points(joints, widths=size[0], heights=size[1], left=left, mirror_left=True)


def test_augment_landmarks_changes_hands_but_not_the_letter(rng: np.random.Generator) -> None:
    hands = _hands("L", 8)
    augmented = augment_landmarks(hands, 0.0, rng)
    assert augmented.shape == hands.shape
    assert augmented.dtype == np.float32
    assert not np.allclose(augmented, hands, atol=0.01)
    # In an L, the tip of the index finger is the landmark farthest from the wrist.
    assert (np.linalg.norm(augmented, axis=-1).argmax(axis=1) == 8).mean() > 0.8


def test_augment_landmarks_mirrors_the_given_share(rng: np.random.Generator) -> None:
    hands = np.repeat(_hands("L", 1), 400, axis=0)
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
    hands = _hands("A", 3)
    first, second = (augment_landmarks(hands, 0.5, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", FEATURES)
def test_to_inputs_returns_the_shape_of_the_contract(name: str) -> None:
    chosen = get_feature(name)
    hands = _hands("B", 2) if chosen.contract.kind == "landmarks" else np.zeros((2, *chosen.contract.shape), np.float32)
    assert chosen.to_inputs(hands).shape == (2, *chosen.contract.shape)
    assert chosen.to_inputs(hands).dtype == np.float32


def test_get_feature_lists_known_features_for_an_unknown_name() -> None:
    with pytest.raises(InputError, match="landmarks, pixels28, pixels64"):
        get_feature("hog")


def test_landmark_features_do_not_depend_on_the_batch() -> None:
    hands = _hands("K", 33)
    batch = landmark_features(hands)
    for index in range(33):
        np.testing.assert_array_equal(batch[index], landmark_features(hands[index : index + 1])[0])


def test_landmark_features_do_not_depend_on_position_or_size() -> None:
    hands = _hands("K", 2)
    moved = hands * 3.7 + np.float32(11)
    np.testing.assert_allclose(landmark_features(moved), landmark_features(hands), atol=2e-4)


def test_canonical_points_mirrors_left_hands() -> None:
    joints = np.random.default_rng(1).random((1, 21, 3)).astype(np.float32)
    mirrored = joints * np.array([-1, 1, 1], np.float32) + np.array([1, 0, 0], np.float32)
    size = {"widths": np.array([640]), "heights": np.array([480])}
    right = canonical_points(joints, **size, left=np.array([False]), mirror_left=True)
    left = canonical_points(mirrored, **size, left=np.array([True]), mirror_left=True)
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_preprocess_config_shape() -> None:
    assert PreprocessConfig(kind="pixels", size=28).shape == (28, 28, 1)
    assert PreprocessConfig(kind="landmarks").shape == (262,)


@pytest.mark.parametrize(
    "size", [(480, 640), (900, 400), (97, 120)]
)  # reduced first, reduced in one direction, not reduced
@pytest.mark.parametrize("position", [(0.3, 0.4), (0.65, 0.5), (0.5, 0.75)])
def test_pixel_features_maps_positions_into_the_crop(size: tuple[int, int], position: tuple[float, float]) -> None:
    height, width = size
    contract = get_feature("pixels28").contract
    box = np.array([0.2, 0.2, 0.8, 0.9], np.float32)
    x, y = position[0] * width, position[1] * height
    frame = np.zeros((height, width, 3), np.uint8)
    radius = max(4, min(size) // 20)
    cv2.circle(frame, (round(x), round(y)), radius, (255, 255, 255), -1)
    crop = pixel_features(frame, box, left=False, contract=contract)[..., 0]
    side = max(0.6 * width, 0.7 * height) * (1 + 2 * CROP_MARGIN)
    expected = 14 + (np.array([round(x), round(y)]) - (0.5 * width, 0.55 * height)) * 28 / side
    rows, columns = np.mgrid[:28, :28]
    center = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
    np.testing.assert_allclose(center, expected, atol=0.6)


def test_preprocessing_is_unchanged() -> None:
    """If this fails, existing models would get other inputs than in training; see tests/train/preprocessed.py."""
    with np.load(preprocessed.FILE) as expected:
        for key, values in preprocessed.preprocess_hands().items():
            near = np.isclose(values, expected[key], atol=0.01 if key == "landmarks" else 0.06)
            # Rendering and the edges of the hand can differ by a pixel between machines.
            assert near.mean() > (0.999 if key == "landmarks" else 0.98), key
