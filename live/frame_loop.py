"""Reads the frames of a source in a background thread, so that a slow or lost camera does not block the window."""

import time
from collections.abc import Callable
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import Final

from aslkit.core.progress import OnMessage
from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader
from aslkit.video.source_frame import SourceFrame
from aslkit.video.source_kind import LIVE_KINDS, source_kind
from aslkit.video.sources import CameraRequest, ReadOptions, open_source
from aslkit.video.stream import Stream

IMAGE_INTERVAL_S: Final = 0.1
"""The images of a folder have no times. They are treated as frames with this interval."""

SYNTHETIC_SIGNER: Final = "synthetic-ada"

SOURCE_ENDED: Final = "the source ended"

_CLOSE_TIMEOUT_S: Final = 10


def open_stream(
    source: str,
    config: LiveConfig,
    *,
    letter: str = "A",
    paced: bool,
    wait_forever: bool,
    mirrored: bool = False,
    on_message: OnMessage,
) -> Stream:
    """Open a source for reading.

    Args:
        source: see `aslkit.video.sources.open_source`.
        config: requested resolution and frame rate of a camera, and time to wait for a lost one.
        letter: letter that the synthetic signer shows.
        paced: deliver the frames of a video at its frame rate.
        wait_forever: never stop waiting for a lost camera, because a window shows what is wrong.
        mirrored: whether the source is mirrored, as a selfie. Its frames are unmirrored.
        on_message: called in the reading thread if a video can only be read in part.

    Raises:
        AslkitError: the source cannot be opened, or delivers no frame.
    """
    camera_request = CameraRequest(width=config.camera_width, height=config.camera_height, fps=config.camera_fps)
    reopen = partial(
        open_source, source, letter=letter, signer=SYNTHETIC_SIGNER, session="live", camera_request=camera_request,
        on_note=on_message, options=ReadOptions(mirrored=mirrored),
    )  # fmt: skip
    live = source_kind(source) in LIVE_KINDS
    stream = Stream(reopen, live=live, paced=paced, reconnect_timeout_s=None if wait_forever else config.reconnect_s)
    try:
        stream.wait_for_first_frame()
    except BaseException:
        stream.close()
        raise
    return stream


class FrameLoop:
    """Passes the frames of a stream to a reader, in a background thread that starts immediately.

    Args:
        stream: an open stream; `close` closes it.
        reader: reads the frames.
        live: whether the frames arrive in real time. Their times are then taken from the clock, otherwise from the
            frames.
        limit_s: stop after this many seconds of frames; None for no limit.
        on_frame: called after each frame with the reader and the frame's time in seconds, in the background thread.
        clock: returns monotonic time in seconds.

    Attributes:
        finished: set when the source has ended, the limit is reached, or an error occurred; see `check`.
    """

    def __init__(
        self,
        stream: Stream,
        reader: Reader,
        *,
        live: bool,
        limit_s: float | None = None,
        on_frame: Callable[[Reader, float], None] = lambda reader, time_s: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream, self.finished = stream, Flag()
        self._reader, self._live, self._limit_s = reader, live, limit_s
        self._on_frame, self._clock = on_frame, clock
        self._error: BaseException | None = None
        self._start_s = clock()
        self._thread = Thread(target=self._run, name="aslkit-reader", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Raise the exception that ended the loop or the stream, if any."""
        if self._error is not None:
            raise self._error
        # The stream can also fail on its own, while the loop only sees that no more frames arrive.
        if self.finished.is_set():
            self.stream.check()

    def close(self) -> None:
        """Close the stream, and wait until the current frame is processed."""
        # First the stream: its end makes the reading thread return, which can then be joined.
        self.stream.close()
        self._thread.join(timeout=_CLOSE_TIMEOUT_S)

    def _run(self) -> None:
        try:
            for index, frame in enumerate(iter(self.stream.frames.get, None)):
                time_s = self._frame_time_s(frame, index)
                self._reader.read(frame.image, time_s)
                self._on_frame(self._reader, time_s)
                if self._limit_s is not None and time_s >= self._limit_s:
                    return
        except BaseException as error:  # check raises it in the caller's thread
            self._error = error
        finally:
            # Set after `_error`: a thread that sees it must also see why the loop has ended.
            self.finished.set()

    def _frame_time_s(self, frame: SourceFrame, index: int) -> float:
        if self._live:  # the frame's own time starts at 0 again after a camera was reconnected
            return self._clock() - self._start_s
        return index * IMAGE_INTERVAL_S if frame.time_s is None else frame.time_s
