"""Hands that only the retries find, in the frames of ../shared/data/hard-frames; frames without a hand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aslkit.vision.detection_retries import VARIANTS
from aslkit.vision.hand_landmarker import HandLandmarker
from aslkit.vision.images import Frame, decode_image

PEOPLE = ("h01", "h02", "h03", "h04", "h06")


@pytest.fixture(scope="module")
def landmarker() -> Iterator[HandLandmarker]:
    with HandLandmarker() as opened:
        yield opened


@pytest.fixture(scope="module")
def first_only() -> Iterator[HandLandmarker]:
    with HandLandmarker(second_try=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def hard_frames(real_data: Path) -> list[Frame]:
    """The first three frames of each of five people."""
    paths = [path for who in PEOPLE for path in sorted((real_data / "hard-frames" / who).glob("*/*"))[:3]]
    assert len(paths) == 3 * len(PEOPLE)
    return [decode_image(path.read_bytes()) for path in paths]


def test_retries_find_hands_that_the_first_attempt_misses(
    landmarker: HandLandmarker, first_only: HandLandmarker, hard_frames: list[Frame]
) -> None:
    # The frames were selected with another JPEG decoder, so a few may be found at first.
    assert sum(first_only.find(frame) is not None for frame in hard_frames) <= 0.2 * len(hard_frames)
    hands = [landmarker.find(frame) for frame in hard_frames]
    found = [hand for hand in hands if hand is not None]
    assert len(found) >= 0.8 * len(hard_frames)
    assert all(hand.extent > 0.01 and hand.landmarks.shape == (21, 3) for hand in found)


def test_frames_with_a_hand_at_first_are_unchanged(
    landmarker: HandLandmarker, first_only: HandLandmarker, picture: Frame
) -> None:
    hand, first = landmarker.find(picture), first_only.find(picture)
    assert hand is not None
    assert first is not None
    np.testing.assert_array_equal(hand.landmarks, first.landmarks)
    assert (hand.handedness, hand.score) == (first.handedness, first.score)


def test_frames_are_independent_without_spread_retries(landmarker: HandLandmarker, hard_frames: list[Frame]) -> None:
    alone = landmarker.find(hard_frames[0])
    landmarker.find(hard_frames[-1])
    again = landmarker.find(hard_frames[0])
    assert alone is not None
    assert again is not None
    np.testing.assert_array_equal(alone.landmarks, again.landmarks)


def test_no_hand_in_noise_stripes_or_uniform_frames(landmarker: HandLandmarker, rng: np.random.Generator) -> None:
    stripes = np.zeros((240, 320, 3), np.uint8)
    stripes[:, ::7] = (120, 150, 220)
    noise = rng.integers(0, 256, (240, 320, 3)).astype(np.uint8)
    uniform = np.full((240, 320, 3), (110, 140, 200), np.uint8)
    assert [landmarker.find(frame) for frame in (stripes, noise, uniform)] == [None, None, None]


def test_spread_retries_find_a_still_hand_within_some_frames_and_keep_it(hard_frames: list[Frame]) -> None:
    with HandLandmarker(spread_retries=True) as landmarker:
        hands = [landmarker.find(hard_frames[0]) for _ in range(5 * len(VARIANTS) + 5)]
        first = next((index for index, hand in enumerate(hands) if hand is not None), None)
        assert first is not None
        assert all(hand is not None for hand in hands[first:])
        # After the hand has left, the previous region contains none.
        assert landmarker.find(np.full_like(hard_frames[0], 127)) is None
