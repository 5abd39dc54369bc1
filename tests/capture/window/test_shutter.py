import pytest

from aslkit.capture.window.shutter import FIRST_HOLD_S, HOLD_S, Shutter


@pytest.fixture
def shutter() -> Shutter:
    """At 0, a letter begins: 3 s of countdown."""
    shutter = Shutter(countdown_s=3, burst_s=2)
    shutter.prepare(0)
    return shutter


@pytest.mark.parametrize(("now", "number"), [(0, 3), (0.99, 3), (1, 2), (2.5, 1), (2.999, 1), (3, None), (9, None)])
def test_it_counts_down(shutter: Shutter, now: float, number: int | None) -> None:
    assert shutter.countdown(now) == number
    assert not shutter.recording(now)


def test_a_press_records_for_a_moment(shutter: Shutter) -> None:
    assert shutter.press(10)
    assert [shutter.recording(10 + after) for after in (0, FIRST_HOLD_S - 0.01, FIRST_HOLD_S)] == [True, True, False]


def test_a_key_that_is_held_records_without_a_gap_until_it_is_released(shutter: Shutter) -> None:
    begins = [shutter.press(10)]
    now = 10.66  # X11's default: repeats begin after 660 ms
    while now < 15:
        assert shutter.recording(now)
        begins.append(shutter.press(now))
        now += 0.04
    assert begins == [True] + [False] * (len(begins) - 1)
    assert shutter.recording(now)
    assert not shutter.recording(now + HOLD_S)


def test_a_second_press_after_a_pause_begins_anew(shutter: Shutter) -> None:
    assert shutter.press(10)
    assert shutter.press(11)
    assert shutter.recording(11 + FIRST_HOLD_S - 0.01)


def test_a_key_held_through_the_countdown_records_when_it_is_over(shutter: Shutter) -> None:
    shutter.press(2.9)
    assert not shutter.recording(2.99)
    assert shutter.recording(3)


def test_a_burst_counts_down_and_ends_by_itself(shutter: Shutter) -> None:
    shutter.burst(10)
    assert [shutter.recording(now) for now in (10, 12.9, 13, 14.9, 15)] == [False, False, True, True, False]
    assert [shutter.countdown(now) for now in (10, 12.9, 13)] == [3, 1, None]


def test_a_press_within_a_burst_belongs_to_it_and_does_not_end_it(shutter: Shutter) -> None:
    shutter.burst(10)
    assert not shutter.press(11)
    assert not shutter.press(13.5)
    assert shutter.recording(14.9)


@pytest.mark.parametrize("begin", ["press", "burst"])
def test_stop_ends_it_at_once(shutter: Shutter, begin: str) -> None:
    getattr(shutter, begin)(10)
    shutter.stop()
    assert not any(shutter.recording(10 + tenths / 10) for tenths in range(100))


def test_the_next_letter_ends_what_ran(shutter: Shutter) -> None:
    shutter.burst(10)
    shutter.prepare(13.5)
    assert not shutter.recording(14)
    assert not shutter.recording(17)


def test_without_a_countdown_it_may_begin_at_once() -> None:
    shutter = Shutter(countdown_s=0, burst_s=2)
    shutter.prepare(0)
    assert shutter.countdown(0) is None
    shutter.burst(0)
    assert shutter.recording(0)
