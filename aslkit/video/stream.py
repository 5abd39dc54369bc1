"""Reads a source in a separate thread.

Camera frames are taken as they arrive, and a camera that stalls or disconnects does not block other threads.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from threading import Event, Thread
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.video.handoff import FrameBuffer
from aslkit.video.source_frame import SourceFrame, SourceLost

OpenSource = Callable[[], AbstractContextManager[Iterator[SourceFrame]]]

STALL_TIMEOUT_S: Final = 2.0
"""A live source that delivers no frame for this long has stalled."""

_RETRY_INTERVAL_S: Final = 1.0
_MAX_INTERVALS: Final = 10_000


class Stream:
    """A source that is read in a background thread, which starts immediately.

    Args:
        open_source: opens the source; called again to reconnect after it was lost.
        live: whether frames arrive in real time, as from a camera. If the consumer is slower, only the newest frame is
            kept. Otherwise reading waits until each frame has been taken.
        paced: deliver the frames of a video at its frame rate, as if it were live.
        reconnect_timeout_s: raise an error if a lost source does not come back within this time; None waits forever.

    Attributes:
        frames: slot from which the consumer takes frames.
        frame_count: number of frames read from the source.
        lost_message: why the source delivers no frames at the moment; None while it does.
        error: exception that ended the source; None if it ended normally.
        started: set after the first frame.
        ended: set after the last frame or an error.
    """

    def __init__(
        self, open_source: OpenSource, *, live: bool, paced: bool = False, reconnect_timeout_s: float | None = None
    ) -> None:
        self.frames: FrameBuffer[SourceFrame] = FrameBuffer(newest_wins=live or paced)
        self.frame_count = 0
        self.lost_message: str | None = None
        self.error: BaseException | None = None
        self.ended = Event()
        self.started = Event()
        self._open_source, self._live, self._paced = open_source, live, paced
        self._reconnect_timeout_s = reconnect_timeout_s
        self._stop = Event()
        self._last_frame_s = time.monotonic()
        self._intervals_s: deque[float] = deque(maxlen=_MAX_INTERVALS)
        # A driver can hang in read, which cannot be interrupted. A daemon thread does not keep the process alive.
        self._thread = Thread(target=self._run, name="aslkit-source", daemon=True)
        self._thread.start()

    def wait_for_first_frame(self) -> None:
        """Wait until the source delivers its first frame, or ends without one.

        Raises:
            AslkitError: the source cannot be opened, or cannot be read.
        """
        # A source can also end without a frame, and two events cannot be awaited together.
        while not self.started.wait(0.05):
            if self.ended.is_set():
                self.check()
                return

    def check(self) -> None:
        """Raise the exception that ended the source, if any."""
        if self.error is not None:
            raise self.error

    @property
    def problem(self) -> str | None:
        """Message for the user if a live source has stalled or is disconnected, else None."""
        if self.lost_message is None and self._live and not self.ended.is_set():
            silent_s = time.monotonic() - self._last_frame_s
            if self.started.is_set() and silent_s > STALL_TIMEOUT_S:
                return f"The camera has sent no image for {silent_s:.0f} s. Frames stored so far are kept."
        return self.lost_message

    def frame_rates(self) -> tuple[float, float] | None:
        """Return the median frame rate and the rate that 95 % of the frames reach; None before the second frame."""
        intervals = sorted(self._intervals_s)
        if not intervals:
            return None
        rates = (1 / max(intervals[int(share * (len(intervals) - 1))], 1e-6) for share in (0.5, 0.95))
        return tuple(rates)  # type: ignore[return-value]

    def close(self) -> None:
        """Stop reading. If the camera does not respond, its daemon thread is abandoned."""
        already_closed = self._stop.is_set()
        self._stop.set()
        # Wakes the reading thread if it waits in `put` for an empty slot.
        self.frames.close(discard=True)
        self._thread.join(timeout=0 if already_closed else 2 * STALL_TIMEOUT_S)

    def _run(self) -> None:
        try:
            lost_since_s: float | None = None
            while not self._stop.is_set():
                try:
                    with self._open_source() as frames:
                        self._read(frames)
                        return
                except AslkitError as error:
                    lost_since_s = self._wait_to_reconnect(error, lost_since_s)
        except BaseException as error:  # check raises it in the consumer's thread
            self.error = error
        finally:
            # Before closing the slot: a consumer that it wakes must see that the source has ended, and why.
            self.ended.set()
            self.frames.close()

    def _wait_to_reconnect(self, error: AslkitError, lost_since_s: float | None) -> float | None:
        """Wait before the next attempt, and return since when the source has been lost.

        Raises:
            AslkitError: the source never worked, cannot come back, or has been lost for too long.
        """
        if not self.started.is_set() or not (self._live or isinstance(error, SourceLost)):
            raise error
        now = time.monotonic()
        lost_since_s = now if self.lost_message is None or lost_since_s is None else lost_since_s
        self.lost_message = self.lost_message or f"{error.message} Trying to reconnect."
        if self._reconnect_timeout_s is not None and now - lost_since_s >= self._reconnect_timeout_s:
            raise AslkitError(f"{self.lost_message} Gave up after {self._reconnect_timeout_s:g} s.") from error
        # Unlike time.sleep, this returns at once when the stream is closed.
        self._stop.wait(_RETRY_INTERVAL_S)
        return lost_since_s

    def _read(self, frames: Iterator[SourceFrame]) -> None:
        start_s, first_frame_s = time.monotonic(), None
        for frame in frames:
            if self._paced and frame.time_s is not None:
                first_frame_s = frame.time_s if first_frame_s is None else first_frame_s
                self._stop.wait(max(0.0, start_s + frame.time_s - first_frame_s - time.monotonic()))
            # Checked here again, because `close` may have been called while waiting for the frame or its time.
            if self._stop.is_set():
                return
            self._count_frame()
            self.frames.put(frame)

    def _count_frame(self) -> None:
        now = time.monotonic()
        # The time during which a camera was disconnected is not an interval between two of its frames.
        if self.started.is_set() and self.lost_message is None:
            self._intervals_s.append(now - self._last_frame_s)
        self._last_frame_s, self.lost_message = now, None
        self.frame_count += 1
        self.started.set()
