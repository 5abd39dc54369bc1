"""Tells open pages what has changed, by server-sent events."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final

import anyio.to_thread
import msgspec

from aslkit.core.errors import AslkitError

HEARTBEAT_S: Final = 15.0
"""Interval of comments without content, by which the server notices that a page was closed."""

COALESCE_S: Final = 0.1
"""Changes within this time are sent as one event."""


class EventBroker:
    """Sends the current value of what has changed to all open pages.

    Args:
        sources: by name, a function that returns the current value, which must be JSON. Called in any thread.
    """

    def __init__(self, sources: Mapping[str, Callable[[], Any]]) -> None:
        self._sources = dict(sources)
        self._subscribers: set[_Subscriber] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._lock = threading.Lock()
        self._known: dict[str, Any] = {}

    def publish(self, *names: str) -> None:
        """Tell all pages that values have changed. Can be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notify, names)

    def close(self) -> None:
        """End all streams, so that the server can stop. Can be called from any thread."""
        self._closed = True
        self.publish()

    def _notify(self, names: tuple[str, ...]) -> None:
        with self._lock:
            for name in names:
                self._known.pop(name, None)
        for subscriber in self._subscribers:
            subscriber.changed.update(names)
            subscriber.event.set()

    async def stream(self) -> AsyncIterator[str]:
        """Yield events in the format of server-sent events: first all values, then those that change."""
        self._loop = asyncio.get_running_loop()
        subscriber = _Subscriber()
        subscriber.changed.update(self._sources)
        subscriber.event.set()
        self._subscribers.add(subscriber)
        with self._lock:  # a new page sees what commands in the terminal have changed
            self._known.clear()
        try:
            while not self._closed:
                try:
                    await asyncio.wait_for(subscriber.event.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                await asyncio.sleep(COALESCE_S)
                names, subscriber.changed = sorted(subscriber.changed), set()
                subscriber.event.clear()
                if names:
                    values = await anyio.to_thread.run_sync(self._current_values, names)
                    yield f"data: {msgspec.json.encode(values).decode()}\n\n"
        finally:
            self._subscribers.discard(subscriber)

    def _current_values(self, names: list[str]) -> dict[str, Any]:
        """Return values that are the same for all pages until they change; a value that cannot be read is a problem."""
        values: dict[str, Any] = {}
        with self._lock:
            for name in names:
                try:
                    if name not in self._known:
                        self._known[name] = self._sources[name]()
                    values[name] = self._known[name]
                except AslkitError as error:
                    values["problem"] = error.message
        return values

    def values(self, names: list[str] | None = None) -> dict[str, Any]:
        """Return the current values, by name; None for all."""
        return {name: self._sources[name]() for name in names or self._sources}


class _Subscriber:
    """An open page: what has changed since its last event."""

    def __init__(self) -> None:
        self.changed: set[str] = set()
        self.event = asyncio.Event()
