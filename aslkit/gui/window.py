"""Opens an OpenCV window and runs its event loop."""

import os
import subprocess
import sys
from typing import Final, Protocol

import cv2

from aslkit.vision.images import Frame

_WINDOW_CLOSED: Final = "the window was closed"

_KEY_WAIT_MS: Final = 5


class WindowView(Protocol):
    """The content of a window.

    Attributes:
        end_reason: why the window has ended; None while it is open.
    """

    end_reason: str | None

    def update(self) -> None:
        """Process what has happened since the last call."""

    def render(self) -> Frame:
        """Return the current image, BGR, uint8 (height, width, 3)."""

    def handle_key(self, key: int) -> None:
        """Handle a key code from `cv2.waitKeyEx`; -1 means that no key was pressed."""


def display_works() -> bool:
    """Return whether a window can be opened.

    Tested in a subprocess, because Qt aborts the process if there is no display.
    """
    if sys.platform != "linux":
        return True
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    code = "import cv2; cv2.namedWindow('aslkit'); cv2.destroyAllWindows()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def run_window(title: str, view: WindowView) -> None:
    """Show the view in a window until it ends or the user closes the window.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)  # WINDOW_GUI_NORMAL hides Qt's toolbar
    try:
        while view.end_reason is None:
            view.update()
            cv2.imshow(title, view.render())
            # OpenCV only processes events here. waitKey would cut a key to one byte, and an arrow would be a letter.
            view.handle_key(cv2.waitKeyEx(_KEY_WAIT_MS))
            # Without this check, imshow would open a closed window again.
            if cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) < 1:
                view.end_reason = _WINDOW_CLOSED
    finally:
        cv2.destroyAllWindows()
