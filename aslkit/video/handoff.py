"""Handing frames from one thread to the next."""

from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


class LatestFrameSlot(Generic[Item]):
    """Room for one item between two threads.

    Args:
        newest_wins: a new item takes the place of one that nobody has taken, as for a camera; otherwise the giver
            waits, as for a file.

    Attributes:
        lost: items that nobody took.
    """

    def __init__(self, *, newest_wins: bool) -> None:
        self.lost = 0
        self._newest_wins = newest_wins
        self._item: Item | None = None
        self._closed = False
        self._changed = Condition()

    def put(self, item: Item) -> None:
        """Give an item; one given after `close` is let go."""
        with self._changed:
            if not self._newest_wins:
                self._changed.wait_for(lambda: self._item is None or self._closed)
            if self._closed:
                return
            self.lost += self._item is not None
            self._item = item
            self._changed.notify_all()

    def get(self) -> Item | None:
        """Wait for an item and take it; None when the lane is closed and empty."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            self._changed.notify_all()
            return item

    def close(self, *, empty: bool = False) -> None:
        """Let nothing in any more; `empty` also lets go what nobody took."""
        with self._changed:
            self._closed = True
            if empty:
                self._item = None
            self._changed.notify_all()
