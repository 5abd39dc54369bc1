"""Reading a source in a thread of its own, so that a camera's frames are taken when they come, and a camera that
stalls or vanishes stops nothing else.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.video.handoff import LatestFrameSlot
from aslkit.video.sources import SourceFrame, SourceLost

Open = Callable[[], AbstractContextManager[Iterator[SourceFrame]]]

STALLED_S: Final = 2.0
"""A live source that gives no frame for so long has stalled."""

_RETRY_S: Final = 1.0
_INTERVALS: Final = 10_000


class Stream:
    """A source that is being read.

    Args:
        open_source: opens it, and opens it again when it was lost.
        live: whether its frames come in their own time, so that the newest is wanted and those that nobody took are
            lost; otherwise it waits until each frame is taken.
        paced: give the frames of a video in its own time, as if it were live.
        patience_s: how long a lost source may be away before that is an error, seconds; None for ever.

    Attributes:
        frames: takes them out.
        seen: how many the source gave.
        lost: why it gives none at the moment; None while it does.
        error: why it ended; None when it came to its end.
    """

    def __init__(self, open_source: Open, *, live: bool, paced: bool = False, patience_s: float | None = None) -> None:
        self.frames: LatestFrameSlot[SourceFrame] = LatestFrameSlot(newest_wins=live or paced)
        self.seen = 0
        self.lost: str | None = None
        self.error: BaseException | None = None
        self.ended = Event()
        self.began = Event()
        self._open, self._live, self._paced, self._patience_s = open_source, live, paced, patience_s
        self._stop = Event()
        self._last_s = time.monotonic()
        self._intervals_s: deque[float] = deque(maxlen=_INTERVALS)
        self._thread = Thread(target=self._run, name="aslkit-source", daemon=True)
        self._thread.start()

    def first(self) -> None:
        """Wait until the source gives its first frame.

        Raises:
            AslkitError: it cannot be opened, or gives none.
        """
        while not self.began.wait(0.05):
            if self.ended.is_set():
                self.check()
                return

    def check(self) -> None:
        """Raise what ended the source, if that was no proper end."""
        if self.error is not None:
            raise self.error

    @property
    def trouble(self) -> str | None:
        """What is wrong with a live source at the moment, in words."""
        if self.lost is None and self._live and not self.ended.is_set():
            silent_s = time.monotonic() - self._last_s
            if self.began.is_set() and silent_s > STALLED_S:
                return f"The camera has given no picture for {silent_s:.0f} s. What was stored is kept."
        return self.lost

    def rates(self) -> tuple[float, float] | None:
        """Frames a second: the median, and what 95 of 100 frames reach; None before there are frames."""
        gaps = sorted(self._intervals_s)
        if not gaps:
            return None
        return tuple(1 / max(gaps[int(share * (len(gaps) - 1))], 1e-6) for share in (0.5, 0.95))  # type: ignore[return-value]

    def close(self) -> None:
        """Stop reading. A camera that does not answer is left behind in its thread."""
        again = self._stop.is_set()
        self._stop.set()
        self.frames.close(empty=True)
        self._thread.join(timeout=0 if again else 2 * STALLED_S)

    def _run(self) -> None:
        try:
            away_since: float | None = None
            while not self._stop.is_set():
                try:
                    with self._open() as frames:
                        self._read(frames)
                        return
                except AslkitError as error:
                    away_since = self._away(error, away_since)
        except BaseException as error:  # reaches the one who calls check
            self.error = error
        finally:
            self.ended.set()
            self.frames.close()

    def _away(self, error: AslkitError, since: float | None) -> float | None:
        """Wait for a source that was there and is gone; raise when that is no use."""
        if not self.began.is_set() or not (self._live or isinstance(error, SourceLost)):
            raise error
        now = time.monotonic()
        since = now if self.lost is None or since is None else since
        self.lost = self.lost or f"{error.message} Waiting for it to come back."
        if self._patience_s is not None and now - since >= self._patience_s:
            raise AslkitError(f"{self.lost} It did not within {self._patience_s:g} s.") from error
        self._stop.wait(_RETRY_S)
        return since

    def _read(self, frames: Iterator[SourceFrame]) -> None:
        start, first_s = time.monotonic(), None
        for frame in frames:
            if self._paced and frame.time_s is not None:
                first_s = frame.time_s if first_s is None else first_s
                self._stop.wait(max(0.0, start + frame.time_s - first_s - time.monotonic()))
            if self._stop.is_set():
                return
            self._note()
            self.frames.put(frame)

    def _note(self) -> None:
        now = time.monotonic()
        if self.began.is_set() and self.lost is None:
            self._intervals_s.append(now - self._last_s)
        self._last_s, self.lost = now, None
        self.seen += 1
        self.began.set()
