"""Keys and messages of the recording window, with a fake clock and a fake source; and the missing display."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig
from aslkit.capture.frame_pipeline import ProcessedFrame
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.quality.handedness import FRAMES_BEFORE_QUESTION
from aslkit.capture.record import SourceRecording
from aslkit.capture.session.decisions import GateDecision
from aslkit.capture.session.recording import Recording
from aslkit.capture.window.view import draw_view
from aslkit.capture.window.window import WindowController, record_in_window
from aslkit.core.errors import AslkitError
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame
from tests.capture.clip_hands import clip_of

ProcessFrame = Callable[..., Any]


@dataclass
class FakePipeline:
    """A `FramePipeline` that remembers when clips ended, None for those that were dropped."""

    newest: Any = None
    decision: Any = None
    finished: Event = field(default_factory=Event)
    clips: Any = field(default_factory=lambda: SimpleNamespace(decisions=deque()))
    is_recording: bool = False
    ends: list[float | None] = field(default_factory=list)

    def start_clip(self) -> None:
        assert not self.is_recording
        self.is_recording = True

    def end_clip(self, end_s: float | None) -> None:
        if self.is_recording:
            self.ends.append(end_s)
        self.is_recording = False


@dataclass
class FakeSourceRecording:
    """A `SourceRecording` without source and threads."""

    recording: Recording
    keep: bool = False
    error: Exception | None = None
    stream: Any = field(default_factory=lambda: SimpleNamespace(problem=None, frame_rates=lambda: (29.97, 25.0)))
    pipeline: Any = field(default_factory=lambda: FakePipeline())

    def select_letter(self, letter: str) -> None:
        self.recording.select_letter(letter)

    def check(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class WindowTest:
    """A window controller with its fake source and the current time."""

    controller: WindowController
    source: FakeSourceRecording
    now: list[float]

    def advance(self, seconds: float, key: str = "") -> None:
        """Advance the clock, then press a key."""
        self.now[0] += seconds
        if key:
            self.controller.handle_key(ord(key))
        self.controller.update()

    @property
    def messages(self) -> list[str]:
        return [banner.text for banner in self.controller.view().banners]


@pytest.fixture
def window_test(open_recording: Any) -> Callable[..., Any]:
    @contextmanager
    def open_window(letters: str = "ABC", **other: Any) -> Iterator[WindowTest]:
        with open_recording(letters, **other) as recording:
            now, source = [100.0], FakeSourceRecording(recording)
            controller = WindowController(source, clock=lambda: now[0])  # type: ignore[arg-type]
            yield WindowTest(controller, source, now)

    return open_window


def test_nothing_is_stored_during_countdown(window_test: Any) -> None:
    with window_test() as test:
        assert test.controller.view().countdown == 3
        test.advance(2.9, " ")
        assert not test.source.keep
        test.advance(0.2)
        assert test.controller.view().countdown is None
        assert test.source.keep
        assert test.controller.view().recording
        test.advance(2)
        assert not test.source.keep


def test_burst_is_undone_as_a_whole(window_test: Any, process_frame: ProcessFrame) -> None:
    with window_test() as test:
        recording = test.source.recording
        test.advance(5, " ")
        process_frame(recording, 1)
        test.advance(2, "b")
        test.advance(3)
        assert test.source.keep
        for number in (2, 3):
            process_frame(recording, number)
        test.advance(0, "u")
        assert test.messages[0] == "Removed 2 frames of A."
        assert not test.source.keep
        assert recording.counts["A"] == 1
        test.advance(0, "U")
        assert test.messages[0] == "Removed 1 frame of A."
        test.advance(0, "u")
        assert test.messages[0] == "Nothing to undo."
        test.advance(9)
        assert test.messages == []


def test_next_and_previous_letter(window_test: Any) -> None:
    with window_test() as test:
        letters = []
        for key in "nnnpp":
            test.advance(5, key)
            letters.append(test.source.recording.letter)
            assert test.controller.view().countdown == 3
        assert "".join(letters) == "BCACB"


def test_q_quits(window_test: Any) -> None:
    with window_test() as test:
        test.advance(1)
        assert test.controller.end_reason is None
        test.advance(1, "q")
        assert test.controller.end_reason == "stopped with q"


# X11 key symbols: left, up, right, down, page up, home, insert, shift, super, num lock, é, and no key.
@pytest.mark.parametrize(
    "key", [0xFF51, 0xFF52, 0xFF53, 0xFF54, 0xFF55, 0xFF50, 0xFF63, 0xFFE1, 0xFFEB, 0xFF7F, 0xE9, -1, 0x250000]
)
def test_unknown_keys_do_nothing(window_test: Any, process_frame: ProcessFrame, key: int) -> None:
    with window_test() as test:
        process_frame(test.source.recording, 1)
        before = test.controller.view()
        test.controller.handle_key(key)
        test.advance(0)
        assert test.controller.end_reason is None
        assert test.controller.view() == before
        assert test.source.recording.counts["A"] == 1


def test_caps_lock_and_modifiers_are_ignored(window_test: Any) -> None:
    with window_test() as test:
        test.controller.handle_key(ord("N"))
        assert test.source.recording.letter == "B"
        test.controller.handle_key(0x100000 | ord("n"))  # as sent by GTK with num lock on
        assert test.source.recording.letter == "C"


@pytest.mark.parametrize(("key", "stored"), [("y", "left"), ("n", "right")])
def test_question_blocks_other_keys_until_answered(
    window_test: Any, process_frame: ProcessFrame, key: str, stored: str
) -> None:
    with window_test(usual_hand="right") as test:
        for number in range(FRAMES_BEFORE_QUESTION):
            process_frame(test.source.recording, number, side="left", keep=False)
        test.advance(5, "u")  # ignored while the question is open
        assert test.messages == [
            "This looks like your left hand. Correct?    y  yes      n  no, it is my right hand",
        ]
        test.advance(0, " ")
        assert not test.controller.view().recording
        test.advance(0, key)
        assert test.source.recording.letter == "A"  # n answered the question and did not select the next letter
        assert test.messages == []
        assert process_frame(test.source.recording, 99, side="left").stored.hand == stored


def test_q_quits_during_question(window_test: Any, process_frame: ProcessFrame) -> None:
    with window_test(usual_hand="right") as test:
        for number in range(FRAMES_BEFORE_QUESTION):
            process_frame(test.source.recording, number, side="left", keep=False)
        test.advance(0, "q")
        assert test.controller.end_reason == "stopped with q"


def test_press_shorter_than_the_countdown_says_so(window_test: Any) -> None:
    with window_test() as test:
        test.advance(0.5, " ")
        assert test.messages == []  # the key may still be held
        test.advance(1)
        assert test.messages == ["Too short: keep space held until the countdown has ended."]
        test.advance(3)
        assert not test.source.keep
        test.advance(0, " ")
        test.advance(1)
        assert test.messages == []  # a press after the countdown recorded


def test_new_signer_chooses_a_licence_before_the_countdown(window_test: Any, process_frame: ProcessFrame) -> None:
    chosen: list[str] = []
    with window_test(save_licence=chosen.append) as test:
        test.advance(5, "n")  # has no effect while the question is open
        assert (test.source.recording.letter, test.controller.view().countdown) == ("A", None)
        assert process_frame(test.source.recording, 1).stored is None
        asked = draw_view(test.controller.view())
        test.advance(0, "3")
        assert (chosen, test.controller.view().countdown) == (["CC-BY-4.0"], 3)
        assert not np.array_equal(draw_view(test.controller.view()), asked)
        assert process_frame(test.source.recording, 2).stored is not None
        test.advance(0, "1")  # answered only once
        assert chosen == ["CC-BY-4.0"]


def test_q_quits_without_choosing_a_licence(window_test: Any) -> None:
    chosen: list[str] = []
    with window_test(save_licence=chosen.append) as test:
        test.advance(0, "q")
        assert (test.controller.end_reason, chosen) == ("stopped with q", [])


def test_complete_letter_switches_to_next_and_last_ends_recording(
    window_test: Any, process_frame: ProcessFrame, capture_config: CaptureConfig
) -> None:
    with window_test("AB", capture=replace(capture_config, goal=1)) as test:
        test.advance(5, " ")
        process_frame(test.source.recording, 1)
        test.advance(0)
        assert test.source.recording.letter == "B"
        assert test.messages == ["A is complete. Now B."]
        assert not test.source.keep
        process_frame(test.source.recording, 2)
        test.advance(0)
        assert test.controller.end_reason == "all recorded"


def test_ended_source_ends_recording_and_error_is_raised(window_test: Any) -> None:
    with window_test() as test:
        test.source.pipeline.finished.set()
        test.advance(0)
        assert test.controller.end_reason == "the source ended"
        test.source.error = OSError("full")
        with pytest.raises(OSError, match="full"):
            test.advance(0)


def test_banners_show_reasons_and_problem_first(window_test: Any) -> None:
    with window_test() as test:
        test.source.pipeline.decision = GateDecision(reasons=("blurred", "moved"), hint="Come closer.")
        assert test.messages == [REASON_MESSAGES["blurred"], "Come closer."]
        assert not test.controller.view().good
        test.source.pipeline.decision = GateDecision(reasons=())
        assert test.messages == ["Good. Hold space to record."]
        assert test.controller.view().good
        test.source.stream.problem = "The camera is gone."
        assert test.messages == ["The camera is gone."]


def test_counts_and_goal_follow_count_option(window_test: Any, process_frame: ProcessFrame) -> None:
    with window_test() as test:
        process_frame(test.source.recording, 1)
        assert (test.controller.view().counts["A"], test.controller.view().goals["A"]) == (1, 40)
    with window_test(count=7) as test:
        assert (test.controller.view().counts["A"], test.controller.view().goals["A"]) == (
            0,
            7,
        )  # frames of this recording only


def test_view_can_be_drawn(window_test: Any, synthetic_hand: tuple[Frame, Hand]) -> None:
    with window_test() as test:
        assert draw_view(test.controller.view()).ndim == 3
        test.source.pipeline.newest = ProcessedFrame(frame=synthetic_hand[0], hand=synthetic_hand[1])
        view = test.controller.view()
        assert (view.frame is synthetic_hand[0], view.hand is synthetic_hand[1]) == (True, True)
        assert view.info[0] == "ada"
        assert "30 frames per second" in view.info
        assert draw_view(view).ndim == 3


@pytest.mark.parametrize("display", ["", ":987"])
def test_missing_display_is_reported(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setenv("DISPLAY", display)  # the second display does not exist, as after a closed ssh connection
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(AslkitError, match=r"No display.*--no-preview.*--web"):
        record_in_window(SourceRecording.__new__(SourceRecording))


def test_clip_is_recorded_while_space_is_held(window_test: Any) -> None:
    with window_test("JZ") as test:
        test.advance(3.1)
        test.advance(0, " ")
        assert test.source.pipeline.is_recording
        assert not test.source.keep or test.controller.view().records_clips
        for _ in range(20):
            test.advance(0.04, " ")
        last_repeat = test.now[0]
        for _ in range(10):
            test.advance(0.04)
        assert test.source.pipeline.ends == [last_repeat]


def test_undo_and_other_letters_drop_the_clip_that_is_being_recorded(window_test: Any) -> None:
    for key in "un":
        with window_test("JZ") as test:
            test.advance(3.1)
            test.advance(0, " ")
            test.advance(0.1, key)
            assert test.source.pipeline.ends == [None]


def test_what_became_of_a_clip_is_shown(window_test: Any) -> None:
    with window_test("JA") as test:
        recording = test.source.recording
        frames = clip_of("J")
        test.source.pipeline.clips.decisions.append(recording.process_clip(frames, name="1", letter="J"))
        test.advance(0.1)
        assert test.messages == ["Clip 1 of J stored."]
        assert (test.controller.view().counts["J"], test.controller.view().goals["J"]) == (1, 20)
        test.source.pipeline.clips.decisions.append(recording.process_clip(frames[:5], name="2", letter="J"))
        test.advance(0.1)
        assert test.messages == ["Too short. Keep holding until the movement has ended."]
        test.advance(9, "u")
        assert test.messages[0] == "Removed 1 clip of J."


def test_negatives_name_a_new_movement_for_each_clip(window_test: Any) -> None:
    with window_test(["none"], clip_letters=("J", "Z", "none")) as test:
        test.source.pipeline.decision = GateDecision(reasons=())
        test.advance(3.1)
        first = test.messages[0]
        assert "Wave" in first
        test.source.recording.process_clip(clip_of("none"), name="1", letter="none")
        assert test.messages[0] != first
