from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from aslkit.core import files
from aslkit.core.errors import AslkitError
from aslkit.core.files import write_text
from aslkit.core.workspace import Workspace
from aslkit.formats import signers
from aslkit.formats.captures import SessionInfo
from aslkit.formats.licences import PRIVATE
from aslkit.formats.signers import SignerDetails, load_signer, save_signer

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
signer_details = st.builds(
    SignerDetails,
    licence=st.none() | texts.map("Terms of {}".format),  # a consent is derived from an SPDX identifier
    consent=st.none() | texts.map("In my words: {}".format),
    hand=st.sampled_from([None, "left", "right"]),
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
    assert (load_signer(empty_workspace, "ada").licence, load_signer(empty_workspace, "ada").hand) == (
        "CC0-1.0",
        "right",
    )
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
    assert load_signer(empty_workspace, "ada").licence == "CC0-1.0"
    assert load_signer(empty_workspace, "ben") == SignerDetails(consent="May be shown.")


def test_lock_timeout_names_the_file(empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOCK_TIMEOUT_S", 0.0)
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


def test_edited_licence_replaces_derived_consent_and_keeps_own_words(empty_workspace: Workspace) -> None:
    save_signer(empty_workspace, "ada", SignerDetails(licence=PRIVATE, consent="Only for me."))
    save_signer(empty_workspace, "ben", SignerDetails(licence=PRIVATE, consent="Only for my class."))
    edited = empty_workspace.signers.read_text().replace('licence = "private"', 'licence = "CC-BY-4.0"')
    empty_workspace.signers.write_text(edited)
    assert load_signer(empty_workspace, "ada").consent == "May be shared under CC-BY-4.0."
    assert load_signer(empty_workspace, "ben").consent == "Only for my class."


@pytest.mark.parametrize(
    ("details", "chosen"),
    [
        (SignerDetails(), False),
        (SignerDetails(consent="Only for my class."), False),
        (SignerDetails(licence=PRIVATE), False),  # nobody was asked
        (SignerDetails(licence=PRIVATE, consent="Only for me."), True),
        (SignerDetails(licence="CC0-1.0"), True),
    ],
)
def test_private_without_consent_is_no_choice(details: SignerDetails, chosen: bool) -> None:
    assert details.has_chosen is chosen


def test_stated_licence_replaces_stored_one() -> None:
    private = SignerDetails(licence=PRIVATE, consent="Only for me.", hand="left")
    shared = private.state(licence="CC0-1.0", consent=None)
    assert shared == SignerDetails(licence="CC0-1.0", consent="May be shared under CC0-1.0.", hand="left")
    assert shared.state(licence=PRIVATE, consent=None) == private
    assert private.state(licence=None, consent=None) == private
    assert private.state(licence=None, consent="For Jon, too.").consent == "For Jon, too."


def test_session_gets_current_licence_of_its_signer() -> None:
    session = SessionInfo(signer="ada", session="one", camera="0", licence=PRIVATE, consent="Only for me.")
    assert SignerDetails(hand="left").update_session(session) == session
    updated = SignerDetails(licence="CC0-1.0").update_session(session)
    assert (updated.licence, updated.consent, updated.camera) == ("CC0-1.0", "May be shared under CC0-1.0.", "0")
    old = SessionInfo(signer="ada", session="one", camera="0", licence="For my class only.")
    assert SignerDetails().update_session(old) == old


def test_file_starts_with_explanation(empty_workspace: Workspace, tmp_path: Path) -> None:
    save_signer(empty_workspace, "ada", SignerDetails(licence="CC0-1.0"))
    assert empty_workspace.signers.read_text().startswith("# The recorded signers")
