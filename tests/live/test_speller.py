"""Acceptance of letters and spaces, at different frame rates and with flickering predictions."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from aslkit.core.config import build_settings, load_settings
from aslkit.core.errors import InputError
from aslkit.live.config import LiveConfig
from aslkit.live.observation import Observation, letter_threshold
from aslkit.live.speller import Event, Speller


@pytest.fixture(scope="module")
def config() -> LiveConfig:
    return load_settings("live", LiveConfig)


def make_frames(script: str, *, fps: float, each_s: float = 0.5, start_s: float = 0.0) -> list[Observation]:
    """Return frames of a script. '.' is a hand without a letter, ' ' is no hand; each character lasts `each_s`."""
    count = round(len(script) * each_s * fps)
    signs = [script[min(int(i / fps / each_s + 1e-9), len(script) - 1)] for i in range(count)]
    return [
        Observation(time_s=start_s + i / fps, hand=sign != " ", letter=None if sign in ". " else sign, probability=0.9)
        for i, sign in enumerate(signs)
    ]


def spell(config: LiveConfig, frames: Iterable[Observation]) -> tuple[str, list[Event]]:
    speller = Speller(config=config)
    events = [event for frame in frames for event in speller.observe(frame)]
    return speller.text, events


@pytest.mark.parametrize("fps", [5, 10, 15, 30, 60, 120])
@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("HHEELL.LLOO", "HELLO"),  # relaxing the hand releases a letter
        ("HHEELL LLOO", "HELLO"),  # so does removing the hand
        ("LLLLLLLLLLLLLLLL", "L"),  # typed once, no matter how long it is held
        ("AABBAABB", "ABAB"),
        ("........", ""),
        ("        ", ""),
        ("AA   ... BB", "AB"),  # the hand is not away long enough for a space
        ("AA    BB", "A B"),
        ("AA                        BB", "A B"),  # one space, no matter how long
    ],
)
def test_text_does_not_depend_on_frame_rate(config: LiveConfig, script: str, text: str, fps: float) -> None:
    assert spell(config, make_frames(script, fps=fps))[0] == text


def test_short_predictions_are_ignored(config: LiveConfig) -> None:
    assert spell(config, make_frames("A", fps=30, each_s=1 / 30))[0] == ""
    assert spell(config, make_frames(".A.B.", fps=30, each_s=0.1))[0] == ""


def test_transition_between_letters_is_ignored(config: LiveConfig) -> None:
    assert spell(config, make_frames("AAAAXBBBB", fps=30, each_s=0.15))[0] == "AB"


@pytest.mark.parametrize("other", [".", "X", " "])
def test_flicker_does_not_repeat_letter(config: LiveConfig, other: str) -> None:
    frames = make_frames("A", fps=30, each_s=6)
    rng = np.random.default_rng(0)
    flickering = [
        replace(make_frames(other, fps=1, each_s=1)[0], time_s=frame.time_s) if rng.random() < 0.12 else frame
        for frame in frames
    ]
    assert spell(config, flickering)[0] == "A"


def test_alternating_letters_are_ignored(config: LiveConfig) -> None:
    assert spell(config, make_frames("AB" * 60, fps=30, each_s=1 / 30))[0] == ""


def test_earlier_frames_are_ignored_after_gap(config: LiveConfig) -> None:
    before, after = make_frames("A", fps=30, each_s=0.3), make_frames("A", fps=30, each_s=0.1, start_s=9.0)
    assert spell(config, [*before, *after])[0] == ""
    restarted = make_frames("AA", fps=30, each_s=0.5, start_s=0.0)  # time runs backwards
    assert spell(config, [*make_frames("BB", fps=30, start_s=50.0), *restarted])[0] == "BA"


def test_no_state_is_left_after_thousand_hands(config: LiveConfig) -> None:
    speller = Speller(config=config)
    events = [event for frame in make_frames("A " * 1000, fps=15, each_s=0.6) for event in speller.observe(frame)]
    kinds = [event.kind for event in events]
    assert kinds.count("hand") == kinds.count("no hand") == kinds.count("letter") == 1000
    assert speller.held is None
    assert not speller.hand
    assert len(speller._frames) < 60


def test_long_text_is_truncated_at_start(config: LiveConfig) -> None:
    speller = Speller(config=config)
    for frame in make_frames("AABB" * 1500, fps=6, each_s=0.5):
        speller.observe(frame)
    assert len(speller.text) == 2000


def test_space_delete_and_clear(config: LiveConfig) -> None:
    speller = Speller(config=config)
    assert speller.space(0) == speller.delete(0) == speller.clear(0) == []
    for frame in make_frames("AA", fps=30):
        speller.observe(frame)
    assert [event.kind for event in speller.space(1)] == ["space"]
    assert speller.space(1) == []
    assert speller.delete(1)[0].letter == " "
    assert speller.delete(1)[0].text == ""
    for frame in make_frames("AA", fps=30, start_s=1.0):
        speller.observe(frame)
    assert speller.text == ""  # the deleted letter is still held
    speller.content.replace("WORD")
    assert speller.clear(2)[0].kind == "clear"


def test_events_are_serialised(config: LiveConfig) -> None:
    text, events = spell(config, make_frames("AA    ", fps=30))
    assert text == "A "
    assert [event.to_dict()["event"] for event in events] == ["hand", "letter", "no hand", "space"]
    letter = events[1].to_dict()
    assert letter["letter"] == "A"
    assert letter["probability"] == 0.9
    assert 0 < letter["time_s"] < 0.6


def test_letter_threshold_is_between_half_and_threshold() -> None:
    assert letter_threshold(0.99, 1) == pytest.approx(0.99)
    assert letter_threshold(0.99, 0) == pytest.approx(0.5)
    assert 0.5 < letter_threshold(0.99, 0.5) < letter_threshold(0.99, 0.75) < 0.99
    assert letter_threshold(0.0, 0.5) == 0.0


@pytest.mark.parametrize(("key", "value"), [("hold_s", -1), ("agree", 0), ("least_frames", 0.5), ("strictness", 5)])
def test_invalid_settings_are_rejected(key: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{key} must be"):
        build_settings(LiveConfig, {key: value}, "own.toml")
