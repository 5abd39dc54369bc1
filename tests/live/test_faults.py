"""Lost cameras, unusual frames, and keys at any time cause no crash and no stuck letter."""

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
from aslkit.live.recogniser import Recognition
from aslkit.live.run import live
from aslkit.live.speller import Event
from aslkit.live.text_output import copy_text, speak_text
from aslkit.live.window.view import LiveView, draw_view
from aslkit.live.window.window import WindowController
from aslkit.video.source_frame import SourceFrame, SourceLost, to_bgr
from aslkit.video.stream import Stream
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from aslkit.vision.preprocess import PreprocessConfig

HAND = Hand(
    landmarks=np.random.default_rng(0).uniform(0.3, 0.7, (21, 3)).astype(np.float32), handedness="right", score=1
)


class PixelRecogniser:
    """Decodes the letter from the first pixel of a frame: 255 is no hand, 254 a hand without a letter.

    From 100 on, a rest pose is more probable than the letter.
    """

    def recognise(self, frame: Frame) -> Recognition:
        assert frame.ndim == 3
        code = int(frame[0, 0, 0])
        if is_rest := 100 <= code < 124:
            code -= 100
        probabilities = np.full(24, 0.001 if code < 24 else 1 / 24, np.float32)
        if code < 24:
            probabilities[code] = 0.98
        if code == 255:
            return Recognition(hand=None, letter=None, probabilities=np.zeros(24, np.float32), rejected=True)
        letter = LETTERS[int(probabilities.argmax())]
        return Recognition(hand=HAND, letter=letter, probabilities=probabilities, rejected=code >= 24, is_rest=is_rest)


def make_frame(character: str, size: tuple[int, int] = (64, 48)) -> Frame:
    """Return a frame of a letter; "." is a hand without a letter, " " no hand, "m" a rest pose."""
    code = {".": 254, " ": 255, "m": 100 + LETTERS.index("M")}.get(character)
    if code is None:
        code = LETTERS.index(character) if character in LETTERS else 0
    return np.full((size[1], size[0], 3), code, np.uint8)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def reader(events: list[Event]) -> Reader:
    contract = PreprocessConfig(kind="landmarks", threshold=0.9)
    return Reader(
        recogniser=PixelRecogniser(),
        contract=contract,
        config=load_settings("live", LiveConfig),
        on_event=events.append,
    )


def fake_source(*scripts: Any) -> Any:
    """Return a source that plays the next script each time it is opened.

    A script has characters for `make_frame`, exceptions that are raised, and flags that are waited for.
    """
    remaining = list(scripts)

    @contextmanager
    def open_source() -> Iterator[Iterator[SourceFrame]]:
        def frames(script: Any) -> Iterator[SourceFrame]:
            for number, step in enumerate(script):
                if isinstance(step, Exception):
                    raise step
                if isinstance(step, Flag):
                    step.wait(10)
                    continue
                yield SourceFrame(image=make_frame(step), name=str(number), time_s=number / 30, captured_at=None)

        yield frames(remaining.pop(0))

    return open_source


def test_frame_loop_uses_frame_times_of_video(reader: Reader, events: list[Event]) -> None:
    frame_loop = FrameLoop(Stream(fake_source("A" * 20 + "." * 12 + "A" * 20), live=False), reader, live=False)
    assert frame_loop.finished.wait(10)
    frame_loop.check()
    frame_loop.close()
    assert reader.text == "AA"
    assert [event.kind for event in events] == ["hand", "letter", "letter"]


def test_rest_pose_is_no_letter(reader: Reader) -> None:
    frame_loop = FrameLoop(Stream(fake_source("A" * 20 + "m" * 40 + "A" * 20), live=False), reader, live=False)
    assert frame_loop.finished.wait(10)
    frame_loop.check()
    frame_loop.close()
    assert reader.text == "AA"


def test_frame_loop_continues_after_reconnect(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.0)
    lost = SourceLost("The camera gives no more frames.")
    frame_loop = FrameLoop(Stream(fake_source(["A"] * 20 + [lost], ["B"] * 20), live=False), reader, live=False)
    assert frame_loop.finished.wait(10)
    frame_loop.check()
    assert reader.text == "AB"  # frame times start at 0 again, and earlier frames are ignored


def test_live_reports_text_if_camera_stays_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.01)
    source = fake_source(
        ["A"] * 20 + [SourceLost("The camera is gone.")], *[[AslkitError("It cannot be opened.")]] * 99
    )
    recogniser = SimpleNamespace(
        contract=PreprocessConfig(kind="landmarks", threshold=0.9),
        recognise=PixelRecogniser().recognise,
        create_motion_reader=lambda: None,
    )
    monkeypatch.setattr("aslkit.live.run.Recogniser", lambda run, **_: nullcontext(recogniser))
    stream = Stream(source, live=False, reconnect_timeout_s=0.1)
    monkeypatch.setattr("aslkit.live.run.open_stream", lambda *_, **__: stream)
    messages: list[str] = []
    ticks = count()
    with pytest.raises(AslkitError, match="cannot be opened"):
        live(
            Path("run"),
            source="0",
            config=load_settings("live", LiveConfig),
            on_event=lambda event: None,
            on_message=messages.append,
            windowed=False,
            clock=lambda: next(ticks) / 30,
        )
    assert messages[-1] == "Text spelled so far: A"


def test_check_raises_if_camera_stays_lost(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.01)
    source = fake_source(["A", SourceLost("The camera is gone.")], *[[AslkitError("It cannot be opened.")]] * 99)
    frame_loop = FrameLoop(Stream(source, live=True, reconnect_timeout_s=0.1), reader, live=True)
    assert frame_loop.finished.wait(10)
    frame_loop.stream.ended.wait(10)
    with pytest.raises(AslkitError, match="The camera is gone"):
        frame_loop.check()


@pytest.mark.parametrize("size", [(3840, 2160), (160, 120), (480, 640), (1, 1)])
def test_frames_of_all_sizes_are_read_and_drawn(reader: Reader, size: tuple[int, int]) -> None:
    reading = reader.read(make_frame("A", size), 0.0)
    image = draw_view(LiveView(reading=reading, info=("run", "camera 0", "30 frames a second")))
    assert image.dtype == np.uint8
    assert image.shape[1] >= 1000
    assert image.shape[0] > KEY_HELP_HEIGHT


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_grey_and_four_channel_frames_are_converted(shape: tuple[int, ...]) -> None:
    assert to_bgr(np.zeros(shape, np.uint8), "0").shape == (48, 64, 3)


def test_reading_has_no_letter_if_rejected(reader: Reader) -> None:
    assert reader.read(make_frame("."), 0.0).letter is None
    no_hand = reader.read(make_frame(" "), 0.1)
    assert (no_hand.letter, no_hand.top_letters) == (None, ())
    reading = reader.read(make_frame("A"), 0.2)
    assert reading.letter == "A"
    assert reading.top_letters[0][0] == "A"
    assert len(reading.top_letters) == 3


def test_reader_accepts_thousand_letters(reader: Reader, events: list[Event]) -> None:
    for number in range(1000):
        for frame in range(16):
            reader.read(make_frame("L" if frame < 10 else " "), (16 * number + frame) / 15)
    assert sum(event.kind == "letter" for event in events) == 1000
    assert reader.reading.letter is None


def test_window_controller_handles_keys(reader: Reader) -> None:
    end_of_source = Flag()
    frame_loop = FrameLoop(Stream(fake_source([end_of_source]), live=False), reader, live=False)
    copied: list[str] = []

    def speak(text: str) -> None:
        raise AslkitError("No text-to-speech program found.")

    controller = WindowController(reader, frame_loop, info=("run",), speak=speak, copy=copied.append)
    for number in range(20):
        reader.read(make_frame("A"), number / 30)
    before = controller.render()
    controller.handle_key(-1)
    controller.handle_key(ord(" "))
    assert reader.text == "A "
    controller.handle_key(8)
    controller.handle_key(ord("c"))
    assert copied == ["A"]
    controller.handle_key(ord("s"))
    assert (controller.render()[:100] != before[:100]).any() or (controller.render() != before).any()
    controller.handle_key(ord("x"))
    assert reader.text == ""
    controller.handle_key(ord("q"))
    assert controller.end_reason == "stopped with q"
    end_of_source.set()
    frame_loop.close()


def test_missing_speech_and_clipboard_programs_are_named() -> None:
    with pytest.raises(AslkitError, match="Install espeak-ng"):
        speak_text("A", find=lambda name: None)
    with pytest.raises(AslkitError, match="Install xclip"):
        copy_text("A", find=lambda name: None)


@pytest.mark.parametrize("windowed", [True, False])
def test_live_measures_time_to_first_frame(windowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recogniser = SimpleNamespace(
        recognise=PixelRecogniser().recognise,
        contract=PreprocessConfig(kind="landmarks", threshold=0.9),
        create_motion_reader=lambda: None,
    )
    stream = Stream(fake_source("A" * 20), live=False)
    monkeypatch.setattr("aslkit.live.run.Recogniser", lambda run, **_: nullcontext(recogniser))
    monkeypatch.setattr("aslkit.live.run.open_stream", lambda *_, **__: stream)
    monkeypatch.setattr("aslkit.live.window.window.display_works", lambda: True)
    monkeypatch.setattr(
        "aslkit.live.window.window.show_live_window",
        lambda reader, frame_loop, info: str(frame_loop.finished.wait(10)),
    )
    result = live(
        tmp_path,
        source=str(tmp_path),
        config=load_settings("live", LiveConfig),
        on_event=lambda event: None,
        on_message=pytest.fail,
        windowed=windowed,
        clock=count().__next__,
    )
    assert (result.frames, result.text) == (20, "A")
    assert result.first_s is not None
    assert result.first_s > 0
