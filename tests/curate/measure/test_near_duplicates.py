from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aslkit.curate.config import NearDuplicateLimits
from aslkit.curate.measure import near_duplicates as group
from aslkit.curate.measure.near_duplicates import GroupFeatures, near_duplicates
from aslkit.vision.hand_landmarker import MIDDLE, WRIST
from aslkit.vision.near_duplicate import align_upright, transform_joints
from aslkit.vision.perceptual_hash import FINE_BYTES, MIRRORED

LIMITS = NearDuplicateLimits(distance=4, hand_distance=0.05, fine_distance=6, crop_distance=28, crop_hand_distance=0.1)
FAR = bytes(range(FINE_BYTES))
"""Of a hash: at no other's distance here."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What frames are compared by, as one would note it: by default alike in nothing but the perceptual hash."""

    phash: int = 7
    fine: int | None = None
    crop: int | None = None
    hand: npt.NDArray[np.float64] | None = None
    left: bool = False
    within: str = "ada/A"


def bits(value: int | None, other: int) -> bytes:
    """A hash; where None, one that is far from all others."""
    own = int.from_bytes(np.random.default_rng(other).bytes(FINE_BYTES)) if value is None else value
    return own.to_bytes(FINE_BYTES)


def apart(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Mean distance of joints in lengths of the smaller palm."""
    palm = min(float(np.hypot(*(hand[MIDDLE[0]] - hand[WRIST]))) for hand in (one, other))
    far = sum(float(np.hypot(*(a - b))) for a, b in zip(one, other, strict=True)) / 21
    return far / palm if palm else (np.inf if far else 0.0)


def by_plain_loops(frames: list[Frame]) -> list[int]:
    """Single linkage as one would explain it."""
    fine, crop = ([int.from_bytes(bits(value, n + off)) for n, value in enumerate(values)] for values, off in (
        ([frame.fine for frame in frames], 0), ([frame.crop for frame in frames], 1000)
    ))  # fmt: skip
    mirror = int.from_bytes(MIRRORED.tobytes())

    def near(i: int, j: int) -> bool:
        one, other = frames[i], frames[j]
        if one.within != other.within:
            return False
        if min((fine[i] ^ fine[j]).bit_count(), (fine[i] ^ fine[j] ^ mirror).bit_count()) <= LIMITS.fine_distance:
            return True
        alike = (one.phash ^ other.phash).bit_count() <= LIMITS.distance
        if one.hand is None or other.hand is None:
            return alike and one.hand is other.hand
        if alike and apart(one.hand, other.hand) <= LIMITS.hand_distance:
            return True
        hands = ((one.hand[None], one.left), (other.hand[None], other.left))
        stood = [transform_joints(hand, align_upright(hand, np.array([left])))[0] for hand, left in hands]
        crops = (crop[i] ^ crop[j]).bit_count() <= LIMITS.crop_distance
        return crops and apart(*(hand.astype(np.float64) for hand in stood)) <= LIMITS.crop_hand_distance

    groups = list(range(len(frames)))
    for i in range(len(frames)):
        for j in range(i):
            if near(i, j):
                groups = [groups[j] if each == groups[i] else each for each in groups]
    first: dict[int, int] = {}
    return [first.setdefault(each, len(first)) for each in groups]


def traits(frames: list[Frame]) -> GroupFeatures:
    hands = [np.full((21, 2), np.nan) if frame.hand is None else frame.hand for frame in frames]
    return GroupFeatures(
        phash=np.array([frame.phash for frame in frames], ">u8").view(np.uint8).reshape(-1, 8),
        fine_hash=np.stack([np.frombuffer(bits(frame.fine, n), np.uint8) for n, frame in enumerate(frames)]),
        hand_hash=np.stack([np.frombuffer(bits(frame.crop, n + 1000), np.uint8) for n, frame in enumerate(frames)]),
        hands=np.stack(hands).astype(np.float32),
        left=np.array([frame.left for frame in frames]),
    )


def grouped(*frames: Frame) -> list[int]:
    found = near_duplicates(traits(list(frames)), np.array([frame.within for frame in frames]), LIMITS)
    assert found.dtype == np.int64
    return [int(each) for each in found]


SHAPE = np.random.default_rng(0).uniform(0, 100, (21, 2))
# Hashes at 0 to 9 bits from each other, hands at 0 to 9 steps of a palm's 0.02 lengths: near and far in every mix.
PALM = float(np.hypot(*(SHAPE[MIDDLE[0]] - SHAPE[WRIST])))


def of_bits(count: int | None) -> int | None:
    return None if count is None else (1 << count) - 1


def turned(hand: npt.NDArray[np.float64], degrees: float) -> npt.NDArray[np.float64]:
    radians = np.deg2rad(degrees)
    turn = np.array([[np.cos(radians), -np.sin(radians)], [np.sin(radians), np.cos(radians)]])
    return np.asarray(hand @ turn + 300)


FRAMES = st.lists(
    st.builds(
        Frame,
        phash=st.integers(0, 9).map(lambda count: (1 << count) - 1),
        fine=(st.none() | st.integers(0, 12)).map(of_bits),
        crop=(st.none() | st.integers(0, 50)).map(of_bits),
        hand=st.none() | st.integers(0, 9).map(lambda steps: SHAPE + steps * 0.02 * PALM)
        | st.integers(0, 3).map(lambda steps: turned(SHAPE, 20 * steps)),
        left=st.booleans(),
        within=st.sampled_from(["ada/A", "ada/B", "ben/A"]),
    ),
    min_size=1,
    max_size=24,
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(FRAMES, st.sampled_from([1, 2, 7, 64]))
def test_as_by_plain_loops(frames: list[Frame], rows: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(group, "_ROWS", rows)
        assert grouped(*frames) == by_plain_loops(frames)


def test_a_chain_of_likeness_is_one_group_and_the_first_frame_names_it() -> None:
    chain = [Frame(phash=phash, hand=SHAPE) for phash in (0xFFF, 0, 0xF, 0xFF)]
    assert grouped(*chain) == [0, 0, 0, 0]
    assert grouped(*chain[:2], chain[3]) == [0, 1, 0]


def test_signers_and_letters_are_never_joined() -> None:
    same = {"phash": 5, "fine": 1, "crop": 1, "hand": SHAPE}
    frames = [Frame(**same, within=within) for within in ("ada/A", "ben/A", "ada/B", "ada/A")]  # type: ignore[arg-type]
    assert grouped(*frames) == [0, 1, 2, 0]


def test_a_frame_without_a_hand_is_near_none_that_has_one() -> None:
    assert grouped(Frame(), Frame(hand=SHAPE), Frame(), Frame(hand=SHAPE)) == [0, 1, 0, 1]


def test_the_same_hand_moved_is_another_frame() -> None:
    assert grouped(Frame(hand=SHAPE), Frame(hand=SHAPE + 0.2 * PALM)) == [0, 1]


def test_a_hand_of_no_size_does_no_harm() -> None:
    point = np.zeros((21, 2))
    assert grouped(Frame(hand=point), Frame(hand=point), Frame(hand=SHAPE)) == [0, 0, 1]


def test_the_same_picture_is_known_whatever_the_hand() -> None:
    fine = int.from_bytes(FAR)
    mirrored = fine ^ int.from_bytes(MIRRORED.tobytes())
    frames = [Frame(phash=0, fine=fine, hand=SHAPE), Frame(phash=0xFFF, fine=mirrored ^ 0b111111)]
    assert grouped(*frames) == [0, 0]
    assert grouped(frames[0], replace(frames[1], fine=mirrored ^ 0b1111111)) == [0, 1]


def test_the_same_hand_is_known_wherever_it_is_however_it_is_turned_and_mirrored() -> None:
    mirrored = turned(SHAPE, 30) * np.array([-1, 1]) * 0.5
    frames = [Frame(phash=0, crop=0, hand=SHAPE), Frame(phash=0xFFF, crop=(1 << 28) - 1, hand=mirrored, left=True)]
    assert grouped(*frames) == [0, 0]
    assert grouped(frames[0], replace(frames[1], crop=(1 << 29) - 1)) == [0, 1]
    assert grouped(frames[0], replace(frames[1], left=False)) == [0, 1]


def test_hashes_of_another_length_are_refused() -> None:
    good = traits([Frame(), Frame()])
    with pytest.raises(ValueError, match="shapes"):
        replace(good, fine_hash=good.fine_hash[:, :-1])
