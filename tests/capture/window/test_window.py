"""What the keys do and what the window says, with a clock and a recording that are made up; and the window without a
display.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from aslkit.capture.config import CaptureConfig
from aslkit.capture.frame_pipeline import ProcessedFrame
from aslkit.capture.quality.gate import WORDS
from aslkit.capture.quality.handedness import SURPRISED_AFTER
from aslkit.capture.record import SourceRecording
from aslkit.capture.session.recording import GateDecision, Recording
from aslkit.capture.window.view import draw_view
from aslkit.capture.window.window import WindowController, record_in_window
from aslkit.core.errors import AslkitError
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame

Offer = Callable[..., Any]


@dataclass
class Fake:
    """A recording without threads."""

    sitting: Recording
    keep: bool = False
    error: Exception | None = None
    stream: Any = field(default_factory=lambda: SimpleNamespace(trouble=None, rates=lambda: (29.97, 25.0)))
    watch: Any = field(default_factory=lambda: SimpleNamespace(shown=None, verdict=None, finished=Event()))

    def choose(self, letter: str) -> None:
        self.sitting.choose(letter)

    def check(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class At:
    """A desk in front of a recording, and what time it is."""

    desk: WindowController
    recording: Fake
    now: list[float]

    def after(self, seconds: float, key: str = "") -> None:
        """Let time pass, then press a key."""
        self.now[0] += seconds
        if key:
            self.desk.press(ord(key))
        self.desk.follow()

    @property
    def says(self) -> list[str]:
        return [banner.text for banner in self.desk.view().banners]


@pytest.fixture
def at(sit: Any) -> Callable[..., Any]:
    @contextmanager
    def begin(letters: str = "ABC", **other: Any) -> Iterator[At]:
        with sit(letters, **other) as sitting:
            now, recording = [100.0], Fake(sitting)
            desk = WindowController(recording, clock=lambda: now[0])  # type: ignore[arg-type]
            yield At(desk, recording, now)

    return begin


def test_a_letter_begins_with_a_countdown_in_which_nothing_is_kept(at: Any) -> None:
    with at() as it:
        assert it.desk.view().countdown == 3
        it.after(2.9, " ")
        assert not it.recording.keep
        it.after(0.2)
        assert it.desk.view().countdown is None
        assert it.recording.keep
        assert it.desk.view().recording
        it.after(2)
        assert not it.recording.keep


def test_a_burst_is_recorded_and_undone_as_one(at: Any, offer: Offer) -> None:
    with at() as it:
        sitting = it.recording.sitting
        it.after(5, " ")
        offer(sitting, 1)
        it.after(2, "b")
        it.after(3)
        assert it.recording.keep
        for number in (2, 3):
            offer(sitting, number)
        it.after(0, "u")
        assert it.says[0] == "Undone: 2 frames of A."
        assert not it.recording.keep
        assert sitting.counts["A"] == 1
        it.after(0, "U")
        assert it.says[0] == "Undone: 1 frames of A."
        it.after(0, "u")
        assert it.says[0] == "Nothing to undo."
        it.after(9)
        assert it.says == []


def test_next_and_previous_letter(at: Any) -> None:
    with at() as it:
        letters = []
        for key in "nnnpp":
            it.after(5, key)
            letters.append(it.recording.sitting.letter)
            assert it.desk.view().countdown == 3
        assert "".join(letters) == "BCACB"


def test_q_ends_it(at: Any) -> None:
    with at() as it:
        it.after(1)
        assert it.desk.ended is None
        it.after(1, "q")
        assert it.desk.ended == "stopped with q"


# Left, up, right, down, page up, home, insert, shift, super, numlock, é, and no key: X11's key symbols.
@pytest.mark.parametrize(
    "key", [0xFF51, 0xFF52, 0xFF53, 0xFF54, 0xFF55, 0xFF50, 0xFF63, 0xFFE1, 0xFFEB, 0xFF7F, 0xE9, -1, 0x250000]
)
def test_keys_that_mean_nothing_do_nothing(at: Any, offer: Offer, key: int) -> None:
    with at() as it:
        offer(it.recording.sitting, 1)
        before = it.desk.view()
        it.desk.press(key)
        it.after(0)
        assert it.desk.ended is None
        assert it.desk.view() == before
        assert it.recording.sitting.counts["A"] == 1


def test_caps_lock_and_modifiers_do_not_matter(at: Any) -> None:
    with at() as it:
        it.desk.press(ord("N"))
        assert it.recording.sitting.letter == "B"
        it.desk.press(0x100000 | ord("n"))  # GTK with num lock on
        assert it.recording.sitting.letter == "C"


@pytest.mark.parametrize(("key", "stored"), [("y", "left"), ("n", "right")])
def test_a_question_waits_for_its_answer(at: Any, offer: Offer, key: str, stored: str) -> None:
    with at(usual_hand="right") as it:
        for number in range(SURPRISED_AFTER):
            offer(it.recording.sitting, number, side="left", keep=False)
        it.after(5, "u")  # waits
        assert it.says == [
            "This looks like your left hand. Is it?    y  yes      n  no, it is the right one",
        ]
        it.after(0, " ")
        assert not it.desk.view().recording
        it.after(0, key)
        assert it.recording.sitting.letter == "A"  # n was no "next"
        assert it.says == []
        assert offer(it.recording.sitting, 99, side="left").stored.hand == stored


def test_a_question_does_not_keep_from_ending(at: Any, offer: Offer) -> None:
    with at(usual_hand="right") as it:
        for number in range(SURPRISED_AFTER):
            offer(it.recording.sitting, number, side="left", keep=False)
        it.after(0, "q")
        assert it.desk.ended == "stopped with q"


def test_a_complete_letter_gives_way_to_the_next_and_the_last_ends_it(
    at: Any, offer: Offer, ways: CaptureConfig
) -> None:
    with at("AB", capture=replace(ways, goal=1)) as it:
        it.after(5, " ")
        offer(it.recording.sitting, 1)
        it.after(0)
        assert it.recording.sitting.letter == "B"
        assert it.says == ["A is complete. Now B."]
        assert not it.recording.keep
        offer(it.recording.sitting, 2)
        it.after(0)
        assert it.desk.ended == "all recorded"


def test_a_source_that_ended_ends_it_and_an_error_is_raised(at: Any) -> None:
    with at() as it:
        it.recording.watch.finished.set()
        it.after(0)
        assert it.desk.ended == "the source ended"
        it.recording.error = OSError("full")
        with pytest.raises(OSError, match="full"):
            it.after(0)


def test_reasons_are_told_in_words_and_trouble_before_all(at: Any) -> None:
    with at() as it:
        it.recording.watch.verdict = GateDecision(reasons=("blurred", "moved"), hint="Come closer.")
        assert it.says == [WORDS["blurred"], "Come closer."]
        assert not it.desk.view().good
        it.recording.watch.verdict = GateDecision(reasons=())
        assert it.says == ["Good. Hold space to record."]
        assert it.desk.view().good
        it.recording.stream.trouble = "The camera is gone."
        assert it.says == ["The camera is gone."]


def test_counts_and_goal_are_those_that_are_wanted(at: Any, offer: Offer) -> None:
    with at() as it:
        offer(it.recording.sitting, 1)
        assert (it.desk.view().counts["A"], it.desk.view().goal) == (1, 602)
    with at(count=7) as it:
        assert (it.desk.view().counts["A"], it.desk.view().goal) == (0, 7)  # of this sitting


def test_what_is_shown_can_be_drawn(at: Any, drawn: tuple[Frame, Hand]) -> None:
    with at() as it:
        assert draw_view(it.desk.view()).ndim == 3
        it.recording.watch.shown = ProcessedFrame(frame=drawn[0], hand=drawn[1])
        view = it.desk.view()
        assert (view.frame is drawn[0], view.hand is drawn[1]) == (True, True)
        assert view.about[0] == "ada"
        assert "30 frames a second" in view.about
        assert draw_view(view).ndim == 3


@pytest.mark.parametrize("display", ["", ":987"])
def test_a_window_without_a_display(monkeypatch: pytest.MonkeyPatch, display: str) -> None:
    monkeypatch.setenv("DISPLAY", display)  # the second: as after an ssh connection that is gone
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(AslkitError, match=r"no display.*--no-preview.*--web"):
        record_in_window(SourceRecording.__new__(SourceRecording))
