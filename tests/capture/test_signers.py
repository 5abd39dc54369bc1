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

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
signer_details = st.builds(
    SignerDetails, licence=st.none() | texts, consent=st.none() | texts, hand=st.sampled_from([None, "left", "right"])
)


@given(st.dictionaries(texts, signer_details, max_size=4))
def test_saved_details_are_loaded_again(
    tmp_path_factory: pytest.TempPathFactory, details_by_signer: dict[str, SignerDetails]
) -> None:
    workspace = Workspace(root=tmp_path_factory.mktemp("workspace"))
    for signer, details in details_by_signer.items():
        save_signer(workspace, signer, details)
    assert {signer: load_signer(workspace, signer) for signer in details_by_signer} == details_by_signer


@pytest.mark.parametrize("name", ["maria.k", 'the "quoted"', "Jörg Müßig", "a'b", "#1", "手"])
def test_names_are_escaped_in_toml(empty_workspace: Workspace, name: str) -> None:
    save_signer(empty_workspace, name, SignerDetails(licence="CC0-1.0", consent='„ja“, "gern"\nund gut', hand="left"))
    save_signer(empty_workspace, "another signer", SignerDetails(licence="CC-BY-4.0"))
    assert load_signer(empty_workspace, name) == SignerDetails(
        licence="CC0-1.0", consent='„ja“, "gern"\nund gut', hand="left"
    )


def test_empty_details_write_no_file(empty_workspace: Workspace) -> None:
    save_signer(empty_workspace, "ada", SignerDetails())
    assert load_signer(empty_workspace, "ada") == SignerDetails()
    assert not empty_workspace.signers.exists()


def test_manual_changes_are_kept(empty_workspace: Workspace) -> None:
    empty_workspace.root.mkdir()
    empty_workspace.signers.write_text('[ada]\nlicence = "CC0-1.0"\nborn = "1990"\n[ben]\nhand = "left"\n')
    save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0", hand="right"))
    text = empty_workspace.signers.read_text()
    assert 'born = "1990"' in text
    assert load_signer(empty_workspace, "ada") == SignerDetails(licence="CC0-1.0", hand="right")
    assert load_signer(empty_workspace, "ben") == SignerDetails(hand="left")


def test_concurrent_save_loses_no_signer(empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[Thread] = []

    def write_slowly(path: Path, text: str) -> None:
        if not threads:
            threads.append(
                Thread(target=save_signer, args=(empty_workspace, "ben", SignerDetails(consent="May be shown.")))
            )
            threads[0].start()
            threads[0].join(0.3)
        write_text(path, text)

    monkeypatch.setattr(signers, "write_text", write_slowly)
    save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0"))
    threads[0].join()
    assert load_signer(empty_workspace, "ada") == SignerDetails(licence="CC0-1.0")
    assert load_signer(empty_workspace, "ben") == SignerDetails(consent="May be shown.")


def test_lock_timeout_names_the_file(empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signers, "_LOCK_TIMEOUT_S", 0.0)
    empty_workspace.root.mkdir()
    with (
        FileLock(empty_workspace.root / ".signers.lock"),
        pytest.raises(AslkitError, match=r"has locked .*signers\.toml"),
    ):
        save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0"))


@pytest.mark.parametrize(
    "content",
    [b"[ada", b"ada = 5", b"[ada]\nlicence = 5", b'[ada]\nhand = "both"', b"\xff\xfe", b"[ada]\nconsent = []"],
)
def test_damaged_file_is_reported_with_remedy(empty_workspace: Workspace, content: bytes) -> None:
    empty_workspace.root.mkdir()
    empty_workspace.signers.write_bytes(content)
    with pytest.raises(AslkitError, match=r"signers\.toml is damaged .* Repair or delete it"):
        load_signer(empty_workspace, "ada")
    with pytest.raises(AslkitError, match="is damaged"):
        save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0"))
    assert empty_workspace.signers.read_bytes() == content


def test_only_missing_details_are_asked_for() -> None:
    questions: list[str] = []

    def ask(question: str, proposed: str) -> str:
        questions.append(question)
        return proposed

    proposed = SignerDetails(licence="CC-BY-4.0", consent="May be shown.")
    completed = ask_signer_details(SignerDetails(hand="left"), "ada", ask=ask, proposed=proposed)
    assert completed == SignerDetails(licence="CC-BY-4.0", consent="May be shown.", hand="left")
    assert ["licence" in question for question in questions] == [True, False]
    assert all("ada" in question for question in questions)
    assert ask_signer_details(completed, "ada", ask=ask, proposed=proposed) == completed
    assert len(questions) == 2


def test_empty_answers_leave_details_unset() -> None:
    assert ask_signer_details(SignerDetails(), "ada", ask=lambda *_: "", proposed=SignerDetails()) == SignerDetails()


def test_file_starts_with_explanation(empty_workspace: Workspace, tmp_path: Path) -> None:
    save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0"))
    assert empty_workspace.signers.read_text().startswith("# The recorded signers")
