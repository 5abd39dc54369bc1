import numpy as np
import pytest

from aslkit.capture.window.shutter import FIRST_HOLD_S, HOLD_S, ClipShutter, Shutter


@pytest.fixture
def shutter() -> Shutter:
    """A shutter whose countdown of 3 s for a letter starts at 0."""
    shutter = Shutter(countdown_s=3, burst_s=2)
    shutter.prepare(0)
    return shutter


@pytest.mark.parametrize(("now", "number"), [(0, 3), (0.99, 3), (1, 2), (2.5, 1), (2.999, 1), (3, None), (9, None)])
def test_countdown(shutter: Shutter, now: float, number: int | None) -> None:
    assert shutter.countdown(now) == number
    assert not shutter.is_recording(now)


def test_single_press_records_briefly(shutter: Shutter) -> None:
    assert shutter.press(10)
    assert [shutter.is_recording(10 + after) for after in (0, FIRST_HOLD_S - 0.01, FIRST_HOLD_S)] == [True, True, False]


def test_held_key_records_without_gap_until_released(shutter: Shutter) -> None:
    starts = [shutter.press(10)]
    now = 10.66  # default of X11: key repeat starts after 660 ms
    while now < 15:
        assert shutter.is_recording(now)
        starts.append(shutter.press(now))
        now += 0.04
    assert starts == [True] + [False] * (len(starts) - 1)
    assert shutter.is_recording(now)
    assert not shutter.is_recording(now + HOLD_S)


def test_press_after_pause_starts_new_recording(shutter: Shutter) -> None:
    assert shutter.press(10)
    assert shutter.press(11)
    assert shutter.is_recording(11 + FIRST_HOLD_S - 0.01)


def test_key_held_during_countdown_records_afterwards(shutter: Shutter) -> None:
    shutter.press(2.9)
    assert not shutter.is_recording(2.99)
    assert shutter.is_recording(3)


def test_press_that_ends_before_the_countdown_is_reported_once(shutter: Shutter) -> None:
    shutter.press(1)
    assert [shutter.released_early(now) for now in (1, 1.7, 1.8, 1.9, 4)] == [False, False, True, False, False]


def test_key_still_held_from_the_previous_letter_is_not_too_short(shutter: Shutter) -> None:
    for tenths in range(100, 110):
        shutter.press(tenths / 10)
    shutter.prepare(11)
    shutter.press(11.04)
    assert not any(shutter.released_early(11 + tenths / 10) for tenths in range(50))


def test_held_press_and_burst_are_not_too_short(shutter: Shutter) -> None:
    shutter.press(2.5)
    assert not any(shutter.released_early(now) for now in (2.5, 3, 3.2, 9))
    shutter.burst(10)
    assert not any(shutter.released_early(now) for now in (10, 12, 13.5, 16))


def test_burst_counts_down_and_ends(shutter: Shutter) -> None:
    shutter.burst(10)
    assert [shutter.is_recording(now) for now in (10, 12.9, 13, 14.9, 15)] == [False, False, True, True, False]
    assert [shutter.countdown(now) for now in (10, 12.9, 13)] == [3, 1, None]


def test_press_during_burst_neither_starts_nor_ends_recording(shutter: Shutter) -> None:
    shutter.burst(10)
    assert not shutter.press(11)
    assert not shutter.press(13.5)
    assert shutter.is_recording(14.9)


@pytest.mark.parametrize("begin", ["press", "burst"])
def test_stop_ends_recording_immediately(shutter: Shutter, begin: str) -> None:
    getattr(shutter, begin)(10)
    shutter.stop()
    assert not any(shutter.is_recording(10 + tenths / 10) for tenths in range(100))


def test_prepare_ends_running_burst(shutter: Shutter) -> None:
    shutter.burst(10)
    shutter.prepare(13.5)
    assert not shutter.is_recording(14)
    assert not shutter.is_recording(17)


def test_no_countdown_allows_immediate_start() -> None:
    shutter = Shutter(countdown_s=0, burst_s=2)
    shutter.prepare(0)
    assert shutter.countdown(0) is None
    shutter.burst(0)
    assert shutter.is_recording(0)


LONGEST_S = 2.5


@pytest.fixture
def clip_shutter() -> ClipShutter:
    """A shutter for clips, without a countdown for the letter."""
    shutter = ClipShutter(countdown_s=3, longest_s=LONGEST_S)
    shutter._ready_at = 0
    return shutter


def hold(shutter: ClipShutter, *, start_s: float, end_s: float, until_s: float) -> list[tuple[float, float]]:
    """Hold the key, as X11 repeats it, until `end_s`. Return the beginnings and ends of the clips until `until_s`."""
    presses = [start_s, *np.arange(start_s + 0.66, end_s, 0.04)]
    clips, started = [], 0.0
    for now in np.arange(start_s, until_s, 0.01):
        while presses and presses[0] <= now:
            shutter.press(float(presses.pop(0)))
        begins, end = shutter.update(float(now))
        started = float(now) if begins else started
        clips += [] if end is None else [(started, end)]
    return clips


def test_clip_ends_at_the_last_repeat_of_the_key(clip_shutter: ClipShutter) -> None:
    ((started, ended),) = hold(clip_shutter, start_s=10, end_s=11.5, until_s=13)
    assert (started, ended) == pytest.approx((10, 11.5), abs=0.05)


def test_clip_of_a_key_that_does_not_repeat(clip_shutter: ClipShutter) -> None:
    ((started, ended),) = hold(clip_shutter, start_s=10, end_s=10.3, until_s=13)
    assert (started, ended) == pytest.approx((10, 10 + FIRST_HOLD_S), abs=0.02)


def test_clip_ends_by_itself_and_a_held_key_starts_no_other_one(clip_shutter: ClipShutter) -> None:
    clips = hold(clip_shutter, start_s=10, end_s=16, until_s=18)
    assert clips == [pytest.approx((10, 12.5), abs=0.02)]
    # A new press does.
    assert len(hold(clip_shutter, start_s=18, end_s=19, until_s=21)) == 1


def test_burst_of_a_clip_has_the_longest_duration(clip_shutter: ClipShutter) -> None:
    clip_shutter.burst(10)
    updates = [(now, *clip_shutter.update(now)) for now in np.arange(10, 20, 0.01)]
    begins = [now for now, begin, _ in updates if begin]
    ends = [end for _, _, end in updates if end is not None]
    assert begins == [pytest.approx(13, abs=0.02)]
    assert ends == [pytest.approx(13 + LONGEST_S, abs=0.02)]


def test_stop_drops_the_clip(clip_shutter: ClipShutter) -> None:
    clip_shutter.press(10)
    assert clip_shutter.update(10) == (True, None)
    clip_shutter.stop()
    assert clip_shutter.update(10.5) == (False, None)
