"""Drawing the recording window with any frame and any text."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aslkit.capture.quality.clip_gate import CLIP_REASON_MESSAGES
from aslkit.capture.quality.gate import REASON_MESSAGES
from aslkit.capture.quality.negative_examples import NEGATIVE_EXAMPLES
from aslkit.capture.window.view import STRIP_HEIGHT, RecordingView, draw_view
from aslkit.core.letters import ALPHABET
from aslkit.gui.drawing import (
    BAD,
    GOOD,
    KEY_HELP_HEIGHT,
    MAX_IMAGE_HEIGHT,
    MAX_IMAGE_WIDTH,
    MIN_IMAGE_WIDTH,
    PANEL_WIDTH,
    WARN,
    Banner,
)
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame

HEIGHT_BELOW_IMAGE = STRIP_HEIGHT + KEY_HELP_HEIGHT


@pytest.fixture
def view(synthetic_hand: tuple[Frame, Hand]) -> RecordingView:
    return RecordingView(
        frame=synthetic_hand[0],
        hand=synthetic_hand[1],
        good=True,
        recording=False,
        countdown=None,
        letter="B",
        left_handed=False,
        counts=dict.fromkeys(ALPHABET, 0),
        goals=dict.fromkeys(ALPHABET, 602),
        letters=("A", "B"),
        rejected={},
        info=("ada", "one", "camera 0", "30 frames per second"),
        banners=(),
    )


@pytest.mark.parametrize(
    ("width", "height", "shown_width", "shown_height"),
    [
        (640, 480, 720, 540),
        (1280, 720, 960, 540),
        (160, 120, 720, 540),
        (480, 640, MIN_IMAGE_WIDTH, 540),  # portrait: with margins on both sides
        (1920, 400, 960, 200),
        (3840, 2160, 960, 540),
        (64, 64, MIN_IMAGE_WIDTH, 540),
    ],
)
def test_frame_of_any_size_fits(
    view: RecordingView, width: int, height: int, shown_width: int, shown_height: int
) -> None:
    frame = np.full((height, width, 3), 128, np.uint8)
    image = draw_view(
        replace(view, frame=frame, recording=True, countdown=3, banners=(Banner(text="No", colour=BAD),) * 2)
    )
    assert image.shape == (shown_height + HEIGHT_BELOW_IMAGE, shown_width + PANEL_WIDTH, 3)
    assert image.dtype == np.uint8
    assert shown_height <= MAX_IMAGE_HEIGHT
    assert shown_width <= MAX_IMAGE_WIDTH


def test_window_is_drawn_before_first_frame(view: RecordingView) -> None:
    assert draw_view(replace(view, frame=None, hand=None)).shape == (540 + HEIGHT_BELOW_IMAGE, 720 + PANEL_WIDTH, 3)


def test_image_is_mirrored_and_frame_is_not_modified(view: RecordingView) -> None:
    frame = np.zeros((480, 640, 3), np.uint8)
    frame[:, :320] = 200  # bright on the left of the camera image
    before = frame.copy()
    image = draw_view(replace(view, frame=frame, hand=None))[:540, :720]
    assert image[:, :350].max() < 10
    assert image[:, 370:].min() > 190
    assert (frame == before).all()


def test_hand_is_drawn_at_mirrored_position(view: RecordingView) -> None:
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
        {"recording": True}, {"countdown": 2}, {"good": False}, {"letter": "A"}, {"left_handed": True},
        {"goals": dict.fromkeys(ALPHABET, 10)}, {"records_clips": True}, {"letters": ("C",)},
        {"rejected": {"blurred": 3}}, {"info": ("ben",)}, {"hand": None}, {"counts": {"B": 5}},
        {"counts": {"C": 602}}, {"banners": (Banner(text="Come closer.", colour=WARN),)},
    ],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_every_value_is_visible(view: RecordingView, change: dict[str, Any]) -> None:
    if "counts" in change:
        change = {"counts": {**view.counts, **change["counts"]}}
    assert (draw_view(replace(view, **change)) != draw_view(view)).any()


@pytest.mark.parametrize("name", ["Jörg-Müßig " * 9, "手話" * 40, "🤟👩‍🦰" * 20, "مريم", "", "a\nb", "\t", "\udcff"])
def test_any_name_can_be_drawn(view: RecordingView, name: str) -> None:
    info = (name, name, name, "")
    image = draw_view(replace(view, info=info, banners=(Banner(text=name, colour=GOOD),)))
    assert image.shape == draw_view(view).shape


@pytest.mark.parametrize("width", [480, 640, 1280])
@pytest.mark.parametrize(
    "text",
    [
        *REASON_MESSAGES.values(),
        *CLIP_REASON_MESSAGES.values(),
        *(f"Good. Hold space, move, release. {example}" for example in NEGATIVE_EXAMPLES),
        "The camera 0 sends no more frames. Frames stored so far are kept. Trying to reconnect.",
    ],
)
def test_messages_are_not_cut_off(view: RecordingView, width: int, text: str) -> None:
    frame = np.zeros((640, width, 3), np.uint8)
    image = draw_view(replace(view, frame=frame, hand=None, banners=(Banner(text=text, colour=WARN),)))
    shown = image[:-HEIGHT_BELOW_IMAGE, :-PANEL_WIDTH].astype(int)
    background = np.abs(shown - np.array(WARN[::-1])).max(axis=2) < 40
    assert background.any()
    assert not background[:, :8].any()
    assert not background[:, -8:].any()


def test_too_many_reasons_are_drawn_as_far_as_they_fit(view: RecordingView) -> None:
    rejected = {str(reason): 10**6 for reason in REASON_MESSAGES}
    assert draw_view(replace(view, rejected=rejected, frame=np.zeros((100, 1000, 3), np.uint8))).dtype == np.uint8


def test_letter_beyond_its_goal(view: RecordingView) -> None:
    counts = dict.fromkeys(ALPHABET, 10_000)
    assert draw_view(replace(view, counts=counts)).shape == draw_view(view).shape
