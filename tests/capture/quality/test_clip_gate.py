"""Reasons for rejecting clips, on hands that move along known paths."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from aslkit.capture.config import GateConfig
from aslkit.capture.quality.clip_gate import (
    CLIP_REASON_MESSAGES,
    CLIP_REASONS,
    DRAWING_FINGERTIP,
    ClipMeasurements,
    judge_clip,
    measure_path,
)
from tests.capture.clip_hands import HEIGHT, J_PATH, PALM, WIDTH, Z_PATH, signed


def measured(path: Any = J_PATH, *, brightness: float = 0.6, **options: Any) -> ClipMeasurements:
    time_s, landmarks = signed(path, **options)
    return ClipMeasurements(time_s=time_s, landmarks=landmarks, width=WIDTH, height=HEIGHT, brightness=brightness)


def without_hand(clip: ClipMeasurements, rows: slice) -> ClipMeasurements:
    landmarks = clip.landmarks.copy()
    landmarks[rows] = np.nan
    return replace(clip, landmarks=landmarks)


@pytest.mark.parametrize(
    ("letter", "path"), [("J", J_PATH), ("Z", Z_PATH), ("none", J_PATH), ("none", ((0, 0), (2, 0)))]
)
@pytest.mark.parametrize("fps", [10.0, 30.0, 60.0])
def test_good_clip(gate_config: GateConfig, letter: str, path: Any, fps: float) -> None:
    assert judge_clip(measured(path, fps=fps), letter, gate_config) == ()


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (measured(duration_s=0.2, rest_s=0.05), "too-short"),
        (measured(duration_s=2.4), "too-long"),
        (measured(fps=7), "few-frames"),
        (measured(brightness=0.1), "too-dark"),
        (measured(((0, 0), (0.3, 0.1))), "no-movement"),
        (measured(((0, 0), (2.5, 0.5))), "straight"),
        (without_hand(measured(), slice(None)), "no-hand"),
        (without_hand(measured(), slice(15, 25)), "hand-lost"),  # a third of a second
        (without_hand(measured(), slice(1, None, 2)), "hand-lost"),  # half of the frames
        (without_hand(measured(), slice(0, 5)), "hand-missing"),
        (without_hand(measured(), slice(-5, None)), "hand-missing"),
        (replace(measured(), landmarks=measured().landmarks - np.float32(0.45)), "cut-off"),
    ],
)  # fmt: skip
def test_bad_clip_is_rejected_with_one_reason(gate_config: GateConfig, clip: ClipMeasurements, expected: str) -> None:
    assert judge_clip(clip, "J", gate_config) == (expected,)


@pytest.mark.parametrize(
    "clip",
    [
        without_hand(measured(), slice(15, 18)),  # a tenth of a second, as when the fingers blur
        without_hand(measured(), slice(0, 2)),
        measured(duration_s=2.1),  # with two rests of 0.2 s, exactly the longest duration
    ],
)
def test_small_faults_are_tolerated(gate_config: GateConfig, clip: ClipMeasurements) -> None:
    assert judge_clip(clip, "J", gate_config) == ()


@pytest.mark.parametrize(
    "clip",
    [
        without_hand(measured(), slice(0, 25)),  # enters
        without_hand(measured(), slice(20, None)),  # leaves
        measured(((0, 0), (0.1, 0.1))),
        replace(measured(), landmarks=measured().landmarks - np.float32(0.45)),
    ],
)
def test_negatives_may_enter_leave_and_rest(gate_config: GateConfig, clip: ClipMeasurements) -> None:
    assert judge_clip(clip, "none", gate_config) == ()
    assert judge_clip(clip, "J", gate_config) != ()


def test_one_frame_is_too_short(gate_config: GateConfig) -> None:
    clip = measured()
    one = replace(clip, time_s=clip.time_s[:1], landmarks=clip.landmarks[:1])
    assert judge_clip(one, "J", gate_config) == ("too-short",)


def test_path_is_that_of_the_drawing_finger_and_ignores_noise() -> None:
    clip, rng = measured(((0, 0), (2, 0))), np.random.default_rng(1)
    path, distance = measure_path(clip, DRAWING_FINGERTIP["Z"])
    assert (path, distance) == pytest.approx((2, 2), abs=0.01)
    # Only the tip of the little finger moves.
    bent = replace(clip, landmarks=np.repeat(clip.landmarks[:1], len(clip.time_s), axis=0))
    bent.landmarks[:, 20, 1] += np.linspace(0, 1.5 * PALM / HEIGHT, len(clip.time_s))
    assert measure_path(bent, DRAWING_FINGERTIP["J"])[0] == pytest.approx(1.5, abs=0.1)
    assert measure_path(bent, DRAWING_FINGERTIP["Z"])[0] == 0
    still = np.repeat(clip.landmarks[:1], 75, axis=0) + rng.normal(0, 0.01 * PALM / WIDTH, (75, 21, 3))
    held = replace(clip, time_s=np.arange(75) / 30, landmarks=still.astype(np.float32))
    assert measure_path(held, DRAWING_FINGERTIP["Z"])[0] < 0.3


def test_each_reason_has_a_message_that_says_what_to_do() -> None:
    assert set(CLIP_REASON_MESSAGES) == set(CLIP_REASONS)
    assert all(message.count(".") >= 2 for message in CLIP_REASON_MESSAGES.values())
