"""The exam's window: the letter to sign, how long there is, and what the model says."""

import math
import time
from typing import Final

from aslkit.gui.drawing import BAD, GOOD, HINT, Banner, draw_number
from aslkit.gui.window import run_window
from aslkit.live.exam.run import prompt_text
from aslkit.live.exam.scoring import Exam
from aslkit.live.frame_loop import FrameLoop
from aslkit.live.reader import Reader
from aslkit.live.window.view import LiveView, draw_view
from aslkit.vision.images import Frame

TITLE: Final = "aslkit exam"
KEYS: Final = "q  end early: what was asked until now is scored"


def show_exam(sitting: Exam, reader: Reader, watching: FrameLoop) -> None:
    """Show the exam until it is done, until q, or until the window is closed."""
    run_window(TITLE, _Desk(sitting, reader, watching))


class _Desk:
    """What the window shows."""

    def __init__(self, sitting: Exam, reader: Reader, watching: FrameLoop) -> None:
        self.end_reason: str | None = None
        self._sitting, self._reader, self._watching = sitting, reader, watching

    def update(self) -> None:
        self._watching.check()
        if self._sitting.phase == "done" or self._watching.finished.is_set():
            self.end_reason = "done"

    def handle_key(self, key: int) -> None:
        if key >= 0 and key & 0xFFFF in (ord("q"), ord("Q")):
            self.end_reason = "stopped with q"

    def render(self) -> Frame:
        sitting = self._sitting
        left = math.ceil(sitting.left_s(self._reader.now_s))
        banners = [Banner(text=prompt_text(sitting), colour=GOOD if sitting.phase == "sign" else HINT)]
        if trouble := self._watching.stream.problem:
            banners = [Banner(text=trouble, colour=BAD)]
        about = (f"{len(sitting.answers)} of {len(sitting.asked)} letters", time.strftime("%H:%M"))
        picture = draw_view(
            LiveView(reading=self._reader.reading, about=about, banners=tuple(banners), keys=KEYS, line=sitting.letter)
        )
        if sitting.phase in ("ready", "rest"):
            draw_number(picture[:, : picture.shape[1] - 300], left)
        return picture
