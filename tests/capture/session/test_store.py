"""The session folder: recovery after an interrupted recording, and locking."""

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

from aslkit.capture.session.clip_files import TRASH
from aslkit.capture.session.store import RecoveryReport, Session, format_time, load_earlier_frames
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.frame_index import INDEX_FILE, IndexEntry
from aslkit.formats.reviews import record_decisions
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import Frame, encode_jpeg

JPEG = encode_jpeg(np.full((48, 64, 3), 99, np.uint8))
INFO = SessionInfo(signer="ada", session="one", camera="test", licence="CC0-1.0")

MakeEntry = Callable[..., IndexEntry]
OpenSession = Callable[..., Any]


@pytest.fixture
def open_session(empty_workspace: Workspace, make_metrics: Callable[..., FrameMetrics]) -> OpenSession:
    @contextmanager
    def open_session_of(info: SessionInfo = INFO) -> Iterator[Session]:
        def measure(frame: Frame) -> FrameMetrics:
            return make_metrics(7, width=frame.shape[1], height=frame.shape[0])

        with Session.open(empty_workspace, info, measure=measure) as session:
            yield session

    return open_session_of


@pytest.fixture
def folder(open_session: OpenSession, make_entry: MakeEntry, empty_workspace: Workspace) -> Path:
    """The folder of a session with three frames of A."""
    with open_session() as session:
        for number in range(3):
            session.add(make_entry(f"A/{number}.jpg", number), JPEG)
    return empty_workspace.captures / "ada" / "one"


def list_files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {".lock"}


def indexed_files(session: Session) -> list[str]:
    return [entry.file for entry in session.entries]


def test_reopened_session_has_all_entries(folder: Path, open_session: OpenSession, make_entry: MakeEntry) -> None:
    with open_session() as session:
        assert session.entries == [make_entry(f"A/{number}.jpg", number) for number in range(3)]
        assert session.recovered == RecoveryReport()
        assert str(session.recovered) == ""
    assert list_files(folder) == {"session.json", INDEX_FILE, "A/0.jpg", "A/1.jpg", "A/2.jpg"}


def test_incomplete_files_are_deleted(folder: Path, open_session: OpenSession) -> None:
    for name in ("A/.3.jpg.partial-77", ".session.json.partial-77", ".frames.jsonl.partial-5"):
        (folder / name).write_bytes(JPEG[:100])
    with open_session() as session:
        assert session.recovered == RecoveryReport(half_written=3)
    assert not [name for name in list_files(folder) if "partial" in name]


def test_image_without_entry_is_added_with_landmarks(folder: Path, open_session: OpenSession) -> None:
    (folder / "B").mkdir()
    (folder / "B" / "20260102T030405678Z.jpg").write_bytes(JPEG)
    with open_session() as session:
        assert session.recovered == RecoveryReport(relisted=1)
        found = session.entries[-1]
    assert (found.file, found.recovered, found.width, found.height) == ("B/20260102T030405678Z.jpg", True, 64, 48)
    assert found.time == "2026-01-02T03:04:05.678+00:00"
    assert found.landmarks is not None
    with open_session() as session:
        assert session.recovered == RecoveryReport()
        assert session.entries[-1] == found


def test_missing_index_is_rebuilt(folder: Path, open_session: OpenSession) -> None:
    (folder / INDEX_FILE).unlink()
    with open_session() as session:
        assert session.recovered == RecoveryReport(relisted=3)
        assert indexed_files(session) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]


@pytest.mark.parametrize("content", [b"", JPEG[:200], b"not an image"])
def test_damaged_image_is_moved_to_trash(folder: Path, open_session: OpenSession, content: bytes) -> None:
    (folder / "A" / "3.jpg").write_bytes(content)
    with open_session() as session:
        assert session.recovered == RecoveryReport(damaged=1)
        assert indexed_files(session) == ["A/0.jpg", "A/1.jpg", "A/2.jpg"]
    assert (folder / TRASH / "A" / "3.jpg").read_bytes() == content
    assert not (folder / "A" / "3.jpg").exists()


def test_entry_without_image_is_removed(folder: Path, open_session: OpenSession) -> None:
    (folder / "A" / "1.jpg").unlink()
    with open_session() as session:
        assert session.recovered == RecoveryReport(missing=1)
        assert indexed_files(session) == ["A/0.jpg", "A/2.jpg"]
    with open_session() as session:
        assert session.recovered == RecoveryReport()


def test_recovery_report_lists_all_repairs(folder: Path, open_session: OpenSession) -> None:
    (folder / "A" / "0.jpg").unlink()
    (folder / "A" / "8.jpg").write_bytes(JPEG)
    (folder / "A" / "9.jpg").write_bytes(JPEG[:99])
    (folder / "A" / ".9.jpg.partial-1").touch()
    with (folder / INDEX_FILE).open("a") as file:
        file.write('{"file": "A/8.j')
    with open_session() as session:
        text = str(session.recovered)
    for repair in (
        "1 incomplete files deleted", "1 frames added to the index", "1 damaged images moved to the trash",
        "1 index entries without an image removed", "1 broken index lines removed",
    ):  # fmt: skip
        assert repair in text


def test_hidden_and_unrelated_files_are_ignored(folder: Path, open_session: OpenSession) -> None:
    for name in ("J/1.jpg", ".trash/A/7.jpg", "A/.hidden.jpg", "A/notes.txt", "loose.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    before = list_files(folder)
    with open_session() as session:
        assert session.recovered == RecoveryReport()
    assert list_files(folder) == before


def test_trashed_frames_can_be_restored(folder: Path, open_session: OpenSession) -> None:
    with open_session() as session:
        session.trash(session.entries[1:])
        assert indexed_files(session) == ["A/0.jpg"]
    assert {"A/0.jpg", f"{TRASH}/A/1.jpg", f"{TRASH}/A/2.jpg"} < list_files(folder)
    (folder / TRASH / "A" / "1.jpg").rename(folder / "A" / "1.jpg")
    with open_session() as session:
        assert sorted(indexed_files(session)) == ["A/0.jpg", "A/1.jpg"]


def test_trash_accepts_frames_deleted_by_the_user(folder: Path, open_session: OpenSession) -> None:
    with open_session() as session:
        (folder / "A" / "1.jpg").unlink()
        session.trash(session.entries)
        assert indexed_files(session) == []


def test_interrupted_undo_is_completed_on_reopening(
    folder: Path, open_session: OpenSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    def trash_first_frame() -> None:
        with open_session() as session:
            monkeypatch.setattr("aslkit.formats.frame_index.FrameIndex.remove", interrupt)
            session.trash(session.entries[:1])

    with pytest.raises(KeyboardInterrupt):
        trash_first_frame()
    monkeypatch.undo()
    with open_session() as session:
        assert indexed_files(session) == ["A/1.jpg", "A/2.jpg"]
    assert f"{TRASH}/A/0.jpg" in list_files(folder)


def test_free_name_avoids_stored_and_trashed_names(folder: Path, open_session: OpenSession) -> None:
    with open_session() as session:
        session.trash(session.entries[:1])
        assert session.free_name("A", "0", ".jpg") == "A/0-1.jpg"  # 0.jpg is in the trash
        assert session.free_name("A", "1", ".jpg", taken={"A/1-1.jpg"}) == "A/1-2.jpg"
        assert session.free_name("A", "1", ".png") == "A/1.png"
        assert session.free_name("B", "1", ".jpg") == "B/1.jpg"


@pytest.mark.parametrize("name", ["0.jpg", INDEX_FILE])
def test_full_disk_leaves_neither_image_nor_entry(
    folder: Path, open_session: OpenSession, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, before = os.fsync, list_files(folder)

    def raise_disk_full(handle: int) -> None:
        if Path(f"/proc/self/fd/{handle}").readlink().name.startswith((name, f".new-{name}")):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with open_session() as session:
        monkeypatch.setattr(os, "fsync", raise_disk_full)
        with pytest.raises(OSError, match="No space left"):
            session.add(make_entry("A/new-0.jpg"), JPEG)
        monkeypatch.undo()
        assert list_files(folder) == before
        session.add(make_entry("A/new-0.jpg"), JPEG)  # after space was freed
    with open_session() as session:
        assert session.recovered == RecoveryReport()
        assert indexed_files(session)[-1] == "A/new-0.jpg"


HOLD_SCRIPT = (
    "import sys, time\n"
    "from pathlib import Path\n"
    "from aslkit.capture.session.store import Session\n"
    "from aslkit.formats.captures import SessionInfo\n"
    "from aslkit.core.workspace import Workspace\n"
    "info = SessionInfo(signer='ada', session='one', camera='test')\n"
    "with Session.open(Workspace(root=Path(sys.argv[1])), info, measure=None):\n"
    "    print('open', flush=True)\n"
    "    time.sleep(600)\n"
)


def test_session_is_locked_until_other_process_ends_even_by_sigkill(
    empty_workspace: Workspace, open_session: OpenSession, tmp_path: Path
) -> None:
    (tmp_path / "hold.py").write_text(HOLD_SCRIPT)
    first = subprocess.Popen(
        [sys.executable, tmp_path / "hold.py", empty_workspace.root], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        with pytest.raises(
            AslkitError, match=r"Another aslkit process is recording into session 'one' of 'ada'.*--session"
        ):
            open_session().__enter__()
        with open_session(SessionInfo(signer="ada", session="two", camera="test")):
            pass  # other sessions are not locked
    finally:
        first.send_signal(signal.SIGKILL)
        first.communicate(timeout=60)
    with open_session() as session:
        assert session.recovered == RecoveryReport()


def test_session_is_locked_within_the_same_process(open_session: OpenSession) -> None:
    with open_session(), pytest.raises(AslkitError, match="Another aslkit process"):
        open_session().__enter__()


def test_other_camera_is_rejected_and_lock_is_released(folder: Path, open_session: OpenSession) -> None:
    with pytest.raises(InputError, match="--session"):
        open_session(SessionInfo(signer="ada", session="one", camera="another")).__enter__()
    with open_session() as session:
        assert len(session.entries) == 3


def test_update_info_keeps_one_summary_per_recording(folder: Path, open_session: OpenSession) -> None:
    with open_session() as session:
        session.update_info({"display": "mirrored"}, {"started": "1", "ended": None})
        session.update_info({"display": "mirrored"}, {"started": "1", "ended": "2", "stored": 3})
        session.update_info({"display": "none"}, {"started": "4", "ended": None})
    values = json.loads((folder / "session.json").read_text())
    assert values["recordings"] == [{"started": "1", "ended": "2", "stored": 3}, {"started": "4", "ended": None}]
    assert (values["started"], values["display"], values["camera"], values["licence"]) == (
        "1", "none", "test", "CC0-1.0",
    )  # fmt: skip
    assert SessionInfo.load(folder / "session.json") == INFO


def test_load_earlier_frames_returns_existing_frames_of_other_sessions(
    folder: Path, open_session: OpenSession, make_entry: MakeEntry, empty_workspace: Workspace
) -> None:
    with open_session(SessionInfo(signer="ada", session="two", camera="test")) as session:
        session.add(make_entry("B/1.jpg", 5), JPEG)
    (folder / "A" / "0.jpg").unlink()
    (empty_workspace.captures / "ada" / "by hand").mkdir()
    assert [entry.file for entry in load_earlier_frames(empty_workspace, "ada", exclude="two")] == [
        "A/1.jpg",
        "A/2.jpg",
    ]
    assert [entry.file for entry in load_earlier_frames(empty_workspace, "ada", exclude="one")] == ["B/1.jpg"]
    assert load_earlier_frames(empty_workspace, "nobody", exclude="one") == []
    record_decisions(empty_workspace, ["ada/one/A/1.jpg"], "drop")
    record_decisions(empty_workspace, ["ada/one/A/2.jpg"], "keep")
    assert [entry.file for entry in load_earlier_frames(empty_workspace, "ada", exclude="two")] == ["A/2.jpg"]


def test_walk_captures_ignores_trash(folder: Path, open_session: OpenSession, empty_workspace: Workspace) -> None:
    with open_session() as session:
        session.trash(session.entries)
    assert list(walk_captures(empty_workspace.captures)) == []


def test_format_time_has_milliseconds() -> None:
    assert format_time(None) is None
    assert format_time(datetime(2026, 1, 2, 3, 4, 5, 678_900, UTC)) == "2026-01-02T03:04:05.678+00:00"
