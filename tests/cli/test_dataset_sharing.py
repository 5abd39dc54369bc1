"""The commands as a user types them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aslkit.cli import dataset_sharing
from aslkit.cli.main import main
from aslkit.datasets import parquet_store
from aslkit.datasets.licences import missing_licences
from tests.datasets.merging.test_merge import Row, numbers, reasons, write


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """With two datasets: `mine` of ada, `theirs` of another ada and of ben."""
    write(tmp_path / "datasets" / "mine", numbers(0, "ada"))
    write(tmp_path / "datasets" / "theirs", [*numbers(50, "ada"), *numbers(70, "ben")])
    return tmp_path


def run(workspace: Path, *arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["dataset", *arguments, "--workspace", str(workspace)], input=answers)


def signers(folder: Path) -> set[str]:
    return set(parquet_store.read_dataset(folder, ["signer"]).column("signer").to_pylist())


@pytest.mark.parametrize("command", ["merge", "push", "pull"])
def test_help_has_an_example(command: str) -> None:
    done = CliRunner().invoke(main, ["dataset", command, "--help"])
    assert f"Example:  aslkit dataset {command}" in done.output
    assert "--json" in done.output


def test_merge_by_name_by_folder_and_by_url(workspace: Path) -> None:
    theirs = workspace / "datasets" / "theirs"
    for number, name in enumerate(("theirs", str(theirs), theirs.as_uri())):
        done = run(workspace, "merge", "mine", name, "--to", f"ours-{number}", "--rename", f"{name}:ada=eve")
        assert done.exit_code == 0, done.output
        assert "18 frames" in done.output
        assert "Licence of the whole: CC0-1.0" in done.output
        assert signers(workspace / "datasets" / f"ours-{number}") == {"ada", "ben", "eve"}
    done = run(workspace, "merge", "theirs", "mine", "--to", "ours-0", "--rename", "theirs:ada=eve", "--json")
    assert json.loads(done.output)["up_to_date"]


def test_merge_without_anybody_to_ask_refuses_and_says_how_to_go_on(workspace: Path) -> None:
    done = run(workspace, "merge", "mine", "theirs", "--to", "ours")
    assert done.exit_code == 2
    assert "Signer 'ada' is in mine and in theirs" in done.output
    assert "--same ada" in done.output
    assert "--rename theirs:ada=ada-2" in done.output
    assert not (workspace / "datasets" / "ours").exists()
    assert run(workspace, "merge", "mine", "theirs", "--to", "ours", "--same", "ada").exit_code == 0


@pytest.mark.parametrize(
    ("answers", "expected"),
    [("y\n", {"ada", "ben"}), ("n\n\n", {"ada", "ada-2", "ben"}), ("n\neve\n", {"ada", "ben", "eve"})],
)
def test_merge_asks_where_somebody_is_there(
    workspace: Path, answers: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_sharing, "_somebody_is_there", lambda: True)
    done = run(workspace, "merge", "mine", "theirs", "--to", "ours", answers=answers)
    assert done.exit_code == 0, done.output
    assert signers(workspace / "datasets" / "ours") == expected


@pytest.mark.parametrize(
    ("rename", "words"),
    [
        ("ada", "is not OLD=NEW"),
        ("=eve", "is not OLD=NEW"),
        ("yours:ada=eve", "there is no such dataset. There are: mine, theirs"),
        ("theirs:ada=synthetic-eve", "are for synthetic signers"),
        ("theirs:ada=../eve", "cannot be the name of a signer"),
        ("theirs:zoe=eve", "There is no signer 'zoe' to be renamed. There are: ada, ben"),
    ],
)
def test_a_wrong_rename_is_said(workspace: Path, rename: str, words: str) -> None:
    done = run(workspace, "merge", "mine", "theirs", "--to", "ours", "--rename", rename)
    assert done.exit_code == 2
    assert words in done.output.replace("\n", " ")


def test_a_rename_without_a_dataset_is_for_all_who_have_the_signer(workspace: Path) -> None:
    done = run(workspace, "merge", "mine", "theirs", "--to", "ours", "--rename", "mine:ada=eve", "--rename", "ben=bo")
    assert done.exit_code == 0, done.output
    assert signers(workspace / "datasets" / "ours") == {"ada", "bo", "eve"}


def test_merge_says_what_was_left_out(workspace: Path) -> None:
    write(
        workspace / "datasets" / "copies",
        [Row(0, signer="zoe"), Row(1, signer="zoe", letter="B"), Row(90, signer="zoe")],
    )
    done = run(workspace, "merge", "mine", "copies", "--to", "ours")
    assert "Not taken: conflicting-label 2, dark 2, duplicate 1" in done.output
    assert reasons(workspace / "datasets" / "ours")["zoe/one/A/0.png"] == "duplicate"


def test_a_dataset_that_is_not_there_is_said(workspace: Path) -> None:
    done = run(workspace, "merge", "mine", "yours", "--to", "ours")
    assert done.exit_code == 2
    assert "There is no dataset in" in done.output
    assert "There: mine, theirs" in done.output


def test_a_push_says_that_images_state_no_licence_or_consent(workspace: Path, tmp_path: Path) -> None:
    write(workspace / "datasets" / "bare", [replace(row, licence=None) for row in numbers(0, "ada")])
    said = run(workspace, "push", "bare", str(tmp_path / "there"), "--json")
    assert said.exit_code == 0
    assert "state no licence" in said.stderr
    assert "nobody may pass them on" in said.stderr
    json.loads(said.stdout)
    assert missing_licences([("CC0-1.0", "all"), ("CC0-1.0", "")]) == "1 state no consent"
    assert missing_licences([(None, None), ("", "all")]) == "2 state no licence and 1 state no consent"
    assert missing_licences([("CC0-1.0", "all")]) == ""


def test_a_folder_with_a_space_in_its_path_is_pushed_to_and_pulled_from(workspace: Path) -> None:
    there = workspace / "my 100% folder"
    done = run(workspace, "push", "mine", str(there))
    assert done.exit_code == 0, done.output
    assert f"aslkit dataset pull '{there}'" in done.output
    done = run(workspace, "pull", str(there), "--name", "again")
    assert done.exit_code == 0, done.output
    assert signers(workspace / "datasets" / "again") == {"ada"}
    assert run(workspace, "pull", str(there)).exit_code == 0
    assert signers(workspace / "datasets" / "my-100-folder") == {"ada"}


@pytest.fixture
def namesakes(workspace: Path) -> tuple[str, str]:
    """Two datasets of one name, each with another ada: how they are typed."""
    write(workspace / "datasets" / "custom", [*numbers(0, "ada"), *numbers(20, "ada-2")])
    write(workspace / "club" / "custom", numbers(50, "ada"))
    return "custom", str(workspace / "club" / "custom")


def test_a_person_is_renamed_in_one_of_two_datasets_of_one_name(
    workspace: Path, namesakes: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset_sharing, "_somebody_is_there", lambda: True)
    answers = "n\n\nn\neve\n"  # no; ada-2, whom the other has; no; eve
    done = run(workspace, "merge", *namesakes, "--to", "ours", answers=answers)
    assert done.exit_code == 0, done.output
    assert f"Signer 'ada' is in custom and in {namesakes[1]}" in done.output
    rows = parquet_store.read_dataset(workspace / "datasets" / "ours", ["signer", "sha256"]).to_pylist()
    theirs = set(parquet_store.read_dataset(Path(namesakes[1]), ["sha256"]).column("sha256").to_pylist())
    assert {row["signer"] for row in rows if row["sha256"] in theirs} == {"eve"}
    assert {row["signer"] for row in rows if row["sha256"] not in theirs} == {"ada", "ada-2"}
    assert str(workspace) not in (workspace / "datasets" / "ours" / "README.md").read_text()


def test_of_two_datasets_of_one_name_the_command_to_type_tells_which(
    workspace: Path, namesakes: tuple[str, str]
) -> None:
    merge = ["merge", *namesakes, "--to", "ours"]
    assert f"--rename {namesakes[1]}:ada=ada-2" in run(workspace, *merge).output
    done = run(workspace, *merge, "--rename", f"{namesakes[1]}:ada=eve")
    assert done.exit_code == 0, done.output
    assert signers(workspace / "datasets" / "ours") == {"ada", "ada-2", "eve"}
    club = [namesakes[1], str(workspace / "datasets" / "custom")]
    done = run(workspace, "merge", *club, "--to", "ours", "--rename", "custom:ada=eve")
    assert done.exit_code == 2
    assert "--rename 'custom:ada=eve' may be of" in done.output
