"""The `aslkit capture` command."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from aslkit.capture.session.store import Session
from aslkit.cli.capture import TimeType
from aslkit.cli.main import main
from aslkit.cli.shared import ask_signer
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.signers import SignerDetails, load_signer
from aslkit.video import cameras
from aslkit.video.cameras import Camera
from aslkit.vision.images import encode_jpeg
from tests.video.factories import clear_frames, patch, write_video

Run = Callable[..., Result]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A folder with four different images without a hand."""
    folder, rng = tmp_path / "images", np.random.default_rng(0)
    folder.mkdir()
    for index in range(4):
        frame = np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(frame))
    return folder


@pytest.fixture
def capture(empty_workspace: Workspace, source: Path) -> Run:
    """Runs `aslkit capture`, by default with the folder of images as source."""

    def run(*options: object, source: object = source, answers: str | None = None) -> Result:
        arguments = ["capture", "--source", source, "--workspace", empty_workspace.root, *options]
        return CliRunner().invoke(
            main, [str(argument) for argument in arguments], input=answers, catch_exceptions=False
        )

    return run


def error_message(result: Result, code: int) -> str:
    """Check the exit code, and return the error message, which must be a single line without traceback."""
    assert result.exit_code == code, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "Traceback" not in result.output
    return errors[0]


MARIA = ("--letter", "a", "--signer", "maria", "--no-gate")


def parse_result(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), "Give --letter A, or --letters A-Y"),
        (("--letter", "A", "--letters", "B"), "not both"),
        (("--letter", "Ä"), "not a letter of the ASL alphabet"),
        (("--letters", "J-"), "not a range"),
        (("--letter", "J", "--clips"), "--clips requires --letter none"),
        (("--letters", "Y-A"), "is not a range of letters"),
        (("--letters", "A-"), "is not a range of letters"),
        (("--letters", ""), "contains no letter"),
        (("--letters", "A,Ä"), "not a letter"),
        (("--letters", "A-Y"), "--letter A"),  # a folder does not show when the next letter starts
        (("--letter", "A", "--goal", "0"), "Invalid value for '--goal': 0 is not in the range"),
        (("--letter", "A", "--interval-s", "-1"), "--interval-s"),
        (("--letter", "A", "--signer", "../up"), "is not a valid name for a signer"),
        (("--letter", "A", "--session", "a/b"), "is not a valid name for a session"),
        (("--letter", "A", "--signer", "synthetic-eve"), "synthetic"),
        (("--letter", "A", "--signer", "maria", "--start", "3"), "--start and --end require a video"),
        (("--letter", "A", "--start", "2m"), "'2m' is not a time. Give seconds, or minutes and seconds: 75 or 1:15"),
    ],
)
def test_invalid_options_are_rejected(
    capture: Run, empty_workspace: Workspace, options: tuple[str, ...], expected: str
) -> None:
    assert expected in error_message(capture(*options), 2)
    assert not empty_workspace.root.exists()


@pytest.mark.parametrize("options", [("--count", "0"), ("--format", "gif"), ("--port", "99999")])
def test_out_of_range_options_are_rejected_by_click(capture: Run, options: tuple[str, ...]) -> None:
    error_message(capture("--letter", "A", *options), 2)


def test_missing_source_creates_no_workspace(capture: Run, empty_workspace: Workspace) -> None:
    assert "does not exist" in error_message(capture("--letter", "A", "--signer", "maria", source="nowhere.mp4"), 2)
    assert not empty_workspace.root.exists()


@pytest.mark.parametrize("address", ["rtsp://ada:secret@127.0.0.1:1/x", "http://127.0.0.1:1/x"])
def test_unreachable_stream_hides_password(capture: Run, address: str) -> None:
    message = error_message(capture("--letter", "A", "--signer", "maria", "--no-preview", source=address), 1)
    assert "127.0.0.1:1/x does not respond. Check the URL" in message
    assert "secret" not in message


@pytest.mark.parametrize(("text", "seconds"), [("75", 75), ("1:15", 75), ("0:01:15.5", 75.5), (" 0.25 ", 0.25)])
def test_times_are_seconds_or_minutes_and_seconds(text: str, seconds: float) -> None:
    assert TimeType().convert(text, None, None) == seconds


def test_part_of_a_damaged_video(capture: Run, tmp_path: Path) -> None:
    video = patch(
        write_video(tmp_path / "clip.avi").rename(tmp_path / "clip"), lambda data: clear_frames(data, range(8, 12))
    )
    result = capture(*MARIA, "--start", "0:00.5", "--end", "1.5", source=f"{video} ")
    assert "Stored 6 frames of A" in result.stdout
    assert "Note: clip: skipped 4 damaged frames." in result.stderr
    for times, message in ((("--start", "2"), "clip ends at 2.0 s, before --start"), (("--end", "0"), "later than")):
        assert message in error_message(capture(*MARIA, *times, source=video), 2)


def test_gate_rejects_frames_without_hand_and_no_gate_stores_them(capture: Run, empty_workspace: Workspace) -> None:
    result = capture("--letter", "A", "--signer", "maria")
    assert result.exit_code == 0
    assert "Nothing was stored (the source ended)." in result.stdout
    assert "Rejected: no-hand 4." in result.stdout
    result = capture(*MARIA)
    assert "Stored 4 frames of A; maria has 4 of 40." in result.stdout
    assert len(list(walk_captures(empty_workspace.captures))) == 4


def test_count_goal_and_complete_letter(capture: Run) -> None:
    assert parse_result(capture(*MARIA, "--count", "1", "--json"))["letters"] == {"A": 1}
    assert parse_result(capture(*MARIA, "--goal", "3", "--json"))["stored"] == 2
    again = parse_result(capture(*MARIA, "--goal", "3", "--json", source="97"))  # the camera is not opened
    assert (again["stored"], "complete already" in again["ended"]) == (0, True)
    assert "use --goal or --count to record more" in capture(*MARIA, "--goal", "3").stdout


def test_json_output_has_all_values(capture: Run) -> None:
    values = parse_result(capture(*MARIA, "--count", "2", "--session", "one", "--licence", "CC0-1.0", "--json"))
    assert {key: values[key] for key in ("stored", "letters", "refused", "goal", "ended")} == {
        "stored": 2, "letters": {"A": 2}, "refused": {}, "goal": 40, "ended": "all recorded",
    }  # fmt: skip
    assert (values["signer"], values["session"], values["licence"]) == ("maria", "one", "CC0-1.0")
    assert set(values["recovered"].values()) == {0}
    assert values["report"]["seen"] >= 2
    assert values["folder"].endswith("captures/maria/one")


@pytest.fixture
def plan(empty_workspace: Workspace) -> Path:
    """The plan of the run `one`: three frames of A."""
    (empty_workspace.runs / "one").mkdir(parents=True)
    file = empty_workspace.runs / "one" / "record_next.json"
    file.write_text(json.dumps([{"letter": "A", "signer": "", "frames": 3, "why": "taken for S"}]))
    return file


def test_plan_is_found_by_run_name_or_path_and_sets_count(
    capture: Run, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").write_text("A file with the same name as the run.")
    options = ("--signer", "maria", "--no-gate", "--json")
    assert parse_result(capture("--plan", "one", *options))["letters"] == {"A": 3}
    assert parse_result(capture("--plan", plan, *options, "--count", "1"))["letters"] == {"A": 1}
    assert "A: taken for S" in capture("--plan", plan.parent, *options).stderr


def test_missing_or_damaged_plan_is_reported(capture: Run, plan: Path) -> None:
    assert "There is no run 'two'" in error_message(capture("--plan", "two", "--signer", "maria"), 2)
    plan.write_text(plan.read_text().replace("3", "2.5"))
    damaged = error_message(capture("--plan", "one", "--signer", "maria"), 1)
    assert "Expected `int`, got `float` - at `$[0].frames`" in damaged
    plan.unlink()
    assert "No recording plan found in" in error_message(capture("--plan", "one", "--signer", "maria"), 2)


@pytest.mark.parametrize(("letter", "hint"), [("L", "This looks like A; you are recording L."), ("A", "")])
def test_wrong_letter_is_reported_but_stored(capture: Run, real_data: Path, letter: str, hint: str) -> None:
    options = ("--letter", letter, "--count", 12, "--interval-s", 0.3, "--no-preview", "--signer", "rahman")
    result = capture(*options, source=real_data / "webcam-A-B-C.avi")  # begins with A
    assert result.exit_code == 0, result.output
    assert f"Stored 12 frames of {letter}" in result.output
    assert ("This looks like" in result.output) is bool(hint)
    assert hint in result.output


def test_format_png(capture: Run, empty_workspace: Workspace) -> None:
    capture(*MARIA, "--format", "png", "--count", "1")
    assert [frame.path.suffix for frame in walk_captures(empty_workspace.captures)] == [".png"]


def test_recovery_after_interruption_is_reported(capture: Run, empty_workspace: Workspace) -> None:
    folder = Path(parse_result(capture(*MARIA, "--count", "2", "--json"))["folder"])
    (folder / "frames.jsonl").write_text("")
    (folder / "A" / ".9.jpg.partial-1").touch()
    output = capture(*MARIA, "--count", "1").stdout
    assert "An earlier recording was interrupted. Recovered: 1 incomplete files deleted, 2 frames added" in output


def test_images_are_private_until_a_licence_is_stated(capture: Run, empty_workspace: Workspace) -> None:
    private = capture(*MARIA, "--count", "1")
    assert "The images of maria are private: only maria may use them." in private.stderr
    assert load_signer(empty_workspace, "maria") == SignerDetails(licence="private")
    shared = capture(*MARIA, "--count", "1", "--licence", "cc0-1.0")
    assert "The licence of all images of maria changes from private to CC0-1.0." in shared.stderr
    assert load_signer(empty_workspace, "maria").licence == "CC0-1.0"
    again = capture(*MARIA, "--count", "1", "--session", "another", "--json")
    assert again.stderr == ""
    values = parse_result(again)
    assert (values["licence"], values["consent"]) == ("CC0-1.0", "May be shared under CC0-1.0.")


def test_consent_can_be_stated_in_own_words(capture: Run, empty_workspace: Workspace) -> None:
    capture(*MARIA, "--count", "1", "--licence", "CC0-1.0", "--consent", "My hand, not my face.")
    assert load_signer(empty_workspace, "maria").consent == "My hand, not my face."


@pytest.mark.parametrize("licence", ["CC-BY", "For my class only."])
def test_unknown_licence_is_rejected_with_choices(capture: Run, empty_workspace: Workspace, licence: str) -> None:
    message = error_message(capture(*MARIA, "--licence", licence), 2)
    assert f"{licence!r} is not an SPDX licence identifier. Choose private" in message
    assert not empty_workspace.root.exists()


def test_yes_uses_configuration_unless_stated_otherwise(
    capture: Run, empty_workspace: Workspace, tmp_path: Path
) -> None:
    config = tmp_path / "own.toml"
    config.write_text('[capture]\nlicence = "CC-BY-SA-4.0"\nconsent = "For research only."\n')
    capture(*MARIA, "--count", "1", "--yes", "--config", config)
    assert load_signer(empty_workspace, "maria") == SignerDetails(licence="CC-BY-SA-4.0", consent="For research only.")
    capture("--letter", "A", "--no-gate", "--count", "1", "--yes", "--signer", "jon")
    assert load_signer(empty_workspace, "jon") == SignerDetails(licence="private", consent="Only for me.")


class Terminal:
    """A stream that claims to be a terminal."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the command ask questions."""
    streams = {"stdin": Terminal(sys.stdin), "stderr": Terminal(sys.stderr)}
    monkeypatch.setattr(ask_signer, "sys", type("Sys", (), streams))


@pytest.mark.parametrize(
    ("answers", "licence", "consent"),
    [
        ("\n", "private", "Only for me."),
        ("3\n", "CC-BY-4.0", "May be shared under CC-BY-4.0."),
        ("5\ncc by sa 4.0\n", "CC-BY-SA-4.0", "May be shared under CC-BY-SA-4.0."),
    ],
)
@pytest.mark.usefixtures("terminal")
def test_new_signer_is_asked_once_who_may_use_the_images(
    capture: Run, empty_workspace: Workspace, answers: str, licence: str, consent: str
) -> None:
    first = capture(*MARIA, "--count", "1", answers=answers)
    assert "Who may use these images? maria decides." in first.stderr
    assert "under 18, a parent or guardian must agree" in first.stderr
    assert load_signer(empty_workspace, "maria") == SignerDetails(licence=licence, consent=consent)
    session = next(empty_workspace.captures.glob("maria/*/session.json"))
    assert (SessionInfo.load(session).licence, SessionInfo.load(session).consent) == (licence, consent)
    assert len(list(walk_captures(empty_workspace.captures))) == 1  # the frame was not read before the answer
    assert capture(*MARIA, "--count", "1").stderr == ""


@pytest.mark.usefixtures("terminal")
def test_signer_of_private_images_who_was_not_asked_is_asked_later(capture: Run, empty_workspace: Workspace) -> None:
    empty_workspace.root.mkdir()
    empty_workspace.signers.write_text('[maria]\nlicence = "private"\n')
    assert "Who may use these images?" in capture(*MARIA, "--count", "1", answers="2\n").stderr
    assert load_signer(empty_workspace, "maria").licence == "CC0-1.0"


@pytest.mark.usefixtures("terminal")
def test_name_is_asked_after_the_source_is_open_until_it_is_valid(capture: Run, empty_workspace: Workspace) -> None:
    options = ("--letter", "A", "--no-gate", "--count", "1")
    assert "Who is signing" not in capture(*options, source="97", answers="maria\n").stderr  # there is no camera 97
    result = capture(*options, answers="../up\nmaria\n1\n")
    assert "'../up' is not a valid name for a signer" in result.stderr
    assert [frame.signer for frame in walk_captures(empty_workspace.captures)] == ["maria"]
    again = capture(*options, answers="Maria\nmaria\n")
    assert "Signer 'maria' already exists" in again.stderr


def test_login_name_is_never_the_signer(
    capture: Run, monkeypatch: pytest.MonkeyPatch, empty_workspace: Workspace
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "root")
    arguments = ["capture", "--letter", "A", "--workspace", str(empty_workspace.root)]
    assert "Give the name with --signer" in error_message(CliRunner().invoke(main, arguments), 2)
    assert not empty_workspace.root.exists()


def test_damaged_signers_file_is_reported(capture: Run, empty_workspace: Workspace) -> None:
    empty_workspace.root.mkdir()
    empty_workspace.signers.write_text("[maria")
    assert "signers.toml is damaged" in error_message(capture(*MARIA), 1)


def test_synthetic_signer_has_licence(capture: Run, empty_workspace: Workspace) -> None:
    result = capture("--letter", "B", "--count", "1", "--json", source="synthetic")
    assert (parse_result(result)["licence"], result.stderr) == ("CC0-1.0", "")
    assert parse_result(result)["signer"] == "synthetic-ada"


def test_full_disk_keeps_stored_frames(
    capture: Run, empty_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Session.add

    def raise_disk_full(session: Session, entry: Any, data: bytes) -> None:
        if len(session.entries) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", raise_disk_full)
    message = error_message(capture(*MARIA), 1)
    assert "The disk is full" in message
    assert "Files that were stored before are complete" in message
    assert len(list(walk_captures(empty_workspace.captures))) == 2


LIMITED_SCRIPT = (
    "import resource, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "from aslkit.vision.hand_landmarker import create_landmarker\n"
    "create_landmarker().close()\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))\n"
    "from aslkit.cli.main import main\n"
    "main(sys.argv[2:])\n"
)


def test_file_size_limit_leaves_no_incomplete_files(tmp_path: Path, empty_workspace: Workspace) -> None:
    """A file size limit interrupts a write in the middle, like a full disk."""
    (tmp_path / "limited.py").write_text(LIMITED_SCRIPT)
    (tmp_path / "many").mkdir()
    for number in range(40):
        (tmp_path / "many" / f"{number}.jpg").write_bytes(encode_jpeg(np.full((48, 64, 3), number * 6, np.uint8)))
    arguments = [
        "capture",
        *MARIA,
        "--session",
        "one",
        "--source",
        str(tmp_path / "many"),
        "--workspace",
        str(empty_workspace.root),
    ]
    done = subprocess.run(
        [sys.executable, tmp_path / "limited.py", "4096", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    folder = empty_workspace.captures / "maria" / "one"
    assert not [path for path in folder.rglob("*") if "partial" in path.name]
    with Session.open(empty_workspace, SessionInfo.load(folder / "session.json"), measure=lambda _: 1 / 0) as session:  # type: ignore[arg-type, return-value]
        assert str(session.recovered) == ""  # the incomplete index line and its image were removed
        assert 5 < len(session.entries) == len(list(walk_captures(empty_workspace.captures))) < 40


def test_list_cameras_without_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "list_cameras", lambda: [])
    result = CliRunner().invoke(main, ["capture", "--list-cameras"])
    assert result.exit_code == 0
    assert "No camera found" in result.stdout
    assert "--web" in result.stdout
    assert json.loads(CliRunner().invoke(main, ["capture", "--list-cameras", "--json"]).stdout) == []


def test_list_cameras_shows_source_option(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Camera(number=2, name="HD Pro", state="640×480, 30 fps")
    monkeypatch.setattr(cameras, "list_cameras", lambda: [found])
    result = CliRunner().invoke(main, ["capture", "--list-cameras"])
    assert result.stdout == "--source 2  HD Pro  (640×480, 30 fps)\n"
