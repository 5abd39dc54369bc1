"""When a letter is taken, when again, and what is a space: at any frame rate, and with a model that flickers."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.core.errors import InputError
from aslkit.live.config import LiveConfig
from aslkit.live.speller import Event, Observation, Speller, letter_threshold


@pytest.fixture(scope="module")
def config() -> LiveConfig:
    return load_settings("live", LiveConfig)


def shown(script: str, *, fps: float, each_s: float = 0.5, start_s: float = 0.0) -> list[Observation]:
    """Frames of a script: a letter is said, '.' is a hand that says nothing, ' ' no hand; each for `each_s`."""
    count = round(len(script) * each_s * fps)
    signs = [script[min(int(i / fps / each_s + 1e-9), len(script) - 1)] for i in range(count)]
    return [
        Observation(time_s=start_s + i / fps, hand=sign != " ", letter=None if sign in ". " else sign, probability=0.9)
        for i, sign in enumerate(signs)
    ]


def spelled(config: LiveConfig, frames: Iterable[Observation]) -> tuple[str, list[Event]]:
    speller = Speller(config=config)
    events = [event for frame in frames for event in speller.see(frame)]
    return speller.text, events


@pytest.mark.parametrize("fps", [5, 10, 15, 30, 60, 120])
@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("HHEELL.LLOO", "HELLO"),  # a letter relaxed is released
        ("HHEELL LLOO", "HELLO"),  # a hand gone too
        ("LLLLLLLLLLLLLLLL", "L"),  # however long it is held
        ("AABBAABB", "ABAB"),
        ("........", ""),
        ("        ", ""),
        ("AA   ... BB", "AB"),  # not away long enough for a space
        ("AA    BB", "A B"),
        ("AA                        BB", "A B"),  # one space, however long
    ],
)
def test_the_same_text_at_any_rate(config: LiveConfig, script: str, text: str, fps: float) -> None:
    assert spelled(config, shown(script, fps=fps))[0] == text


def test_one_frame_and_a_flash_say_nothing(config: LiveConfig) -> None:
    assert spelled(config, shown("A", fps=30, each_s=1 / 30))[0] == ""
    assert spelled(config, shown(".A.B.", fps=30, each_s=0.1))[0] == ""


def test_a_letter_on_the_way_between_two_is_not_taken(config: LiveConfig) -> None:
    assert spelled(config, shown("AAAAXBBBB", fps=30, each_s=0.15))[0] == "AB"


@pytest.mark.parametrize("other", [".", "X", " "])
def test_a_flicker_does_not_write_twice(config: LiveConfig, other: str) -> None:
    frames = shown("A", fps=30, each_s=6)
    chance = np.random.default_rng(0)
    doubtful = [shown(other, fps=1, each_s=1)[0] if chance.random() < 0.12 else frame for frame in frames]
    timed = [replace(frame, time_s=at.time_s) for frame, at in zip(doubtful, frames, strict=True)]
    assert spelled(config, timed)[0] == "A"


def test_two_letters_in_turn_are_no_letter(config: LiveConfig) -> None:
    assert spelled(config, shown("AB" * 60, fps=30, each_s=1 / 30))[0] == ""


def test_a_camera_that_was_silent_begins_anew(config: LiveConfig) -> None:
    before, after = shown("A", fps=30, each_s=0.3), shown("A", fps=30, each_s=0.1, start_s=9.0)
    assert spelled(config, [*before, *after])[0] == ""
    back = shown("AA", fps=30, each_s=0.5, start_s=0.0)  # a clock that went back
    assert spelled(config, [*shown("BB", fps=30, start_s=50.0), *back])[0] == "BA"


def test_a_hand_that_comes_and_goes_a_thousand_times_leaves_nothing_stuck(config: LiveConfig) -> None:
    speller = Speller(config=config)
    events = [event for frame in shown("A " * 1000, fps=15, each_s=0.6) for event in speller.see(frame)]
    kinds = [event.kind for event in events]
    assert kinds.count("hand") == kinds.count("no hand") == kinds.count("letter") == 1000
    assert speller.held is None
    assert not speller.hand
    assert len(speller._frames) < 60


def test_a_text_that_never_ends_keeps_its_end(config: LiveConfig) -> None:
    speller = Speller(config=config)
    for frame in shown("AABB" * 1500, fps=6, each_s=0.5):
        speller.see(frame)
    assert len(speller.text) == 2000


def test_keys(config: LiveConfig) -> None:
    speller = Speller(config=config)
    assert speller.space(0) == speller.delete(0) == speller.clear(0) == []
    for frame in shown("AA", fps=30):
        speller.see(frame)
    assert [event.kind for event in speller.space(1)] == ["space"]
    assert speller.space(1) == []
    assert speller.delete(1)[0].letter == " "
    assert speller.delete(1)[0].text == ""
    for frame in shown("AA", fps=30, start_s=1.0):
        speller.see(frame)
    assert speller.text == ""  # the letter that was deleted is still held
    speller.text = "WORD"
    assert speller.clear(2)[0].kind == "clear"


def test_events_for_other_programs(config: LiveConfig) -> None:
    text, events = spelled(config, shown("AA    ", fps=30))
    assert text == "A "
    assert [event.as_json()["event"] for event in events] == ["hand", "letter", "no hand", "space"]
    letter = events[1].as_json()
    assert letter["letter"] == "A"
    assert letter["probability"] == 0.9
    assert 0 < letter["time_s"] < 0.6


def test_the_bar_is_between_an_even_chance_and_the_threshold() -> None:
    assert letter_threshold(0.99, 1) == pytest.approx(0.99)
    assert letter_threshold(0.99, 0) == pytest.approx(0.5)
    assert 0.5 < letter_threshold(0.99, 0.5) < letter_threshold(0.99, 0.75) < 0.99
    assert letter_threshold(0.0, 0.5) == 0.0


@pytest.mark.parametrize(("key", "value"), [("hold_s", -1), ("agree", 0), ("least_frames", 0.5), ("strictness", 5)])
def test_settings_that_cannot_be(config: LiveConfig, key: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{key} must be"):
        replace(config, **{key: value})  # type: ignore[arg-type]
