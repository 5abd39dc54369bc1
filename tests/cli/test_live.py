"""`aslkit live` and `aslkit exam` as a user meets them, with a model and a camera that stand in."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.run import LiveResult
from aslkit.live.speller import Event

Run = Callable[..., Result]


@pytest.fixture
def aslkit(tmp_path: Path) -> Run:
    """Runs a command in a workspace with one run."""
    (tmp_path / "runs" / "one" / "model").mkdir(parents=True)

    def run(*words: object) -> Result:
        return CliRunner().invoke(main, [*map(str, words), "--workspace", str(tmp_path)], catch_exceptions=False)

    return run


@pytest.fixture
def lived(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stands in for model and camera: A and B are spelled, a space after each. Lists what each call was given."""
    calls: list[dict[str, Any]] = []

    def live(run: Path, **given: Any) -> LiveResult:
        calls.append(given)
        for time_s, text in enumerate(("A ", "A B ")):
            given["on_event"](Event(kind="space", time_s=time_s, text=text))
        return LiveResult(text="A B ", frames=2, dropped=0, first_s=None, ended="the source ended")

    monkeypatch.setattr("aslkit.live.run.live", live)
    monkeypatch.setattr("aslkit.live.web.serve.live_in_browser", live)
    return calls


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder that programs are found in; empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def examined(monkeypatch: pytest.MonkeyPatch) -> list[ExamFolder]:
    """Stands in for model, camera and signer: nothing is asked. Lists where results would go."""
    folders: list[ExamFolder] = []

    def examine(run: Path, *, folder: ExamFolder, **_: Any) -> dict[str, Any]:
        folders.append(folder)
        return {}

    monkeypatch.setattr("aslkit.live.exam.run.run_exam", examine)
    monkeypatch.setattr("getpass.getuser", lambda: "maria")
    return folders


def broken(program: Path) -> None:
    """Write a program that the system finds and cannot start."""
    program.write_bytes(b"\0")
    program.chmod(0o755)


@pytest.mark.parametrize("web", [(), ("--web",)])
@pytest.mark.parametrize(("option", "words"), [("--speak", "There is no voice"), ("--copy", "no clipboard program")])
def test_without_voice_or_clipboard_it_does_not_begin(
    option: str, words: str, web: Sequence[str], aslkit: Run, lived: list[Any], programs: Path
) -> None:
    result = aslkit("live", option, *web)
    assert (result.exit_code, lived) == (1, [])
    assert words in result.stderr


def test_a_text_that_cannot_be_copied_is_printed(aslkit: Run, lived: list[Any], programs: Path) -> None:
    broken(programs / "xclip")
    result = aslkit("live", "--copy")
    assert result.exit_code == 1
    assert result.stdout == "A B \n"
    assert "xclip did not take the text" in result.stderr


def test_a_voice_that_fails_is_told_once_and_spelling_goes_on(aslkit: Run, lived: list[Any], programs: Path) -> None:
    broken(programs / "espeak")
    result = aslkit("live", "--speak")
    assert (result.exit_code, result.stdout) == (0, "A B \n")
    assert result.stderr == "espeak cannot be started: Exec format error. No more words are spoken.\n"


@pytest.mark.parametrize(
    ("options", "who"),
    [
        (("--source", "0"), "maria"),
        (("--source", "0", "--signer", "ben"), "ben"),
        (("--source", "synthetic", "--letter", "A"), "synthetic-ada"),
        (("--source", "synthetic", "--letter", "A", "--signer", "synthetic-eve"), "synthetic-eve"),
        (("--source", "runs"), "runs"),
    ],
)
def test_who_is_examined(
    options: Sequence[str], who: str, aslkit: Run, examined: list[ExamFolder], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert aslkit("exam", *options, "--json").exit_code == 0, options
    assert (examined[0].signer, examined[0].about["signer"]) == (who, who)
    assert examined[0].path.name == f"one-{who}-1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--source", "0", "--signer", "synthetic-eve"), "are for synthetic signers"),
        (("--source", "synthetic", "--letter", "A", "--signer", "maria"), "--signer synthetic-maria"),
        (("--source", "0", "--signer", "../up"), "is not a valid name for a signer"),
    ],
)
def test_who_cannot_be_examined(options: Sequence[str], words: str, aslkit: Run, examined: list[ExamFolder]) -> None:
    result = aslkit("exam", *options)
    assert (result.exit_code, examined) == (2, [])
    assert words in result.stderr


def test_a_login_that_cannot_name_a_folder_is_refused(
    aslkit: Run, examined: list[ExamFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "club/maria")
    result = aslkit("exam", "--source", "0")
    assert (result.exit_code, examined) == (2, [])
    assert "'club/maria' is not a valid name for a signer" in result.stderr
