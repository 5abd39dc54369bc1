"""What the page may ask of a reader, without HTTP: values in, values out, `RequestRefused` with words where it cannot be."""

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
    """Where a page's frames are read. May be used from several threads.

    Args:
        reader: reads them.
        config: how many may come.
        about: what the page tells of the run.
        clock: seconds since any moment.

    Attributes:
        pace: how many frames came in, how fast.
        turns: whose turn it is; finished when the user has said so.
    """

    def __init__(
        self, reader: Reader, config: LiveConfig, *, about: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pace = FrameRateMeter(clock=clock)
        self.turns = ActivePage(
            config.web_fps,
            taken_over_message="Another window is being read. Take it back there, or close this one.",
            finished_message="This is finished. Start aslkit live again.",
            clock=clock,
        )
        self._reader, self._config, self._about, self._clock = reader, config, about, clock
        self._eyes = Lock()
        self._start_s = clock()
        self._closed = False
        self._keys = {"space": reader.space, "delete": reader.delete, "clear": reader.clear}

    def state(self) -> dict[str, Any]:
        """All that a page needs to begin, or to go on after a reload."""
        config = self._config
        return {
            "about": self._about,
            "text": self._reader.text,
            "fps": config.web_fps,
            "camera": {"width": config.camera_width, "height": config.camera_height, "fps": config.camera_fps},
        }

    def join(self) -> dict[str, Any]:
        """Take in a page: from now on, it is the one that is read. Returns the state, and `page`, its name.

        Raises:
            Refusal: all is over.
        """
        page = self.turns.claim()
        return self.state() | {"page": page}

    def frame(self, data: bytes) -> dict[str, Any]:
        """Read a frame, JPEG or PNG, unmirrored.

        Raises:
            Refusal: it cannot be decoded; or all is over.
        """
        frame = decode_upload(data)
        with self._eyes:
            if self._closed:
                raise self.turns.finished_error()
            self.pace.count()
            return _answer(self._reader.read(frame, self._clock() - self._start_s))

    def press(self, key: object) -> dict[str, Any]:
        """Put a space, delete a sign, or clear all.

        Raises:
            Refusal: there is no such key.
        """
        if not isinstance(key, str) or key not in self._keys:
            raise RequestRefused(422, f"Send a key: {', '.join(self._keys)}.")
        self._keys[key]()
        return self.state()

    def finish(self) -> dict[str, Any]:
        """End it, and return the text."""
        self.turns.finished = True
        return {"text": self._reader.text}

    def close(self) -> None:
        """Wait for the frame that is being read, and read no more."""
        with self._eyes:
            self._closed = True


def _answer(reading: Reading) -> dict[str, Any]:
    hand = None if reading.seen is None else reading.seen.hand
    return {
        "letter": reading.letter,
        "best": [[letter, round(share, 3)] for letter, share in reading.best],
        "share": round(reading.share, 3),
        "text": reading.text,
        "landmarks": None if hand is None else np.round(hand.landmarks[:, :2].astype(float), 4).tolist(),
        "box": None if hand is None else np.round(hand.box.astype(float), 4).tolist(),
    }
