"""Cameras that vanish, frames of any shape and rate, keys at any time: no crash, no stuck letter, clear words."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import count
from pathlib import Path
from threading import Event as Flag
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import AslkitError
from aslkit.core.letters import LETTERS
from aslkit.gui.drawing import KEY_HELP_HEIGHT
from aslkit.live.config import LiveConfig
from aslkit.live.frame_loop import FrameLoop
from aslkit.live.reader import Reader
from aslkit.live.recogniser import Recognised
from aslkit.live.run import live
from aslkit.live.speller import Event
from aslkit.live.text_output import copy_text, speak_text
from aslkit.live.window.view import LiveView, draw_view
from aslkit.live.window.window import WindowController
from aslkit.video import sources
from aslkit.video.sources import SourceFrame, SourceLost
from aslkit.video.stream import Stream
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import PreprocessConfig

HAND = Hand(
    landmarks=np.random.default_rng(0).uniform(0.3, 0.7, (21, 3)).astype(np.float32), handedness="right", score=1
)


class Says:
    """A recogniser that reads the letter off a frame's first pixel; 255 is no hand, 254 a hand that says nothing.

    From 100 on it says the letter, but holds a hand at rest for likelier.
    """

    def recognise(self, frame: Frame) -> Recognised:
        assert frame.ndim == 3
        sign = int(frame[0, 0, 0])
        if resting := 100 <= sign < 124:
            sign -= 100
        said = np.full(24, 0.001 if sign < 24 else 1 / 24, np.float32)
        if sign < 24:
            said[sign] = 0.98
        if sign == 255:
            return Recognised(hand=None, letter=None, probabilities=np.zeros(24, np.float32), refused=True)
        letter = LETTERS[int(said.argmax())]
        return Recognised(hand=HAND, letter=letter, probabilities=said, refused=sign >= 24, is_rest=resting)


def frame_of(letter: str, size: tuple[int, int] = (64, 48)) -> Frame:
    sign = {".": 254, " ": 255, "m": 100 + LETTERS.index("M")}.get(letter)
    if sign is None:
        sign = LETTERS.index(letter) if letter in LETTERS else 0
    return np.full((size[1], size[0], 3), sign, np.uint8)


@pytest.fixture
def heard() -> list[Event]:
    return []


@pytest.fixture
def reader(heard: list[Event]) -> Reader:
    contract = PreprocessConfig(kind="landmarks", threshold=0.9)
    return Reader(recogniser=Says(), contract=contract, config=load_settings("live", LiveConfig), on_event=heard.append)


def played(*takes: Any) -> Any:
    """A source that does one take each time that it is opened: frames of letters, then an error where one is given."""
    left = list(takes)

    @contextmanager
    def opened() -> Iterator[Iterator[SourceFrame]]:
        def frames(take: Any) -> Iterator[SourceFrame]:
            for number, step in enumerate(take):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Flag):
                    step.wait(10)
                    continue
                yield SourceFrame(image=frame_of(step), name=str(number), time_s=number / 30, captured_at=None)

        yield frames(left.pop(0))

    return opened


def test_a_video_is_read_in_its_own_time(reader: Reader, heard: list[Event]) -> None:
    watching = FrameLoop(Stream(played("A" * 20 + "." * 12 + "A" * 20), live=False), reader, live=False)
    assert watching.finished.wait(10)
    watching.check()
    watching.close()
    assert reader.text == "AA"
    assert [event.kind for event in heard] == ["hand", "letter", "letter"]


def test_a_hand_that_rests_says_no_letter(reader: Reader) -> None:
    watching = FrameLoop(Stream(played("A" * 20 + "m" * 40 + "A" * 20), live=False), reader, live=False)
    assert watching.finished.wait(10)
    watching.check()
    watching.close()
    assert reader.text == "AA"


def test_a_camera_that_is_gone_and_back_goes_on(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.0)
    lost = SourceLost("The camera gives no more frames.")
    watching = FrameLoop(Stream(played(["A"] * 20 + [lost], ["B"] * 20), live=False), reader, live=False)
    assert watching.finished.wait(10)
    watching.check()
    assert reader.text == "AB"  # its clock began anew, and nothing was carried over


def test_a_camera_that_stays_away_does_not_cost_what_was_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.01)
    source = played(["A"] * 20 + [SourceLost("The camera is gone.")], *[[AslkitError("It cannot be opened.")]] * 99)
    says = SimpleNamespace(contract=PreprocessConfig(kind="landmarks", threshold=0.9), recognise=Says().recognise)
    monkeypatch.setattr("aslkit.live.run.Recogniser", lambda run: nullcontext(says))
    stream = Stream(source, live=False, reconnect_timeout_s=0.1)
    monkeypatch.setattr("aslkit.live.run.open_stream", lambda *_, **__: stream)
    warned: list[str] = []
    ticks = count()
    with pytest.raises(AslkitError, match="cannot be opened"):
        live(
            Path("run"), source="0", config=load_settings("live", LiveConfig), on_event=lambda event: None, on_message=warned.append,
            windowed=False, clock=lambda: next(ticks) / 30,
        )  # fmt: skip
    assert warned[-1] == "Spelled until then: A"


def test_a_camera_that_stays_away_is_told(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.01)
    source = played(["A", SourceLost("The camera is gone.")], *[[AslkitError("It cannot be opened.")]] * 99)
    watching = FrameLoop(Stream(source, live=True, reconnect_timeout_s=0.1), reader, live=True)
    assert watching.finished.wait(10)
    watching.stream.ended.wait(10)
    with pytest.raises(AslkitError, match="The camera is gone"):
        watching.check()


@pytest.mark.parametrize("size", [(3840, 2160), (160, 120), (480, 640), (1, 1)])
def test_frames_of_any_size_are_read_and_drawn(reader: Reader, size: tuple[int, int]) -> None:
    reading = reader.read(frame_of("A", size), 0.0)
    picture = draw_view(LiveView(reading=reading, about=("run", "camera 0", "30 frames a second")))
    assert picture.dtype == np.uint8
    assert picture.shape[1] >= 1000
    assert picture.shape[0] > KEY_HELP_HEIGHT


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_grey_and_four_channel_cameras_become_colour(shape: tuple[int, ...]) -> None:
    assert sources._to_bgr(np.zeros(shape, np.uint8), "0").shape == (48, 64, 3)


def test_what_is_refused_shows_nothing(reader: Reader) -> None:
    assert reader.read(frame_of("."), 0.0).letter is None
    nothing = reader.read(frame_of(" "), 0.1)
    assert (nothing.letter, nothing.best) == (None, ())
    letter = reader.read(frame_of("A"), 0.2)
    assert letter.letter == "A"
    assert letter.best[0][0] == "A"
    assert len(letter.best) == 3


def test_hands_that_come_and_go_a_thousand_times(reader: Reader, heard: list[Event]) -> None:
    for number in range(1000):
        for frame in range(16):
            reader.read(frame_of("L" if frame < 10 else " "), (16 * number + frame) / 15)
    assert sum(event.kind == "letter" for event in heard) == 1000
    assert reader.reading.letter is None


def test_keys_of_the_window(reader: Reader) -> None:
    waits = Flag()
    watching = FrameLoop(Stream(played([waits]), live=False), reader, live=False)
    told: list[str] = []

    def silent(text: str) -> None:
        raise AslkitError("There is no voice on this system.")

    desk = WindowController(reader, watching, about=("run",), hand_on=(silent, told.append))
    for number in range(20):
        reader.read(frame_of("A"), number / 30)
    before = desk.render()
    desk.handle_key(-1)
    desk.handle_key(ord(" "))
    assert reader.text == "A "
    desk.handle_key(8)
    desk.handle_key(ord("c"))
    assert told == ["A"]
    desk.handle_key(ord("s"))
    assert (desk.render()[:100] != before[:100]).any() or (desk.render() != before).any()
    desk.handle_key(ord("x"))
    assert reader.text == ""
    desk.handle_key(ord("q"))
    assert desk.end_reason == "stopped with q"
    waits.set()
    watching.close()


def test_without_voice_or_clipboard_it_says_what_to_install() -> None:
    with pytest.raises(AslkitError, match="Install espeak-ng"):
        speak_text("A", find=lambda name: None)
    with pytest.raises(AslkitError, match="Install xclip"):
        copy_text("A", find=lambda name: None)


@pytest.mark.parametrize("windowed", [True, False])
def test_the_time_to_the_first_frame_is_told_with_a_window_and_without(
    windowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recogniser = SimpleNamespace(recognise=Says().recognise, contract=PreprocessConfig(kind="landmarks", threshold=0.9))
    stream = Stream(played("A" * 20), live=False)
    monkeypatch.setattr("aslkit.live.run.Recogniser", lambda run: nullcontext(recogniser))
    monkeypatch.setattr("aslkit.live.run.open_stream", lambda *_, **__: stream)
    monkeypatch.setattr("aslkit.live.window.window.display_works", lambda: True)
    monkeypatch.setattr(
        "aslkit.live.window.window.show_live_window", lambda reader, watching, about: str(watching.finished.wait(10))
    )
    lived = live(
        tmp_path, source=str(tmp_path), config=load_settings("live", LiveConfig), on_event=lambda event: None, on_message=pytest.fail,
        windowed=windowed, clock=count().__next__,
    )  # fmt: skip
    assert (lived.frames, lived.text) == (20, "A")
    assert lived.first_s is not None
    assert lived.first_s > 0
