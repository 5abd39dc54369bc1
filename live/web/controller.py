"""Handles the requests of the live page, without HTTP.

Methods take and return plain values. They raise `RequestRefused` with a message for the user if a request is invalid.
"""

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader, Reading
from aslkit.web.active_page import ActivePage
from aslkit.web.request_limits import FrameRateMeter, RequestRefused, decode_upload


class PageController:
    """Connects a page to a reader. Thread-safe.

    Args:
        reader: reads the frames.
        config: camera settings, and maximum frame rate of a page.
        run_name: name of the run, shown on the page.
        clock: returns monotonic time in seconds.

    Attributes:
        frame_rate: measures the rate of incoming frames.
        active_page: decides which page may send frames; `active_page.finished` is set when the user has finished.
    """

    def __init__(
        self, reader: Reader, config: LiveConfig, *, run_name: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.frame_rate = FrameRateMeter(clock=clock)
        self.active_page = ActivePage(
            config.web_fps,
            taken_over_message="Recognition continues in another window. Continue here, or close this window.",
            finished_message="This session is finished. Start aslkit live again.",
            clock=clock,
        )
        self._reader, self._config, self._run_name, self._clock = reader, config, run_name, clock
        # Requests run in several threads, but the landmarker is not thread-safe.
        self._recognition_lock = Lock()
        self._start_s = clock()
        self._closed = False
        self._keys = {"space": reader.space, "delete": reader.delete, "clear": reader.clear}

    def state(self) -> dict[str, Any]:
        """Return all values that a page needs to start, also after a reload."""
        config = self._config
        return {
            "run_name": self._run_name,
            "text": self._reader.text,
            "fps": config.web_fps,
            "camera": {"width": config.camera_width, "height": config.camera_height, "fps": config.camera_fps},
        }

    def join(self) -> dict[str, Any]:
        """Make a new page the active one.

        Returns:
            The state, and as "page" the identifier that the page must send with every request.

        Raises:
            RequestRefused: the session is finished.
        """
        page = self.active_page.claim()
        return self.state() | {"page": page}

    def process_frame(self, data: bytes) -> dict[str, Any]:
        """Read an encoded frame, JPEG or PNG, unmirrored.

        Raises:
            RequestRefused: the image cannot be decoded, or the session is finished.
        """
        frame = decode_upload(data)
        with self._recognition_lock:
            # Checked under the lock: after `close`, the landmarker may be freed at any time.
            if self._closed:
                raise self.active_page.finished_error()
            self.frame_rate.count()
            return _reading_values(self._reader.read(frame, self._clock() - self._start_s))

    def press_key(self, key: object) -> dict[str, Any]:
        """Insert a space, delete a character or clear the text, and return the state.

        Raises:
            RequestRefused: unknown key.
        """
        if not isinstance(key, str) or key not in self._keys:
            raise RequestRefused(422, f"Unknown key. Send one of {', '.join(self._keys)}.")
        self._keys[key]()
        return self.state()

    def finish(self) -> dict[str, Any]:
        """Finish the session, and return the text."""
        self.active_page.finished = True
        return {"text": self._reader.text}

    def close(self) -> None:
        """Wait until the current frame is read, and accept no further ones."""
        with self._recognition_lock:
            self._closed = True


def _reading_values(reading: Reading) -> dict[str, Any]:
    hand = None if reading.recognition is None else reading.recognition.hand
    return {
        "letter": reading.letter,
        "top_letters": [[letter, round(probability, 3)] for letter, probability in reading.top_letters],
        "progress": round(reading.progress, 3),
        "text": reading.text,
        "landmarks": None if hand is None else np.round(hand.landmarks[:, :2].astype(float), 4).tolist(),
        "box": None if hand is None else np.round(hand.box.astype(float), 4).tolist(),
    }
