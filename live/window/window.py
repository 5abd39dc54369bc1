"""The window of `aslkit live`: handles keys, and combines camera image, recognised letter and text into the view."""

import time
from collections.abc import Callable
from typing import Final

from aslkit.core.errors import AslkitError
from aslkit.gui.drawing import BAD, GOOD, HINT, Banner
from aslkit.gui.window import display_works, run_window
from aslkit.live.frame_loop import SOURCE_ENDED, FrameLoop
from aslkit.live.reader import Reader
from aslkit.live.text_output import copy_text, speak_text
from aslkit.live.window.view import LiveView, draw_view
from aslkit.vision.images import Frame

TITLE: Final = "aslkit live"
NO_DISPLAY: Final = (
    "No display found for the window. "
    "Add --no-preview to run without a window, or --web to show the recogniser in a browser."
)
STOPPED: Final = "stopped with q"

_NOTE_DURATION_S: Final = 2.5
_FPS_UPDATE_INTERVAL_S: Final = 0.5
_BACKSPACE_KEYS: Final = (8, 127)
"""Key codes of Backspace, which differ between window systems."""


def require_display(error_message: str = NO_DISPLAY) -> None:
    """Check that a window can be opened, before the model is loaded and the camera is opened.

    Raises:
        AslkitError: there is no display.
    """
    if not display_works():
        raise AslkitError(error_message)


def show_live_window(reader: Reader, frame_loop: FrameLoop, *, info: tuple[str, ...]) -> str:
    """Show the window until the user closes it or presses q, or the source ends; return the reason.

    Args:
        reader: reads the frames.
        frame_loop: passes the frames to the reader.
        info: short lines that name run and source.

    Raises:
        AslkitError: the source failed.
    """
    controller = WindowController(reader, frame_loop, info=info)
    run_window(TITLE, controller)
    return controller.end_reason or SOURCE_ENDED


class WindowController:
    """Handles the keys of the window, and builds its view.

    Args:
        reader: reads the frames.
        frame_loop: passes the frames to the reader.
        info: short lines that name run and source.
        clock: returns monotonic time in seconds.
        speak: speaks the text.
        copy: copies the text to the clipboard.

    Attributes:
        end_reason: why the window has ended; None while it is open.
    """

    def __init__(
        self,
        reader: Reader,
        frame_loop: FrameLoop,
        *,
        info: tuple[str, ...],
        clock: Callable[[], float] = time.monotonic,
        speak: Callable[[str], None] = speak_text,
        copy: Callable[[str], None] = copy_text,
    ) -> None:
        self.end_reason: str | None = None
        self._reader, self._frame_loop, self._info, self._clock = reader, frame_loop, info, clock
        self._note, self._note_until_s = Banner(text="", colour=HINT), 0.0
        self._fps_text, self._fps_updated_s = "", -_FPS_UPDATE_INTERVAL_S
        self._keys: dict[str, Callable[[], None]] = {
            " ": reader.space,
            "\t": reader.take_suggestion,
            "u": reader.undo,
            "x": reader.clear,
            "s": lambda: self._output_text(speak, "Spoken."),
            "c": lambda: self._output_text(copy, "Copied."),
            "q": self._quit,
        }

    def update(self) -> None:
        """End the window if the source has ended.

        Raises:
            AslkitError: the source failed.
        """
        self._frame_loop.check()
        if self._frame_loop.finished.is_set():
            self.end_reason = SOURCE_ENDED

    def handle_key(self, key: int) -> None:
        """Handle a key code; -1 means no key."""
        code = key & 0xFFFF  # the upper bits are modifiers
        if key >= 0 and code in _BACKSPACE_KEYS:
            self._reader.delete()
        elif key >= 0 and code < 0x80 and (act := self._keys.get(chr(code).lower())):
            act()

    def render(self) -> Frame:
        """Return the current image of the window, BGR, uint8 (height, width, 3)."""
        now_s = self._clock()
        if now_s - self._fps_updated_s >= _FPS_UPDATE_INTERVAL_S:
            rates, latency_s = self._frame_loop.stream.frame_rates(), self._reader.reading.latency_s
            self._fps_updated_s = now_s
            self._fps_text = f"{rates[0]:.0f} frames/s, {latency_s * 1000:.0f} ms per frame" if rates else ""
        banners = [self._note] if now_s < self._note_until_s else []
        # A camera without image makes all other messages outdated.
        if problem := self._frame_loop.stream.problem:
            banners = [Banner(text=problem, colour=BAD)]
        return draw_view(
            LiveView(reading=self._reader.reading, info=(*self._info, self._fps_text), banners=tuple(banners))
        )

    def _output_text(self, output: Callable[[str], None], success_message: str) -> None:
        try:
            output(self._reader.text)
            self._show_note(success_message, GOOD)
        except AslkitError as error:
            self._show_note(error.message, BAD)

    def _show_note(self, text: str, colour: tuple[int, int, int]) -> None:
        self._note, self._note_until_s = Banner(text=text, colour=colour), self._clock() + _NOTE_DURATION_S

    def _quit(self) -> None:
        self.end_reason = STOPPED
