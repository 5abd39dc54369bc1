"""Variation keeps a hand a hand; every feature has the shape its contract says."""

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
    who = Signer.draw("synthetic-ada")
    stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), width=128, height=96)
    joints = np.stack([next(stream).joints for _ in range(count)])
    size = np.full(count, 128), np.full(count, 96)
    left = np.full(count, who.left_handed)
    return canonical_points(joints, widths=size[0], heights=size[1], left=left, mirror_left=True)


def test_varied_hands_keep_their_joints_in_order_and_differ(rng: np.random.Generator) -> None:
    hands = _hands("L", 8)
    varied = augment_landmarks(hands, 0.0, rng)
    assert varied.shape == hands.shape
    assert varied.dtype == np.float32
    assert not np.allclose(varied, hands, atol=0.01)
    # An L stays an L: the index finger's tip stays the one farthest from the wrist.
    assert (np.linalg.norm(varied, axis=-1).argmax(axis=1) == 8).mean() > 0.8


def test_mirrored_share_mirrors_that_share(rng: np.random.Generator) -> None:
    hands = np.repeat(_hands("L", 1), 400, axis=0)
    thumb_side = np.sign(hands[0, 4, 0])
    sides = np.sign(augment_landmarks(hands, 0.5, rng)[:, 4, 0])
    assert 0.35 < (sides == -thumb_side).mean() < 0.65


def test_varied_crops_stay_in_range_and_differ(rng: np.random.Generator) -> None:
    crops = rng.random((4, 28, 28, 1)).astype(np.float32)
    varied = augment_crops(crops, 0.5, rng)
    assert varied.shape == crops.shape
    assert varied.min() >= 0
    assert varied.max() <= 1
    assert not np.allclose(varied, crops)


def test_same_seed_same_variation() -> None:
    hands = _hands("A", 3)
    first, second = (augment_landmarks(hands, 0.5, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", FEATURES)
def test_finished_samples_have_the_shape_of_the_contract(name: str) -> None:
    chosen = get_feature(name)
    raw = _hands("B", 2) if chosen.contract.kind == "landmarks" else np.zeros((2, *chosen.contract.shape), np.float32)
    assert chosen.finish(raw).shape == (2, *chosen.contract.shape)
    assert chosen.finish(raw).dtype == np.float32


def test_unknown_feature_lists_the_known() -> None:
    with pytest.raises(InputError, match="landmarks, pixels28, pixels64"):
        get_feature("hog")


def test_landmark_features_of_many_are_those_of_each_to_the_bit() -> None:
    hands = _hands("K", 33)
    together = landmark_features(hands)
    for index in range(33):
        np.testing.assert_array_equal(together[index], landmark_features(hands[index : index + 1])[0])


def test_features_do_not_depend_on_place_or_size_in_the_frame() -> None:
    hands = _hands("K", 2)
    moved = hands * 3.7 + np.float32(11)
    np.testing.assert_allclose(landmark_features(moved), landmark_features(hands), atol=2e-4)


def test_left_hand_is_seen_as_its_mirror_image() -> None:
    joints = np.random.default_rng(1).random((1, 21, 3)).astype(np.float32)
    mirrored = joints * np.array([-1, 1, 1], np.float32) + np.array([1, 0, 0], np.float32)
    size = {"widths": np.array([640]), "heights": np.array([480])}
    right = canonical_points(joints, **size, left=np.array([False]), mirror_left=True)
    left = canonical_points(mirrored, **size, left=np.array([True]), mirror_left=True)
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_contract_shape() -> None:
    assert PreprocessConfig(kind="pixels", size=28).shape == (28, 28, 1)
    assert PreprocessConfig(kind="landmarks").shape == (262,)


@pytest.mark.parametrize("size", [(480, 640), (900, 400), (97, 120)])  # shrunk first, shrunk in one direction, not
@pytest.mark.parametrize("at", [(0.3, 0.4), (0.65, 0.5), (0.5, 0.75)])
def test_a_crop_shows_each_thing_where_it_is(size: tuple[int, int], at: tuple[float, float]) -> None:
    height, width = size
    contract = get_feature("pixels28").contract
    box = np.array([0.2, 0.2, 0.8, 0.9], np.float32)
    x, y = at[0] * width, at[1] * height
    frame = np.zeros((height, width, 3), np.uint8)
    radius = max(4, min(size) // 20)
    cv2.circle(frame, (round(x), round(y)), radius, (255, 255, 255), -1)
    crop = pixel_features(frame, box, left=False, contract=contract)[..., 0]
    side = max(0.6 * width, 0.7 * height) * (1 + 2 * CROP_MARGIN)
    wanted = 14 + (np.array([round(x), round(y)]) - (0.5 * width, 0.55 * height)) * 28 / side
    rows, columns = np.mgrid[:28, :28]
    found = np.array([(columns * crop).sum(), (rows * crop).sum()]) / crop.sum()
    np.testing.assert_allclose(found, wanted, atol=0.6)


def test_preprocessing_is_what_trained_models_were_given() -> None:
    """Should this fail, models that people have would be fed something else: see `preprocessed`."""
    with np.load(preprocessed.FILE) as kept:
        for key, values in preprocessed.made().items():
            near = np.isclose(values, kept[key], atol=0.01 if key == "landmarks" else 0.06)
            # Drawing, and what is a hand's edge, may differ in a pixel from machine to machine.
            assert near.mean() > (0.999 if key == "landmarks" else 0.98), key
