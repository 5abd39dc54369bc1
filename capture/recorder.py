"""Recording frames of one letter from a source."""

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final, Protocol

from aslkit.captures import SessionInfo
from aslkit.config import check_number, check_whole
from aslkit.errors import AslkitError
from aslkit.files import write_bytes
from aslkit.images import Frame, encode_jpeg
from aslkit.progress import bar
from aslkit.sources import SourceFrame, opened
from aslkit.workspace import Workspace

_HALF_A_TICK_S: Final = 0.002
"""Frames come at multiples of 1/fps, which do not add up exactly in binary."""


@dataclass(frozen=True, kw_only=True)
class CaptureConfig:
    """How to record; see configs/default.toml for the values and their reasons."""

    count: int
    interval_s: float
    jpeg_quality: int

    def __post_init__(self) -> None:
        """Check every value once."""
        check_whole("count", self.count, 1, 1_000_000)
        check_number("interval_s", self.interval_s, 0, 3600)
        check_whole("jpeg_quality", self.jpeg_quality, 1, 100)


@dataclass(kw_only=True)
class Recorded:
    """What a recording did: where it went, how many frames it stored, and why it ended."""

    folder: Path
    stored: list[Path] = field(default_factory=list)
    ended: str = "all recorded"


class Show(Protocol):
    """Show a frame; return False when the user wants to stop."""

    def __call__(self, frame: Frame, stored: int) -> bool:
        """Show it."""


Screen = Callable[[str, int], AbstractContextManager[Show]]
"""Given letter and goal, what is shown while recording."""


def record(
    letter: str,
    *,
    source: str,
    workspace: Workspace,
    info: SessionInfo,
    config: CaptureConfig,
    screen: Screen,
) -> Recorded:
    """Store `config.count` frames of a letter; Ctrl-C or a source that ends sooner keeps what is stored.

    Args:
        letter: one of the 24.
        source: as `aslkit.sources.opened` takes it.
        workspace: where to.
        info: who is recorded, when, with what.
        config: how many frames, how far apart.
        screen: what the user sees meanwhile: `window`, `progress` or `nothing`.

    Raises:
        AslkitError: the source cannot be read, or there is no display for the preview.
    """
    folder = workspace.captures / info.signer / info.session / letter
    result = Recorded(folder=folder)
    # A second recording of the synthetic signer goes on with other frames than the first.
    seed = len(list(folder.iterdir())) if folder.is_dir() else 0
    with opened(
        source, letter=letter, signer=info.signer, session=info.session, seed=seed, interval_s=config.interval_s
    ) as frames:
        info.save(workspace.captures)
        with screen(letter, config.count) as show:
            try:
                _store(frames, folder, config, show, result)
            except KeyboardInterrupt:
                result.ended = "stopped with Ctrl-C"
    if not result.stored and result.ended == "the source ended":
        raise AslkitError(f"{source} gave no frames. Try it in a player, or give another source.")
    return result


def _store(frames: Iterator[SourceFrame], folder: Path, config: CaptureConfig, show: Show, result: Recorded) -> None:
    result.ended = "the source ended"
    due_s = -math.inf
    for frame in frames:
        if frame.time_s is None or frame.time_s >= due_s:
            path = _free_name(folder, frame.name)
            write_bytes(path, encode_jpeg(frame.image, quality=config.jpeg_quality))
            result.stored.append(path)
            due_s = (frame.time_s or 0.0) + config.interval_s - _HALF_A_TICK_S
        go_on = show(frame.image, len(result.stored))
        if len(result.stored) == config.count or not go_on:
            result.ended = "all recorded" if len(result.stored) == config.count else "stopped with q"
            return


def _free_name(folder: Path, name: str) -> Path:
    places = (folder / f"{name}{f'-{n}' if n else ''}.jpg" for n in count())
    return next(place for place in places if not place.exists())


@contextmanager
def nothing(letter: str, goal: int) -> Iterator[Show]:
    """Show nothing."""
    yield lambda frame, stored: True


@contextmanager
def progress(letter: str, goal: int) -> Iterator[Show]:
    """Show a bar on the terminal."""
    with bar(f"Recording {letter}", goal) as advance:
        shown = 0

        def show(frame: Frame, stored: int) -> bool:
            nonlocal shown
            advance(stored - shown)
            shown = stored
            return True

        yield show


def _display_works() -> bool:
    """Whether a window can be opened: tried in another process, for without a display Qt ends the one it is in."""
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    code = "import cv2; cv2.namedWindow('aslkit'); cv2.destroyAllWindows()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@contextmanager
def window(letter: str, goal: int) -> Iterator[Show]:
    """Show the mirrored picture in a window; q in it stops.

    Raises:
        AslkitError: there is no display.
    """
    import cv2

    if sys.platform == "linux" and not _display_works():
        raise AslkitError("There is no display for the preview window. Add --no-preview to record without one.")
    title = "aslkit capture"
    cv2.namedWindow(title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)  # without Qt's toolbar

    def show(frame: Frame, stored: int) -> bool:
        mirror = frame[:, ::-1].copy()
        text = f"{letter}  {stored} of {goal}   q: stop"
        for colour, thickness in (((0, 0, 0), 5), ((255, 255, 255), 2)):
            cv2.putText(mirror, text, (12, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.9, colour, thickness, cv2.LINE_AA)
        cv2.imshow(title, mirror)
        return cv2.waitKey(1) & 0xFF != ord("q")

    try:
        yield show
    finally:
        cv2.destroyAllWindows()
