"""Rendered frames are reproducible, move smoothly and show the requested fault."""

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


def render(letter: str, count: int, signer: Signer = ADA, seed: int = 0, **rest: object) -> list[SyntheticFrame]:
    session = SyntheticSession.draw(signer, "monday")
    return list(islice(render_frames(letter, signer=signer, session=session, seed=seed, **rest), count))  # type: ignore[arg-type]


def sharpness(frame: SyntheticFrame) -> float:
    return float(cv2.Laplacian(cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY), cv2.CV_64F).var())


def test_same_arguments_give_identical_frames() -> None:
    for first, second in zip(render("R", 3), render("R", 3), strict=True):
        assert np.array_equal(first.image, second.image)
        assert np.array_equal(first.joints, second.joints)


@pytest.mark.parametrize("change", [{"seed": 1}, {"signer": BEN}, {"fps": 3.0}])
def test_other_arguments_give_other_frames(change: dict[str, object]) -> None:
    assert not np.array_equal(render("R", 2)[1].joints, render("R", 2, **change)[1].joints)  # type: ignore[arg-type]


def test_some_signers_with_variants_sign_m_with_fingers_down() -> None:
    def count_fingers_down(**changes: object) -> int:
        signers = [replace(Signer.draw(f"synthetic-{number}"), **changes) for number in range(20)]  # type: ignore[arg-type]
        hands = [render("M", 1, signer, width=64, height=64)[0].joints for signer in signers]
        return sum(hand[8, 1] > hand[0, 1] for hand in hands)  # the tip of the index finger is below the wrist

    assert count_fingers_down() == 0
    assert 4 < count_fingers_down(use_variants=True) < 16


@pytest.mark.parametrize("letter", LETTERS)
@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_joints_of_every_letter_are_inside_the_frame(letter: str, signer: Signer) -> None:
    for frame in render(letter, 2, signer, fps=0.5):
        assert frame.image.shape == (480, 640, 3)
        assert frame.image.dtype == np.uint8
        assert frame.joints.shape == (21, 3)
        assert frame.joints.dtype == np.float32
        assert frame.fault is None
        assert (frame.joints[:, :2] > 0).all()
        assert (frame.joints[:, :2] < 1).all()
        assert frame.joints[0, 2] == 0


def test_frame_sizes() -> None:
    for width, height in ((320, 240), (224, 224), (480, 640), (64, 64)):
        frame = render("L", 1, width=width, height=height)[0]
        assert frame.image.shape == (height, width, 3)
        assert ((frame.joints[:, :2] > 0) & (frame.joints[:, :2] < 1)).all()


def test_hand_moves_smoothly_all_the_time() -> None:
    joints = np.stack([frame.joints[:, :2] for frame in render("V", 12)])
    steps = np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(axis=1)
    assert steps.max() < 0.02
    assert steps.min() > 0
    # The speed hardly changes within a thirtieth of a second.
    assert np.abs(np.diff(joints, n=2, axis=0)).max() < 0.002


def test_hand_is_rendered_at_its_joints() -> None:
    hand = render("B", 1)[0]
    empty = render("B", 1, fault="no-hand")[0]
    changed = np.abs(hand.image.astype(int) - empty.image).max(axis=-1) > 25
    pixels = np.round(hand.joints[:, :2] * (640, 480)).astype(int)
    assert changed[pixels[:, 1], pixels[:, 0]].mean() > 0.8


def test_left_hand_mirrors_the_right() -> None:
    session = SyntheticSession(name="plain")
    pair = [
        next(render_frames("L", signer=Signer(name="synthetic-ada", left_handed=left), session=session))
        for left in (False, True)
    ]
    right, left = (frame.joints - frame.joints[0] for frame in pair)
    assert left == pytest.approx(right * np.array([-1, 1, 1]), abs=1e-4)


@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_dark_fault(signer: Signer) -> None:
    assert render("A", 1, signer, fault="dark")[0].image.mean() < 0.2 * render("A", 1, signer)[0].image.mean()


@pytest.mark.parametrize("signer", [ADA, BEN], ids=lambda signer: signer.name)
def test_blurred_fault(signer: Signer) -> None:
    assert sharpness(render("A", 1, signer, fault="blurred")[0]) < 0.3 * sharpness(render("A", 1, signer)[0])


def test_repeated_fault() -> None:
    first, *others = render("A", 4, fault="repeated")
    assert all(np.array_equal(first.image, other.image) for other in others)
    assert all(np.array_equal(first.joints, other.joints) for other in others)


@pytest.mark.parametrize("letter", ["A", "B", "P"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_cut_off_fault(letter: str, seed: int) -> None:
    for frame in render(letter, 2, seed=seed, fault="cut-off"):
        inside = ((frame.joints[:, :2] >= 0) & (frame.joints[:, :2] <= 1)).all(axis=1)
        assert 3 <= inside.sum() <= 17


def test_frames_name_their_fault() -> None:
    assert [render("B", 1, fault=fault)[0].fault for fault in FAULTS] == list(FAULTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"letter": "Ä"}, "not a letter"),
        ({"fault": "upside-down"}, "no-hand, cut-off"),
        ({"width": 10}, "10 x 480"),
        ({"fps": 0.0}, "fps must be above 0"),
    ],
)
def test_invalid_arguments_raise_before_first_frame(change: dict[str, object], message: str) -> None:
    session = SyntheticSession.draw(ADA, "monday")
    with pytest.raises(InputError, match=message):
        render_frames(**{"letter": "A", "signer": ADA, "session": session, **change})  # type: ignore[arg-type]


def test_letter_images_are_clean_and_differ() -> None:
    pictures = {letter: render_letter(letter, size=160) for letter in LETTERS}
    assert {picture.shape for picture in pictures.values()} == {(160, 160, 3)}
    assert np.array_equal(pictures["A"], render_letter("a", size=160))
    for picture in pictures.values():
        assert (picture[0, 0] == picture[0, 80]).all()
    stack = np.stack(list(pictures.values())).reshape(24, -1).astype(int)
    differences = [np.abs(image - other).mean() for index, image in enumerate(stack) for other in stack[:index]]
    assert min(differences) > 1
