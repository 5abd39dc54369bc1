"""The window's picture, of any frame and any words."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aslkit.capture.quality.gate import WORDS
from aslkit.capture.window.view import STRIP, RecordingView, draw_view
from aslkit.core.letters import LETTERS
from aslkit.gui.drawing import BAD, GOOD, KEYS, NARROWEST, PANEL, PICTURE_HEIGHT, WARN, WIDEST, Banner
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame

BELOW = STRIP + KEYS


@pytest.fixture
def view(drawn: tuple[Frame, Hand]) -> RecordingView:
    return RecordingView(
        frame=drawn[0],
        hand=drawn[1],
        good=True,
        recording=False,
        countdown=None,
        letter="B",
        left=False,
        counts=dict.fromkeys(LETTERS, 0),
        goal=602,
        walked=("A", "B"),
        refused={},
        about=("ada", "one", "camera 0", "30 frames a second"),
        banners=(),
    )


@pytest.mark.parametrize(
    ("width", "height", "shown_width", "shown_height"),
    [
        (640, 480, 720, 540),
        (1280, 720, 960, 540),
        (160, 120, 720, 540),
        (480, 640, NARROWEST, 540),  # upright: with a margin on both sides
        (1920, 400, 960, 200),
        (3840, 2160, 960, 540),
        (64, 64, NARROWEST, 540),
    ],
)
def test_a_frame_of_any_size_has_its_place(
    view: RecordingView, width: int, height: int, shown_width: int, shown_height: int
) -> None:
    frame = np.full((height, width, 3), 128, np.uint8)
    picture = draw_view(
        replace(view, frame=frame, recording=True, countdown=3, banners=(Banner(text="No", colour=BAD),) * 2)
    )
    assert picture.shape == (shown_height + BELOW, shown_width + PANEL, 3)
    assert picture.dtype == np.uint8
    assert shown_height <= PICTURE_HEIGHT
    assert shown_width <= WIDEST


def test_before_the_first_frame_there_is_a_window_already(view: RecordingView) -> None:
    assert draw_view(replace(view, frame=None, hand=None)).shape == (540 + BELOW, 720 + PANEL, 3)


def test_the_picture_is_a_mirror_image_and_the_frame_stays_as_it_is(view: RecordingView) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, :320] = 200  # bright where the camera's left is
    before = frame.copy()
    picture = draw_view(replace(view, frame=frame, hand=None))[:540, :720]
    assert picture[:, :350].max() < 10
    assert picture[:, 370:].min() > 190
    assert (frame == before).all()


def test_the_hand_is_drawn_where_it_is_seen_in_the_mirror(view: RecordingView) -> None:
    hand = view.hand
    assert hand is not None
    plain = replace(view, frame=np.zeros((480, 640, 3), np.uint8), hand=None)
    changed = (draw_view(replace(plain, hand=hand)) != draw_view(plain)).any(axis=2)[:540, :720]
    rows, columns = np.nonzero(changed)
    left, top, right, bottom = hand.box * np.array([720, 540, 720, 540])
    assert (columns.min(), columns.max()) == pytest.approx((720 - right - 14, 720 - left + 14), abs=5)
    assert (rows.min(), rows.max()) == pytest.approx((top - 14, bottom + 14), abs=5)


@pytest.mark.parametrize(
    "change",
    [
        {"recording": True}, {"countdown": 2}, {"good": False}, {"letter": "A"}, {"left": True}, {"goal": 10},
        {"walked": ("C",)}, {"refused": {"blurred": 3}}, {"about": ("ben",)}, {"hand": None}, {"counts": {"B": 5}},
        {"counts": {"C": 602}}, {"banners": (Banner(text="Come closer.", colour=WARN),)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_whatever_there_is_to_know_changes_the_picture(view: RecordingView, change: dict[str, Any]) -> None:
    if "counts" in change:
        change = {"counts": {**view.counts, **change["counts"]}}
    assert (draw_view(replace(view, **change)) != draw_view(view)).any()


@pytest.mark.parametrize("name", ["Jörg-Müßig " * 9, "手話" * 40, "🤟👩‍🦰" * 20, "مريم", "", "a\nb", "\t", "\udcff"])
def test_any_name_can_be_drawn(view: RecordingView, name: str) -> None:
    about = (name, name, name, "")
    picture = draw_view(replace(view, about=about, banners=(Banner(text=name, colour=GOOD),)))
    assert picture.shape == draw_view(view).shape


@pytest.mark.parametrize("width", [480, 640, 1280])
@pytest.mark.parametrize(
    "text",
    [*WORDS.values(), "The camera 0 gives no more frames. What was stored is kept. Waiting for it to come back."],
)
def test_no_words_are_cut_off(view: RecordingView, width: int, text: str) -> None:
    frame = np.zeros((640, width, 3), np.uint8)
    picture = draw_view(replace(view, frame=frame, hand=None, banners=(Banner(text=text, colour=WARN),)))
    shown = picture[:-BELOW, :-PANEL].astype(int)
    ground = np.abs(shown - np.array(WARN[::-1])).max(axis=2) < 40
    assert ground.any()
    assert not ground[:, :8].any()
    assert not ground[:, -8:].any()


def test_more_reasons_than_there_is_room_for_do_no_harm(view: RecordingView) -> None:
    refused = {str(reason): 10**6 for reason in WORDS}
    assert draw_view(replace(view, refused=refused, frame=np.zeros((100, 1000, 3), np.uint8))).dtype == np.uint8


def test_a_letter_with_more_than_its_goal_is_full(view: RecordingView) -> None:
    counts = dict.fromkeys(LETTERS, 10_000)
    assert draw_view(replace(view, counts=counts)).shape == draw_view(view).shape
