"""A window on this machine's screen: whether there can be one, and the loop that shows it and hears its keys."""

import os
import subprocess
import sys
from typing import Final, Protocol

import cv2

from aslkit.vision.images import Frame

CLOSED: Final = "the window was closed"

_WAIT_MS: Final = 5


class WindowView(Protocol):
    """What a window shows.

    Attributes:
        ended: why it is over; None while it is not.
    """

    ended: str | None

    def follow(self) -> None:
        """Take note of what happened since the last time."""

    def picture(self) -> Frame:
        """What to show now, BGR, uint8 (height, width, 3)."""

    def press(self, key: int) -> None:
        """Do what a key means, as `cv2.waitKeyEx` tells it; -1 is none."""


def display_works() -> bool:
    """Whether a window can be opened: tried in another process, for without a display Qt ends the one it is in."""
    if sys.platform != "linux":
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    code = "import cv2; cv2.namedWindow('aslkit'); cv2.destroyAllWindows()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def run_window(title: str, shown: WindowView) -> None:
    """Show it until it has ended, or the window is closed.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)  # without Qt's toolbar
    try:
        while shown.ended is None:
            shown.follow()
            cv2.imshow(title, shown.picture())
            shown.press(cv2.waitKeyEx(_WAIT_MS))
            if cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                shown.ended = CLOSED
    finally:
        cv2.destroyAllWindows()
