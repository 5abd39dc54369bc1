"""Tests of `aslkit dataset merge`, `push` and `pull`."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from aslkit.cli.dataset import sharing
from aslkit.cli.main import main
from aslkit.datasets import parquet_store
from aslkit.datasets.licences import missing_licences
from tests.datasets.merging.test_merge import Row, numbers, reasons, write


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with two datasets: `mine` of ada, and `theirs` of another ada and of ben."""
    write(tmp_path / "datasets" / "mine", numbers(0, "ada"))
    write(tmp_path / "datasets" / "theirs", [*numbers(50, "ada"), *numbers(70, "ben")])
    return tmp_path


def run(workspace: Path, *arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(main, ["dataset", *arguments, "--workspace", str(workspace)], input=answers)


def signers(folder: Path) -> set[str]:
    return set(parquet_store.read_dataset(folder, ["signer"]).column("signer").to_pylist())


@pytest.mark.parametrize("command", ["merge", "push", "pull"])
def test_help_has_an_example(command: str) -> None:
    result = CliRunner().invoke(main, ["dataset", command, "--help"])
    assert f"Example:  aslkit dataset {command}" in result.output
    assert "--json" in result.output


def test_merge_accepts_name_folder_and_url(workspace: Path) -> None:
    theirs = workspace / "datasets" / "theirs"
    for number, name in enumerate(("theirs", str(theirs), theirs.as_uri())):
        result = run(workspace, "merge", "mine", name, "--to", f"ours-{number}", "--rename", f"{name}:ada=eve")
        assert result.exit_code == 0, result.output
        assert "18 frames" in result.output
        assert "Licence of the dataset: CC0-1.0" in result.output
        assert signers(workspace / "datasets" / f"ours-{number}") == {"ada", "ben", "eve"}
    result = run(workspace, "merge", "theirs", "mine", "--to", "ours-0", "--rename", "theirs:ada=eve", "--json")
    assert json.loads(result.output)["up_to_date"]


def test_merge_explains_options_if_not_interactive(workspace: Path) -> None:
    result = run(workspace, "merge", "mine", "theirs", "--to", "ours")
    assert result.exit_code == 2
    assert "Signer 'ada' is in mine and in theirs" in result.output
    assert "--same ada" in result.output
    assert "--rename theirs:ada=ada-2" in result.output
    assert not (workspace / "datasets" / "ours").exists()
    assert run(workspace, "merge", "mine", "theirs", "--to", "ours", "--same", "ada").exit_code == 0


@pytest.mark.parametrize(
    ("answers", "expected"),
    [("y\n", {"ada", "ben"}), ("n\n\n", {"ada", "ada-2", "ben"}), ("n\neve\n", {"ada", "ben", "eve"})],
)
def test_merge_asks_if_interactive(
    workspace: Path, answers: str, expected: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_is_interactive", lambda: True)
    result = run(workspace, "merge", "mine", "theirs", "--to", "ours", answers=answers)
    assert result.exit_code == 0, result.output
    assert signers(workspace / "datasets" / "ours") == expected


@pytest.mark.parametrize(
    ("rename", "message"),
    [
        ("ada", "is not OLD=NEW"),
        ("=eve", "is not OLD=NEW"),
        ("yours:ada=eve", "refers to an unknown dataset. Datasets: mine, theirs"),
        ("theirs:ada=synthetic-eve", "are reserved for synthetic signers"),
        ("theirs:ada=../eve", "is not a valid name for a signer"),
        ("theirs:zoe=eve", "No signer 'zoe' to rename. Known signers: ada, ben"),
    ],
)
def test_invalid_rename_is_reported(workspace: Path, rename: str, message: str) -> None:
    result = run(workspace, "merge", "mine", "theirs", "--to", "ours", "--rename", rename)
    assert result.exit_code == 2
    assert message in result.output.replace("\n", " ")


def test_rename_without_dataset_applies_to_all(workspace: Path) -> None:
    result = run(workspace, "merge", "mine", "theirs", "--to", "ours", "--rename", "mine:ada=eve", "--rename", "ben=bo")
    assert result.exit_code == 0, result.output
    assert signers(workspace / "datasets" / "ours") == {"ada", "bo", "eve"}


def test_merge_reports_rejected_frames(workspace: Path) -> None:
    write(
        workspace / "datasets" / "copies",
        [Row(0, signer="zoe"), Row(1, signer="zoe", letter="B"), Row(90, signer="zoe")],
    )
    result = run(workspace, "merge", "mine", "copies", "--to", "ours")
    assert "Rejected: conflicting-label 2, dark 2, duplicate 1" in result.output
    assert reasons(workspace / "datasets" / "ours")["zoe/one/A/0.png"] == "duplicate"


def test_merge_reports_missing_dataset(workspace: Path) -> None:
    result = run(workspace, "merge", "mine", "yours", "--to", "ours")
    assert result.exit_code == 2
    assert "No dataset found in" in result.output
    assert "Existing datasets: mine, theirs" in result.output


def test_push_warns_about_missing_licences(workspace: Path, tmp_path: Path) -> None:
    write(workspace / "datasets" / "bare", [replace(row, licence=None) for row in numbers(0, "ada")])
    result = run(workspace, "push", "bare", str(tmp_path / "there"), "--json")
    assert result.exit_code == 0
    assert "state no licence" in result.stderr
    assert "others may not share them" in result.stderr
    json.loads(result.stdout)
    assert missing_licences([("CC0-1.0", "all"), ("CC0-1.0", "")]) == "1 state no consent"
    assert missing_licences([(None, None), ("", "all")]) == "2 state no licence and 1 state no consent"
    assert missing_licences([("CC0-1.0", "all")]) == ""


@pytest.fixture
def private(workspace: Path) -> Path:
    """The workspace with the dataset `private`, of maria, whose images are private, and of ben."""
    rows = [replace(row, licence="private") for row in numbers(100, "maria")]
    write(workspace / "datasets" / "private", [*rows, *numbers(70, "ben")])
    return workspace


@pytest.mark.parametrize("command", [("push", "private", "there"), ("merge", "private", "mine", "--to", "ours")])
@pytest.mark.parametrize("option", ["--allow-private", "--allow-unknown-licence"])
def test_private_images_leave_only_if_allowed(
    private: Path, command: tuple[str, ...], option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(private)
    result = run(private, *command)
    assert result.exit_code == 2
    assert "The images of maria are private: only the signer may use them." in result.stderr
    assert 'set licence = "CC-BY-4.0", for example, in signers.toml of the workspace' in result.stderr
    assert not (private / "there").exists()
    assert not (private / "datasets" / "ours").exists()
    assert run(private, *command, option).exit_code == 0
    folder = private / ("there" if command[0] == "push" else "datasets/ours")
    assert "**Private: do not share this dataset.**" in (folder / "README.md").read_text()


def test_info_and_card_state_private_signers(private: Path) -> None:
    info = run(private, "info", "private").output
    assert "Private: only the signers may use the images of maria. Do not share this dataset." in info
    assert json.loads(run(private, "info", "private", "--json").output)["private_signers"] == ["maria"]
    assert "Private" not in run(private, "info", "mine").output


@pytest.mark.parametrize("scheme", ["", "file://"])
@pytest.mark.parametrize(
    ("folder", "name"),
    [("my 100% folder", "my-100-folder"), ("O'Brien's [x] *?a=1 #1", "O-Brien-s-x-a-1-1"), ("a::b", "a-b")],
)
def test_push_and_pull_folder_with_odd_name(workspace: Path, folder: str, name: str, scheme: str) -> None:
    target = f"{scheme}{workspace / folder}"
    result = run(workspace, "push", "mine", target)
    assert result.exit_code == 0, result.output
    assert f"aslkit dataset pull {shlex.quote(str(workspace / folder))}" in result.output
    result = run(workspace, "pull", target, "--name", "again")
    assert result.exit_code == 0, result.output
    assert signers(workspace / "datasets" / "again") == {"ada"}
    assert run(workspace, "pull", target).exit_code == 0
    assert signers(workspace / "datasets" / name) == {"ada"}
    assert run(workspace, "info", target).exit_code == 0


@pytest.mark.parametrize("command", [("push", "mine", ""), ("pull", ""), ("push", "mine", "file://")])
def test_empty_path_is_an_error(workspace: Path, command: Sequence[str]) -> None:
    result = run(workspace, *command)
    assert result.exit_code == 2
    assert "The path is empty. Is a variable unset?" in result.output


def test_dataset_without_rows_is_not_pushed(workspace: Path) -> None:
    path = next((workspace / "datasets" / "mine" / "data").glob("*.parquet"))
    table = pq.read_table(path)
    for file in path.parent.glob("*.parquet"):
        file.unlink()
    pq.write_table(table.slice(0, 0), path)
    result = run(workspace, "push", "mine", str(workspace / "out"))
    assert result.exit_code == 1
    assert "has no rows, so there is nothing to share." in result.output


def test_file_urls_are_decoded(workspace: Path) -> None:
    target = workspace / "my folder"
    result = run(workspace, "push", "mine", target.as_uri())  # file:///…/my%20folder
    assert result.exit_code == 0, result.output
    assert signers(target) == {"ada"}
    assert run(workspace, "pull", target.as_uri(), "--name", "again").exit_code == 0
    assert signers(workspace / "datasets" / "again") == {"ada"}


def test_signers_are_found_in_any_unicode_form(workspace: Path) -> None:
    """As é, or as e and an accent."""
    composed, decomposed = "Jos\u00e9", "Jose\u0301"
    write(workspace / "datasets" / "one", numbers(0, composed))
    write(workspace / "datasets" / "two", numbers(50, composed))
    for number, options in enumerate((["--same", decomposed], ["--rename", f"two:{decomposed}=eve"])):
        result = run(workspace, "merge", "one", "two", "--to", f"ours-{number}", *options)
        assert result.exit_code == 0, result.output
    assert signers(workspace / "datasets" / "ours-1") == {composed, "eve"}
    sheet = run(workspace, "show", "one", "--signer", decomposed, "--to", str(workspace / "sheet.png"))
    assert sheet.exit_code == 0, sheet.output


@pytest.fixture
def same_named_datasets(workspace: Path) -> tuple[str, str]:
    """Two datasets with the same name, each with a different ada, as typed on the command line."""
    write(workspace / "datasets" / "custom", [*numbers(0, "ada"), *numbers(20, "ada-2")])
    write(workspace / "club" / "custom", numbers(50, "ada"))
    return "custom", str(workspace / "club" / "custom")


def test_merge_asks_about_signer_in_datasets_of_same_name(
    workspace: Path, same_named_datasets: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "_is_interactive", lambda: True)
    answers = "n\n\nn\neve\n"  # no; ada-2, which is taken; no; eve
    result = run(workspace, "merge", *same_named_datasets, "--to", "ours", answers=answers)
    assert result.exit_code == 0, result.output
    assert f"Signer 'ada' is in custom and in {same_named_datasets[1]}" in result.output
    rows = parquet_store.read_dataset(workspace / "datasets" / "ours", ["signer", "sha256"]).to_pylist()
    theirs = set(parquet_store.read_dataset(Path(same_named_datasets[1]), ["sha256"]).column("sha256").to_pylist())
    assert {row["signer"] for row in rows if row["sha256"] in theirs} == {"eve"}
    assert {row["signer"] for row in rows if row["sha256"] not in theirs} == {"ada", "ada-2"}
    assert str(workspace) not in (workspace / "datasets" / "ours" / "README.md").read_text()


def test_rename_hint_is_unambiguous(workspace: Path, same_named_datasets: tuple[str, str]) -> None:
    merge = ["merge", *same_named_datasets, "--to", "ours"]
    assert f"--rename {same_named_datasets[1]}:ada=ada-2" in run(workspace, *merge).output
    result = run(workspace, *merge, "--rename", f"{same_named_datasets[1]}:ada=eve")
    assert result.exit_code == 0, result.output
    assert signers(workspace / "datasets" / "ours") == {"ada", "ada-2", "eve"}
    club = [same_named_datasets[1], str(workspace / "datasets" / "custom")]
    result = run(workspace, "merge", *club, "--to", "ours", "--rename", "custom:ada=eve")
    assert result.exit_code == 2
    assert "--rename 'custom:ada=eve' is ambiguous" in result.output
