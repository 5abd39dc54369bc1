"""Passes frames from one thread to another."""

from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestFrameSlot(Generic[Item]):
    """A buffer for one item between two threads.

    Args:
        newest_wins: whether a new item replaces one that has not been taken yet, as needed for a camera. Otherwise
            `put` blocks until the slot is empty, as needed for a file.

    Attributes:
        dropped: number of items that were replaced before they were taken.
    """

    def __init__(self, *, newest_wins: bool) -> None:
        self.dropped = 0
        self._newest_wins = newest_wins
        self._item: Item | None = None
        self._closed = False
        self._changed = Condition()

    def put(self, item: Item) -> None:
        """Store an item; after `close` it is discarded."""
        with self._changed:
            # Only one item at a time: a queue would fill with frames of a video while the consumer is slow.
            if not self._newest_wins:
                self._changed.wait_for(lambda: self._item is None or self._closed)
            if self._closed:
                return
            # Replaces a waiting camera frame: what the user sees must be current, so an older frame has no value.
            self.dropped += self._item is not None
            self._item = item
            self._changed.notify_all()

    def get(self) -> Item | None:
        """Wait for an item and take it; return None if the slot is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            # Wakes a waiting `put`. Both sides share one condition, so notify() could wake the wrong one.
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Accept no further items; `discard` also removes the item that has not been taken."""
        with self._changed:
            self._closed = True
            if discard:
                self._item = None
            self._changed.notify_all()
