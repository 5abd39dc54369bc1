"""The whole of `aslkit live`: a run, a source, and what shows it."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError
from aslkit.core.progress import OnMessage
from aslkit.live.config import LiveConfig
from aslkit.live.frame_loop import FrameLoop, open_stream
from aslkit.live.reader import OnEvent, Reader
from aslkit.live.recogniser import Recogniser
from aslkit.video.sources import LIVE_KINDS, camera_name, source_kind

CTRL_C: Final = "stopped with Ctrl-C"

_GLANCE_S: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class LiveResult:
    """How it went.

    Attributes:
        text: what was spelled.
        frames: how many were read.
        dropped: how many the source gave besides, for which there was no time.
        first_s: from the start to the first frame that was read, seconds; None where there was none, and in a browser.
        ended: why it ended.
    """

    text: str
    frames: int
    dropped: int
    first_s: float | None
    ended: str

    def as_json(self) -> dict[str, Any]:
        """The last of the JSON lines."""
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
    limit_s: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> LiveResult:
    """Read letters from a source until it ends, until q, or until Ctrl-C.

    Args:
        run: the folder that `aslkit train` wrote.
        source: as `aslkit.video.sources.open_source` takes it.
        config: the settings.
        on_event: is told each event as it happens.
        on_message: is told what the user must know, line by line.
        windowed: show a window.
        letter: what the synthetic signer shows.
        limit_s: end after so many seconds of frames; None for never.
        clock: seconds since any moment.

    Raises:
        InputError: no run, no such source.
        AslkitError: the model is damaged, the source cannot be read, there is no display.
    """
    began_s = clock()
    live_source = source_kind(source) in LIVE_KINDS
    with ExitStack() as stack:
        if windowed:
            from aslkit.live.window.window import require_display

            require_display()
        recogniser = stack.enter_context(Recogniser(run))
        warn_uncalibrated(run, recogniser, on_message)
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=config, on_event=on_event)
        stream = open_stream(source, config, letter=letter, paced=windowed and not live_source, patient=windowed)
        first: list[float] = []
        watching = FrameLoop(
            stream, reader, live=live_source, limit_s=limit_s, clock=clock,
            after=lambda reader, time_s: None if first else first.append(clock()),
        )  # fmt: skip
        stack.callback(watching.close)
        try:
            ended = _shown(reader, watching, run, source) if windowed else _waited(watching, on_message)
        except KeyboardInterrupt:
            ended = CTRL_C
        except AslkitError:  # as a camera that stays away; what was spelled is not lost with it
            if reader.text:
                on_message(f"Spelled until then: {reader.text}")
            raise
        watching.close()
        return LiveResult(
            text=reader.text, frames=reader.frames, dropped=stream.frames.dropped,
            first_s=round(first[0] - began_s, 3) if first else None, ended=ended,
        )  # fmt: skip


def warn_uncalibrated(run: Path, recogniser: Recogniser, on_message: OnMessage) -> None:
    """Say so where a model has no threshold: it would guess at every hand."""
    if not recogniser.contract.threshold:
        on_message(
            f"{run.name} has no threshold, and guesses at every hand, as when too few frames were left over in "
            "training to choose one. Record more, curate and train again."
        )


def _shown(reader: Reader, watching: FrameLoop, run: Path, source: str) -> str:
    from aslkit.live.window.window import show_live_window

    return show_live_window(reader, watching, about=(run.name, camera_name(source)))


def _waited(watching: FrameLoop, on_message: OnMessage) -> str:
    """Without a window: say when a camera is gone and when it is back."""
    trouble = None
    while not watching.finished.wait(_GLANCE_S):
        before, trouble = trouble, watching.stream.problem
        if bool(trouble) != bool(before):
            on_message(trouble or "It is back.")
    watching.check()
    return "the source ended"
