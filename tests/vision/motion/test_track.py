"""Sampling of a hand over time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.vision.hand_landmarker import INDEX, Hand
from aslkit.vision.motion.track import MAX_GAP_S, OFFSETS_S, TRACK_S, HandTrack, sample_track


def make_hand(x: float, *, left: bool = False) -> Hand:
    """Return a hand with all joints in one place except the knuckles, so that it has a size."""
    landmarks = np.zeros((21, 3), np.float32)
    landmarks[:, 0] = x
    landmarks[9, 1], landmarks[5, 0] = 0.5, x + 0.5
    return Hand(landmarks=landmarks, handedness="left" if left else "right", score=1.0)


@pytest.mark.parametrize("fps", [8, 15, 30, 60])
def test_an_even_movement_is_sampled_the_same_at_any_frame_rate(fps: int) -> None:
    times = np.arange(0, 2, 1 / fps)
    points = np.zeros((len(times), 21, 3), np.float32)
    points[:, :, 0] = times[:, None]
    sampled, valid = sample_track(times, points, float(times[-1]))
    assert np.allclose(sampled[:, 4, 0], times[-1] + OFFSETS_S, atol=1e-5)
    assert valid.all()


def test_missing_frames_are_interpolated_and_long_gaps_invalid() -> None:
    times = np.array([0.0, 1.0, 1.9, 2.0])
    points = np.zeros((4, 21, 3), np.float32)
    points[:, :, 1] = times[:, None]
    sampled, valid = sample_track(times, points, 2.0)
    assert np.allclose(sampled[:, 0, 1], 2.0 + OFFSETS_S, atol=1e-5)
    wanted = 2.0 + OFFSETS_S
    near = np.abs(wanted[:, None] - times).min(axis=1) <= MAX_GAP_S
    assert (valid == near).all()
    assert not valid.all()


def test_a_hand_rests_before_its_first_frame() -> None:
    sampled, valid = sample_track(np.array([5.0]), np.ones((1, 21, 3), np.float32), 5.0)
    assert (sampled == 1).all()
    assert valid[-1]
    assert not valid[0]


def test_old_frames_are_forgotten() -> None:
    track = HandTrack()
    for index in range(300):
        track.add(index / 30, make_hand(0.0), width=10, height=10)
    assert track.duration_s == pytest.approx(TRACK_S, abs=1 / 30 + 1e-6)
    for index in range(100):
        track.add(10 + index / 30, None, width=10, height=10)
    assert len(track) == 0


def test_most_hands_decide_the_side() -> None:
    track = HandTrack()
    for index, left in enumerate([True, True, False]):
        track.add(index / 30, make_hand(0.0, left=left), width=10, height=10)
    assert track.left


@settings(deadline=None, max_examples=30)
@given(speed=st.floats(0, 5), fps=st.sampled_from([8, 12, 24, 60]))
def test_speed_is_measured_in_palm_sizes_per_second(speed: float, fps: int) -> None:
    track = HandTrack()
    for index in range(20):
        # The palm is 0.5 high and 0.5 wide: 1 in all.
        track.add(index / fps, make_hand(speed * index / fps), width=100, height=100)
    assert track.speed(INDEX[-1], 0.15) == pytest.approx(speed, rel=1e-3, abs=1e-4)
