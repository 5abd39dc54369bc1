from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.capture.quality.diversity import DISTANCE, ENOUGH, LIGHT, PLACE, TURN, diversity_hints
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics

Seen = Callable[..., FrameMetrics]


def turned(points: npt.NDArray[np.float32], degrees: float) -> npt.NDArray[np.float32]:
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ matrix.T, np.float32)


def taken(
    seen: Seen, count: int = 40, *, turn: float = 0, size: float = 0, place: float = 0, light: float = 0
) -> list[IndexEntry]:
    """Frames of one hand, of which some things vary evenly by so much to each side."""
    look = seen(width=640, height=640)
    assert look.hand is not None
    middle = look.hand.landmarks[:, :2].mean(axis=0)
    entries = []
    for index, way in enumerate(np.linspace(-1, 1, count)):
        landmarks = look.hand.landmarks.copy()
        moved = turned(landmarks[:, :2] - middle, turn * way) * (1 + size * way)
        landmarks[:, :2] = moved + middle + (place * way, 0)
        hand = replace(look.hand, landmarks=landmarks)
        seen_so = replace(look, hand=hand, brightness=look.brightness + light * way)
        entries.append(IndexEntry.from_metrics(seen_so, file=f"A/{index}.jpg"))
    return entries


VARIED: dict[str, Any] = {"turn": 20, "size": 0.3, "place": 0.2, "light": 0.2}


def test_varied_frames_need_no_nudge(seen: Seen) -> None:
    assert list(diversity_hints(taken(seen, **VARIED))) == []


@pytest.mark.parametrize(("lacks", "nudge"), [("turn", TURN), ("size", DISTANCE), ("place", PLACE), ("light", LIGHT)])
def test_what_does_not_vary_is_asked_for_and_nothing_else(seen: Seen, lacks: str, nudge: str) -> None:
    assert list(diversity_hints(taken(seen, **VARIED | {lacks: 0}))) == [nudge]


def test_frames_all_the_same_lack_everything(seen: Seen) -> None:
    assert list(diversity_hints(taken(seen))) == [TURN, DISTANCE, PLACE, LIGHT]


def test_few_frames_and_frames_without_a_hand_tell_nothing(seen: Seen) -> None:
    assert list(diversity_hints([])) == []
    assert list(diversity_hints(taken(seen, ENOUGH - 1))) == []
    nobody = IndexEntry.from_metrics(replace(seen(), hand=None, hands=0), file="A/1.jpg")
    assert list(diversity_hints([nobody] * 50)) == []


def test_only_the_newest_count(seen: Seen) -> None:
    assert list(diversity_hints(taken(seen, 60, **VARIED) + taken(seen, 60))) != []
    assert list(diversity_hints(taken(seen, 60) + taken(seen, 60, **VARIED))) == []


def test_a_palm_that_points_past_180_degrees_is_no_turn(seen: Seen) -> None:
    entries = taken(seen, 40, turn=1)
    around = [
        replace(
            entry,
            landmarks=tuple(
                float(value)
                for value in np.concatenate(
                    [
                        turned(np.array(entry.landmarks, np.float32).reshape(21, 3)[:, :2], 90),
                        np.zeros((21, 1), np.float32),
                    ],
                    axis=1,
                ).ravel()
            ),
        )
        for entry in entries
    ]
    assert TURN in list(diversity_hints(around))
