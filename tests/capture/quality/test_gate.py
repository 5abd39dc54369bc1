"""The quality gate on constructed metrics, and on synthetic frames with the real landmarker."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.capture.config import GateConfig
from aslkit.capture.quality.gate import REASON_MESSAGES, REASONS, KeptFrames, Reason, judge_frame
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import WRIST, Hand, HandLandmarker, create_landmarker
from aslkit.vision.images import Frame
from aslkit.vision.near_duplicate import hands_within

MARGIN = 1e-3
"""Distance from a limit, in its units."""

MakeMetrics = Callable[..., FrameMetrics]


def move_joint(hand: Hand, joints: Any, axis: int, value: float) -> Hand:
    landmarks = hand.landmarks.copy()
    landmarks[joints, axis] = value
    return replace(hand, landmarks=landmarks)


def resize_hand(hand: Hand, metrics: FrameMetrics, size: float) -> Hand:
    """Return the hand, scaled so that the longer side of its box is this share of the shorter side of the frame."""
    pixels = hand.landmarks[:, :2] * (metrics.width, metrics.height)
    scale = size * min(metrics.width, metrics.height) / np.ptp(pixels, axis=0).max()
    landmarks = hand.landmarks.copy()
    landmarks[:, :2] = 0.5 + (landmarks[:, :2] - landmarks[:, :2].mean(axis=0)) * scale
    return replace(hand, landmarks=landmarks)


def test_good_frame_passes(make_metrics: MakeMetrics, gate_config: GateConfig) -> None:
    assert judge_frame(make_metrics(), KeptFrames(), gate_config) == ()


@pytest.mark.parametrize("side", [-1, 1], ids=["within", "beyond"])
@pytest.mark.parametrize(
    ("metric", "limit", "above", "reason"),
    [
        ("brightness", "darkest", False, "too-dark"),
        ("glare", "brightest", True, "too-bright"),
        ("speed", "fastest", True, "moved"),
        ("blur_fine", "blur_fine", True, "blurred"),
        ("blur_coarse", "blur_coarse", True, "blurred"),
    ],
)
def test_each_metric_has_a_limit(
    make_metrics: MakeMetrics, gate_config: GateConfig, metric: str, limit: str, above: bool, reason: Reason, side: int
) -> None:
    value = getattr(gate_config, limit) + MARGIN * side * (1 if above else -1)
    assert judge_frame(make_metrics(**{metric: value}), KeptFrames(), gate_config) == ((reason,) if side > 0 else ())


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("edge", [0, 1])
@pytest.mark.parametrize(("joint", "limit"), [(WRIST, "wrist_edge"), (4, "edge"), (20, "edge")])
def test_joint_may_leave_frame_up_to_limit(
    make_metrics: MakeMetrics, gate_config: GateConfig, joint: int, limit: str, edge: int, axis: int
) -> None:
    hand = make_metrics().hand
    assert hand is not None
    for excess, expected in ((-MARGIN, ()), (MARGIN, ("cut-off",))):
        limit_value = getattr(gate_config, limit) + excess
        moved = move_joint(hand, joint, axis, 1 + limit_value if edge else -limit_value)
        assert judge_frame(make_metrics(hand=moved), KeptFrames(), gate_config) == expected


@pytest.mark.parametrize(("width", "height"), [(640, 480), (480, 640), (1280, 720)])
def test_hand_may_be_as_small_as_limit(
    make_metrics: MakeMetrics, gate_config: GateConfig, width: int, height: int
) -> None:
    frame = make_metrics(width=width, height=height)
    for size, expected in (
        (gate_config.smallest_hand + MARGIN, ()),
        (gate_config.smallest_hand - MARGIN, ("too-small",)),
    ):
        assert frame.hand is not None
        assert (
            judge_frame(replace(frame, hand=resize_hand(frame.hand, frame, size)), KeptFrames(), gate_config)
            == expected
        )


def test_no_hand_and_two_hands(make_metrics: MakeMetrics, gate_config: GateConfig) -> None:
    assert judge_frame(make_metrics(hands=0, hand=None), KeptFrames(), gate_config) == ("no-hand",)
    assert judge_frame(make_metrics(hands=2), KeptFrames(), gate_config) == ("two-hands",)


def test_all_reasons_are_returned_in_order(make_metrics: MakeMetrics, gate_config: GateConfig) -> None:
    hand = make_metrics().hand
    assert hand is not None
    cut_off = move_joint(resize_hand(hand, make_metrics(), 0.1), 8, 0, 1.5)
    bad = make_metrics(hands=2, hand=cut_off, brightness=0.0, glare=1.0, speed=99.0, blur_fine=1.0)
    found = judge_frame(bad, KeptFrames(), gate_config)
    assert list(found) == [reason for reason in REASONS if reason in found]
    assert {"two-hands", "cut-off", "too-dark", "too-bright", "moved", "blurred"} <= set(found)
    assert (
        judge_frame(make_metrics(hands=0, hand=None, brightness=0.0), KeptFrames(), gate_config)[0] == "too-dark"
    )  # darkness can cause the missing hand


def test_every_reason_has_message_with_advice() -> None:
    assert set(REASON_MESSAGES) == set(REASONS)
    assert all(message.count(". ") == 1 and message.endswith(".") for message in REASON_MESSAGES.values())


def test_larger_of_two_hands_is_measured(synthetic_hand: tuple[Frame, Hand], make_metrics: MakeMetrics) -> None:
    frame, hand = synthetic_hand
    small = resize_hand(hand, make_metrics(), 0.1)
    found = measure_frame(frame, [small, hand])
    assert (found.hands, found.hand) == (2, hand)


names = st.integers(0, 30)
actions = st.tuples(st.sampled_from(["add", "remove"]), names)


@given(st.lists(actions, max_size=60), names, st.integers(0, 8), st.integers(0, 8), st.floats(0, 0.2))
def test_find_similar_equals_pairwise_comparison(
    synthetic_hand: tuple[Frame, Hand],
    gate_config: GateConfig,
    steps: list[tuple[str, int]],
    query: int,
    bits: int,
    fine_bits: int,
    distance: float,
) -> None:
    def variant(number: int) -> FrameMetrics:
        rng = np.random.default_rng(number)
        landmarks = synthetic_hand[1].landmarks + np.array([*rng.uniform(0, 0.05, 2), 0], np.float32)
        hand = replace(synthetic_hand[1], landmarks=landmarks.astype(np.float32))
        phash, fine_hash = (int(value) << 3 for value in rng.integers(0, 1 << 12, 2))
        return FrameMetrics(hands=1, hand=hand, width=640, height=480, phash=phash, fine_hash=fine_hash << 200)

    kept, expected_frames = KeptFrames(), dict[str, FrameMetrics]()
    for action, number in steps:
        if action == "remove":
            kept.remove(str(number))
            expected_frames.pop(str(number), None)
        elif str(number) not in expected_frames:
            kept.add(str(number), variant(number))
            expected_frames[str(number)] = variant(number)
    metrics = variant(query)
    gate_config = replace(gate_config, alike_bits=bits, alike_fine_bits=fine_bits, alike_hand=distance)
    expected = any(
        (frame.fine_hash ^ metrics.fine_hash).bit_count() <= fine_bits
        or (
            (frame.phash ^ metrics.phash).bit_count() <= bits
            and hands_within(frame.joints[None], metrics.joints[None], distance)[0]
        )
        for frame in expected_frames.values()
    )
    assert len(kept) == len(expected_frames)
    assert kept.find_similar(metrics, gate_config) == expected


def test_kept_frames_grow_beyond_initial_size(make_metrics: MakeMetrics, gate_config: GateConfig) -> None:
    kept = KeptFrames()
    for number in range(200):
        kept.add(str(number), make_metrics(number))
    kept.remove("100")
    assert [number for number in range(200) if not kept.find_similar(make_metrics(number), gate_config)] == [100]


def test_near_duplicate_needs_similar_image_and_similar_hand(
    make_metrics: MakeMetrics, gate_config: GateConfig
) -> None:
    kept, first, other = KeptFrames(), make_metrics(1), make_metrics(2)
    kept.add("1", first)
    assert judge_frame(first, kept, gate_config) == ("too-alike",)
    assert judge_frame(other, kept, gate_config) == ()  # the same hand in another image
    assert first.hand is not None
    other_hand = resize_hand(first.hand, first, 0.4)
    assert judge_frame(replace(first, hand=other_hand, fine_hash=other.fine_hash), kept, gate_config) == ()
    assert judge_frame(replace(other, hand=other_hand, fine_hash=first.fine_hash ^ 0b111), kept, gate_config) == (
        "too-alike",
    )


def test_bad_frame_is_not_also_reported_as_duplicate(make_metrics: MakeMetrics, gate_config: GateConfig) -> None:
    kept, first = KeptFrames(), make_metrics(1, speed=99.0)
    kept.add("1", first)
    assert judge_frame(first, kept, gate_config) == ("moved",)


# With the real landmarker: several synthetic signers, with and without faults.

SIGNERS = ("synthetic-ada", "synthetic-ben", "synthetic-dora", "synthetic-finn")


@pytest.fixture(scope="module")
def landmarker() -> Iterator[HandLandmarker]:
    with create_landmarker() as opened:
        yield opened


def judge_synthetic_frames(
    landmarker: HandLandmarker, gate_config: GateConfig, letter: str, fault: str | None
) -> list[tuple[Reason, ...]]:
    found, count = [], 3
    for name in SIGNERS:
        kept, signer = KeptFrames(), Signer.draw(name)
        stream = render_frames(
            letter, signer=signer, session=SyntheticSession.draw(signer, "one"), fault=fault, fps=2.0
        )
        for index, frame in enumerate(islice(stream, count)):
            metrics = measure_frame(frame.image, landmarker.find_all(frame.image))
            found.append(judge_frame(metrics, kept, gate_config))
            kept.add(str(index), metrics)
    return found


@pytest.mark.parametrize("letter", ["B", "L", "Y"])
def test_good_synthetic_frames_mostly_pass(landmarker: HandLandmarker, gate_config: GateConfig, letter: str) -> None:
    found = judge_synthetic_frames(landmarker, gate_config, letter, None)
    assert sum(not reasons for reasons in found) >= 0.7 * len(found), Counter(found)


@pytest.mark.parametrize(
    ("fault", "reasons"),
    [
        ("no-hand", {"no-hand"}),
        ("cut-off", {"cut-off", "no-hand"}),  # finds no hand, or occasionally a complete one inside the frame
        ("blurred", {"blurred", "no-hand"}),
        ("dark", {"too-dark"}),
    ],
)
def test_bad_synthetic_frames_are_rejected_for_the_right_reason(
    landmarker: HandLandmarker, gate_config: GateConfig, fault: str, reasons: set[Reason]
) -> None:
    found = judge_synthetic_frames(landmarker, gate_config, "L", fault)
    correct = sum(bool(reasons & set(frame_reasons[:1])) for frame_reasons in found)
    assert correct >= len(found) - (fault == "cut-off"), Counter(found)


def test_repeated_frame_is_accepted_once(landmarker: HandLandmarker, gate_config: GateConfig) -> None:
    found = judge_synthetic_frames(landmarker, gate_config, "L", "repeated")
    for index in range(0, len(found), 3):
        assert found[index] == ()
        assert found[index + 1 : index + 3] == [("too-alike",)] * 2
