"""Model features."""

import cv2
import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.train.data.embedding_views import join_hands
from aslkit.train.data.features import FEATURES, get_feature
from aslkit.vision.hand_embedding import EMBEDDING_VALUES
from aslkit.vision.preprocess import (
    CROP_MARGIN,
    PreprocessConfig,
    canonical_points,
    landmark_features,
    pixel_features,
)
from tests.train import preprocessed
from tests.train.preprocessed import synthetic_hands


@pytest.mark.parametrize("name", FEATURES)
def test_to_inputs_returns_the_shape_of_the_contract(name: str) -> None:
    chosen = get_feature(name)
    if chosen.contract.kind == "landmarks":
        hands = synthetic_hands("B", 2)
    elif chosen.contract.has_embedding:
        hands = join_hands(synthetic_hands("B", 2), np.ones((2, 3, EMBEDDING_VALUES), np.float32))
    else:
        hands = np.zeros((2, *chosen.contract.shape), np.float32)
    assert chosen.to_inputs(hands).shape == (2, *chosen.contract.shape)
    assert chosen.to_inputs(hands).dtype == np.float32


def test_get_feature_lists_known_features_for_an_unknown_name() -> None:
    with pytest.raises(InputError, match="landmarks, embedding, both, pixels28"):
        get_feature("hog")


def test_landmark_features_do_not_depend_on_the_batch() -> None:
    hands = synthetic_hands("K", 33)
    batch = landmark_features(hands)
    for index in range(33):
        np.testing.assert_array_equal(batch[index], landmark_features(hands[index : index + 1])[0])


def test_landmark_features_do_not_depend_on_position_or_size() -> None:
    hands = synthetic_hands("K", 2)
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
    assert PreprocessConfig(kind="embedding").shape == (1154,)
    assert PreprocessConfig(kind="both").shape == (262 + 1154,)


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
