"""Clips that are cut out of frames while these arrive."""

from typing import Any

import numpy as np
import pytest

from aslkit.capture.movement.clip_frame import TrackedFrame
from aslkit.capture.movement.movement_cutter import MovementCutter
from aslkit.capture.quality.movement_segments import segment_movements
from tests.capture.clip_hands import HEIGHT, J_PATH, WIDTH, Z_PATH, hand_at, signed, tracked_frames

Names = list[list[str]]


def long_video(repeats: int = 6, *, rest_s: float = 0.6) -> Any:
    """Return times and landmarks of a hand that draws several times and is away in between."""
    parts, start_s = [], 0.0
    for number in range(repeats):
        time_s, landmarks = signed((J_PATH, Z_PATH)[number % 2], duration_s=0.8, rest_s=rest_s)
        away_s = time_s[-1] + np.arange(1, 20) / 30
        parts.append((start_s + np.concatenate([time_s, away_s]), landmarks))
        start_s = parts[-1][0][-1] + 1 / 30
    away = np.full((19, 21, 3), np.nan, np.float32)
    return np.concatenate([time_s for time_s, _ in parts]), np.concatenate(
        [np.concatenate([landmarks, away]) for _, landmarks in parts]
    )


def cut(frames: list[TrackedFrame], *, whole_if_short: bool = True) -> tuple[Names, Names]:
    """Return the names of the frames of the clips that were found before the end, and at the end."""
    cutter = MovementCutter(whole_if_short=whole_if_short)
    before = [clip for frame in frames for clip in cutter.push(frame)]
    at_end = cutter.finish()
    assert cutter.finish() == []
    return [[frame.name for frame in clip] for clip in before], [[frame.name for frame in clip] for clip in at_end]


def test_clips_are_those_of_the_whole_video() -> None:
    time_s, landmarks = long_video()
    frames = tracked_frames(time_s, landmarks)
    before, at_end = cut(frames)
    expected = segment_movements(time_s, landmarks, width=WIDTH, height=HEIGHT)
    assert before + at_end == [[frame.name for frame in frames[first:end]] for first, end in expected]
    assert len(before) == 6  # as soon as they have ended, not after the last frame


def test_memory_does_not_grow_while_the_hand_rests_or_never_stops() -> None:
    times = np.arange(0, 60, 1 / 10)
    waving = [hand_at(320 + 120 * np.sin(8 * time), 240) for time in times]
    for landmarks in (np.repeat(hand_at(320, 240)[None], len(times), axis=0), np.stack(waving)):
        cutter, longest = MovementCutter(whole_if_short=True), 0
        for frame in tracked_frames(times, landmarks):
            cutter.push(frame)
            longest = max(longest, len(cutter._frames))
        assert longest <= 90


def test_movement_that_never_stops_is_returned_for_the_gate_to_reject() -> None:
    times = np.arange(0, 20, 1 / 10)
    frames = tracked_frames(times, np.stack([hand_at(320 + 120 * np.sin(8 * time), 240) for time in times]))
    before, _ = cut(frames)
    assert before
    assert all(len(clip) > 30 for clip in before)


@pytest.mark.parametrize(("rest_s", "expected"), [(0.85, 1), (0.86, 1), (0.2, 1)])
def test_short_video_is_one_clip(rest_s: float, expected: int) -> None:
    frames = tracked_frames(*signed(J_PATH, duration_s=0.8, rest_s=rest_s))
    before, at_end = cut(frames)
    assert (len(before), len(at_end)) == (0, expected)
    is_short = frames[-1].time_s <= 2.5
    assert (len(at_end[0]) == len(frames)) == is_short


def test_short_part_of_a_live_source_is_no_clip_without_a_movement() -> None:
    frames = tracked_frames(*signed(((0, 0), (0.001, 0)), duration_s=1))
    assert cut(frames, whole_if_short=False) == ([], [])
    assert len(cut(frames)[1]) == 1
    assert cut(frames[:1]) == ([], [])


def test_times_that_begin_again_end_the_sequence() -> None:
    frames = tracked_frames(*signed(J_PATH))
    before, at_end = cut([*frames, *frames])
    assert (len(before), len(at_end)) == (1, 1)
