from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace, make_name, validate_name, validate_signer


@pytest.mark.parametrize("name", ["a", "maría", "手", "2026-01-02 camera 0", "A.b_c-d", "x" * 64, "_x", "x-"])
def test_common_names_are_valid(name: str) -> None:
    assert validate_name("signer", name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../ada", "a/b", "a\\b", "-rf", ".hidden", "ada ", " ada", "ada.", "x" * 65, "a\nb", "ada\n",
     "<b>ada</b>", "a|b", "a\0b", "a:b", "*", "\udcff", "a\u202eb"],
)  # fmt: skip
def test_harmful_names_are_rejected(name: str) -> None:
    with pytest.raises(InputError, match="is not a valid name for a dataset") as caught:
        Workspace(root=Path("w")).dataset(name)
    assert caught.value.exit_code == 2


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
