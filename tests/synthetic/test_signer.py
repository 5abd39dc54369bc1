"""Synthetic people: named so that no one takes them for real, and the same from the same name."""

import subprocess
import sys

import pytest

from aslkit.core.errors import InputError
from aslkit.synthetic import Signer, SyntheticSession


@pytest.mark.parametrize("name", ["ada", "", "synthetic", "synthetic-", "Synthetic-ada", " synthetic-ada"])
def test_name_must_say_that_the_signer_is_synthetic(name: str) -> None:
    with pytest.raises(InputError, match="begins with 'synthetic-'"):
        Signer(name=name)
    with pytest.raises(InputError, match="begins with 'synthetic-'"):
        Signer.draw(name)


def test_same_name_gives_same_person_and_sitting() -> None:
    assert Signer.draw("synthetic-ada") == Signer.draw("synthetic-ada")
    ada = Signer.draw("synthetic-ada")
    assert SyntheticSession.draw(ada, "monday") == SyntheticSession.draw(ada, "monday")


def test_people_and_sittings_differ() -> None:
    people = [Signer.draw(f"synthetic-{index}") for index in range(30)]
    assert len({person.look.skin for person in people}) == 30
    assert len({person.build for person in people}) == 30
    sittings = [SyntheticSession.draw(people[0], str(index)) for index in range(10)]
    assert len({sitting.light for sitting in sittings}) == 10
    assert SyntheticSession.draw(people[0], "0").light != SyntheticSession.draw(people[1], "0").light


def test_some_people_are_left_handed() -> None:
    left = sum(Signer.draw(f"synthetic-{index}").left_handed for index in range(100))
    assert 8 <= left <= 35


def test_person_is_the_same_in_another_process() -> None:
    # Python's own hash() of a string differs from process to process.
    code = "from aslkit.synthetic import Signer; print(Signer.draw('synthetic-ada'))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == str(Signer.draw("synthetic-ada"))


def test_import_brings_in_neither_opencv_nor_mediapipe() -> None:
    code = "import sys, aslkit.synthetic; print(sorted({'cv2', 'mediapipe'} & set(sys.modules)))"
    seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == "[]"
