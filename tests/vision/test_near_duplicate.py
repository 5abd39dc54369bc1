import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.vision.near_duplicate import hamming_distance, hands_within, joints_in_pixels, palm_lengths

Joints = npt.NDArray[np.float32]

hashes = st.integers(0, (1 << 64) - 1)


def hand(rng: np.random.Generator) -> Joints:
    return rng.uniform(0, 100, (1, 21, 2)).astype(np.float32)


def nobody(count: int = 1) -> Joints:
    return np.full((count, 21, 2), np.nan, np.float32)


@given(hashes, hashes)
def test_hamming_counts_differing_bits(one: int, other: int) -> None:
    found = hamming_distance(np.array([one], np.uint64), np.array([other], np.uint64))
    assert found.tolist() == [(one ^ other).bit_count()]


def test_hamming_matrix_shapes() -> None:
    assert hamming_distance(np.array([0, 1, 3], np.uint64), np.array([1], np.uint64)).tolist() == [1, 0, 1]
    assert hamming_distance(np.zeros(0, np.uint64), np.array([1], np.uint64)).tolist() == []


def test_palm_length_is_wrist_to_middle_knuckle() -> None:
    joints = np.zeros((1, 21, 2), np.float32)
    joints[0, 9] = (3, 4)
    assert palm_lengths(joints).tolist() == [5]


@pytest.mark.parametrize(("shift", "near"), [(0.0, True), (0.049, True), (0.051, False)])
def test_hands_within_limit_in_palm_lengths(rng: np.random.Generator, shift: float, near: bool) -> None:
    one = hand(rng)
    other = one + np.array([shift * palm_lengths(one)[0], 0], np.float32)
    assert hands_within(one, other, 0.05).tolist() == [near]
    assert hands_within(other, one, 0.05).tolist() == [near]


@given(st.integers(0, 1000), st.floats(0.1, 50))
def test_hand_distance_is_independent_of_image_size(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    one = hand(rng)
    other = one + rng.normal(0, 3, one.shape).astype(np.float32)
    apart = np.linalg.norm(one - other, axis=-1).mean() / min(palm_lengths(one)[0], palm_lengths(other)[0])
    for limit, near in ((apart * 0.99, False), (apart * 1.01, True)):
        assert hands_within(one * np.float32(scale), other * np.float32(scale), limit).tolist() == [near]


def test_frames_without_hands_match_each_other_only(rng: np.random.Generator) -> None:
    assert hands_within(nobody(), nobody(), 0.05).tolist() == [True]
    assert hands_within(nobody(), hand(rng), 1e9).tolist() == [False]
    assert hands_within(np.concatenate([nobody(2), hand(rng)]), nobody(), 0.05).tolist() == [True, True, False]


def test_joints_in_pixels() -> None:
    landmarks = np.array([[[0.5, 0.5, 9.0], [1.1, -0.1, 9.0]]])
    assert joints_in_pixels(landmarks, 640, 480) == pytest.approx(np.array([[[320, 240], [704, -48]]]))
