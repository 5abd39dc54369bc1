"""The window of an exam: the prompted letter, the remaining time, and the prediction."""

import math
import time
from typing import Final

from aslkit.gui.drawing import BAD, GOOD, HINT, PANEL_WIDTH, Banner, draw_number
from aslkit.gui.window import run_window
from aslkit.live.exam.scoring import Exam, prompt_text
from aslkit.live.frame_loop import FrameLoop
from aslkit.live.reader import Reader
from aslkit.live.window.view import LiveView, draw_view
from aslkit.vision.images import Frame

TITLE: Final = "aslkit exam"
KEY_HELP: Final = "q  stop early; the score covers the letters so far"


def show_exam(exam: Exam, reader: Reader, frame_loop: FrameLoop) -> None:
    """Show the exam until it is done, or the user presses q or closes the window."""
    run_window(TITLE, _ExamView(exam, reader, frame_loop))


class _ExamView:
    """Handles the keys of the window, and builds its view. Implements `aslkit.gui.window.WindowView`."""

    def __init__(self, exam: Exam, reader: Reader, frame_loop: FrameLoop) -> None:
        self.end_reason: str | None = None
        self._exam, self._reader, self._frame_loop = exam, reader, frame_loop

    def update(self) -> None:
        self._frame_loop.check()
        if self._exam.phase == "done" or self._frame_loop.finished.is_set():
            self.end_reason = "done"

    def handle_key(self, key: int) -> None:
        if key >= 0 and key & 0xFFFF in (ord("q"), ord("Q")):
            self.end_reason = "stopped with q"

    def render(self) -> Frame:
        exam = self._exam
        remaining_s = math.ceil(exam.remaining_s(self._reader.now_s))
        banners = [Banner(text=prompt_text(exam), colour=GOOD if exam.phase == "sign" else HINT)]
        if problem := self._frame_loop.stream.problem:
            banners = [Banner(text=problem, colour=BAD)]
        info = (f"{len(exam.results)} of {len(exam.prompts)} letters", time.strftime("%H:%M"))
        image = draw_view(
            LiveView(
                reading=self._reader.reading,
                info=info,
                banners=tuple(banners),
                key_help=KEY_HELP,
                prompt=exam.letter,
            )
        )
        if exam.phase in ("ready", "rest"):
            draw_number(image[:, : image.shape[1] - PANEL_WIDTH], remaining_s)
        return image
