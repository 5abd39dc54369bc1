"""Writes frames to disk in a separate thread, so that neither camera nor window waits for the disk."""

from queue import Queue
from threading import Semaphore, Thread

from aslkit.capture.session.encoded_frame import EncodedFrame
from aslkit.capture.session.measurement_log import MeasurementLog
from aslkit.capture.session.store import Session
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics

_Item = tuple[IndexEntry, EncodedFrame, FrameMetrics]


class FrameWriter:
    """Stores frames in a session, in order, and keeps their measurements.

    It accepts the next frame only after the previous one is on disk, so that a crash loses at most one accepted frame.

    Args:
        session: session to store in.
        measurements: of the session.
    """

    def __init__(self, session: Session, measurements: MeasurementLog) -> None:
        self._session, self._measurements = session, measurements
        self._queue: Queue[_Item | None] = Queue()
        # One permit, so one frame in the queue at most: if the disk is slow, frames are dropped instead of piling up.
        self._idle = Semaphore()
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="aslkit-writer", daemon=True)
        self._thread.start()

    def put(self, entry: IndexEntry, frame: EncodedFrame, metrics: FrameMetrics, *, wait: bool) -> bool:
        """Accept a frame for writing.

        Args:
            entry: index entry of the frame.
            frame: the frame.
            metrics: metrics of its pixels.
            wait: whether to wait until the previous frame is written.

        Returns:
            False if the previous frame is still being written and `wait` is False.

        Raises:
            OSError: an earlier frame could not be written.
        """
        self._check()
        # `_run` releases it when the frame is on disk.
        if not self._idle.acquire(blocking=wait):
            return False
        self._queue.put((entry, frame, metrics))
        return True

    def flush(self) -> None:
        """Wait until all accepted frames are on disk.

        Raises:
            OSError: a frame could not be written.
        """
        self._queue.join()
        self._check()

    def close(self) -> None:
        """Write the remaining frame and all measurements, and end the thread. Does not raise."""
        self._queue.put(None)
        self._thread.join()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if self._error is None:  # discard all frames after an error, so that none is stored out of order
                    self._store(*item)
            except BaseException as error:  # put and flush raise it in the caller's thread
                self._error = error
            finally:
                self._queue.task_done()
                # Also after an error; otherwise `put` would wait forever.
                self._idle.release()
        self._measurements.flush()
        # Of the None that ended the loop; otherwise a later `flush` would wait forever.
        self._queue.task_done()

    def _store(self, entry: IndexEntry, frame: EncodedFrame, metrics: FrameMetrics) -> None:
        data = frame.data()
        self._session.add(entry, data)
        self._measurements.add(data, frame.pixels, metrics)
