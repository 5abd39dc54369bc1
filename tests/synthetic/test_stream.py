"""The stream of frames: the same to the bit, smooth like a video, with the fault that was asked for."""

from dataclasses import replace
from itertools import islice

import cv2
import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.synthetic import FAULTS, Signer, SyntheticFrame, SyntheticSession, render_frames, render_letter

ADA = Signer.draw("synthetic-ada")
BEN = Signer.draw("synthetic-ben")


def take(letter: str, count: int, signer: Signer = ADA, seed: int = 0, **rest: object) -> list[SyntheticFrame]:
    session = SyntheticSession.draw(signer, "monday")
    return list(islice(render_frames(letter, signer=signer, session=session, seed=seed, **rest), count))  # type: ignore[arg-type]


def sharpness(frame: SyntheticFrame) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def test_same_arguments_give_same_frames_to_the_bit() -> None:
    for one, other in zip(take("R", 3), take("R", 3), strict=True):
        assert np.array_equal(one.image, other.image)
        assert np.array_equal(one.joints, other.joints)


@pytest.mark.parametrize("change", [{"seed": 1}, {"signer": BEN}, {"fps": 3.0}])
def test_other_arguments_give_other_frames(change: dict[str, object]) -> None:
    assert not np.array_equal(take("R", 2)[1].joints, take("R", 2, **change)[1].joints)  # type: ignore[arg-type]


def test_some_people_point_the_fingers_of_an_m_down_if_they_may_form_it_otherwise() -> None:
    def downs(**freely: object) -> int:
        people = [replace(Signer.draw(f"synthetic-{number}"), **freely) for number in range(20)]  # type: ignore[arg-type]
        hands = [take("M", 1, who, width=64, height=64)[0].joints for who in people]
        return sum(hand[8, 1] > hand[0, 1] for hand in hands)  # the index's tip below the wrist

    assert downs() == 0
    assert 4 < downs(other_forms=True) < 16


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_all_joints_of_every_letter_are_in_the_frame(letter: str, signer: Signer) -> None:
    for frame in take(letter, 2, signer, fps=0.5):
        assert frame.image.shape == (480, 640, 3)
        assert frame.image.dtype == np.uint8
        assert frame.joints.shape == (21, 3)
        assert frame.joints.dtype == np.float32
        assert frame.fault is None
        assert (frame.joints[:, :2] > 0).all()
        assert (frame.joints[:, :2] < 1).all()
        assert frame.joints[0, 2] == 0


def test_other_sizes() -> None:
    for width, height in ((320, 240), (224, 224), (480, 640), (64, 64)):
        frame = take("L", 1, width=width, height=height)[0]
        assert frame.image.shape == (height, width, 3)
        assert ((frame.joints[:, :2] > 0) & (frame.joints[:, :2] < 1)).all()


def test_hand_moves_smoothly_and_never_stands_still() -> None:
    joints = np.stack([frame.joints[:, :2] for frame in take("V", 12)])
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=1)
    assert steps.max() < 0.02
    assert steps.min() > 0
    # A hand that moves smoothly keeps its speed from one thirtieth of a second to the next.
    assert np.abs(np.diff(joints, n=2, axis=0)).max() < 0.002


def test_hand_is_where_the_joints_say() -> None:
    hand = take("B", 1)[0]
    empty = take("B", 1, fault="no-hand")[0]
    changed = np.abs(hand.image.astype(int) - empty.image).max(axis=-1) > 25
    at = np.round(hand.joints[:, :2] * (640, 480)).astype(int)
    assert changed[at[:, 1], at[:, 0]].mean() > 0.8


def test_left_hand_is_the_mirror_image_of_the_right() -> None:
    session = SyntheticSession(name="plain")
    pair = [
        next(render_frames("L", signer=Signer(name="synthetic-ada", left_handed=left), session=session))
        for left in (False, True)
    ]
    right, left = (frame.joints - frame.joints[0] for frame in pair)
    assert left == pytest.approx(right * np.array([-1, 1, 1]), abs=1e-4)


@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_dark(signer: Signer) -> None:
    assert take("A", 1, signer, fault="dark")[0].image.mean() < 0.2 * take("A", 1, signer)[0].image.mean()


@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_blurred(signer: Signer) -> None:
    assert sharpness(take("A", 1, signer, fault="blurred")[0]) < 0.3 * sharpness(take("A", 1, signer)[0])


def test_repeated() -> None:
    first, *others = take("A", 4, fault="repeated")
    assert all(np.array_equal(first.image, other.image) for other in others)
    assert all(np.array_equal(first.joints, other.joints) for other in others)


@pytest.mark.parametrize("letter", ["A", "B", "P"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cut_off(letter: str, seed: int) -> None:
    for frame in take(letter, 2, seed=seed, fault="cut-off"):
        inside = ((frame.joints[:, :2] >= 0) & (frame.joints[:, :2] <= 1)).all(axis=1)
        assert 3 <= inside.sum() <= 17


def test_every_fault_is_named_in_its_frames() -> None:
    assert [take("B", 1, fault=fault)[0].fault for fault in FAULTS] == list(FAULTS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"letter": "J"}, "movement"),
        ({"fault": "upside-down"}, "no-hand, cut-off"),
        ({"width": 10}, "10 x 480"),
        ({"fps": 0.0}, "fps=0"),
    ],
)
def test_wrong_arguments_are_refused_at_once(change: dict[str, object], words: str) -> None:
    session = SyntheticSession.draw(ADA, "monday")
    with pytest.raises(InputError, match=words):
        render_frames(**{"letter": "A", "signer": ADA, "session": session, **change})  # type: ignore[arg-type]


def test_letter_pictures_are_clean_and_differ() -> None:
    pictures = {letter: render_letter(letter, size=160) for letter in LETTERS}
    assert {picture.shape for picture in pictures.values()} == {(160, 160, 3)}
    assert np.array_equal(pictures["A"], render_letter("a", size=160))
    for picture in pictures.values():
        assert (picture[0, 0] == picture[0, 80]).all()
    stack = np.stack(list(pictures.values())).reshape(24, -1).astype(int)
    apart = [np.abs(one - other).mean() for index, one in enumerate(stack) for other in stack[:index]]
    assert min(apart) > 1
