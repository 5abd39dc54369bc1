"""Model input, computed from first principles: stripes, hands of known size, and configurations at their limits."""

import json
import math
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import (
    Array,
    PreprocessConfig,
    apply_temperature,
    canonical_points,
    landmark_features,
    model_input,
    pixel_features,
)

GREY = PreprocessConfig(kind="pixels", size=28)
CUT = PreprocessConfig(kind="pixels", size=64, cut_out=True)
WHOLE = np.array([1, 1, 5, 5], np.float32) / 6
"""With its margin, this box is a complete square frame."""

HAND = np.zeros((21, 3), np.float32)
"""In a 64×64 frame: wrist at the bottom, palm 24 pixels high, middle finger straight up, other fingers folded."""
HAND[0, :2] = 32, 56
for _first, _across, _reach in ((1, 24, 0), (5, 26, 0), (9, 32, 8), (13, 36, 0), (17, 40, 0)):
    for _joint in range(4):
        HAND[_first + _joint, :2] = _across, (44 if _first == 1 else 32) - _joint * _reach


# --- Contracts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "good",
    [
        {"kind": "landmarks", "size": 0},
        {"kind": "pixels", "size": 1},
        {"kind": "pixels", "size": 1024},
        {"kind": "landmarks", "letters": ("A",)},
        {"kind": "landmarks", "letters": tuple(map(str, range(1000)))},
        {"kind": "landmarks", "temperature": 1e-3},
        {"kind": "landmarks", "temperature": 2},
        {"kind": "landmarks", "threshold": 0},
        {"kind": "landmarks", "threshold": 1},
        {"kind": "pixels", "size": 64, "mirror_left": False, "stretch": True, "cut_out": True},
    ],
)
def test_config_round_trip(good: dict[str, Any], tmp_path: Path) -> None:
    contract = PreprocessConfig(**good)
    contract.save(tmp_path / "preprocess.json")
    assert PreprocessConfig.load(tmp_path / "preprocess.json") == contract


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("size", 0, "pixels"),
        ("size", 1025, "pixels"),
        ("size", True, "pixels"),
        ("size", 28, "landmarks"),
        ("letters", [str(each) for each in range(1001)], "landmarks"),
        ("letters", ["A", None], "landmarks"),
        ("temperature", -1, "landmarks"),
        ("temperature", math.inf, "landmarks"),
        ("temperature", math.nan, "landmarks"),
        ("temperature", True, "landmarks"),
        ("threshold", -0.01, "landmarks"),
        ("threshold", 1.01, "landmarks"),
        ("threshold", False, "landmarks"),
        ("stretch", 1, "pixels"),
        ("cut_out", None, "pixels"),
        ("mirror_left", 0, "pixels"),
    ],
)
def test_invalid_config_value_is_named(key: str, value: object, kind: str, tmp_path: Path) -> None:
    whole = PreprocessConfig(kind="pixels", size=28) if kind == "pixels" else PreprocessConfig(kind="landmarks")
    path = tmp_path / "preprocess.json"
    path.write_text(json.dumps(asdict(whole) | {key: value}))
    # JSON has no infinity and no NaN, so that such a file is not valid JSON and no key can be named.
    problem = key if value not in (math.inf, math.nan) else "JSON is malformed"
    with pytest.raises(AslkitError, match=rf"preprocess\.json is missing or damaged: .*{problem}.*Train again"):
        PreprocessConfig.load(path)


def test_error_about_long_value_is_short(tmp_path: Path) -> None:
    path = tmp_path / "preprocess.json"
    path.write_text(json.dumps(asdict(PreprocessConfig(kind="landmarks")) | {"kind": "x" * 5000}))
    with pytest.raises(AslkitError) as caught:
        PreprocessConfig.load(path)
    assert len(caught.value.message) < len(str(path)) + 200


def test_unknown_config_keys_are_ignored_but_not_other_versions(tmp_path: Path) -> None:
    path = tmp_path / "preprocess.json"
    values = asdict(PreprocessConfig(kind="landmarks"))
    path.write_text(json.dumps(values | {"note": "new"}))
    assert PreprocessConfig.load(path) == PreprocessConfig(kind="landmarks")
    for version in (0, 2):
        path.write_text(json.dumps(values | {"version": version}))
        with pytest.raises(AslkitError, match=f"version {version}; this version of aslkit reads 1"):
            PreprocessConfig.load(path)


def test_default_config_mirrors_left_hands_and_rejects_nothing() -> None:
    plain = PreprocessConfig(kind="landmarks")
    assert (plain.mirror_left, plain.stretch, plain.cut_out) == (True, False, False)
    assert (plain.temperature, plain.threshold) == (1, 0)


# --- Probabilities ----------------------------------------------------------------------------------------------------


def test_temperature_divides_log_probabilities() -> None:
    said = np.array([[[0.64, 0.32, 0.04]], [[0.0, 1.0, 0.0]]], np.float32)
    flatter, sharper = apply_temperature(said, 2), apply_temperature(said, 0.5)
    np.testing.assert_allclose(flatter[0, 0], np.sqrt(said[0, 0]) / np.sqrt(said[0, 0]).sum(), rtol=1e-5)
    np.testing.assert_allclose(sharper[0, 0], said[0, 0] ** 2 / (said[0, 0] ** 2).sum(), rtol=1e-5)
    for each in (flatter, sharper):
        assert each.dtype == np.float32
        np.testing.assert_allclose(each.sum(axis=-1), 1, rtol=1e-6)
        np.testing.assert_allclose(each[1, 0], [0, 1, 0], atol=2e-6)  # what has no logarithm stays next to nothing


# --- Landmarks --------------------------------------------------------------------------------------------------------


def _shares(width: int, height: int) -> Array:
    return (HAND / np.array([width, height, width], np.float32)).astype(np.float32)


def _canonical(landmarks: Array, width: int, height: int, *, left: bool = False, mirror_left: bool = True) -> Array:
    points: Array = canonical_points(
        landmarks[None],
        widths=np.array([width]),
        heights=np.array([height]),
        left=np.array([left]),
        mirror_left=mirror_left,
    )[0]
    return points


def test_landmarks_are_relative_to_wrist_in_palm_lengths() -> None:
    deep = HAND + np.array([0, 0, 5], np.float32) * np.arange(21)[:, None]
    landmarks = deep / np.array([64, 48, 64], np.float32)
    points = _canonical(landmarks.astype(np.float32), 64, 48)
    knuckles = deep[[5, 9, 13, 17]]
    palm = np.linalg.norm(knuckles - deep[0], axis=1).mean() + np.linalg.norm(deep[5] - deep[17])
    np.testing.assert_allclose(points, (deep - deep[0]) / palm, atol=1e-5)


def test_landmarks_are_independent_of_frame_shape() -> None:
    for width, height in ((640, 480), (480, 640), (1280, 720)):
        np.testing.assert_allclose(
            _canonical(_shares(width, height), width, height), _canonical(_shares(64, 64), 64, 64), atol=1e-5
        )


def test_mirror_left_mirrors_left_hands_only() -> None:
    right = _canonical(_shares(64, 64), 64, 64)
    mirrored = right * np.array([-1, 1, 1], np.float32)
    np.testing.assert_allclose(_canonical(_shares(64, 64), 64, 64, left=True), mirrored, atol=1e-6)
    np.testing.assert_array_equal(_canonical(_shares(64, 64), 64, 64, left=True, mirror_left=False), right)


def test_features_of_hand_without_size_are_finite() -> None:
    assert np.isfinite(landmark_features(np.zeros((1, 21, 3), np.float32))).all()


def test_landmark_features_are_coordinates_directions_angles_and_distances() -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(0, 1, (21, 3))
    features = landmark_features(points[None])[0].astype(float)
    scaled = features[:63].reshape(21, 3)
    np.testing.assert_allclose(scaled, _in_palms(points), atol=1e-5)
    fingers = [[0, *range(first, first + 4)] for first in (1, 5, 9, 13, 17)]
    bones = [scaled[b] - scaled[a] for finger in fingers for a, b in pairwise(finger)]
    directions = np.array([bone / np.linalg.norm(bone) for bone in bones])
    np.testing.assert_allclose(features[63:123].reshape(20, 3), directions, atol=1e-4)
    bends = [directions[4 * f + i] @ directions[4 * f + i + 1] for f in range(5) for i in range(3)]
    spreads = [directions[4 * f + 3] @ directions[4 * f + 7] for f in range(4)]
    np.testing.assert_allclose(features[123:142], [*bends, *spreads], atol=1e-4)
    joints = [0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18, 20]
    apart = [np.linalg.norm(scaled[a] - scaled[b]) for i, a in enumerate(joints) for b in joints[i + 1 :]]
    np.testing.assert_allclose(features[142:], apart, atol=1e-5)


def _in_palms(points: Any) -> Any:
    knuckles = points[[5, 9, 13, 17]]
    palm = np.linalg.norm(knuckles - points[0], axis=1).mean() + np.linalg.norm(points[5] - points[17])
    return (points - points[0]) / palm


# --- Pixels -----------------------------------------------------------------------------------------------------------


def _ruler(height: int, width: int, axis: int) -> Frame:
    """Return a horizontal or vertical gradient, so that each grey value identifies its position."""
    along = np.linspace(0, 255, width if axis else height)
    values = np.broadcast_to(along[None, :] if axis else along[:, None], (height, width))
    return np.repeat(np.round(values).astype(np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((480, 640), (0.2, 0.3, 0.6, 0.7)),  # shrunk before it is cropped
        ((480, 640), (0.45, 0.45, 0.55, 0.6)),  # near to where shrinking begins
        ((480, 640), (0.5, 0.5, 0.52, 0.53)),  # enlarged
        ((700, 300), (-0.3, 0.6, 0.4, 1.1)),  # outside of the frame the rim is repeated
        ((301, 233), (0.1, 0.2, 0.8, 0.9)),  # of no round numbers
    ],
)
def test_crop_is_square_box_with_margin(size: tuple[int, int], box: tuple[float, ...], axis: int) -> None:
    height, width = size
    frame = _ruler(height, width, axis)
    crop = pixel_features(frame, np.array(box, np.float32), left=False, contract=GREY)[..., 0]
    side = 1.5 * max((box[2] - box[0]) * width, (box[3] - box[1]) * height)
    length = width if axis else height
    middle = (box[0] + box[2]) / 2 * width if axis else (box[1] + box[3]) / 2 * height
    places = np.clip(middle + (np.arange(28) - 14) * side / 28, 0, length - 1)
    wanted = np.broadcast_to((places / (length - 1))[None if axis else slice(None), :] if axis else
                             (places / (length - 1))[:, None], (28, 28))  # fmt: skip
    # A grey value, and half a pixel of the crop.
    np.testing.assert_allclose(crop, wanted, atol=1 / 255 + 0.5 * side / 28 / length)


def test_empty_box_gives_crop_of_three_pixels() -> None:
    crop = pixel_features(_ruler(64, 64, 1), np.full(4, 0.5, np.float32), left=False, contract=GREY)[..., 0]
    np.testing.assert_allclose(crop[:, 14], 32 / 63, atol=0.01)
    np.testing.assert_allclose(crop[:, -1] - crop[:, 0], 3 / 63 * 27 / 28, atol=0.01)


def test_fine_stripes_become_grey_without_aliasing() -> None:
    frame = np.zeros((600, 600, 3), np.uint8)
    frame[:, ::2] = 255
    crop = pixel_features(frame, WHOLE, left=False, contract=GREY)
    np.testing.assert_allclose(crop, 0.5, atol=0.1)


def test_crop_that_fits_keeps_every_pixel() -> None:
    frame = np.repeat(np.random.default_rng(0).integers(0, 256, (28, 28, 1), np.uint8), 3, axis=2)
    crop = pixel_features(frame, WHOLE, left=False, contract=GREY)
    np.testing.assert_array_equal(crop, frame[..., :1].astype(np.float32) / 255)


def test_grey_uses_luma_weights() -> None:
    for colour, share in (((255, 0, 0), 0.114), ((0, 255, 0), 0.587), ((0, 0, 255), 0.299)):
        frame = np.full((28, 28, 3), colour, np.uint8)
        np.testing.assert_allclose(pixel_features(frame, WHOLE, left=False, contract=GREY), share, atol=0.003)


def _dim() -> Frame:
    return np.random.default_rng(0).integers(90, 131, (64, 64, 1), np.uint8).repeat(3, axis=2)


def test_stretch_covers_full_range_except_for_blank_image() -> None:
    contract = replace(GREY, size=64, stretch=True)
    crop = pixel_features(_dim(), WHOLE, left=False, contract=contract)
    grey = _dim()[..., :1].astype(np.float32)
    np.testing.assert_allclose(crop, (grey - 90) / 40, atol=1e-5)
    blank = pixel_features(np.full((64, 64, 3), 90, np.uint8), WHOLE, left=False, contract=contract)
    np.testing.assert_array_equal(blank, 0)


@pytest.mark.parametrize("contract", [replace(GREY, size=64), CUT])
def test_mirror_left_mirrors_crops_of_left_hands(contract: PreprocessConfig) -> None:
    given: dict[str, Any] = {"landmarks": _shares(64, 64)}
    right = pixel_features(_dim(), WHOLE, left=False, contract=contract, **given)
    left = pixel_features(_dim(), WHOLE, left=True, contract=contract, **given)
    np.testing.assert_array_equal(left, right[:, ::-1])
    as_is = pixel_features(_dim(), WHOLE, left=True, contract=replace(contract, mirror_left=False), **given)
    np.testing.assert_array_equal(as_is, right)


def test_cut_out_blacks_out_background() -> None:
    frame = np.random.default_rng(0).integers(100, 201, (64, 64, 1), np.uint8).repeat(3, axis=2)
    crop = pixel_features(frame, WHOLE, left=False, contract=CUT, landmarks=_shares(64, 64))[..., 0]
    seen = crop > 0
    # A finger is 0.32 palms thick: of 24 pixels, 7.7; one joint's row, away from its rounded ends.
    for row in (12, 16, 20):
        columns = np.flatnonzero(seen[row])
        assert 6 <= len(columns) <= 9
        assert abs(columns.mean() - 32) < 1
    assert not seen[:3].any()
    assert seen[34:50, 29:37].mean() > 0.93  # the palm; its darkest fiftieth is black
    assert not seen[20, :27].any()
    assert not seen[20, 37:].any()
    assert not seen[45:, 44:].any()


def test_cut_out_brightness_is_independent_of_position() -> None:
    grey = np.random.default_rng(0).permutation(64 * 64).reshape(64, 64, 1) % 100
    dark, light = ((grey + begin).astype(np.uint8).repeat(3, axis=2) for begin in (20, 120))
    given: dict[str, Any] = {"left": False, "contract": CUT, "landmarks": _shares(64, 64)}
    crop = pixel_features(dark, WHOLE, **given)
    np.testing.assert_allclose(pixel_features(light, WHOLE, **given), crop, atol=1e-5)
    inside = crop[20:56, 29:36]
    assert crop.min() == 0
    assert crop.max() == 1
    # From the 2nd to the 98th percentile of its grey values, which are all as frequent.
    np.testing.assert_allclose([(inside == 0).mean(), (inside == 1).mean()], 0.02, atol=0.02)
    assert abs(float(inside.mean()) - 0.5) < 0.05


def test_cut_out_requires_landmarks() -> None:
    with pytest.raises(AslkitError, match="requires its landmarks"):
        pixel_features(_dim(), WHOLE, left=False, contract=CUT)


def test_cut_out_handles_hand_outside_its_crop() -> None:
    crop = pixel_features(_dim(), WHOLE, left=False, contract=CUT, landmarks=_shares(64, 64) + 9)
    assert crop.shape == (64, 64, 1)
    assert np.isfinite(crop).all()


@pytest.mark.parametrize("contract", [PreprocessConfig(kind="landmarks"), GREY, CUT])
@pytest.mark.parametrize("handedness", ["left", "right"])
def test_model_input_is_features_of_detected_hand(contract: PreprocessConfig, handedness: Any) -> None:
    frame, landmarks = _dim()[:48], _shares(64, 48)
    hand, left = Hand(landmarks=landmarks, handedness=handedness, score=1.0), handedness == "left"
    found = model_input(frame, hand, contract)
    if contract.kind == "landmarks":
        wanted = landmark_features(_canonical(landmarks, 64, 48, left=left)[None])[0]
    else:
        wanted = pixel_features(frame, hand.box, left=left, contract=contract, landmarks=landmarks)
    np.testing.assert_array_equal(found, wanted)
    assert found.shape == contract.shape
    assert found.dtype == np.float32
