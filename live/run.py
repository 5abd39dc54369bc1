"""Runs `aslkit live`: reads fingerspelling from a source, with or without a window."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.progress import OnMessage
from aslkit.live.config import LiveConfig
from aslkit.live.frame_loop import SOURCE_ENDED, FrameLoop, open_stream
from aslkit.live.reader import OnEvent, Reader
from aslkit.live.recogniser import Recogniser
from aslkit.live.words.lexicon import load_words
from aslkit.video.source_kind import LIVE_KINDS, camera_name, source_kind

CTRL_C: Final = "stopped with Ctrl-C"

_POLL_INTERVAL_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class LiveResult:
    """The result of `aslkit live`.

    Attributes:
        text: text that was spelled.
        frames: number of frames read.
        dropped: number of frames that the source delivered while an earlier one was still being processed.
        first_s: time from the start to the first frame that was read, seconds; None without frames, and in a browser.
        ended: why recognition ended.
    """

    text: str
    frames: int
    dropped: int
    first_s: float | None
    ended: str

    def to_dict(self) -> dict[str, Any]:
        """Return the values of the last JSON line."""
        return {"event": "end", "text": self.text, "frames": self.frames, "dropped": self.dropped,
                "first_s": self.first_s, "ended": self.ended}  # fmt: skip


def live(
    run: Path,
    *,
    source: str,
    config: LiveConfig,
    on_event: OnEvent,
    on_message: OnMessage,
    windowed: bool,
    letter: str = "A",
    mirrored: bool = False,
    limit_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LiveResult:
    """Read fingerspelling until the source ends or the user presses q or Ctrl-C.

    Args:
        run: run folder, as written by `aslkit train`.
        source: see `aslkit.video.sources.open_source`.
        config: settings of live recognition.
        on_event: called with each event.
        on_message: called with each line that the user should read.
        windowed: show a window.
        letter: letter that the synthetic signer shows.
        mirrored: whether the source is mirrored, as a selfie. Its frames are unmirrored.
        limit_s: stop after this many seconds of frames; None for no limit.
        clock: returns monotonic time in seconds.

    Raises:
        InputError: the run or the source does not exist.
        AslkitError: the model is damaged, the source cannot be read, or there is no display.
    """
    start_s = clock()
    live_source = source_kind(source) in LIVE_KINDS
    with ExitStack() as stack:
        if windowed:
            from aslkit.live.window.window import require_display

            require_display()
        recogniser = stack.enter_context(Recogniser(run, consecutive=source_kind(source) != "folder"))
        warn_uncalibrated(run, recogniser, on_message)
        reader = Reader(
            recogniser=recogniser, contract=recogniser.contract, config=config, on_event=on_event,
            motion=recogniser.create_motion_reader(), lexicon=load_words(config),
        )  # fmt: skip
        stream = open_stream(
            source, config, letter=letter, paced=windowed and not live_source, wait_forever=windowed,
            mirrored=mirrored, on_message=on_message,
        )  # fmt: skip
        # A list, because the thread of the loop appends to it.
        first_frame_s: list[float] = []
        frame_loop = FrameLoop(
            stream, reader, live=live_source, limit_s=limit_s, clock=clock,
            on_frame=lambda reader, time_s: None if first_frame_s else first_frame_s.append(clock()),
        )  # fmt: skip
        # Closed before the recogniser (last in, first out), because its thread uses the landmarker.
        stack.callback(frame_loop.close)
        try:
            if windowed:
                end_reason = _show_window(reader, frame_loop, run, source)
            else:
                end_reason = _wait_for_end(frame_loop, on_message)
        except KeyboardInterrupt:
            end_reason = CTRL_C
        except AslkitError:  # such as a camera that did not come back; do not lose the text
            if reader.text:
                on_message(f"Text spelled so far: {reader.text}")
            raise
        frame_loop.close()
        return LiveResult(
            text=reader.text, frames=reader.frames, dropped=stream.frames.dropped,
            first_s=round(first_frame_s[0] - start_s, 3) if first_frame_s else None, ended=end_reason,
        )  # fmt: skip


def warn_uncalibrated(run: Path, recogniser: Recogniser, on_message: OnMessage) -> None:
    """Warn the user if a model has no threshold, and therefore predicts a letter for every hand."""
    if not recogniser.contract.threshold:
        on_message(
            f"{run.name} has no threshold, so it predicts a letter for every hand. Its dataset was probably too small "
            "to choose one. Record more images, curate and train again."
        )


def _show_window(reader: Reader, frame_loop: FrameLoop, run: Path, source: str) -> str:
    from aslkit.live.window.window import show_live_window

    return show_live_window(reader, frame_loop, info=(run.name, camera_name(source)))


def _wait_for_end(frame_loop: FrameLoop, on_message: OnMessage) -> str:
    """Wait until the source has ended. Report when a camera is lost and when it is back."""
    problem = None
    while not frame_loop.finished.wait(_POLL_INTERVAL_S):
        previous, problem = problem, frame_loop.stream.problem
        if bool(problem) != bool(previous):
            on_message(problem or "The camera is back.")
    frame_loop.check()
    return SOURCE_ENDED
