"""Altered copies have similar hashes, other images have not."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import Frame, decode_image, encode_jpeg, thumbnail_gray, to_gray
from aslkit.vision.near_duplicate import align_upright, joints_in_pixels, transform_joints
from aslkit.vision.perceptual_hash import FINE_BITS, MIRRORED, fine_hash, hand_hash

SAME = 6
"""Limit in bits, `group_fine_distance` in configs/default.toml."""


def pictures(letter: str = "L", count: int = 3) -> list[Frame]:
    who = Signer.draw("synthetic-ada")
    stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=1.0)
    return [next(stream).image for _ in range(count)]


def scene(seed: int = 0) -> Frame:
    """Return an image with contrast at all scales, like a photo."""
    rng = np.random.default_rng(seed)
    layers = [cv2.resize(rng.normal(0, 40, (side, side)), (320, 240)) for side in (3, 6, 12, 24)]
    return np.asarray(np.clip(110 + sum(layers), 0, 255), np.uint8)


def fine(grey: Frame) -> int:
    return fine_hash(thumbnail_gray(grey))


def bits(one: int, other: int) -> int:
    return (one ^ other).bit_count()


@pytest.mark.parametrize("seed", range(5))
def test_altered_copies_have_similar_hashes(seed: int) -> None:
    grey = scene(seed)
    coded = to_gray(decode_image(encode_jpeg(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), quality=40)))
    smaller = np.asarray(cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA), np.uint8)
    brighter = np.clip(grey * 1.3, 0, 255).astype(np.uint8)
    darker = (grey * 0.6).astype(np.uint8)
    for copy in (coded, smaller, brighter, darker):
        assert bits(fine(copy), fine(grey)) <= SAME
    assert min(bits(fine(scene(other)), fine(grey)) for other in range(5) if other != seed) > 40


@given(st.integers(0, 1000))
def test_hash_of_mirror_image_is_derived_from_hash(seed: int) -> None:
    grey = scene(seed)
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    assert bits(fine(mirrored), fine(grey) ^ int.from_bytes(MIRRORED.tobytes())) <= 2


@pytest.mark.parametrize("value", [0, 128, 255])
def test_blank_image_has_a_hash(value: int) -> None:
    assert 0 <= fine(np.full((20, 20), value, np.uint8)) < 1 << FINE_BITS


def hand() -> npt.NDArray[np.float32]:
    """Return landmarks of an upright hand in the middle of the frame."""
    points = np.zeros((21, 3), np.float32)
    points[0] = (0.5, 0.75, 0)
    for finger in range(5):
        for joint in range(4):
            points[1 + 4 * finger + joint] = (0.42 + 0.04 * finger, 0.6 - 0.06 * joint, 0)
    return points


def of_hand(grey: Frame, points: npt.NDArray[np.float32], *, left: bool = False) -> int:
    joints = joints_in_pixels(points, grey.shape[1], grey.shape[0])[None]
    return hand_hash(grey, align_upright(joints, np.array([left]))[0])


def placed(
    points: npt.NDArray[np.float32], by: npt.NDArray[np.float64], shape: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """Return the landmarks after an affine transform of the pixels of a 320×240 frame."""
    joints = transform_joints(joints_in_pixels(points, 320, 240)[None], by[None])[0]
    out = points.copy()
    out[:, :2] = joints / np.array([shape[1], shape[0]])
    return out


@pytest.mark.parametrize(
    ("degrees", "scale", "shift"), [(0, 1, (30, -20)), (20, 1, (0, 0)), (0, 0.6, (0, 0)), (-15, 1.3, (5, 5))]
)
def test_hand_hash_is_independent_of_position(degrees: float, scale: float, shift: tuple[float, float]) -> None:
    grey, points = scene(7), hand()
    by = cv2.getRotationMatrix2D((160, 120), degrees, scale)
    by[:, 2] += shift
    elsewhere = np.asarray(cv2.warpAffine(grey, by, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    assert bits(of_hand(elsewhere, placed(points, by, (240, 320))), of_hand(grey, points)) <= 28
    assert bits(of_hand(scene(8), points), of_hand(grey, points)) > 60


def test_left_hand_has_hash_of_its_mirror_image() -> None:
    grey, points = scene(7), hand()
    other = points.copy()
    other[:, 0] = 1 - other[:, 0]
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    assert bits(of_hand(mirrored, other, left=True), of_hand(grey, points)) <= 28
    assert bits(of_hand(mirrored, other), of_hand(grey, points)) > 60


def test_hash_is_independent_of_image_size() -> None:
    large = np.asarray(cv2.resize(scene(7), (1920, 1440), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert bits(of_hand(large, hand()), of_hand(scene(7), hand())) <= 12


def test_align_upright_normalises_position_and_size(rng: np.random.Generator) -> None:
    hands = rng.uniform(0, 400, (20, 21, 2))
    stood = transform_joints(hands, align_upright(hands, rng.random(20) < 0.5))
    assert stood.mean(axis=1) == pytest.approx(np.zeros((20, 2)), abs=1e-4)
    assert np.sqrt((stood**2).sum(axis=2).mean(axis=1)) == pytest.approx(np.ones(20), rel=1e-4)
    up = stood[:, [5, 9, 13, 17]].mean(axis=1) - stood[:, 0]
    assert up[:, 0] == pytest.approx(np.zeros(20), abs=1e-4)
    assert (up[:, 1] < 0).all()


def test_align_upright_without_hand_returns_none() -> None:
    nobody = np.full((2, 21, 2), np.nan, np.float32)
    assert np.isnan(transform_joints(nobody, align_upright(nobody, np.array([True, False])))).all()


def test_other_moment_of_same_letter_has_other_hash() -> None:
    first, *others = map(to_gray, pictures())
    assert min(bits(fine(first), fine(other)) for other in others) > SAME
