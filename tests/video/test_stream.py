"""Reading sources that end, fail, reconnect or stall, and the slot that passes frames between threads."""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest

from aslkit.core.errors import AslkitError
from aslkit.video import stream as stream_module
from aslkit.video.handoff import FrameBuffer
from aslkit.video.source_frame import SourceLost
from aslkit.video.stream import Stream

DEADLINE_S = 20.0

FakeSource = Callable[..., Any]
WaitUntil = Callable[[Callable[[], object]], None]


@pytest.fixture(autouse=True)
def retry_immediately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_module, "_RETRY_INTERVAL_S", 0.01)


def take_all(stream: Stream) -> list[str]:
    return [frame.name for frame in iter(stream.frames.get, None)]


LOST = SourceLost("It is gone.")


def test_file_drops_no_frames(fake_source: FakeSource) -> None:
    stream = Stream(fake_source(range(300)), live=False)
    assert take_all(stream) == [str(number) for number in range(300)]
    assert (stream.frame_count, stream.frames.dropped, stream.problem, stream.error) == (300, 0, None, None)
    stream.check()


def test_live_source_keeps_newest_frame_only(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source(range(300)), live=True)
    wait_until(stream.ended.is_set)
    assert take_all(stream) == ["299"]
    assert (stream.frame_count, stream.frames.dropped) == (300, 299)


def test_wait_for_first_frame_returns_or_raises(fake_source: FakeSource) -> None:
    good = Stream(fake_source([0]), live=False)
    good.wait_for_first_frame()
    assert good.frame_count == 1
    unavailable = Stream(fake_source(AslkitError("No such camera.")), live=True)
    with pytest.raises(AslkitError, match="No such camera"):
        unavailable.wait_for_first_frame()
    empty = Stream(fake_source([]), live=False)
    empty.wait_for_first_frame()
    assert empty.frame_count == 0


def test_lost_camera_is_reopened_and_problem_is_reported(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    reconnect = Event()
    source = fake_source([0, 1, LOST], AslkitError("It cannot be opened."), [reconnect, 2, 3])
    stream = Stream(source, live=True)
    wait_until(lambda: source.opened == 3)
    assert stream.problem == "It is gone. Trying to reconnect."
    reconnect.set()
    wait_until(stream.ended.is_set)
    assert (stream.frame_count, stream.lost_message, stream.error) == (4, None, None)
    assert (source.opened, source.closed) == (3, 2)


def test_reconnecting_ends_after_timeout(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source([0, LOST]), live=True, reconnect_timeout_s=0.05)
    assert take_all(stream) in (["0"], [])
    wait_until(stream.ended.is_set)
    with pytest.raises(AslkitError, match=r"It is gone\..*Gave up after 0\.05 s"):
        stream.check()


def test_reconnect_timeout_restarts_after_each_reconnection(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    takes = [[number, LOST] for number in range(5)]
    stream = Stream(fake_source(*takes, [5]), live=True, reconnect_timeout_s=0.5)
    wait_until(stream.ended.is_set)
    assert (stream.frame_count, stream.error) == (6, None)


def test_failed_file_is_not_reopened(fake_source: FakeSource) -> None:
    stream = Stream(fake_source([0, AslkitError("2.jpg is damaged.")], [1]), live=False)
    assert take_all(stream) == ["0"]
    with pytest.raises(AslkitError, match="damaged"):
        stream.check()


def test_unexpected_error_is_raised_by_check(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source([0, ZeroDivisionError()]), live=True)
    wait_until(stream.ended.is_set)
    with pytest.raises(ZeroDivisionError):
        stream.check()


def test_stall_is_a_problem_until_next_frame(
    fake_source: FakeSource, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "STALL_TIMEOUT_S", 0.02)
    resume, end = Event(), Event()
    stream = Stream(fake_source([0, resume, 1, end]), live=True)
    wait_until(lambda: stream.problem)
    assert "has sent no image" in str(stream.problem)
    resume.set()
    wait_until(lambda: stream.frame_count == 2)
    end.set()
    wait_until(stream.ended.is_set)
    assert stream.problem is None


def test_close_does_not_wait_for_unresponsive_camera(
    fake_source: FakeSource, wait_until: WaitUntil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "STALL_TIMEOUT_S", 0.02)
    never = Event()
    stream = Stream(fake_source([0, never]), live=True)
    stream.wait_for_first_frame()
    stream.close()
    assert stream.frames.get() is None
    never.set()
    wait_until(stream.ended.is_set)


def test_close_stops_and_closes_file(fake_source: FakeSource) -> None:
    source = fake_source(range(10**9))
    stream = Stream(source, live=False)
    stream.wait_for_first_frame()
    stream.close()
    assert source.closed == 1
    stream.close()


def test_close_stops_reconnecting(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source([0, LOST]), live=True)
    wait_until(lambda: stream.lost_message)
    stream.close()
    wait_until(stream.ended.is_set)
    stream.check()


def test_paced_video_is_played_at_its_frame_rate(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source([0, 1, 2]), live=False, paced=True)
    start = time.monotonic()
    wait_until(stream.ended.is_set)
    assert time.monotonic() - start > 0.15  # three frames at intervals of 0.1 s
    assert (take_all(stream), stream.frames.dropped) == (["2"], 2)


def test_frame_rate_at_95_percent_is_at_most_median(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    stream = Stream(fake_source(range(50)), live=True)
    wait_until(stream.ended.is_set)
    rates = stream.frame_rates()
    assert rates is not None
    assert rates[0] >= rates[1] > 0
    assert Stream(fake_source([]), live=True).frame_rates() is None


def test_disconnection_does_not_count_as_frame_interval(fake_source: FakeSource, wait_until: WaitUntil) -> None:
    source = fake_source([0, LOST], [1])
    stream = Stream(source, live=True)
    wait_until(stream.ended.is_set)
    assert stream.frame_rates() is None  # the only gap is the disconnection


@pytest.mark.parametrize("newest_wins", [True, False])
def test_closed_slot_returns_remaining_item_then_none(newest_wins: bool) -> None:
    slot: FrameBuffer[int] = FrameBuffer(newest_wins=newest_wins)
    slot.put(1)
    slot.close()
    slot.put(2)
    assert (slot.get(), slot.get(), slot.dropped) == (1, None, 0)


def test_close_with_discard_unblocks_producer() -> None:
    slot: FrameBuffer[int] = FrameBuffer(newest_wins=False)
    slot.put(1)
    producer = Thread(target=slot.put, args=(2,))
    producer.start()
    slot.close(discard=True)
    producer.join(DEADLINE_S)
    assert not producer.is_alive()
    assert slot.get() is None
