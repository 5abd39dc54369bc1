"""The commands `aslkit live` and `aslkit exam`, with a fake model and camera."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from aslkit.cli.main import main
from aslkit.cli.output.runs import print_exam
from aslkit.core.workspace import Workspace
from aslkit.live.exam.result_folder import ExamFolder
from aslkit.live.exam.scoring import ExamScore, LetterResult
from aslkit.live.run import LiveResult
from aslkit.live.speller import Event
from tests.live.factories import write_training_data

Run = Callable[..., Result]


@pytest.fixture
def aslkit(tmp_path: Path) -> Run:
    """Return a function that runs a command in a workspace with one run."""
    (tmp_path / "runs" / "one" / "model").mkdir(parents=True)

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, [*map(str, arguments), "--workspace", str(tmp_path)], catch_exceptions=False)

    return run


@pytest.fixture
def live_calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Replace recognition: A and B are spelled, each followed by a space. Return the arguments of each call."""
    calls: list[dict[str, Any]] = []

    def live(run: Path, **arguments: Any) -> LiveResult:
        calls.append(arguments)
        for time_s, text in enumerate(("A ", "A B ")):
            arguments["on_event"](Event(kind="space", time_s=time_s, text=text))
        return LiveResult(text="A B ", frames=2, dropped=0, first_s=None, ended="the source ended")

    monkeypatch.setattr("aslkit.live.run.live", live)
    monkeypatch.setattr("aslkit.cli.shared.open_studio.open_studio", live)
    return calls


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder that is the only one on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def exam_folders(monkeypatch: pytest.MonkeyPatch) -> list[ExamFolder]:
    """Replace the exam, and return the folders that it would write to."""
    folders: list[ExamFolder] = []

    def fake_run_exam(run: Path, *, folder: ExamFolder, **_: Any) -> dict[str, Any]:
        folders.append(folder)
        return {}

    monkeypatch.setattr("aslkit.live.exam.run.run_exam", fake_run_exam)
    return folders


@pytest.mark.parametrize(
    ("options", "asked", "message"),
    [
        ((), ("A", "B", "L"), "Left out, because one was not trained on them: C D"),
        (("--letters", "A,B"), ("A", "B"), ""),
        (("--letters", "B,C"), ("B",), "Left out, because one was not trained on them: C\n"),
    ],
)
def test_exam_asks_only_for_letters_that_the_model_knows(
    options: Sequence[str], asked: Sequence[str], message: str, aslkit: Run, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    calls: list[dict[str, Any]] = []

    def fake_run_exam(run: Path, **arguments: Any) -> dict[str, Any]:
        calls.append(arguments)
        return {}

    monkeypatch.setattr("aslkit.live.exam.run.run_exam", fake_run_exam)
    write_training_data(tmp_path / "runs" / "one", letters=["A", "B", "L"])
    result = aslkit("exam", "one", "--signer", "ben", "--json", *options)
    assert result.exit_code == 0, result.output
    assert message in result.stderr
    assert calls[0]["letters"] == tuple(asked)
    assert set(calls[0]["prompts"]) == set(asked)
    assert calls[0]["folder"].metadata["not_trained"][:1] == (["C"] if message else [])
    result = aslkit("exam", "one", "--signer", "ben", "--letters", "C,D")
    assert result.exit_code == 2
    assert "one was not trained on C D, only on A B L." in result.stderr


def test_mirrored_is_passed_on(aslkit: Run, live_calls: list[dict[str, Any]], tmp_path: Path) -> None:
    result = aslkit("live", "one", "--source", "1", "--mirrored")
    assert result.exit_code == 0, result.output
    assert live_calls[0]["mirrored"]


def write_broken_program(program: Path) -> None:
    """Write an executable file that cannot be started."""
    program.write_bytes(b"\0")
    program.chmod(0o755)


@pytest.mark.parametrize("web", [(), ("--web",)])
@pytest.mark.parametrize(
    ("option", "message"),
    [("--speak", "No text-to-speech program found"), ("--copy", "No clipboard program found")],
)
def test_live_requires_speech_and_clipboard_programs_before_start(
    option: str, message: str, web: Sequence[str], aslkit: Run, live_calls: list[Any], programs: Path
) -> None:
    result = aslkit("live", option, *web)
    assert (result.exit_code, live_calls) == (1, [])
    assert message in result.stderr


def test_live_prints_text_that_cannot_be_copied(aslkit: Run, live_calls: list[Any], programs: Path) -> None:
    write_broken_program(programs / "xclip")
    result = aslkit("live", "--copy")
    assert result.exit_code == 1
    assert result.stdout == "A B \n"
    assert "xclip could not copy the text" in result.stderr


def test_live_reports_failing_speech_once_and_continues(aslkit: Run, live_calls: list[Any], programs: Path) -> None:
    write_broken_program(programs / "espeak")
    result = aslkit("live", "one", "--speak")
    assert (result.exit_code, result.stdout) == (0, "A B \n")
    assert result.stderr == "espeak cannot be started: Exec format error. Words are no longer spoken.\n"


@pytest.mark.parametrize(
    ("options", "signer"),
    [
        (("--source", "0", "--signer", "ben"), "ben"),
        (("--source", "synthetic", "--letter", "A"), "synthetic-ada"),
        (("--source", "synthetic", "--letter", "A", "--signer", "synthetic-eve"), "synthetic-eve"),
        (("--source", "runs"), "runs"),
    ],
)
def test_exam_determines_signer(
    options: Sequence[str], signer: str, aslkit: Run, exam_folders: list[ExamFolder], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert aslkit("exam", *options, "--json").exit_code == 0, options
    assert (exam_folders[0].signer, exam_folders[0].metadata["signer"]) == (signer, signer)
    assert exam_folders[0].path.name == f"one-{signer}-1"


@pytest.mark.parametrize(
    ("predicted", "command"),
    [("AB", "aslkit live one"), ("AS", "aslkit capture --letters B")],
)
def test_exam_ends_with_the_next_step(
    predicted: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    metadata = {"run": "one", "signer": "maria", "source": "photos"}
    folder = ExamFolder.new(Workspace(root=tmp_path), name="exam", signer="maria", metadata=metadata)
    results = [LetterResult(letter=letter, predicted=each) for letter, each in zip("AB", predicted, strict=True)]
    print_exam(folder.write_result(ExamScore(results=tuple(results))), as_json=False)
    *_, report, following = capsys.readouterr().out.splitlines()
    assert report == f"Report: {(folder.path / 'report.html').as_uri()}"
    assert following.startswith("Next: ")
    assert following.endswith(command)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--source", "0", "--signer", "synthetic-eve"), "are reserved for synthetic signers"),
        (("--source", "synthetic", "--letter", "A", "--signer", "maria"), "--signer synthetic-maria"),
        (("--source", "0", "--signer", "../up"), "is not a valid name for a signer"),
    ],
)
def test_exam_rejects_invalid_signer(
    options: Sequence[str], message: str, aslkit: Run, exam_folders: list[ExamFolder]
) -> None:
    result = aslkit("exam", *options)
    assert (result.exit_code, exam_folders) == (2, [])
    assert message in result.stderr


def test_images_in_place_of_a_run_are_noticed(aslkit: Run, exam_folders: list[ExamFolder], tmp_path: Path) -> None:
    (tmp_path / "photos" / "A").mkdir(parents=True)
    result = aslkit("exam", str(tmp_path / "photos"))
    assert result.exit_code == 2
    assert f"Images are given with --source {tmp_path / 'photos'}." in result.stderr


def test_exam_at_a_camera_asks_for_the_signer(
    aslkit: Run, exam_folders: list[ExamFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = aslkit("exam", "--source", "0")
    assert (result.exit_code, exam_folders) == (2, [])
    assert "Who is signing? Give --signer." in result.stderr
    monkeypatch.setattr("aslkit.cli.shared.ask_signer.can_prompt", lambda: True)
    monkeypatch.setattr("aslkit.cli.shared.ask_signer.ask_name", lambda workspace: "maria")
    assert aslkit("exam", "--source", "0", "--json").exit_code == 0
    assert [folder.signer for folder in exam_folders] == ["maria"]


@pytest.mark.parametrize(
    ("options", "words", "word_file"),
    [((), True, ""), (("--no-words",), False, ""), (("--word-file", "names.txt"), True, "names.txt")],
)
def test_words_are_on_unless_turned_off(
    options: tuple[str, ...], words: bool, word_file: str, aslkit: Run, live_calls: list[dict[str, Any]],
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "names.txt").write_text("Xiomara\n", encoding="utf-8")
    assert aslkit("live", "one", "--source", "0", "--no-preview", *options).exit_code == 0
    config = live_calls[0]["config"]
    assert (config.words, config.word_file) == (words, word_file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--word-file", "missing.txt"), "cannot be read: No such file"),
        (("--no-words", "--word-file", "names.txt"), "--word-file needs words"),
    ],
)
def test_a_word_file_is_checked_before_the_camera_is_opened(
    options: tuple[str, ...], message: str, aslkit: Run, live_calls: list[dict[str, Any]]
) -> None:
    result = aslkit("live", "one", "--source", "0", "--no-preview", *options)
    assert result.exit_code == 2
    assert message in result.output
    assert live_calls == []


def test_exam_of_a_movement_needs_a_camera(aslkit: Run, exam_folders: list[ExamFolder], tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    result = aslkit("exam", "one", "--source", tmp_path / "photos", "--letter", "J", "--signer", "maria")
    assert result.exit_code != 0
    assert "camera" in result.output
    assert exam_folders == []
