"""The buffer between arrival and tracking of frames."""

from threading import Thread
from typing import Any

from aslkit.video.handoff import FrameBuffer


def taken(buffer: FrameBuffer[int]) -> list[int]:
    buffer.close()
    items: list[int] = []
    while (item := buffer.get()) is not None:
        items.append(item)
    return items


def test_only_frames_that_are_not_kept_are_replaced() -> None:
    buffer = FrameBuffer[int](newest_wins=True)
    for number, keep in enumerate([False, False, True, True, False, False, False, True]):
        buffer.put(number, keep=keep)
    assert taken(buffer) == [2, 3, 7]
    assert buffer.dropped == 5


def test_memory_is_limited() -> None:
    buffer = FrameBuffer[int](newest_wins=True)
    for number in range(10_000):
        buffer.put(number, keep=True)
    assert (len(taken(buffer)), buffer.dropped) == (400, 9600)


def test_files_wait_for_the_consumer() -> None:
    buffer, put = FrameBuffer[int](newest_wins=False), list[int]()

    def produce() -> None:
        for number in range(50):
            buffer.put(number, keep=False)
            put.append(number)
        buffer.close()

    thread = Thread(target=produce)
    thread.start()
    items: list[Any] = []
    while (item := buffer.get()) is not None:
        items.append(item)
        assert len(put) <= len(items) + 1
    thread.join()
    assert (items, buffer.dropped) == (list(range(50)), 0)


def test_close_ends_waiting_producer() -> None:
    buffer = FrameBuffer[int](newest_wins=False)
    buffer.put(1, keep=True)
    thread = Thread(target=lambda: buffer.put(2, keep=True))
    thread.start()
    buffer.close(discard=True)
    thread.join(10)
    assert not thread.is_alive()
    assert buffer.get() is None
