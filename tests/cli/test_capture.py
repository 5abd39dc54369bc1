"""`aslkit capture` as a user meets it."""

import errno
import getpass
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
from aslkit.capture.signers import SignerDetails, load_signer
from aslkit.cli.main import main
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.video import cameras
from aslkit.video.cameras import Camera
from aslkit.vision.images import encode_jpeg

Run = Callable[..., Result]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Four pictures that are all different, without a hand."""
    folder, rng = tmp_path / "pictures", np.random.default_rng(0)
    folder.mkdir()
    for index in range(4):
        frame = np.kron(rng.integers(0, 255, (6, 8, 3)), np.ones((8, 8, 1))).astype(np.uint8)
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(frame))
    return folder


@pytest.fixture
def capture(empty: Workspace, source: Path) -> Run:
    """Runs it; from the folder of pictures, gate off, where nothing else is said."""

    def run(*options: object, source: object = source, answers: str | None = None) -> Result:
        arguments = ["capture", "--source", source, "--workspace", empty.root, *options]
        return CliRunner().invoke(main, [str(each) for each in arguments], input=answers, catch_exceptions=False)

    return run


def failed(result: Result, code: int) -> str:
    """What it said: one line, no traceback."""
    assert result.exit_code == code, result.output
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, result.stderr
    assert "Traceback" not in result.output
    return errors[0]


MARIA = ("--letter", "a", "--signer", "maria", "--no-gate")


def stored(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Give --letter A, or --letters A-Y"),
        (("--letter", "A", "--letters", "B"), "not both"),
        (("--letter", "J"), "movement"),
        (("--letters", "Z"), "movement"),
        (("--letters", "Y-A"), "no range of letters"),
        (("--letters", "A-"), "no range of letters"),
        (("--letters", ""), "names no letter"),
        (("--letters", "A,Ä"), "not a letter"),
        (("--letters", "A-Y"), "--letter A"),  # from a folder: who would say when the next one begins?
        (("--letter", "A", "--goal", "0"), "Error: --goal must be from 1"),
        (("--letter", "A", "--interval-s", "-1"), "--interval-s"),
        (("--letter", "A", "--signer", "../up"), "cannot be the name of a signer"),
        (("--letter", "A", "--session", "a/b"), "cannot be the name of a session"),
        (("--letter", "A", "--signer", "synthetic-eve"), "synthetic"),
    ],
)
def test_what_cannot_be_asked_for(capture: Run, empty: Workspace, options: tuple[str, ...], says: str) -> None:
    assert says in failed(capture(*options), 2)
    assert not empty.root.exists()


@pytest.mark.parametrize("options", [("--count", "0"), ("--format", "gif"), ("--port", "99999")])
def test_what_click_refuses(capture: Run, options: tuple[str, ...]) -> None:
    failed(capture("--letter", "A", *options), 2)


def test_a_source_that_is_none(capture: Run, empty: Workspace) -> None:
    assert "There is no source" in failed(capture("--letter", "A", "--signer", "maria", source="nowhere.mp4"), 2)
    assert not empty.root.exists()


@pytest.mark.parametrize("address", ["rtsp://ada:secret@127.0.0.1:1/x", "http://127.0.0.1:1/x"])
def test_a_stream_that_does_not_answer(capture: Run, address: str) -> None:
    message = failed(capture("--letter", "A", "--signer", "maria", "--no-preview", source=address), 1)
    assert "127.0.0.1:1/x does not answer. Is the address right" in message
    assert "secret" not in message


def test_all_is_stored_with_the_gate_off_and_nothing_that_has_no_hand_with_it(capture: Run, empty: Workspace) -> None:
    result = capture("--letter", "A", "--signer", "maria")
    assert result.exit_code == 0
    assert "Stored nothing (the source ended)." in result.stdout
    assert "Refused: no-hand 4." in result.stdout
    result = capture(*MARIA)
    assert "Stored 4 frames of A; maria has 4 of 602." in result.stdout
    assert len(list(walk_captures(empty.captures))) == 4


def test_count_goal_and_what_is_complete_already(capture: Run) -> None:
    assert stored(capture(*MARIA, "--count", "1", "--json"))["letters"] == {"A": 1}
    assert stored(capture(*MARIA, "--goal", "3", "--json"))["stored"] == 2
    again = stored(capture(*MARIA, "--goal", "3", "--json", source="97"))  # no camera is needed
    assert (again["stored"], "complete already" in again["ended"]) == (0, True)
    assert "--goal or --count wants more" in capture(*MARIA, "--goal", "3").stdout


def test_json_has_all_that_the_words_tell(capture: Run) -> None:
    values = stored(capture(*MARIA, "--count", "2", "--session", "one", "--licence", "CC0-1.0", "--json"))
    assert {key: values[key] for key in ("stored", "letters", "refused", "goal", "ended")} == {
        "stored": 2, "letters": {"A": 2}, "refused": {}, "goal": 602, "ended": "all recorded",
    }  # fmt: skip
    assert (values["signer"], values["session"], values["licence"]) == ("maria", "one", "CC0-1.0")
    assert set(values["recovered"].values()) == {0}
    assert values["report"]["seen"] >= 2
    assert values["folder"].endswith("captures/maria/one")


@pytest.fixture
def plan(empty: Workspace) -> Path:
    """Of the run `one`: three frames of A."""
    (empty.runs / "one").mkdir(parents=True)
    file = empty.runs / "one" / "record_next.json"
    file.write_text(json.dumps([{"letter": "A", "signer": "", "frames": 3, "why": "taken for S"}]))
    return file


def test_a_plan_is_found_by_its_run_and_says_how_many_frames(
    capture: Run, plan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").write_text("A file that happens to be called like the run.")
    options = ("--signer", "maria", "--no-gate", "--json")
    assert stored(capture("--plan", "one", *options))["letters"] == {"A": 3}
    assert stored(capture("--plan", plan, *options, "--count", "1"))["letters"] == {"A": 1}
    assert "A: taken for S" in capture("--plan", plan.parent, *options).stderr


def test_a_plan_that_is_none(capture: Run, plan: Path) -> None:
    assert "There is no run 'two'" in failed(capture("--plan", "two", "--signer", "maria"), 2)
    plan.write_text(plan.read_text().replace("3", "2.5"))
    assert "frames must be whole numbers above 0" in failed(capture("--plan", "one", "--signer", "maria"), 1)
    plan.unlink()
    assert "There is no plan in" in failed(capture("--plan", "one", "--signer", "maria"), 2)


def test_png(capture: Run, empty: Workspace) -> None:
    capture(*MARIA, "--format", "png", "--count", "1")
    assert [frame.path.suffix for frame in walk_captures(empty.captures)] == [".png"]


def test_what_an_interrupted_recording_left_is_told(capture: Run, empty: Workspace) -> None:
    folder = Path(stored(capture(*MARIA, "--count", "2", "--json"))["folder"])
    (folder / "frames.jsonl").write_text("")
    (folder / "A" / ".9.jpg.partial-1").touch()
    said = capture(*MARIA, "--count", "1").stdout
    assert "An earlier recording was interrupted. Recovered: 1 half-written files removed, 2 frames put back" in said


def test_licence_and_consent_are_missed_once_stated_they_are_kept(capture: Run, empty: Workspace) -> None:
    assert "maria has not said what may be done" in capture(*MARIA, "--count", "1").stderr
    assert "without consent, and" in capture(*MARIA, "--count", "1", "--licence", "CC0-1.0").stderr
    capture(*MARIA, "--count", "1", "--licence", "CC0-1.0", "--consent", "yes")
    assert load_signer(empty, "maria") == SignerDetails(licence="CC0-1.0", consent="yes")
    result = capture(*MARIA, "--count", "1", "--session", "another", "--json")
    assert "has not said" not in result.stderr
    assert (stored(result)["licence"], stored(result)["consent"]) == ("CC0-1.0", "yes")


def test_yes_takes_both_from_the_configuration_and_what_was_stated_goes_before(
    capture: Run, empty: Workspace, tmp_path: Path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[capture]\nlicence = "CC-BY-SA-4.0"\nconsent = "For research only."\n')
    capture(*MARIA, "--count", "1", "--licence", "CC0-1.0", "--yes", "--config", own)
    assert load_signer(empty, "maria") == SignerDetails(licence="CC0-1.0", consent="For research only.")


def test_a_person_at_a_terminal_is_asked_once(capture: Run, empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal:
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        def __getattr__(self, name: str) -> Any:
            return getattr(self._stream, name)

        def isatty(self) -> bool:
            return True

    from aslkit.cli import capture as cli_capture

    monkeypatch.setattr(
        cli_capture, "sys", type("Sys", (), {"stdin": Terminal(sys.stdin), "stderr": Terminal(sys.stderr)})
    )
    first = capture(*MARIA, "--count", "1", answers="CC0-1.0\n\n")
    assert "Under which licence may the images of maria be shared? [CC-BY-4.0]" in first.stderr
    assert load_signer(empty, "maria").licence == "CC0-1.0"
    assert "may be shown" in str(load_signer(empty, "maria").consent)  # the proposal, taken with Enter
    assert "licence" not in capture(*MARIA, "--count", "1").stderr


def test_a_damaged_signers_file_is_named(capture: Run, empty: Workspace) -> None:
    empty.root.mkdir()
    empty.signers.write_text("[maria")
    assert "signers.toml is damaged" in failed(capture(*MARIA), 1)


def test_a_synthetic_signer_has_nothing_to_state(capture: Run, empty: Workspace) -> None:
    result = capture("--letter", "B", "--count", "1", "--json", source="synthetic")
    assert (stored(result)["licence"], result.stderr) == ("CC0-1.0", "")
    assert stored(result)["signer"] == "synthetic-ada"


def test_a_user_without_a_name_is_asked_for_one(capture: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert "Give --signer" in failed(capture("--letter", "A"), 2)


def test_a_full_disk(capture: Run, empty: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Session.add

    def full(session: Session, entry: Any, data: bytes) -> None:
        if len(session.entries) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", full)
    message = failed(capture(*MARIA), 1)
    assert "The disk is full" in message
    assert "what was stored before is whole" in message
    assert len(list(walk_captures(empty.captures))) == 2


LIMITED = (
    "import resource, signal, sys\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "from aslkit.vision.hand_landmarker import create_landmarker\n"
    "create_landmarker().close()\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))\n"
    "from aslkit.cli.main import main\n"
    "main(sys.argv[2:])\n"
)


def test_files_that_may_grow_no_more_leave_nothing_half_written(tmp_path: Path, empty: Workspace) -> None:
    """A limit on the size of files, which the system enforces in the middle of a write, as a full disk does."""
    (tmp_path / "limited.py").write_text(LIMITED)
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
        str(empty.root),
    ]
    done = subprocess.run(
        [sys.executable, tmp_path / "limited.py", "4096", *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    folder = empty.captures / "maria" / "one"
    assert not [path for path in folder.rglob("*") if "partial" in path.name]
    with Session.open(empty, SessionInfo.load(folder / "session.json"), look_at=lambda _: 1 / 0) as session:  # type: ignore[arg-type, return-value]
        assert str(session.recovered) == ""  # the index filled up in the middle of a line, and that image is gone too
        assert 5 < len(session.entries) == len(list(walk_captures(empty.captures))) < 40


def test_no_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "list_cameras", lambda: [])
    result = CliRunner().invoke(main, ["capture", "--list-cameras"])
    assert result.exit_code == 0
    assert "No camera was found" in result.stdout
    assert "--web" in result.stdout
    assert json.loads(CliRunner().invoke(main, ["capture", "--list-cameras", "--json"]).stdout) == []


def test_cameras_are_listed_as_source_takes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Camera(number=2, name="HD Pro", state="640×480, 30 fps")
    monkeypatch.setattr(cameras, "list_cameras", lambda: [found])
    result = CliRunner().invoke(main, ["capture", "--list-cameras"])
    assert result.stdout == "--source 2  HD Pro  (640×480, 30 fps)\n"
