"""Metrics of frames of any size with a hand anywhere."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.vision.frame_metrics import blur_effect, measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame


@pytest.mark.parametrize("shape", [(480, 640, 3), (2160, 3840, 3), (64, 64, 3)])
@pytest.mark.parametrize("place", [-0.6, -0.05, 0.5, 1.05])
@pytest.mark.parametrize("breadth", [0.002, 0.5, 1.2])
def test_hand_anywhere_in_any_frame_can_be_measured(shape: tuple[int, ...], place: float, breadth: float) -> None:
    spread = np.linspace(-breadth / 2, breadth / 2, 21)
    landmarks = np.stack([place + spread, 0.5 + spread, spread], axis=1).astype(np.float32)
    found = measure_frame(np.zeros(shape, np.uint8), [Hand(landmarks=landmarks, handedness="left", score=0.9)])
    assert found.brightness == found.glare == 0


def test_hand_at_edge_of_large_frame_is_measured() -> None:
    landmarks = np.zeros((21, 3), np.float32)
    landmarks[:, 0], landmarks[:, 1] = np.linspace(-2190 / 3840, -190 / 3840, 21), np.linspace(0.1, 0.9, 21)
    assert (
        measure_frame(
            np.zeros((2160, 3840, 3), np.uint8), [Hand(landmarks=landmarks, handedness="left", score=1)]
        ).glare
        == 0
    )


def noise(rng: np.random.Generator, *, sigma: float = 0.0) -> Frame:
    grey = rng.integers(60, 180, (120, 90), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma) if sigma else grey, np.uint8)


@given(st.integers(0, 1 << 32))
def test_blur_is_a_share_that_grows_with_blurring(seed: int) -> None:
    levels = [blur_effect(noise(np.random.default_rng(seed), sigma=sigma)) for sigma in (0, 0.8, 1.6, 3.2)]
    assert levels == sorted(levels)
    assert 0 <= levels[0] < 0.2
    assert 0.3 < levels[-1] <= 1  # of 6,000 seeds 0.397 to 0.507


def test_image_without_detail_is_completely_blurred() -> None:
    assert blur_effect(np.full((96, 96), 77, np.uint8)) == 1
    assert blur_effect(np.arange(96, dtype=np.uint8)[None].repeat(96, axis=0)) == 1  # detail in one direction only


def test_blur_does_not_depend_on_brightness(rng: np.random.Generator) -> None:
    dim = (noise(rng, sigma=0.8) // 4).astype(np.uint8)
    assert blur_effect((dim * 3).astype(np.uint8)) == pytest.approx(blur_effect(dim))


def test_noise_below_the_step_is_not_detail(rng: np.random.Generator) -> None:
    grains = rng.integers(100, 102, (96, 96), dtype=np.uint8)
    assert blur_effect(grains, step=2) == 1
    assert blur_effect(grains) < 0.5
