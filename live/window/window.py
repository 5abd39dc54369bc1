"""The window of `aslkit live`: what the camera sees, as in a mirror, the letter, and the text."""

import time
from collections.abc import Callable
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.gui.drawing import BAD, GOOD, HINT, Banner
from aslkit.gui.window import display_works, run_window
from aslkit.live.frame_loop import FrameLoop
from aslkit.live.reader import Reader
from aslkit.live.text_output import copy_text, speak_text
from aslkit.live.window.view import LiveView, draw_view
from aslkit.vision.images import Frame

TITLE: Final = "aslkit live"
NO_DISPLAY: Final = (
    "There is no display for the window. Add --no-preview to read without one, or --web to show it in a browser."
)
ENDED: Final = "stopped with q"
SOURCE_ENDED: Final = "the source ended"

_NOTE_S: Final = 2.5
_RATE_EVERY_S: Final = 0.5
_BACKSPACES: Final = (8, 127)


def require_display(without: str = NO_DISPLAY) -> None:
    """Raise AslkitError, in these words, where no window can be opened: before the camera is, and the model loaded."""
    if not display_works():
        raise AslkitError(without)


def show_live_window(reader: Reader, watching: FrameLoop, *, about: tuple[str, ...]) -> str:
    """Show it until q, until the window is closed or the source ends; return why it ended."""
    desk = WindowController(reader, watching, about=about)
    run_window(TITLE, desk)
    return desk.end_reason or SOURCE_ENDED


class WindowController:
    """What the keys do and what the window shows.

    Args:
        reader: whose text it is.
        watching: gives it frames.
        about: lines that name run and source.
        clock: seconds since any moment.
        hand_on: what speaks and what copies a text.

    Attributes:
        ended: why it is over; None while it is not.
    """

    def __init__(
        self,
        reader: Reader,
        watching: FrameLoop,
        *,
        about: tuple[str, ...],
        clock: Callable[[], float] = time.monotonic,
        hand_on: tuple[Callable[[str], None], Callable[[str], None]] = (speak_text, copy_text),
    ) -> None:
        self.end_reason: str | None = None
        self._reader, self._watching, self._about, self._clock = reader, watching, about, clock
        self._note, self._until_s = Banner(text="", colour=HINT), 0.0
        self._rate, self._rate_s = "", -_RATE_EVERY_S
        say, put = hand_on
        self._keys: dict[str, Callable[[], None]] = {
            " ": reader.space,
            "x": reader.clear,
            "s": lambda: self._hand_on(say, "Spoken."),
            "c": lambda: self._hand_on(put, "Copied."),
            "q": self._quit,
        }

    def update(self) -> None:
        """Take note of a source that ended, or failed."""
        self._watching.check()
        if self._watching.finished.is_set():
            self.end_reason = SOURCE_ENDED

    def handle_key(self, key: int) -> None:
        """Do what a key means; -1 is none."""
        code = key & 0xFFFF
        if key >= 0 and code in _BACKSPACES:
            self._reader.delete()
        elif key >= 0 and code < 0x80 and (act := self._keys.get(chr(code).lower())):
            act()

    def render(self) -> Frame:
        """What to show now, BGR, uint8."""
        now_s = self._clock()
        if now_s - self._rate_s >= _RATE_EVERY_S:
            rates, latency_s = self._watching.stream.frame_rates(), self._reader.reading.latency_s
            self._rate_s = now_s
            self._rate = f"{rates[0]:.0f} frames a second, {latency_s * 1000:.0f} ms each" if rates else ""
        banners = [self._note] if now_s < self._until_s else []
        if trouble := self._watching.stream.problem:
            banners = [Banner(text=trouble, colour=BAD)]
        return draw_view(
            LiveView(reading=self._reader.reading, about=(*self._about, self._rate), banners=tuple(banners))
        )

    def _hand_on(self, to: Callable[[str], None], done: str) -> None:
        try:
            to(self._reader.text)
            self._say(done, GOOD)
        except AslkitError as error:
            self._say(error.message, BAD)

    def _say(self, text: str, colour: tuple[int, int, int]) -> None:
        self._note, self._until_s = Banner(text=text, colour=colour), self._clock() + _NOTE_S

    def _quit(self) -> None:
        self.end_reason = ENDED
