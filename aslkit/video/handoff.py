"""Passes frames from one thread to another."""

from collections import deque
from threading import Condition
from typing import Final, Generic, TypeVar

from aslkit.formats.clips import MAX_CLIP_FRAMES

Item = TypeVar("Item")

_MAX_WAITING: Final = MAX_CLIP_FRAMES
"""Items that wait at most. A clip of 2.5 s has fewer at any usual frame rate, so this only limits memory."""


class FrameBuffer(Generic[Item]):
    """A buffer between two threads, for one item and for those that must be kept.

    Args:
        newest_wins: whether a new item replaces one that has not been taken yet, as needed for a camera. Otherwise
            `put` blocks until the buffer is empty, as needed for a file.

    Attributes:
        dropped: number of items that were replaced before they were taken.
    """

    def __init__(self, *, newest_wins: bool) -> None:
        self.dropped = 0
        self._newest_wins = newest_wins
        # Pairs of an item and whether it must be kept.
        self._items: deque[tuple[Item, bool]] = deque()
        self._closed = False
        self._changed = Condition()

    def put(self, item: Item, *, keep: bool = False) -> None:
        """Add an item; after `close` it is discarded. `keep`: whether no newer item may replace it, as in a clip."""
        with self._changed:
            # Only one item at a time: a queue would fill with frames of a video while the consumer is slow.
            if not self._newest_wins:
                self._changed.wait_for(lambda: not self._items or self._closed)
            if self._closed:
                return
            # Replaces a waiting camera frame: what the user sees must be current, so an older frame has no value.
            if self._newest_wins and self._items and (not self._items[-1][1] or len(self._items) >= _MAX_WAITING):
                self._items.pop()
                self.dropped += 1
            self._items.append((item, keep))
            self._changed.notify_all()

    def get(self) -> Item | None:
        """Wait for the oldest item and take it; return None if the buffer is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._items or self._closed)
            item = self._items.popleft()[0] if self._items else None
            # Wakes a waiting `put`. Both sides share one condition, so notify() could wake the wrong one.
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Accept no further items; `discard` also removes those that have not been taken."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()
