"""Writing frames to the disk in a thread of its own, so that neither camera nor window waits for it."""

from collections.abc import Callable
from queue import Queue
from threading import Semaphore, Thread

from aslkit.capture.session.store import Session
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.images import Frame

Encode = Callable[[Frame], bytes]


class FrameWriter:
    """Encodes frames and stores them in a session, in order.

    It holds one frame at a time, the one that is being written: a frame that was taken is on the disk, but for one.

    Args:
        session: where to.
        encode: makes an image file of a BGR frame.
    """

    def __init__(self, session: Session, encode: Encode) -> None:
        self._session, self._encode = session, encode
        self._queue: Queue[tuple[IndexEntry, Frame] | None] = Queue()
        self._free = Semaphore()
        self._failed: BaseException | None = None
        self._thread = Thread(target=self._run, name="aslkit-writer", daemon=True)
        self._thread.start()

    def put(self, entry: IndexEntry, frame: Frame, *, wait: bool) -> bool:
        """Hand over a frame; False when the disk is behind and the caller does not want to wait.

        Raises:
            OSError: an earlier frame could not be written.
        """
        self._check()
        if not self._free.acquire(blocking=wait):
            return False
        self._queue.put((entry, frame))
        return True

    def flush(self) -> None:
        """Wait until all that was handed over is on the disk.

        Raises:
            OSError: some of it could not be written.
        """
        self._queue.join()
        self._check()

    def close(self) -> None:
        """Write what is left and end the thread. Does not raise."""
        self._queue.put(None)
        self._thread.join()

    def _check(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _run(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                if self._failed is None:  # after a failure the rest is let go: nothing is stored out of order
                    entry, frame = item
                    self._session.add(entry, self._encode(frame))
            except BaseException as error:  # reaches the one who calls put or settle
                self._failed = error
            finally:
                self._queue.task_done()
                self._free.release()
        self._queue.task_done()
