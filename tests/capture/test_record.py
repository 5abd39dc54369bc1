"""Complete recordings in the terminal. Hand detection is disabled where it does not matter."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from threading import Event, Timer
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.capture import record as record_module
from aslkit.capture import terminal
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import SourceRecording, record
from aslkit.capture.session.lifecycle import RecordingResult
from aslkit.capture.session.store import Session
from aslkit.capture.terminal import record_in_terminal
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.frame_index import INDEX_FILE, IndexEntry
from aslkit.formats.signers import load_signer
from aslkit.video.source_frame import SourceLost
from aslkit.video.sources import ReadOptions
from aslkit.vision.images import decode_image, pixel_hash
from tests.video.factories import clear_frames, patch, state_1000_fps, write_video

FakeSource = Callable[..., Any]
RecordSource = Callable[..., RecordingResult]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A video of 3 seconds at 10 fps, whose frames become brighter."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(30):
        writer.write(np.full((48, 64, 3), index * 8, np.uint8))
    writer.release()
    return str(path)


in_terminal = partial(record_in_terminal, on_message=print)


@pytest.fixture
def record_source(empty_workspace: Workspace, capture_config: CaptureConfig, gate_config: GateConfig) -> RecordSource:
    """Records in the terminal."""

    def run(
        source: str, *, letters: str = "A", signer: str = "ada", camera: str = "test", **other: Any
    ) -> RecordingResult:
        capture = replace(
            capture_config, **{key: other.pop(key) for key in ("interval_s", "goal", "reconnect_s") if key in other}
        )
        arguments: dict[str, Any] = {"gate": gate_config, "screen": in_terminal, "count": 5}
        return record(
            tuple(letters),
            source=source,
            workspace=empty_workspace,
            capture=capture,
            **arguments | {"info": SessionInfo(signer=signer, session="one", camera=camera)} | other,
        )

    return run


def image_paths(workspace: Workspace) -> list[Path]:
    return [frame.path for frame in walk_captures(workspace.captures)]


def stored_numbers(workspace: Workspace) -> list[int]:
    """Return the numbers of the stored frames of `clip`, derived from their brightness."""
    return [round(decode_image(path.read_bytes()).mean() / 8) for path in image_paths(workspace)]


def session_values(result: RecordingResult) -> Any:
    return json.loads((result.folder / "session.json").read_text())


def test_count_limits_number_of_frames(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    result = record_source(clip, gate=gate_off, count=4)
    assert stored_numbers(empty_workspace) == [0, 1, 2, 3]
    assert (result.end_reason, result.stored, result.letters, result.counts) == ("all recorded", 4, {"A": 4}, {"A": 4})
    assert result.folder == empty_workspace.captures / "ada" / "one"


def test_screen_asks_a_new_signer_for_the_licence_once(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    asked: list[bool] = []

    def choose(recording: SourceRecording) -> str:
        asked.append(recording.recording.asks_licence)
        recording.recording.choose_licence("CC-BY-4.0")
        return in_terminal(recording)

    result = record_source(clip, gate=gate_off, count=2, can_ask=True, screen=choose)
    assert load_signer(empty_workspace, "ada").licence == result.info.licence == "CC-BY-4.0"
    assert (session_values(result)["licence"], session_values(result)["consent"]) == (
        "CC-BY-4.0", "May be shared under CC-BY-4.0.",
    )  # fmt: skip
    stated = SessionInfo(signer="ada", session="two", camera="test", licence="CC-BY-4.0")
    record_source(clip, gate=gate_off, count=2, can_ask=True, screen=choose, info=stated)
    assert asked == [True, False]


def test_private_session_stays_private_until_the_signer_chooses(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    result = record_source(clip, gate=gate_off, count=1)
    assert (result.info.licence, result.info.consent) == ("private", None)
    assert not load_signer(empty_workspace, "ada").has_chosen
    again = record_source(clip, gate=gate_off, count=1, ask_licence=lambda signer: "CC0-1.0")
    assert (again.info.licence, load_signer(empty_workspace, "ada").licence) == ("CC0-1.0", "CC0-1.0")


@pytest.mark.parametrize("interval_s", [0.1, 0.3, 0.7])
def test_stored_frames_respect_interval(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace, interval_s: float
) -> None:
    record_source(clip, gate=gate_off, interval_s=interval_s)
    assert stored_numbers(empty_workspace) == [round(number * interval_s * 10) for number in range(5)]


def test_file_drops_no_frames_if_recording_starts_late(
    clip: str,
    record_source: RecordSource,
    gate_off: GateConfig,
    empty_workspace: Workspace,
    wait_until: Callable[[Callable[[], object]], None],
) -> None:
    def start_late(recording: SourceRecording) -> str:
        wait_until(lambda: recording.pipeline.decision is not None)
        return in_terminal(recording)

    result = record_source(clip, gate=gate_off, interval_s=0.0, count=100, screen=start_late)
    assert stored_numbers(empty_workspace) == list(range(30))
    assert result.end_reason == "the source ended"
    assert (result.report["seen"], result.report["dropped"]) == (30, 0)


def test_goal_includes_existing_frames_and_complete_letter_opens_no_source(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    record_source(clip, gate=gate_off, count=3)
    assert record_source(clip, gate=gate_off, count=None, goal=5).letters == {"A": 2}
    result = record_source("97", gate=gate_off, count=None, goal=5)
    assert (result.stored, result.report) == (0, {})
    assert "complete already" in result.end_reason
    assert len(image_paths(empty_workspace)) == 5


def test_second_recording_overwrites_nothing(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    for _ in range(2):
        record_source(clip, gate=gate_off, count=3)
    assert [path.name for path in image_paths(empty_workspace)] == sorted(
        f"clip-{index:06d}{suffix}.jpg" for index in range(3) for suffix in ("", "-1")
    )


def test_frames_of_hidden_video_are_not_hidden(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace, tmp_path: Path
) -> None:
    hidden = tmp_path / ".secret.avi"
    hidden.write_bytes(Path(clip).read_bytes())
    record_source(str(hidden), gate=gate_off, count=2)
    assert [path.name for path in image_paths(empty_workspace)] == ["secret-000000.jpg", "secret-000001.jpg"]


def test_synthetic_signer_shows_new_frames_in_second_recording(
    record_source: RecordSource, empty_workspace: Workspace
) -> None:
    for _ in range(2):
        result = record_source("synthetic", letters="BL", count=2, interval_s=0.5, signer="synthetic-ada")
        assert result.letters == {"B": 2, "L": 2}
    hashes = {pixel_hash(decode_image(path.read_bytes())) for path in image_paths(empty_workspace)}
    assert len(hashes) == 8
    entries = [json.loads(line) for line in (result.folder / INDEX_FILE).read_text().splitlines()]
    assert {len(entry["landmarks"]) for entry in entries} == {63}
    assert {path.parent.name for path in image_paths(empty_workspace)} == {"B", "L"}


def test_session_file_describes_recording(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    def read_session_file(recording: SourceRecording) -> str:
        start_values.update(json.loads((recording.recording.session.folder / "session.json").read_text()))
        return in_terminal(recording)

    start_values: dict[str, Any] = {}
    result = record_source(clip, gate=gate_off, count=2, screen=read_session_file)
    assert start_values["recordings"][0]["ended_by"] == "was interrupted"
    assert start_values["recordings"][0]["ended"] is None
    values = session_values(result)
    assert (values["images"], values["display"]) == ("unmirrored, JPEG 95", "mirrored")
    assert {"aslkit", "mediapipe", "opencv-python", "numpy", "python"} == set(values["software"])
    assert values["started"] == values["recordings"][0]["started"] <= values["ended"]
    assert values["recordings"] == [result.report]
    summary = result.report
    assert (summary["stored"], summary["letters"], summary["refused"], summary["dropped"]) == (2, {"A": 2}, {}, 0)
    assert (summary["width"], summary["height"], summary["ended_by"]) == (64, 48, "all recorded")
    assert summary["fps"]["p50"] >= summary["fps"]["p95"] > 0
    record_source(clip, gate=gate_off, count=1)
    assert len(session_values(result)["recordings"]) == 2


def test_ctrl_c_keeps_complete_frames(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    def interrupt_screen(recording: SourceRecording) -> str:
        def interrupt(*_: object) -> None:
            if recording.recording.stored["A"] >= 2:
                raise KeyboardInterrupt

        recording.pipeline.finished.wait = lambda *_: interrupt()  # type: ignore[assignment]
        return in_terminal(recording)

    result = record_source(clip, gate=gate_off, count=1000, interval_s=0.0, screen=interrupt_screen)
    assert result.end_reason == "stopped with Ctrl-C"
    assert result.stored == len(image_paths(empty_workspace)) >= 2
    assert session_values(result)["recordings"][0]["ended_by"] == "stopped with Ctrl-C"
    assert {decode_image(path.read_bytes()).shape for path in image_paths(empty_workspace)} == {(48, 64, 3)}


RECORD_SCRIPT = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore SIGINT\n"
    "from aslkit.cli.main import main\n"
    "main(sys.argv[1:])\n"
)


def test_sigint_ends_with_summary_and_complete_files(tmp_path: Path, empty_workspace: Workspace) -> None:
    (tmp_path / "record.py").write_text(RECORD_SCRIPT)
    arguments = [
        "capture",
        "--letter",
        "B",
        "--source",
        "synthetic",
        "--count",
        "9999",
        "--workspace",
        str(empty_workspace.root),
    ]
    child = subprocess.Popen(
        [sys.executable, tmp_path / "record.py", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not image_paths(empty_workspace) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        stdout, stderr = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 0
    assert "Traceback" not in stderr
    folder = empty_workspace.captures / "synthetic-ada" / "one"
    assert f"Stored {len(image_paths(empty_workspace))} frames of B" in stdout
    assert "stopped with Ctrl-C" in stdout
    assert len((folder / INDEX_FILE).read_text().splitlines()) == len(image_paths(empty_workspace)) > 0
    assert json.loads((folder / "session.json").read_text())["recordings"][0]["ended_by"] == "stopped with Ctrl-C"


# Videos that can only be read in part, and options of the source


def test_notes_about_a_video_are_stored(
    record_source: RecordSource, gate_off: GateConfig, tmp_path: Path, empty_workspace: Workspace
) -> None:
    path = patch(write_video(tmp_path / "clip.avi"), lambda data: clear_frames(data, range(8, 12)))
    result = record_source(str(path), gate=gate_off, count=100)
    assert (result.stored, result.end_reason) == (16, "the source ended")
    assert result.report["notes"] == ["clip.avi: skipped 4 damaged frames."]
    assert session_values(result)["recordings"][0]["notes"] == result.report["notes"]


def test_webm_with_wrong_rate_is_recorded_at_its_times(
    record_source: RecordSource, gate_off: GateConfig, tmp_path: Path
) -> None:
    path = patch(write_video(tmp_path / "clip.webm", codec="VP80"), state_1000_fps)
    result = record_source(str(path), gate=gate_off, count=100, interval_s=0.2)
    assert (result.stored, result.report["notes"]) == (10, [])


def test_hardly_any_considered_frame_is_reported(record_source: RecordSource, gate_off: GateConfig, clip: str) -> None:
    result = record_source(clip, gate=gate_off, count=100, interval_s=2)
    assert result.report["notes"] == ["Only 2 of 30 frames were considered, at most one per 2 s (--interval-s)."]


def test_part_of_a_video_is_recorded(
    clip: str, record_source: RecordSource, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    result = record_source(clip, gate=gate_off, count=100, options=ReadOptions(start_s=1.0, end_s=2.0))
    assert stored_numbers(empty_workspace) == list(range(10, 20))
    assert {key: result.report[key] for key in ("start_s", "end_s")} == {"start_s": 1.0, "end_s": 2.0}


def test_mirrored_source_is_stored_unmirrored(
    record_source: RecordSource, gate_off: GateConfig, tmp_path: Path, empty_workspace: Workspace
) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:, :16] = 255
    result = record_source(
        str(write_video(tmp_path / "clip.avi", 3, image=image)), gate=gate_off, options=ReadOptions(mirrored=True)
    )
    assert result.report["mirrored"] is True
    for path in image_paths(empty_workspace):
        stored = decode_image(path.read_bytes())
        assert (stored[:, :40].max() < 50, stored[:, 56:].min() > 200) == (True, True)


# Cameras that stall, disconnect or fail


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch, fake_source: FakeSource) -> Callable[..., Any]:
    """Replaces camera 0 with a fake source."""
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.01)

    def connect(*takes: Any) -> Any:
        source = fake_source(*takes)
        monkeypatch.setattr(record_module, "open_source", source)
        return source

    return connect


def record_immediately(recording: SourceRecording, *, on_message: OnMessage = print) -> str:
    recording.keep = True
    return record_in_terminal(recording, on_message=on_message)


def frames_until(stored: int, workspace: Workspace, then: Any) -> Iterator[Any]:
    """Yield frame numbers until this many images are stored, then the last step."""
    deadline = time.monotonic() + 20
    for number in count():
        yield number
        if len(image_paths(workspace)) >= stored or time.monotonic() > deadline:
            break
        time.sleep(0.002)
    yield then


LOST = SourceLost("It is gone.")


def test_recording_continues_after_camera_reconnects(
    record_source: RecordSource,
    camera: Any,
    gate_off: GateConfig,
    empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reconnected, messages = Event(), list[str]()

    def on_message(text: str) -> None:
        messages.append(text)
        reconnected.set()

    screen = partial(record_immediately, on_message=on_message)
    unavailable = AslkitError("It cannot be opened.")
    camera(
        frames_until(2, empty_workspace, LOST),
        unavailable,
        unavailable,
        chain([reconnected], frames_until(9, empty_workspace, 0)),
    )
    result = record_source("0", gate=gate_off, count=5, interval_s=0.0, screen=screen)
    assert (result.end_reason, result.stored) == ("all recorded", 5)
    assert messages[0] == "It is gone. Trying to reconnect."
    assert messages[1:] in ([], ["The camera works again."])  # if recording ended before the next poll


def test_recording_fails_if_camera_does_not_reconnect(
    record_source: RecordSource, camera: Any, gate_off: GateConfig, empty_workspace: Workspace
) -> None:
    camera(frames_until(3, empty_workspace, LOST))
    with pytest.raises(AslkitError, match=r"It is gone\..*Gave up after 0\.05 s"):
        record_source("0", gate=gate_off, count=99, interval_s=0.0, reconnect_s=0.05, screen=record_immediately)
    values = json.loads((empty_workspace.captures / "ada" / "one" / "session.json").read_text())
    assert values["recordings"][0]["stored"] == len(image_paths(empty_workspace)) >= 3
    assert values["recordings"][0]["ended_by"] == "was interrupted"


def test_stalled_camera_is_reported_once(
    record_source: RecordSource,
    camera: Any,
    gate_off: GateConfig,
    empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("aslkit.video.stream.STALL_TIMEOUT_S", 0.01)
    monkeypatch.setattr(terminal, "_POLL_INTERVAL_S", 0.001)
    resume, messages = Event(), list[str]()

    def on_message(text: str) -> None:
        messages.append(text)
        Timer(0.1, resume.set).start()  # stall for ten times the limit

    screen = partial(record_immediately, on_message=on_message)
    camera(chain([0, resume], frames_until(3, empty_workspace, 0)))
    record_source("0", gate=gate_off, count=3, interval_s=0.0, screen=screen)
    assert "has sent no image" in messages[0]
    assert messages[1:2] in ([], ["The camera works again."])


def test_error_in_thread_is_raised_and_session_is_unlocked(
    clip: str,
    record_source: RecordSource,
    gate_off: GateConfig,
    empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raise_error(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("aslkit.capture.frame_pipeline.measure_frame", raise_error)
    with pytest.raises(ZeroDivisionError):
        record_source(clip, gate=gate_off)
    with Session.open(empty_workspace, SessionInfo(signer="ada", session="one", camera="test"), measure=raise_error):  # type: ignore[arg-type]
        pass  # the lock was released


@pytest.mark.parametrize("capacity", [0, 2, 4])
def test_full_disk_is_raised_even_at_last_frame(
    clip: str,
    record_source: RecordSource,
    gate_off: GateConfig,
    empty_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    capacity: int,
) -> None:
    real = Session.add

    def raise_disk_full(session: Session, entry: IndexEntry, data: bytes) -> None:
        if len(session.entries) == capacity:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", raise_disk_full)
    with pytest.raises(OSError, match="No space left"):
        record_source(clip, gate=gate_off, count=5)
    values = json.loads((empty_workspace.captures / "ada" / "one" / "session.json").read_text())
    assert values["recordings"][0]["stored"] == len(image_paths(empty_workspace)) == capacity


def test_measurements_that_cannot_be_written_do_not_stop_the_recording(
    clip: str, record_source: RecordSource, gate_off: GateConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raise_disk_full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("aslkit.capture.session.measurement_log.write_measurements", raise_disk_full)
    result = record_source(clip, gate=gate_off, count=5)
    assert result.stored == 5
    assert result.report["notes"] == [
        "The images are stored, but not what was measured in 5 of them (No space left on device), so `aslkit curate` "
        "measures these again."
    ]


def test_missing_camera_creates_no_files(record_source: RecordSource, empty_workspace: Workspace) -> None:
    with pytest.raises(AslkitError, match="Camera 97 cannot be opened"):
        record_source("97")
    assert not empty_workspace.root.exists()


def test_video_without_frames_is_rejected(
    tmp_path: Path, record_source: RecordSource, empty_workspace: Workspace
) -> None:
    path = tmp_path / "clip.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)).release()
    with pytest.raises(AslkitError, match=r"clip\.avi (contains no readable frames|cannot be read as a video)"):
        record_source(str(path))
    assert not empty_workspace.root.exists()


def test_other_source_in_same_session_is_rejected(clip: str, record_source: RecordSource, gate_off: GateConfig) -> None:
    record_source(clip, gate=gate_off, count=1)
    with pytest.raises(InputError, match="--session"):
        record_source(clip, gate=gate_off, count=1, camera="another")


def test_usual_hand_is_learned_and_saved(record_source: RecordSource, empty_workspace: Workspace) -> None:
    record_source("synthetic", count=25, interval_s=0.5, signer="synthetic-ada", letters="B")
    assert load_signer(empty_workspace, "synthetic-ada").hand in ("left", "right")


def test_real_webcam_recording(real_data: Path, record_source: RecordSource, empty_workspace: Workspace) -> None:
    result = record_source(str(real_data / "webcam-A-B-C.avi"), count=6, interval_s=0.4)
    assert len(image_paths(empty_workspace)) == result.stored > 0
    assert {decode_image(path.read_bytes()).shape for path in image_paths(empty_workspace)} == {(480, 640, 3)}
    assert result.stored + sum(result.rejected.values()) <= result.report["seen"]
