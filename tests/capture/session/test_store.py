"""A session's folder: mended after whatever interrupted the last recording, and kept from a second recorder."""

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.capture.session.store import TRASH, RecoveryReport, Session, format_time, load_earlier_frames
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.frame_index import INDEX_FILE, IndexEntry
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import Frame, encode_jpeg

JPEG = encode_jpeg(np.full((48, 64, 3), 99, np.uint8))
INFO = SessionInfo(signer="ada", session="one", camera="test", licence="CC0-1.0")

MakeEntry = Callable[..., IndexEntry]
Open = Callable[..., Any]


@pytest.fixture
def opened(empty: Workspace, seen: Callable[..., FrameMetrics]) -> Open:
    @contextmanager
    def begin(info: SessionInfo = INFO) -> Iterator[Session]:
        def look_at(frame: Frame) -> FrameMetrics:
            return seen(7, width=frame.shape[1], height=frame.shape[0])

        with Session.open(empty, info, look_at=look_at) as session:
            yield session

    return begin


@pytest.fixture
def folder(opened: Open, entry: MakeEntry, empty: Workspace) -> Path:
    """Of a session with three frames of A."""
    with opened() as session:
        for number in range(3):
            session.add(entry(f"A/{number}.jpg", number), JPEG)
    return empty.captures / "ada" / "one"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {".lock"}


def listed(session: Session) -> list[str]:
    return [entry.file for entry in session.entries]


def test_what_was_stored_is_there_when_it_is_opened_again(folder: Path, opened: Open, entry: MakeEntry) -> None:
    with opened() as session:
        assert session.entries == [entry(f"A/{number}.jpg", number) for number in range(3)]
        assert session.recovered == RecoveryReport()
        assert str(session.recovered) == ""
    assert files(folder) == {"session.json", INDEX_FILE, "A/0.jpg", "A/1.jpg", "A/2.jpg"}


def test_half_written_files_are_removed_wherever_they_lie(folder: Path, opened: Open) -> None:
    for name in ("A/.3.jpg.partial-77", ".session.json.partial-77", ".frames.jsonl.partial-5"):
        (folder / name).write_bytes(JPEG[:100])
    with opened() as session:
        assert session.recovered == RecoveryReport(half_written=3)
    assert not [name for name in files(folder) if "partial" in name]


def test_an_image_without_a_line_is_listed_again_with_its_landmarks(folder: Path, opened: Open) -> None:
    (folder / "B").mkdir()
    (folder / "B" / "20260102T030405678Z.jpg").write_bytes(JPEG)
    with opened() as session:
        assert session.recovered == RecoveryReport(relisted=1)
        found = session.entries[-1]
    assert (found.file, found.recovered, found.width, found.height) == ("B/20260102T030405678Z.jpg", True, 64, 48)
    assert found.time == "2026-01-02T03:04:05.678+00:00"
    assert found.landmarks is not None
    with opened() as session:
        assert session.recovered == RecoveryReport()
        assert session.entries[-1] == found


def test_a_session_without_an_index_gets_one(folder: Path, opened: Open) -> None:
    (folder / INDEX_FILE).unlink()
    with opened() as session:
        assert session.recovered == RecoveryReport(relisted=3)
        assert listed(session) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]


@pytest.mark.parametrize("content", [b"", JPEG[:200], b"not a picture"])
def test_an_image_that_cannot_be_decoded_goes_to_the_trash(folder: Path, opened: Open, content: bytes) -> None:
    (folder / "A" / "3.jpg").write_bytes(content)
    with opened() as session:
        assert session.recovered == RecoveryReport(damaged=1)
        assert listed(session) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]
    assert (folder / TRASH / "A" / "3.jpg").read_bytes() == content
    assert not (folder / "A" / "3.jpg").exists()


def test_a_missing_image_is_listed_no_longer(folder: Path, opened: Open) -> None:
    (folder / "A" / "1.jpg").unlink()
    with opened() as session:
        assert session.recovered == RecoveryReport(missing=1)
        assert listed(session) == ["A/0.jpg", "A/2.jpg"]
    with opened() as session:
        assert session.recovered == RecoveryReport()


def test_all_at_once_is_said_in_words(folder: Path, opened: Open) -> None:
    (folder / "A" / "0.jpg").unlink()
    (folder / "A" / "8.jpg").write_bytes(JPEG)
    (folder / "A" / "9.jpg").write_bytes(JPEG[:99])
    (folder / "A" / ".9.jpg.partial-1").touch()
    with (folder / INDEX_FILE).open("a") as file:
        file.write('{"file": "A/8.j')
    with opened() as session:
        said = str(session.recovered)
    for words in (
        "1 half-written files removed", "1 frames put back into the index", "1 damaged images moved to the trash",
        "1 frames no longer listed", "1 broken lines of the index dropped",
    ):  # fmt: skip
        assert words in said


def test_what_is_hidden_or_no_letter_is_left_alone(folder: Path, opened: Open) -> None:
    for name in ("J/1.jpg", ".trash/A/7.jpg", "A/.hidden.jpg", "A/notes.txt", "loose.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    before = files(folder)
    with opened() as session:
        assert session.recovered == RecoveryReport()
    assert files(folder) == before


def test_frames_taken_away_lie_in_the_trash_and_can_be_brought_back(folder: Path, opened: Open) -> None:
    with opened() as session:
        session.trash(session.entries[1:])
        assert listed(session) == ["A/0.jpg"]
    assert {"A/0.jpg", f"{TRASH}/A/1.jpg", f"{TRASH}/A/2.jpg"} < files(folder)
    (folder / TRASH / "A" / "1.jpg").rename(folder / "A" / "1.jpg")
    with opened() as session:
        assert sorted(listed(session)) == ["A/0.jpg", "A/1.jpg"]


def test_taking_away_what_somebody_has_deleted_already(folder: Path, opened: Open) -> None:
    with opened() as session:
        (folder / "A" / "1.jpg").unlink()
        session.trash(session.entries)
        assert listed(session) == []


def test_an_undo_that_was_interrupted_is_finished_by_the_next_opening(
    folder: Path, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    def interrupted() -> None:
        with opened() as session:
            monkeypatch.setattr("aslkit.formats.frame_index.FrameIndex.remove", killed)
            session.trash(session.entries[:1])

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    monkeypatch.undo()
    with opened() as session:
        assert listed(session) == ["A/1.jpg", "A/2.jpg"]
    assert f"{TRASH}/A/0.jpg" in files(folder)


def test_a_name_is_free_where_nothing_ever_had_it(folder: Path, opened: Open) -> None:
    with opened() as session:
        session.trash(session.entries[:1])
        assert session.free_name("A", "0", ".jpg") == "A/0-1.jpg"  # 0 lies in the trash
        assert session.free_name("A", "1", ".jpg", taken={"A/1-1.jpg"}) == "A/1-2.jpg"
        assert session.free_name("A", "1", ".png") == "A/1.png"
        assert session.free_name("B", "1", ".jpg") == "B/1.jpg"


@pytest.mark.parametrize("name", ["0.jpg", INDEX_FILE])
def test_a_full_disk_leaves_neither_image_nor_line(
    folder: Path, opened: Open, entry: MakeEntry, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, before = os.fsync, files(folder)

    def full(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink().name.startswith((name, f".new-{name}")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with opened() as session:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            session.add(entry("A/new-0.jpg"), JPEG)
        monkeypatch.undo()
        assert files(folder) == before
        session.add(entry("A/new-0.jpg"), JPEG)  # after some was freed
    with opened() as session:
        assert session.recovered == RecoveryReport()
        assert listed(session)[-1] == "A/new-0.jpg"


HOLDS = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from aslkit.capture.session.store import Session\n"
    "from aslkit.formats.captures import SessionInfo\n"
    "from aslkit.core.workspace import Workspace\n"
    "info = SessionInfo(signer='ada', session='one', camera='test')\n"
    "with Session.open(Workspace(root=Path(sys.argv[1])), info, look_at=None):\n"
    "    print('open', flush=True)\n"
    "    time.sleep(600)\n"
)


def test_a_second_recorder_is_refused_until_the_first_is_gone_even_by_kill_9(
    empty: Workspace, opened: Open, tmp_path: Path
) -> None:
    (tmp_path / "holds.py").write_text(HOLDS)
    first = subprocess.Popen([sys.executable, tmp_path / "holds.py", empty.root], stdout=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(AslkitError, match=r"Another aslkit is recording into session 'one' of 'ada'.*--session"):
            opened().__enter__()
        with opened(SessionInfo(signer="ada", session="two", camera="test")):
            pass  # another session is not kept from anybody
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
    with opened() as session:
        assert session.recovered == RecoveryReport()


def test_a_second_recorder_in_the_same_process_is_refused_too(opened: Open) -> None:
    with opened(), pytest.raises(AslkitError, match="Another aslkit"):
        opened().__enter__()


def test_another_camera_is_refused_and_lets_the_session_go(folder: Path, opened: Open) -> None:
    with pytest.raises(InputError, match="--session"):
        opened(SessionInfo(signer="ada", session="one", camera="another")).__enter__()
    with opened() as session:
        assert len(session.entries) == 3


def test_notes_of_each_recording_are_kept_beside_what_is_true_of_all(folder: Path, opened: Open) -> None:
    with opened() as session:
        session.note({"display": "mirrored"}, {"started": "1", "ended": None})
        session.note({"display": "mirrored"}, {"started": "1", "ended": "2", "stored": 3})
        session.note({"display": "none"}, {"started": "4", "ended": None})
    values = json.loads((folder / "session.json").read_text())
    assert values["recordings"] == [{"started": "1", "ended": "2", "stored": 3}, {"started": "4", "ended": None}]
    assert (values["started"], values["display"], values["camera"], values["licence"]) == (
        "1", "none", "test", "CC0-1.0",
    )  # fmt: skip
    assert SessionInfo.load(folder / "session.json") == INFO


def test_what_other_sessions_hold(folder: Path, opened: Open, entry: MakeEntry, empty: Workspace) -> None:
    with opened(SessionInfo(signer="ada", session="two", camera="test")) as session:
        session.add(entry("B/1.jpg", 5), JPEG)
    (folder / "A" / "0.jpg").unlink()
    (empty.captures / "ada" / "by hand").mkdir()
    assert [each.file for each in load_earlier_frames(empty, "ada", but="two")] == ["A/1.jpg", "A/2.jpg"]
    assert [each.file for each in load_earlier_frames(empty, "ada", but="one")] == ["B/1.jpg"]
    assert load_earlier_frames(empty, "nobody", but="one") == []


def test_the_trash_is_no_capture(folder: Path, opened: Open, empty: Workspace) -> None:
    with opened() as session:
        session.trash(session.entries)
    assert list(walk_captures(empty.captures)) == []


def test_a_moment_as_files_tell_it() -> None:
    assert format_time(None) is None
    assert format_time(datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)) == "2026-01-02T03:04:05.678+00:00"
