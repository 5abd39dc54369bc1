"""A source being read in a thread of its own, so that a window stays quick and a camera that vanishes stops nothing."""

import time
from collections.abc import Callable
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import Final

from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader
from aslkit.video.sources import LIVE_KINDS, CameraRequest, SourceFrame, open_source, source_kind
from aslkit.video.stream import Stream

STILL_S: Final = 0.1
"""Photographs of a folder have no time: they count as taken so far apart."""

SIGNER: Final = "synthetic-ada"


def open_stream(source: str, config: LiveConfig, *, letter: str = "A", paced: bool, patient: bool) -> Stream:
    """Open a source for reading.

    Args:
        source: as `aslkit.video.sources.open_source` takes it.
        config: what a camera is asked for.
        letter: what the synthetic signer shows.
        paced: give a video's frames in its own time.
        patient: wait for ever for a camera that vanished, as where a window says so.

    Raises:
        AslkitError: it cannot be opened, or gives nothing.
    """
    camera_request = CameraRequest(width=config.camera_width, height=config.camera_height, fps=config.camera_fps)
    reopen = partial(open_source, source, letter=letter, signer=SIGNER, session="live", camera_request=camera_request)
    live = source_kind(source) in LIVE_KINDS
    stream = Stream(reopen, live=live, paced=paced, reconnect_timeout_s=None if patient else config.reconnect_s)
    try:
        stream.wait_for_first_frame()
    except BaseException:
        stream.close()
        raise
    return stream


class FrameLoop:
    """Gives a stream's frames to a reader until either ends.

    Args:
        stream: open already; closed at the end.
        reader: reads them.
        live: the frames come in their own time, so that the clock tells when they were taken; else they tell it.
        limit_s: seconds of frames after which it ends; None for never.
        after: told after each frame, and when it was taken.
        clock: seconds since any moment.

    Attributes:
        finished: the source ended, or something went wrong: see `check`.
    """

    def __init__(
        self,
        stream: Stream,
        reader: Reader,
        *,
        live: bool,
        limit_s: float | None = None,
        after: Callable[[Reader, float], None] = lambda reader, time_s: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream, self.finished = stream, Flag()
        self._reader, self._live, self._limit_s = reader, live, limit_s
        self._after, self._clock = after, clock
        self._error: BaseException | None = None
        self._start_s = clock()
        self._thread = Thread(target=self._run, name="aslkit-reader", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise what went wrong in one of the threads."""
        if self._error is not None:
            raise self._error
        if self.finished.is_set():
            self.stream.check()

    def close(self) -> None:
        """Stop, and wait until the last frame is read."""
        self.stream.close()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            for index, frame in enumerate(iter(self.stream.frames.get, None)):
                time_s = self._time_s(frame, index)
                self._reader.read(frame.image, time_s)
                self._after(self._reader, time_s)
                if self._limit_s is not None and time_s >= self._limit_s:
                    return
        except BaseException as error:  # reaches the one who calls check
            self._error = error
        finally:
            self.finished.set()

    def _time_s(self, frame: SourceFrame, index: int) -> float:
        """A camera that came back begins its own time anew; this machine's clock goes on."""
        if self._live:
            return self._clock() - self._start_s
        return index * STILL_S if frame.time_s is None else frame.time_s
