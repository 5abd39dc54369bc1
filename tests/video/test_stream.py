"""Sources that end, fail, come back, stall: read in a thread of their own, through a lane with room for one frame."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest

from aslkit.core.errors import AslkitError
from aslkit.video import stream as module
from aslkit.video.handoff import LatestFrameSlot
from aslkit.video.sources import SourceLost
from aslkit.video.stream import Stream

DEADLINE_S = 20.0

Played = Callable[..., Any]
Until = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RETRY_S", 0.01)


def taken(stream: Stream) -> list[str]:
    return [each.name for each in iter(stream.frames.get, None)]


LOST = SourceLost("It is gone.")


def test_a_file_loses_no_frame_however_slowly_they_are_taken(played: Played) -> None:
    stream = Stream(played(range(300)), live=False)
    assert taken(stream) == [str(number) for number in range(300)]
    assert (stream.seen, stream.frames.lost, stream.trouble, stream.error) == (300, 0, None, None)
    stream.check()


def test_a_live_source_never_waits_and_the_newest_frame_is_taken(played: Played, until: Until) -> None:
    stream = Stream(played(range(300)), live=True)
    until(stream.ended.is_set)
    assert taken(stream) == ["299"]
    assert (stream.seen, stream.frames.lost) == (300, 299)


def test_the_first_frame_is_waited_for_and_an_error_before_it_is_raised(played: Played) -> None:
    good = Stream(played([0]), live=False)
    good.first()
    assert good.seen == 1
    bad = Stream(played(AslkitError("No such camera.")), live=True)
    with pytest.raises(AslkitError, match="No such camera"):
        bad.first()
    nothing = Stream(played([]), live=False)
    nothing.first()
    assert nothing.seen == 0


def test_a_camera_that_vanishes_and_returns_goes_on_and_says_so(played: Played, until: Until) -> None:
    back = Event()
    source = played([0, 1, LOST], AslkitError("It cannot be opened."), [back, 2, 3])
    stream = Stream(source, live=True)
    until(lambda: source.opened == 3)
    assert stream.trouble == "It is gone. Waiting for it to come back."
    back.set()
    until(stream.ended.is_set)
    assert (stream.seen, stream.lost, stream.error) == (4, None, None)
    assert (source.opened, source.closed) == (3, 2)


def test_one_that_does_not_return_is_given_up_after_a_while(played: Played, until: Until) -> None:
    stream = Stream(played([0, LOST]), live=True, patience_s=0.05)
    assert taken(stream) in (["0"], [])
    until(stream.ended.is_set)
    with pytest.raises(AslkitError, match=r"It is gone\..*did not within 0\.05 s"):
        stream.check()


def test_patience_begins_anew_each_time_that_it_returned(played: Played, until: Until) -> None:
    takes = [[number, LOST] for number in range(5)]
    stream = Stream(played(*takes, [5]), live=True, patience_s=0.5)
    until(stream.ended.is_set)
    assert (stream.seen, stream.error) == (6, None)


def test_a_file_that_fails_is_not_waited_for(played: Played) -> None:
    stream = Stream(played([0, AslkitError("2.jpg is damaged.")], [1]), live=False)
    assert taken(stream) == ["0"]
    with pytest.raises(AslkitError, match="damaged"):
        stream.check()


def test_an_error_that_nobody_thought_of_reaches_the_caller(played: Played, until: Until) -> None:
    stream = Stream(played([0, ZeroDivisionError()]), live=True)
    until(stream.ended.is_set)
    with pytest.raises(ZeroDivisionError):
        stream.check()


def test_one_that_stalls_is_in_trouble_until_it_goes_on(
    played: Played, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.02)
    on, end = Event(), Event()
    stream = Stream(played([0, on, 1, end]), live=True)
    until(lambda: stream.trouble)
    assert "has given no picture" in str(stream.trouble)
    on.set()
    until(lambda: stream.seen == 2)
    end.set()
    until(stream.ended.is_set)
    assert stream.trouble is None


def test_closing_does_not_wait_for_a_camera_that_does_not_answer(
    played: Played, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STALLED_S", 0.02)
    never = Event()
    stream = Stream(played([0, never]), live=True)
    stream.first()
    stream.close()
    assert stream.frames.get() is None
    never.set()
    until(stream.ended.is_set)


def test_closing_ends_a_file_in_the_middle_and_frees_it(played: Played) -> None:
    source = played(range(10**9))
    stream = Stream(source, live=False)
    stream.first()
    stream.close()
    assert source.closed == 1
    stream.close()


def test_closing_ends_the_waiting_for_a_camera(played: Played, until: Until) -> None:
    stream = Stream(played([0, LOST]), live=True)
    until(lambda: stream.lost)
    stream.close()
    until(stream.ended.is_set)
    stream.check()


def test_a_paced_video_is_given_in_its_own_time_and_is_not_waited_for(played: Played, until: Until) -> None:
    stream = Stream(played([0, 1, 2]), live=False, paced=True)
    begun = time.monotonic()
    until(stream.ended.is_set)
    assert time.monotonic() - begun > 0.15  # three frames, a tenth of a second apart
    assert (taken(stream), stream.frames.lost) == (["2"], 2)


def test_frames_a_second_are_the_slower_the_more_of_them_are_to_be_as_fast(played: Played, until: Until) -> None:
    stream = Stream(played(range(50)), live=True)
    until(stream.ended.is_set)
    rates = stream.rates()
    assert rates is not None
    assert rates[0] >= rates[1] > 0
    assert Stream(played([]), live=True).rates() is None


def test_a_pause_of_the_camera_is_no_frame_rate(played: Played, until: Until) -> None:
    source = played([0, LOST], [1])
    stream = Stream(source, live=True)
    until(stream.ended.is_set)
    assert stream.rates() is None  # there is only the gap while it was away


@pytest.mark.parametrize("newest_wins", [True, False])
def test_a_lane_that_is_closed_gives_what_it_has_and_then_nothing(newest_wins: bool) -> None:
    lane: LatestFrameSlot[int] = LatestFrameSlot(newest_wins=newest_wins)
    lane.put(1)
    lane.close()
    lane.put(2)
    assert (lane.get(), lane.get(), lane.lost) == (1, None, 0)


def test_a_lane_can_be_closed_empty_while_the_giver_waits() -> None:
    lane: LatestFrameSlot[int] = LatestFrameSlot(newest_wins=False)
    lane.put(1)
    giver = Thread(target=lane.put, args=(2,))
    giver.start()
    lane.close(empty=True)
    giver.join(DEADLINE_S)
    assert not giver.is_alive()
    assert lane.get() is None
