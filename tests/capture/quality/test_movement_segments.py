"""Movements that are found in longer videos, with properties that hold for any of them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.capture.quality.movement_segments import DEFAULT_LIMITS, segment_movements
from tests.capture.clip_hands import HEIGHT, J_PATH, PALM, WIDTH, Z_PATH, signed

Video = tuple[Any, Any]


def segments(video: Video) -> list[tuple[int, int]]:
    return segment_movements(*video, width=WIDTH, height=HEIGHT)


def join(*videos: Video) -> Video:
    """Return one video after another, each 1/30 s after the end of the one before."""
    times, end_s = [], 0.0
    for time_s, _ in videos:
        times.append(time_s + end_s)
        end_s = times[-1][-1] + 1 / 30
    return np.concatenate(times), np.concatenate([landmarks for _, landmarks in videos])


def rest(duration_s: float) -> Video:
    return signed(((0, 0), (0.001, 0)), duration_s=duration_s, rest_s=0)


@pytest.mark.parametrize("path", [J_PATH, Z_PATH])
@pytest.mark.parametrize("fps", [15.0, 30.0])
def test_movement_is_found_with_margins(path: Any, fps: float) -> None:
    time_s, landmarks = signed(path, duration_s=1.0, rest_s=1.0, fps=fps)
    ((first, end),) = segments((time_s, landmarks))
    assert time_s[first] == pytest.approx(1.0 - DEFAULT_LIMITS.margin_s, abs=0.11)
    assert time_s[end - 1] == pytest.approx(2.0 + DEFAULT_LIMITS.margin_s, abs=0.11)


def test_short_rest_at_a_corner_does_not_split_and_a_long_one_does() -> None:
    halves = [signed(Z_PATH[:2], duration_s=0.5, rest_s=0.0), signed(Z_PATH[1:], duration_s=0.6, rest_s=0.0)]
    end = halves[0][1][-1:]

    def pause(duration_s: float) -> Video:
        time_s = np.arange(0, duration_s, 1 / 30)
        return time_s, np.repeat(end, len(time_s), axis=0)

    assert len(segments(join(halves[0], pause(0.15), halves[1]))) == 1
    assert len(segments(join(halves[0], pause(0.6), halves[1]))) == 2


def test_lost_hand_splits_a_movement_but_a_short_gap_does_not() -> None:
    time_s, landmarks = signed(J_PATH, duration_s=2.0, rest_s=0.5)
    landmarks[40:44] = np.nan
    assert len(segments((time_s, landmarks))) == 1
    landmarks[35:47] = np.nan
    found = segments((time_s, landmarks))
    assert len(found) == 2
    # The margin shows that the hand was lost, so that the gate rejects both.
    assert np.isnan(landmarks[found[0][1] - 1]).all()
    assert np.isnan(landmarks[found[1][0]]).all()


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_hand_that_rests_has_no_movement(noise: float) -> None:
    time_s, landmarks = rest(5.0)
    landmarks += np.random.default_rng(0).normal(0, noise * PALM / WIDTH, landmarks.shape).astype(np.float32)
    assert segments((time_s, landmarks)) == []


def test_no_hand() -> None:
    time_s, landmarks = rest(1.0)
    assert segments((time_s, np.full_like(landmarks, np.nan))) == []


signs = st.lists(
    st.tuples(st.sampled_from([J_PATH, Z_PATH]), st.floats(0.5, 1.5), st.floats(0.4, 1.0)), min_size=1, max_size=4
)


@settings(max_examples=40, deadline=None)
@given(signs=signs, start_s=st.floats(0, 1e5))
def test_each_sign_is_found_once(signs: list[tuple[Any, float, float]], start_s: float) -> None:
    time_s, landmarks = join(*(signed(path, duration_s=each, rest_s=rest_s) for path, each, rest_s in signs))
    # Between two signs, the hand jumps back to its start, which is too short for a movement.
    found = segments((time_s, landmarks))
    assert len(found) == len(signs)
    assert found == segments((time_s + start_s, landmarks))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_segments_are_in_order_within_the_video_and_do_not_overlap(data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    count = data.draw(st.integers(1, 120))
    time_s = np.cumsum(rng.uniform(0.01, 0.2, count))
    walk = np.cumsum(rng.normal(0, rng.choice([0.02, 0.2, 1.0]), (count, 1, 3)), axis=0) * PALM / WIDTH
    landmarks = (signed(J_PATH)[1][:1] + walk).astype(np.float32)
    landmarks[rng.random(count) < rng.choice([0, 0.1, 0.6])] = np.nan
    found = segments((time_s, landmarks))
    bounds = [bound for segment in found for bound in segment]
    assert bounds == sorted(bounds)
    assert all(0 <= first < end <= count for first, end in found)
    assert all(time_s[end - 1] - time_s[first] >= DEFAULT_LIMITS.shortest_s for first, end in found)
