from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from aslkit.capture import signers
from aslkit.capture.signers import SignerDetails, ask_signer_details, load_signer, save_signer
from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.core.workspace import Workspace

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
states = st.builds(
    SignerDetails, licence=st.none() | words, consent=st.none() | words, hand=st.sampled_from([None, "left", "right"])
)


@given(st.dictionaries(words, states, max_size=4))
def test_what_signers_state_comes_back(
    tmp_path_factory: pytest.TempPathFactory, all_stated: dict[str, SignerDetails]
) -> None:
    workspace = Workspace(root=tmp_path_factory.mktemp("workspace"))
    for signer, stated in all_stated.items():
        save_signer(workspace, signer, stated)
    assert {signer: load_signer(workspace, signer) for signer in all_stated} == all_stated


@pytest.mark.parametrize("name", ["maria.k", 'the "quoted"', "Jörg Müßig", "a'b", "#1", "手"])
def test_names_with_signs_that_mean_something_in_toml(empty: Workspace, name: str) -> None:
    save_signer(empty, name, SignerDetails(licence="CC0-1.0", consent='„ja“, "gern"\nund gut', hand="left"))
    save_signer(empty, "somebody else", SignerDetails(licence="CC-BY-4.0"))
    assert load_signer(empty, name) == SignerDetails(licence="CC0-1.0", consent='„ja“, "gern"\nund gut', hand="left")


def test_nothing_stated_writes_nothing(empty: Workspace) -> None:
    save_signer(empty, "ada", SignerDetails())
    assert load_signer(empty, "ada") == SignerDetails()
    assert not empty.signers.exists()


def test_what_a_person_added_by_hand_stays(empty: Workspace) -> None:
    empty.root.mkdir()
    empty.signers.write_text('[ada]\nlicence = "CC0-1.0"\nborn = "1990"\n[ben]\nhand = "left"\n')
    save_signer(empty, "ada", SignerDetails(licence="CC0-1.0", hand="right"))
    text = empty.signers.read_text()
    assert 'born = "1990"' in text
    assert load_signer(empty, "ada") == SignerDetails(licence="CC0-1.0", hand="right")
    assert load_signer(empty, "ben") == SignerDetails(hand="left")


def test_who_states_something_at_the_same_moment_is_not_lost(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    others: list[Thread] = []

    def slowly(path: Path, text: str) -> None:
        if not others:
            others.append(Thread(target=save_signer, args=(empty, "ben", SignerDetails(consent="May be shown."))))
            others[0].start()
            others[0].join(0.3)
        write_text(path, text)

    monkeypatch.setattr(signers, "write_text", slowly)
    save_signer(empty, "ada", SignerDetails(licence="CC0-1.0"))
    others[0].join()
    assert load_signer(empty, "ada") == SignerDetails(licence="CC0-1.0")
    assert load_signer(empty, "ben") == SignerDetails(consent="May be shown.")


def test_a_file_that_is_never_let_go_is_named(empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signers, "_WAIT_S", 0.0)
    empty.root.mkdir()
    with FileLock(empty.root / ".signers.lock"), pytest.raises(AslkitError, match=r"has been writing .*signers\.toml"):
        save_signer(empty, "ada", SignerDetails(licence="CC0-1.0"))


@pytest.mark.parametrize(
    "content",
    [b"[ada", b"ada = 5", b"[ada]\nlicence = 5", b'[ada]\nhand = "both"', b"\xff\xfe", b"[ada]\nconsent = []"],
)
def test_a_damaged_file_is_named_with_the_remedy(empty: Workspace, content: bytes) -> None:
    empty.root.mkdir()
    empty.signers.write_bytes(content)
    with pytest.raises(AslkitError, match=r"signers\.toml is damaged .* Mend it, or delete it"):
        load_signer(empty, "ada")
    with pytest.raises(AslkitError, match="is damaged"):
        save_signer(empty, "ada", SignerDetails(licence="CC0-1.0"))
    assert empty.signers.read_bytes() == content


def test_only_what_is_not_stated_is_asked_for() -> None:
    questions: list[str] = []

    def ask(question: str, proposed: str) -> str:
        questions.append(question)
        return proposed

    proposed = SignerDetails(licence="CC-BY-4.0", consent="May be shown.")
    once = ask_signer_details(SignerDetails(hand="left"), "ada", ask=ask, proposed=proposed)
    assert once == SignerDetails(licence="CC-BY-4.0", consent="May be shown.", hand="left")
    assert ["licence" in question for question in questions] == [True, False]
    assert all("ada" in question for question in questions)
    assert ask_signer_details(once, "ada", ask=ask, proposed=proposed) == once
    assert len(questions) == 2


def test_no_answer_states_nothing() -> None:
    assert ask_signer_details(SignerDetails(), "ada", ask=lambda *_: "", proposed=SignerDetails()) == SignerDetails()


def test_the_file_says_what_it_is(empty: Workspace, tmp_path: Path) -> None:
    save_signer(empty, "ada", SignerDetails(licence="CC0-1.0"))
    assert empty.signers.read_text().startswith("# Who is recorded")
