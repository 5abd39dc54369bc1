"""Synthetic signers have recognisable names, which define all their properties."""

import subprocess
import sys

import pytest

from aslkit.core.errors import InputError
from aslkit.synthetic import Signer, SyntheticSession


@pytest.mark.parametrize("name", ["ada", "", "synthetic", "synthetic-", "Synthetic-ada", " synthetic-ada"])
def test_name_needs_synthetic_prefix(name: str) -> None:
    with pytest.raises(InputError, match="must start with 'synthetic-'"):
        Signer(name=name)
    with pytest.raises(InputError, match="must start with 'synthetic-'"):
        Signer.draw(name)


def test_same_name_gives_same_signer_and_session() -> None:
    assert Signer.draw("synthetic-ada") == Signer.draw("synthetic-ada")
    ada = Signer.draw("synthetic-ada")
    assert SyntheticSession.draw(ada, "monday") == SyntheticSession.draw(ada, "monday")


def test_signers_and_sessions_differ() -> None:
    signers = [Signer.draw(f"synthetic-{index}") for index in range(30)]
    assert len({signer.look.skin for signer in signers}) == 30
    assert len({signer.build for signer in signers}) == 30
    sessions = [SyntheticSession.draw(signers[0], str(index)) for index in range(10)]
    assert len({session.light for session in sessions}) == 10
    assert SyntheticSession.draw(signers[0], "0").light != SyntheticSession.draw(signers[1], "0").light


def test_some_signers_are_left_handed() -> None:
    left = sum(Signer.draw(f"synthetic-{index}").left_handed for index in range(100))
    assert 8 <= left <= 35


def test_signer_is_the_same_in_another_process() -> None:
    # hash() of a string differs between processes.
    code = "from aslkit.synthetic import Signer; print(Signer.draw('synthetic-ada'))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == str(Signer.draw("synthetic-ada"))


def test_import_loads_neither_opencv_nor_mediapipe() -> None:
    code = "import sys, aslkit.synthetic; print(sorted({'cv2', 'mediapipe'} & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
