from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure import near_duplicates
from aslkit.curate.measure.near_duplicates import GroupFeatures, group_near_duplicates
from aslkit.vision.hand_landmarker import MIDDLE, WRIST

LIMITS = NearDuplicateLimits(distance=4, hand_distance=0.05)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Features of a frame. By default, only the perceptual hash is the same as that of other frames."""

    phash: int = 7
    hand: npt.NDArray[np.float64] | None = None
    part: str = "ada/A"


def mean_distance(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Return the mean distance of the joints in lengths of the smaller palm."""
    palm = min(float(np.hypot(*(hand[MIDDLE[0]] - hand[WRIST]))) for hand in (one, other))
    distance = sum(float(np.hypot(*(a - b))) for a, b in zip(one, other, strict=True)) / 21
    return distance / palm if palm else (np.inf if distance else 0.0)


def group_by_loops(frames: list[Frame]) -> list[int]:
    """Group near-duplicates by single linkage in plain loops."""

    def near(i: int, j: int) -> bool:
        one, other = frames[i], frames[j]
        if one.part != other.part:
            return False
        similar = (one.phash ^ other.phash).bit_count() <= LIMITS.distance
        if one.hand is None or other.hand is None:
            return similar and one.hand is other.hand
        return similar and mean_distance(one.hand, other.hand) <= LIMITS.hand_distance

    groups = list(range(len(frames)))
    for i in range(len(frames)):
        for j in range(i):
            if near(i, j):
                groups = [groups[j] if each == groups[i] else each for each in groups]
    first: dict[int, int] = {}
    return [first.setdefault(each, len(first)) for each in groups]


def make_features(frames: list[Frame]) -> GroupFeatures:
    hands = [np.full((21, 2), np.nan) if frame.hand is None else frame.hand for frame in frames]
    return GroupFeatures(
        phash=np.array([frame.phash for frame in frames], ">u8").view(np.uint8).reshape(-1, 8),
        hands=np.stack(hands).astype(np.float32),
    )


def group(*frames: Frame) -> list[int]:
    """Group near-duplicates with the code under test."""
    found = group_near_duplicates(make_features(list(frames)), np.array([frame.part for frame in frames]), LIMITS)
    assert found.dtype == np.int64
    return [int(number) for number in found]


SHAPE = np.random.default_rng(0).uniform(0, 100, (21, 2))
# Hashes differ by 0–9 bits and hands by 0–9 steps of 0.02 palm lengths, so that all combinations of near and far occur.
PALM = float(np.hypot(*(SHAPE[MIDDLE[0]] - SHAPE[WRIST])))


FRAMES = st.lists(
    st.builds(
        Frame,
        phash=st.integers(0, 9).map(lambda count: (1 << count) - 1),
        hand=st.none() | st.integers(0, 9).map(lambda steps: SHAPE + steps * 0.02 * PALM),
        part=st.sampled_from(["ada/A", "ada/B", "ben/A"]),
    ),
    min_size=1,
    max_size=24,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(FRAMES, st.sampled_from([1, 2, 7, 64]))
def test_same_groups_as_plain_loops(frames: list[Frame], rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_duplicates, "_ROWS_PER_BLOCK", rows)
        assert group(*frames) == group_by_loops(frames)


def test_chain_of_near_duplicates_is_one_group() -> None:
    chain = [Frame(phash=phash, hand=SHAPE) for phash in (0xFFF, 0, 0xF, 0xFF)]
    assert group(*chain) == [0, 0, 0, 0]
    assert group(*chain[:2], chain[3]) == [0, 1, 0]


def test_signers_and_letters_are_never_grouped_together() -> None:
    same = {"phash": 5, "hand": SHAPE}
    frames = [Frame(**same, part=part) for part in ("ada/A", "ben/A", "ada/B", "ada/A")]  # type: ignore[arg-type]
    assert group(*frames) == [0, 1, 2, 0]


def test_frame_without_a_hand_is_not_near_one_with_a_hand() -> None:
    assert group(Frame(), Frame(hand=SHAPE), Frame(), Frame(hand=SHAPE)) == [0, 1, 0, 1]


def test_moved_hand_is_not_a_similar_frame() -> None:
    assert group(Frame(hand=SHAPE), Frame(hand=SHAPE + 0.2 * PALM)) == [0, 1]


def test_hand_of_zero_size() -> None:
    point = np.zeros((21, 2))
    assert group(Frame(hand=point), Frame(hand=point), Frame(hand=SHAPE)) == [0, 0, 1]


def test_hash_of_wrong_length_is_an_error() -> None:
    features = make_features([Frame(), Frame()])
    with pytest.raises(ValueError, match=r"must have the shapes .* Received"):
        replace(features, phash=features.phash[:, :-1])
