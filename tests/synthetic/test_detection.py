"""MediaPipe detects the rendered hands at the right place, and the letters are distinguishable."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.letters import LETTERS
from aslkit.synthetic import Signer, SyntheticFrame, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import Hand, HandLandmarker

RIGHT = Signer.draw("synthetic-ada")
LEFT = Signer.draw("synthetic-eva")

Found = dict[tuple[str, str], list[tuple[SyntheticFrame, Hand | None]]]


@pytest.fixture(scope="module")
def landmarker() -> Iterator[HandLandmarker]:
    with HandLandmarker() as landmarker:
        yield landmarker


@pytest.fixture(scope="module")
def found(landmarker: HandLandmarker) -> Found:
    """Detect hands in two frames of each letter and signer, two seconds apart."""
    detected: Found = {}
    for signer in (RIGHT, LEFT):
        session = SyntheticSession.draw(signer, "s0")
        for letter in LETTERS:
            stream = islice(render_frames(letter, signer=signer, session=session, fps=0.5), 2)
            detected[signer.name, letter] = [(frame, landmarker.find(frame.image)) for frame in stream]
    return detected


def test_hand_is_detected_in_90_percent_of_frames(found: Found) -> None:
    hands = {letter: [hand for key in found if key[1] == letter for _, hand in found[key]] for letter in LETTERS}
    rates = {letter: np.mean([hand is not None for hand in hands[letter]]) for letter in LETTERS}
    assert np.mean(list(rates.values())) >= 0.9
    assert min(rates.values()) >= 0.5, rates


def test_landmarks_lie_on_the_joints(found: Found) -> None:
    errors = []
    for frame, hand in (pair for pairs in found.values() for pair in pairs):
        if hand is not None:
            palm = np.linalg.norm((frame.joints[9] - frame.joints[0]) * (640, 480, 640))
            off = np.linalg.norm((hand.landmarks - frame.joints)[:, :2] * (640, 480), axis=1).mean()
            errors.append(off / palm)
    assert np.mean(errors) < 0.12


@pytest.mark.parametrize(("signer", "side"), [(RIGHT, "right"), (LEFT, "left")])
def test_handedness_is_detected(found: Found, signer: Signer, side: str) -> None:
    assert signer.left_handed == (side == "left")
    sides = [hand.handedness for key in found if key[0] == signer.name for _, hand in found[key] if hand is not None]
    assert np.mean([detected == side for detected in sides]) > 0.9


def test_no_hand_is_detected_in_empty_room(landmarker: HandLandmarker) -> None:
    for name in ("s0", "s1", "s2", "s3"):
        frame = next(render_frames("A", signer=RIGHT, session=SyntheticSession.draw(RIGHT, name), fault="no-hand"))
        assert np.isnan(frame.joints).all()
        assert landmarker.find(frame.image) is None


def normalise_shape(joints: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return joints of a square frame relative to the wrist, in palm lengths."""
    offsets = joints - joints[0]
    return np.asarray(offsets / np.linalg.norm(offsets[9]), np.float32)


def test_letter_is_nearest_to_same_letter_of_other_signers() -> None:
    signers = [Signer.draw(f"synthetic-{name}") for name in ("ada", "ben", "chi", "dov", "fay")]
    shapes = np.zeros((len(signers), len(LETTERS), 21, 3))
    for signer, own in zip(signers, shapes, strict=True):
        session = SyntheticSession.draw(signer, "s0")
        for index, letter in enumerate(LETTERS):
            joints = next(render_frames(letter, signer=signer, session=session, width=64, height=64)).joints
            own[index] = normalise_shape(joints * (-1 if signer.left_handed else 1, 1, 1))
    right = []
    for index, own in enumerate(shapes):
        mean = np.delete(shapes, index, axis=0).mean(axis=0)
        distances = np.linalg.norm(own[:, None] - mean[None], axis=(2, 3))
        right += (distances.argmin(axis=1) == np.arange(len(LETTERS))).tolist()
    assert np.mean(right) > 0.9
