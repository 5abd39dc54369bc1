from dataclasses import replace

import pytest

from aslkit.capture.quality.handedness import SURPRISED_AFTER, USUAL_FROM, HandednessTracker
from aslkit.vision.hand_landmarker import Hand, Handedness
from aslkit.vision.images import Frame


@pytest.fixture
def right(drawn: tuple[Frame, Hand]) -> Hand:
    return drawn[1]


@pytest.fixture
def left(right: Hand) -> Hand:
    return replace(right, handedness="left")


def shown(sides: HandednessTracker, *hands: Hand) -> None:
    for hand in hands:
        sides.observe(hand)


def test_the_usual_hand_is_learned_in_spite_of_a_few_mistakes(right: Hand, left: Hand) -> None:
    sides = HandednessTracker(None, ask=True)
    shown(sides, left, *[right] * (USUAL_FROM - 2))
    assert sides.usual is None
    shown(sides, right)
    assert sides.usual == "right"


def test_hands_that_change_are_no_usual_one(right: Hand, left: Hand) -> None:
    sides = HandednessTracker(None, ask=True)
    shown(sides, *[left, right] * USUAL_FROM)
    assert (sides.usual, sides.question) == (None, None)


def test_the_other_hand_is_asked_about_once_it_is_no_mistake(right: Hand, left: Hand) -> None:
    sides = HandednessTracker("right", ask=True)
    shown(sides, *[left] * (SURPRISED_AFTER - 1), right, *[left] * (SURPRISED_AFTER - 1))
    assert sides.question is None
    shown(sides, left)
    assert sides.question == "left"


def test_a_single_mistake_right_after_learning_is_not_asked_about(right: Hand, left: Hand) -> None:
    sides = HandednessTracker(None, ask=True)
    shown(sides, *[right] * USUAL_FROM, left)
    assert (sides.usual, sides.question) == ("right", None)


@pytest.mark.parametrize(("is_so", "stored", "unusual"), [(True, "left", 1), (False, "right", 0)])
def test_the_answer_says_how_hands_are_stored_and_is_asked_for_once(
    left: Hand, is_so: bool, stored: Handedness, unusual: int
) -> None:
    sides = HandednessTracker("right", ask=True)
    shown(sides, *[left] * SURPRISED_AFTER)
    sides.resolve(is_so=is_so)
    assert (sides.question, sides.side_of(left), sides.unusual) == (None, stored, unusual)
    shown(sides, *[left] * 3 * SURPRISED_AFTER)
    assert sides.question is None


def test_where_nobody_can_answer_a_hand_is_taken_as_it_is_seen(left: Hand) -> None:
    sides = HandednessTracker("right", ask=False)
    shown(sides, *[left] * 3 * SURPRISED_AFTER)
    assert (sides.question, sides.side_of(left), sides.unusual) == (None, "left", 1)
