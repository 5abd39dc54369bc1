import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.curate import group
from aslkit.curate.group import near_duplicates
from aslkit.hands import MIDDLE, WRIST
from aslkit.likeness import hamming

DISTANCE, HAND_DISTANCE = 4, 0.05
Hand = npt.NDArray[np.float64]


def by_plain_loops(phash: list[int], hands: list[Hand | None], within: list[str]) -> list[int]:
    """Single linkage as one would explain it."""

    def near(i: int, j: int) -> bool:
        if within[i] != within[j] or (phash[i] ^ phash[j]).bit_count() > DISTANCE:
            return False
        left, right = hands[i], hands[j]
        if left is None or right is None:
            return left is right
        palm = min(float(np.hypot(*(hand[MIDDLE[0]] - hand[WRIST]))) for hand in (left, right))
        apart = sum(float(np.hypot(*(a - b))) for a, b in zip(left, right, strict=True)) / 21
        return apart <= HAND_DISTANCE * palm

    groups = list(range(len(phash)))
    for i in range(len(phash)):
        for j in range(i):
            if near(i, j):
                groups = [groups[j] if each == groups[i] else each for each in groups]
    first: dict[int, int] = {}
    return [first.setdefault(each, len(first)) for each in groups]


def grouped(phash: list[int], hands: list[Hand | None], within: list[str]) -> list[int]:
    points = np.stack([np.full((21, 2), np.nan) if hand is None else hand for hand in hands]).astype(np.float32)
    found = near_duplicates(
        np.array(phash, np.uint64), points, np.array(within), distance=DISTANCE, hand_distance=HAND_DISTANCE
    )
    assert found.dtype == np.int64
    return [int(each) for each in found]


SHAPE = np.random.default_rng(0).uniform(0, 100, (21, 2))
# Hashes at 0 to 9 bits from each other, hands at 0 to 9 steps of a palm's 0.02 lengths: near and far in every mix.
PALM = float(np.hypot(*(SHAPE[MIDDLE[0]] - SHAPE[WRIST])))
FRAMES = st.lists(
    st.tuples(st.integers(0, 9), st.none() | st.integers(0, 9), st.sampled_from(["ada/A", "ada/B", "ben/A"])),
    min_size=1,
    max_size=24,
)


@settings(deadline=None, max_examples=150)
@given(FRAMES, st.sampled_from([1, 2, 7, 64]))
def test_as_by_plain_loops(frames: list[tuple[int, int | None, str]], rows: int) -> None:
    phash = [(1 << bits) - 1 for bits, _, _ in frames]
    hands = [None if steps is None else SHAPE + steps * 0.02 * PALM for _, steps, _ in frames]
    within = [where for _, _, where in frames]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "_ROWS", rows)
        assert grouped(phash, hands, within) == by_plain_loops(phash, hands, within)


def test_a_chain_of_likeness_is_one_group_and_the_first_frame_names_it() -> None:
    hand = SHAPE
    assert grouped([0xFFF, 0, 0xF, 0xFF], [hand] * 4, ["x"] * 4) == [0, 0, 0, 0]
    assert grouped([0xFFF, 0, 0xFF], [hand] * 3, ["x"] * 3) == [0, 1, 0]


def test_signers_and_letters_are_never_joined() -> None:
    assert grouped([5, 5, 5, 5], [SHAPE] * 4, ["ada/A", "ben/A", "ada/B", "ada/A"]) == [0, 1, 2, 0]


def test_a_frame_without_a_hand_is_near_none_that_has_one() -> None:
    assert grouped([7, 7, 7, 7], [None, SHAPE, None, SHAPE], ["x"] * 4) == [0, 1, 0, 1]


def test_the_same_hand_moved_is_another_frame() -> None:
    assert grouped([7, 7], [SHAPE, SHAPE + 0.2 * PALM], ["x", "x"]) == [0, 1]


def test_a_hand_of_no_size_does_no_harm() -> None:
    assert grouped([7, 7, 7], [np.zeros((21, 2)), np.zeros((21, 2)), SHAPE], ["x"] * 3) == [0, 0, 1]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_hamming_counts_bits(left: int, right: int) -> None:
    assert hamming(np.array([left], np.uint64), np.array([right], np.uint64)).tolist() == [(left ^ right).bit_count()]
