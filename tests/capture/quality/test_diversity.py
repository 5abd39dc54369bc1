from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.capture.quality.diversity import (
    DISTANCE_HINT,
    LIGHT_HINT,
    MIN_FRAMES,
    POSITION_HINT,
    TURN_HINT,
    diversity_hints,
)
from aslkit.formats.frame_index import IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics

MakeMetrics = Callable[..., FrameMetrics]


def rotate(points: npt.NDArray[np.float32], degrees: float) -> npt.NDArray[np.float32]:
    angle = np.radians(degrees)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return np.asarray(points @ matrix.T, np.float32)


def varied_entries(
    make_metrics: MakeMetrics,
    count: int = 40,
    *,
    rotation: float = 0,
    size: float = 0,
    position: float = 0,
    brightness: float = 0,
) -> list[IndexEntry]:
    """Return entries of one hand. Its rotation (degrees), size, position and brightness vary by ± the arguments."""
    metrics = make_metrics(width=640, height=640)
    assert metrics.hand is not None
    centre = metrics.hand.landmarks[:, :2].mean(axis=0)
    entries = []
    for index, offset in enumerate(np.linspace(-1, 1, count)):
        landmarks = metrics.hand.landmarks.copy()
        points = rotate(landmarks[:, :2] - centre, rotation * offset) * (1 + size * offset)
        landmarks[:, :2] = points + centre + (position * offset, 0)
        hand = replace(metrics.hand, landmarks=landmarks)
        changed = replace(metrics, hand=hand, brightness=metrics.brightness + brightness * offset)
        entries.append(IndexEntry.from_metrics(changed, file=f"A/{index}.jpg"))
    return entries


DIVERSE: dict[str, Any] = {"rotation": 20, "size": 0.3, "position": 0.2, "brightness": 0.2}


def test_diverse_frames_need_no_hint(make_metrics: MakeMetrics) -> None:
    assert list(diversity_hints(varied_entries(make_metrics, **DIVERSE))) == []


@pytest.mark.parametrize(
    ("missing", "hint"),
    [("rotation", TURN_HINT), ("size", DISTANCE_HINT), ("position", POSITION_HINT), ("brightness", LIGHT_HINT)],
)
def test_hint_names_what_does_not_vary(make_metrics: MakeMetrics, missing: str, hint: str) -> None:
    assert list(diversity_hints(varied_entries(make_metrics, **DIVERSE | {missing: 0}))) == [hint]


def test_identical_frames_yield_all_hints(make_metrics: MakeMetrics) -> None:
    assert list(diversity_hints(varied_entries(make_metrics))) == [TURN_HINT, DISTANCE_HINT, POSITION_HINT, LIGHT_HINT]


def test_few_frames_or_frames_without_hand_yield_no_hint(make_metrics: MakeMetrics) -> None:
    assert list(diversity_hints([])) == []
    assert list(diversity_hints(varied_entries(make_metrics, MIN_FRAMES - 1))) == []
    no_hand = IndexEntry.from_metrics(replace(make_metrics(), hand=None, hands=0), file="A/1.jpg")
    assert list(diversity_hints([no_hand] * 50)) == []


def test_only_newest_frames_are_measured(make_metrics: MakeMetrics) -> None:
    assert list(diversity_hints(varied_entries(make_metrics, 60, **DIVERSE) + varied_entries(make_metrics, 60))) != []
    assert list(diversity_hints(varied_entries(make_metrics, 60) + varied_entries(make_metrics, 60, **DIVERSE))) == []


def test_directions_around_180_degrees_are_not_diverse(make_metrics: MakeMetrics) -> None:
    entries = varied_entries(make_metrics, 40, rotation=1)
    rotated = [
        replace(
            entry,
            landmarks=tuple(
                float(value)
                for value in np.concatenate(
                    [
                        rotate(np.array(entry.landmarks, np.float32).reshape(21, 3)[:, :2], 90),
                        np.zeros((21, 1), np.float32),
                    ],
                    axis=1,
                ).ravel()
            ),
        )
        for entry in entries
    ]
    assert TURN_HINT in list(diversity_hints(rotated))
