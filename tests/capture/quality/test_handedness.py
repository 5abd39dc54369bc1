from dataclasses import replace

import pytest

from aslkit.capture.quality.handedness import FRAMES_BEFORE_QUESTION, MIN_FRAMES_TO_LEARN, HandednessTracker
from aslkit.vision.hand_landmarker import Hand, Handedness
from aslkit.vision.images import Frame


@pytest.fixture
def right_hand(synthetic_hand: tuple[Frame, Hand]) -> Hand:
    return synthetic_hand[1]


@pytest.fixture
def left_hand(right_hand: Hand) -> Hand:
    return replace(right_hand, handedness="left")


def observe_all(tracker: HandednessTracker, *hands: Hand) -> None:
    for hand in hands:
        tracker.observe(hand)


def test_usual_hand_is_learned_despite_errors(right_hand: Hand, left_hand: Hand) -> None:
    tracker = HandednessTracker(None, can_ask=True)
    observe_all(tracker, left_hand, *[right_hand] * (MIN_FRAMES_TO_LEARN - 2))
    assert tracker.usual is None
    observe_all(tracker, right_hand)
    assert tracker.usual == "right"


def test_alternating_hands_are_not_learned(right_hand: Hand, left_hand: Hand) -> None:
    tracker = HandednessTracker(None, can_ask=True)
    observe_all(tracker, *[left_hand, right_hand] * MIN_FRAMES_TO_LEARN)
    assert (tracker.usual, tracker.question) == (None, None)


def test_question_after_consecutive_frames_of_other_hand(right_hand: Hand, left_hand: Hand) -> None:
    tracker = HandednessTracker("right", can_ask=True)
    observe_all(
        tracker, *[left_hand] * (FRAMES_BEFORE_QUESTION - 1), right_hand, *[left_hand] * (FRAMES_BEFORE_QUESTION - 1)
    )
    assert tracker.question is None
    observe_all(tracker, left_hand)
    assert tracker.question == "left"


def test_no_question_after_single_error(right_hand: Hand, left_hand: Hand) -> None:
    tracker = HandednessTracker(None, can_ask=True)
    observe_all(tracker, *[right_hand] * MIN_FRAMES_TO_LEARN, left_hand)
    assert (tracker.usual, tracker.question) == ("right", None)


@pytest.mark.parametrize(("confirmed", "stored", "unusual"), [(True, "left", 1), (False, "right", 0)])
def test_answer_determines_stored_side_and_is_asked_once(
    left_hand: Hand, confirmed: bool, stored: Handedness, unusual: int
) -> None:
    tracker = HandednessTracker("right", can_ask=True)
    observe_all(tracker, *[left_hand] * FRAMES_BEFORE_QUESTION)
    tracker.resolve(confirmed=confirmed)
    assert (tracker.question, tracker.side_of(left_hand), tracker.unusual) == (None, stored, unusual)
    observe_all(tracker, *[left_hand] * 3 * FRAMES_BEFORE_QUESTION)
    assert tracker.question is None


def test_detected_side_is_stored_if_signer_cannot_answer(left_hand: Hand) -> None:
    tracker = HandednessTracker("right", can_ask=False)
    observe_all(tracker, *[left_hand] * 3 * FRAMES_BEFORE_QUESTION)
    assert (tracker.question, tracker.side_of(left_hand), tracker.unusual) == (None, "left", 1)


@pytest.mark.parametrize(
    ("left", "right", "reported"),
    [(19, 0, True), (18, 2, True), (17, 3, False), (0, 20, False), (FRAMES_BEFORE_QUESTION - 1, 0, False)],
)
def test_recording_with_the_other_hand_is_reported(
    left_hand: Hand, right_hand: Hand, left: int, right: int, reported: bool
) -> None:
    tracker = HandednessTracker("right", can_ask=False)
    for hand in [left_hand] * left + [right_hand] * right:
        tracker.observe(hand)
        tracker.side_of(hand)
    note = tracker.mirrored_note(left + right)
    assert (note is not None) == reported
    if note is not None:
        assert note.startswith(f"{left} of {left + right} frames show a left hand, but earlier recordings")
        assert "again with --mirrored" in note


def test_confirmed_other_hand_is_not_reported(left_hand: Hand) -> None:
    tracker = HandednessTracker("right", can_ask=True)
    observe_all(tracker, *[left_hand] * FRAMES_BEFORE_QUESTION)
    tracker.resolve(confirmed=True)
    for _ in range(20):
        tracker.side_of(left_hand)
    assert (tracker.confirmed, tracker.mirrored_note(20)) == (True, None)
