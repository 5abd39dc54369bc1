"""Shell completion, through click's classes and once in a real bash."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from aslkit.cli.completion import INSTALL
from aslkit.cli.main import main
from aslkit.cli.shared import shell_completion
from aslkit.core.letters import ALPHABET, LETTERS
from aslkit.train.data.features import FEATURES
from aslkit.train.fitting.architectures import ARCHITECTURES

RUNS = ("custom-landmarks-mlp-1", "custom-hand28-cnn-1")


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a workspace of folders with unreadable files."""
    root = tmp_path / "data"
    for name in RUNS:
        (root / "runs" / name).mkdir(parents=True)
    for name in ("captures/maria", "captures/.trash", "captures/Jo Ann", "datasets/custom", "datasets/ours"):
        (root / name).mkdir(parents=True)
    (root / "signers.toml").write_text('[ben]\nlicence = "CC0-1.0"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ASLKIT_WORKSPACE", raising=False)
    return root


def completed(line: str, typed: str = "") -> list[str]:
    found = ShellComplete(main, {}, "aslkit", "_ASLKIT_COMPLETE").get_completions(line.split(), typed)
    return [item.value if item.type == "plain" else f"({item.type})" for item in found]


def test_completes_commands_and_options() -> None:
    assert completed("") == list(main.commands)
    assert completed("", "cap") == ["capture"]
    assert completed("dataset", "pu") == ["pull", "push"]
    assert "--letter" in completed("capture", "--")
    assert completed("train", "--cu") == ["--curve"]
    assert completed("train --cv") == ["signer", "session", "block"]
    assert completed("completion") == ["bash", "zsh", "fish"]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    "line", ["live", "exam", "evaluate", "export", "runs", "capture --plan", "train --resume", "train --start"]
)
def test_completes_runs(line: str) -> None:
    assert completed(line) == sorted(RUNS)
    assert completed(line, "custom-l") == ["custom-landmarks-mlp-1"]
    assert completed(line, "elsewhere/") == ["(dir)"]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    "line",
    ["dataset info", "dataset verify", "dataset show", "dataset export", "dataset push", "dataset merge",
     "evaluate RUN --dataset", "export RUN --dataset", "curate --audit", "curate --name"],
)  # fmt: skip
def test_completes_datasets(line: str) -> None:
    assert completed(line) == ["custom", "ours"]
    assert completed(line, "./") == ["(file)"]


@pytest.mark.usefixtures("workspace")
def test_given_values_are_not_completed_again() -> None:
    assert completed("dataset merge custom") == ["ours"]
    assert completed(f"runs {RUNS[0]}") == [RUNS[1]]
    assert completed("curate --hold-out maria --hold-out") == ["ben"]
    assert completed("train --dataset") == ["custom", "ours", "sign-mnist"]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    "line",
    ["capture --signer", "import photos --signer", "curate --hold-out", "train --hold-out", "exam --signer",
     "dataset show custom --signer", "dataset merge --same"],
)  # fmt: skip
def test_completes_signers_with_captures_or_details(line: str) -> None:
    assert completed(line) == ["ben", "maria"]  # bash would make two words of Jo Ann


def test_completes_letters() -> None:
    for line in ("live --letter", "exam --letter", "dataset show custom --letter"):
        assert completed(line) == list(LETTERS)
    assert completed("capture --letter") == sorted((*ALPHABET, "none"))
    assert completed("capture --letters") == ["A-Y", "A-Z", "J,Z"]


def test_completes_benchmark_recipes() -> None:
    assert completed("train --feature") == sorted((*FEATURES, "auto"))
    assert completed("train --architecture") == sorted((*ARCHITECTURES, "auto"))
    assert completed("capture --source", "s") == ["synthetic"]
    assert completed("capture --source", "clips/") == ["(file)"]


def test_completion_uses_given_workspace(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.rename(workspace.parent / "other")
    assert completed("dataset info", "cus") == ["(file)"]
    assert completed("dataset info --workspace other") == ["custom", "ours"]
    monkeypatch.setenv("ASLKIT_WORKSPACE", "other")
    assert completed("dataset info") == ["custom", "ours"]
    assert not Path("data").exists()


def test_completion_in_empty_folder_creates_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ASLKIT_WORKSPACE", str(tmp_path / "none"))
    assert completed("capture --signer") == []
    assert completed("live") == ["(dir)"]
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASLKIT_WORKSPACE", str(tmp_path / "file"))
    assert completed("capture --signer") == []
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws/signers.toml").write_text("this = = no TOML")
    monkeypatch.setenv("ASLKIT_WORKSPACE", str(tmp_path / "ws"))
    assert completed("capture --signer") == []
    assert {path.name for path in tmp_path.iterdir()} == {"file", "ws"}


@pytest.mark.parametrize(
    "line", ["capture --letter ÄÖ --signer", "capture --nonsense --signer", "train --cv x --start"]
)
def test_completion_of_invalid_line_prints_nothing(line: str, workspace: Path) -> None:
    completed(line)


def test_every_value_has_a_completion_function() -> None:
    """Every RUN, SIGNER or DATASET argument must have a completion function."""

    def look(group: click.Group) -> None:
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                look(command)
            for param in command.params:
                if param.name in ("run", "signer", "hold_out", "plan", "resume", "start"):
                    assert param._custom_shell_complete in (shell_completion.run, shell_completion.signer), (
                        name,
                        param.name,
                    )

    look(main)


def test_completion_imports_nothing_heavy(workspace: Path) -> None:
    code = (
        "import sys\nfrom click.shell_completion import ShellComplete\nfrom aslkit.cli.main import main\n"
        "found = ShellComplete(main, {}, 'aslkit', 'X').get_completions(['live'], '')\n"
        "heavy = {'cv2', 'keras', 'mediapipe', 'numpy', 'pandas', 'pyarrow', 'rich', 'sklearn', 'tensorflow'}\n"
        "print(len(found), sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "2 []"
    assert done.stderr == ""


@pytest.mark.parametrize("shell", [*INSTALL])
def test_script_ends_with_installation_hint(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert "_ASLKIT_COMPLETE" in result.stdout
    assert lines[-1].startswith("# ")
    assert lines[-1].endswith(INSTALL[shell])
    assert INSTALL[shell] in " ".join(CliRunner().invoke(main, ["completion", "--help"]).stdout.split())
    assert shell != "zsh" or lines[0] == "#compdef aslkit"  # zsh looks for it in the first line


BASH = r"""
eval "$(aslkit completion bash)"
complete -p aslkit >/dev/null || exit 3
press_tab() {  # $@: the words of the line, the last one not complete
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    compopt() { :; }  # only in a real line of readline
    _aslkit_completion aslkit
    echo "${COMPREPLY[*]}"
}
press_tab aslkit cur
press_tab aslkit live ""
press_tab aslkit capture --signer m
press_tab aslkit dataset show o
press_tab aslkit train --workspace nowhere --resume ""
"""


def test_completion_in_bash(workspace: Path, bash_path: str) -> None:
    place = Path(sys.executable).parent
    done = subprocess.run(
        [bash_path, "--norc", "-c", BASH],
        capture_output=True,
        text=True,
        cwd=workspace.parent,
        env={"PATH": f"{place}:/usr/bin:/bin", "HOME": str(workspace.parent)},
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["curate", " ".join(sorted(RUNS)), "maria", "ours", ""]
    assert not (workspace.parent / "nowhere").exists()
