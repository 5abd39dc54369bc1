import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace, make_name, validate_name, validate_signer


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "maría",
        "手",
        "प्रिया",
        "நந்தினி",
        "สมชาย ใจดี",
        "مريم",
        "ශ්\u200dරී",
        "한국어",
        "Zoë",
        "2026-01-02 camera 0",
        "A.b_c-d",
        "x" * 64,
        "_x",
        "x-",
    ],
)
def test_common_names_are_valid(name: str) -> None:
    assert validate_name("signer", name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../ada", "a/b", "a\\b", "-rf", ".hidden", "ada ", " ada", "ada.", "x" * 65, "a\nb", "ada\n",
     "\u0301ada", "a\u200db", "a\u200d", "手" * 65, "\U0001f44b",
     "<b>ada</b>", "a|b", "a\0b", "a:b", "*", "\udcff", "a\u202eb"],
)  # fmt: skip
def test_harmful_names_are_rejected(name: str) -> None:
    with pytest.raises(InputError, match="is not a valid name for a dataset") as caught:
        Workspace(root=Path("w")).dataset(name)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "proposal"),
    [
        ("O'Brien", "O-Brien"),
        ("Maria (left hand)", "Maria-left-hand"),
        ("ann@example.org", "ann-example.org"),
        (" ada", "ada"),
        ("x" * 65, "x" * 64),
        ("\U00020000" * 64, "\U00020000" * 48),  # 256 bytes: too long for a file system
        ("प्रिया की तस्वीरें!", "प्रिया-की-तस्वीरें"),
    ],
)
def test_error_proposes_a_valid_name(name: str, proposal: str) -> None:
    with pytest.raises(InputError, match=re.escape(f"For example: {shlex.quote(proposal)}.")):
        validate_name("signer", name)
    assert validate_name("signer", proposal) == proposal


@pytest.mark.parametrize(
    ("name", "proposal"), [("con", "con_"), ("LPT1", "LPT1_"), ("nul.txt", "nul-txt_"), ("aux", "aux_")]
)
def test_names_that_windows_reserves_are_explained(name: str, proposal: str) -> None:
    with pytest.raises(InputError, match=rf"Windows does not allow '{re.escape(name)}' .* such as {proposal}\.$"):
        validate_signer(name, synthetic=False)
    assert make_name(name) == validate_name("session", proposal) == proposal


def test_names_are_composed() -> None:
    assert validate_signer("Jose\u0301", synthetic=False) == "Jos\xe9"
    assert validate_name("session", "Jose\u0301") == make_name("Jose\u0301") == "Jos\xe9"
    assert Workspace(root=Path("w")).dataset("Jose\u0301").name == "Jos\xe9"


@given(st.text(max_size=80))
def test_valid_name_is_a_single_folder(name: str) -> None:
    try:
        path = Workspace(root=Path("/w")).dataset(name)
    except InputError:
        return
    assert path.parent == Path("/w/datasets")
    assert path.resolve().parent == Path("/w/datasets")


@given(st.text(max_size=100))
def test_any_text_can_be_converted_to_a_name(text: str) -> None:
    name = make_name(text)
    assert validate_name("session", name) == name


def test_truncated_name_is_valid() -> None:
    assert validate_name("session", make_name("x" * 63 + ".mp4"))


def test_real_and_synthetic_signers_have_different_names() -> None:
    assert validate_signer("ada", synthetic=False) == "ada"
    assert validate_signer("synthetic-ada", synthetic=True) == "synthetic-ada"
    with pytest.raises(InputError, match="--signer synthetic-ada"):
        validate_signer("ada", synthetic=True)
    with pytest.raises(InputError, match="Use another"):
        validate_signer("synthetic-ada", synthetic=False)
