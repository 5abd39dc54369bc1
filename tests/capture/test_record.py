"""A recording from its beginning to its end, without a window. Where the hand does not matter, nobody looks for it."""

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

from aslkit.capture import record as recorder
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import SourceRecording, record, record_in_terminal
from aslkit.capture.session.lifecycle import RecordingResult
from aslkit.capture.session.store import Session
from aslkit.core.errors import AslkitError, InputError
from aslkit.core.progress import OnMessage
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, walk_captures
from aslkit.formats.frame_index import INDEX_FILE, IndexEntry
from aslkit.video.sources import SourceLost
from aslkit.vision.images import decode_image, pixel_hash

Played = Callable[..., Any]
Take = Callable[..., RecordingResult]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """3 seconds at 10 frames a second, each a little brighter."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(30):
        writer.write(np.full((48, 64, 3), index * 8, np.uint8))
    writer.release()
    return str(path)


in_terminal = partial(record_in_terminal, on_message=print)


@pytest.fixture
def take(empty: Workspace, ways: CaptureConfig, limits: GateConfig) -> Take:
    """Records in the terminal."""

    def run(
        source: str, *, letters: str = "A", signer: str = "ada", camera: str = "test", **other: Any
    ) -> RecordingResult:
        capture = replace(
            ways, **{key: other.pop(key) for key in ("interval_s", "goal", "reconnect_s") if key in other}
        )
        asked: dict[str, Any] = {"gate": limits, "screen": in_terminal, "count": 5}
        return record(
            tuple(letters),
            source=source,
            workspace=empty,
            info=SessionInfo(signer=signer, session="one", camera=camera),
            capture=capture,
            **asked | other,
        )

    return run


def images(workspace: Workspace) -> list[Path]:
    return [frame.path for frame in walk_captures(workspace.captures)]


def numbers(workspace: Workspace) -> list[int]:
    """Of the frames of `clip` that were stored, told by their brightness."""
    return [round(decode_image(path.read_bytes()).mean() / 8) for path in images(workspace)]


def noted(result: RecordingResult) -> Any:
    return json.loads((result.folder / "session.json").read_text())


def test_as_many_as_asked_for(clip: str, take: Take, blind: GateConfig, empty: Workspace) -> None:
    result = take(clip, gate=blind, count=4)
    assert numbers(empty) == [0, 1, 2, 3]
    assert (result.ended, result.stored, result.letters, result.counts) == ("all recorded", 4, {"A": 4}, {"A": 4})
    assert result.folder == empty.captures / "ada" / "one"


@pytest.mark.parametrize("interval_s", [0.1, 0.3, 0.7])
def test_frames_are_the_interval_apart(
    clip: str, take: Take, blind: GateConfig, empty: Workspace, interval_s: float
) -> None:
    take(clip, gate=blind, interval_s=interval_s)
    assert numbers(empty) == [round(number * interval_s * 10) for number in range(5)]


def test_a_file_loses_no_frame_however_late_the_recording_begins(
    clip: str, take: Take, blind: GateConfig, empty: Workspace, until: Callable[[Callable[[], object]], None]
) -> None:
    def late(recording: SourceRecording) -> str:
        until(lambda: recording.pipeline.decision is not None)
        return in_terminal(recording)

    result = take(clip, gate=blind, interval_s=0.0, count=100, screen=late)
    assert numbers(empty) == list(range(30))
    assert result.ended == "the source ended"
    assert (result.report["seen"], result.report["dropped"]) == (30, 0)


def test_a_goal_counts_what_there_is_and_a_complete_letter_needs_no_source(
    clip: str, take: Take, blind: GateConfig, empty: Workspace
) -> None:
    take(clip, gate=blind, count=3)
    assert take(clip, gate=blind, count=None, goal=5).letters == {"A": 2}
    result = take("97", gate=blind, count=None, goal=5)
    assert (result.stored, result.report) == (0, {})
    assert "complete already" in result.ended
    assert len(images(empty)) == 5


def test_a_second_recording_overwrites_nothing(clip: str, take: Take, blind: GateConfig, empty: Workspace) -> None:
    for _ in range(2):
        take(clip, gate=blind, count=3)
    assert [path.name for path in images(empty)] == sorted(
        f"clip-{index:06d}{again}.jpg" for index in range(3) for again in ("", "-1")
    )


def test_a_hidden_video_gives_images_that_are_not_hidden(
    clip: str, take: Take, blind: GateConfig, empty: Workspace, tmp_path: Path
) -> None:
    hidden = tmp_path / ".secret.avi"
    hidden.write_bytes(Path(clip).read_bytes())
    take(str(hidden), gate=blind, count=2)
    assert [path.name for path in images(empty)] == ["secret-000000.jpg", "secret-000001.jpg"]


def test_the_synthetic_signer_shows_letter_after_letter_and_goes_on_with_other_frames(
    take: Take, empty: Workspace
) -> None:
    for _ in range(2):
        result = take("synthetic", letters="BL", count=2, interval_s=0.5, signer="synthetic-ada")
        assert result.letters == {"B": 2, "L": 2}
    hashes = {pixel_hash(decode_image(path.read_bytes())) for path in images(empty)}
    assert len(hashes) == 8
    entries = [json.loads(line) for line in (result.folder / INDEX_FILE).read_text().splitlines()]
    assert {len(entry["landmarks"]) for entry in entries} == {63}
    assert {path.parent.name for path in images(empty)} == {"B", "L"}


def test_the_session_file_says_what_was_recorded_with_what(
    clip: str, take: Take, blind: GateConfig, empty: Workspace
) -> None:
    def looks(recording: SourceRecording) -> str:
        begun.update(json.loads((recording.recording.session.folder / "session.json").read_text()))
        return in_terminal(recording)

    begun: dict[str, Any] = {}
    result = take(clip, gate=blind, count=2, screen=looks)
    assert begun["recordings"][0]["ended_by"] == "was interrupted"
    assert begun["recordings"][0]["ended"] is None
    about = noted(result)
    assert (about["images"], about["display"]) == ("unmirrored, JPEG 95", "mirrored")
    assert {"aslkit", "mediapipe", "opencv-python", "numpy", "python"} == set(about["software"])
    assert about["started"] == about["recordings"][0]["started"] <= about["ended"]
    assert about["recordings"] == [result.report]
    told = result.report
    assert (told["stored"], told["letters"], told["refused"], told["dropped"]) == (2, {"A": 2}, {}, 0)
    assert (told["width"], told["height"], told["ended_by"]) == (64, 48, "all recorded")
    assert told["fps"]["p50"] >= told["fps"]["p95"] > 0
    take(clip, gate=blind, count=1)
    assert len(noted(result)["recordings"]) == 2


def test_ctrl_c_keeps_whole_frames(clip: str, take: Take, blind: GateConfig, empty: Workspace) -> None:
    def impatient(recording: SourceRecording) -> str:
        def interrupt(*_: object) -> None:
            if recording.recording.stored["A"] >= 2:
                raise KeyboardInterrupt

        recording.pipeline.finished.wait = lambda *_: interrupt()  # type: ignore[assignment]
        return in_terminal(recording)

    result = take(clip, gate=blind, count=1000, interval_s=0.0, screen=impatient)
    assert result.ended == "stopped with Ctrl-C"
    assert result.stored == len(images(empty)) >= 2
    assert noted(result)["recordings"][0]["ended_by"] == "stopped with Ctrl-C"
    assert {decode_image(path.read_bytes()).shape for path in images(empty)} == {(48, 64, 3)}


RECORDS = (
    "import signal, sys\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it\n"
    "from aslkit.cli.main import main\n"
    "main(sys.argv[1:])\n"
)


def test_a_real_ctrl_c_ends_with_a_summary_and_all_is_whole(tmp_path: Path, empty: Workspace) -> None:
    (tmp_path / "records.py").write_text(RECORDS)
    arguments = ["capture", "--letter", "B", "--source", "synthetic", "--count", "9999", "--workspace", str(empty.root)]
    child = subprocess.Popen(
        [sys.executable, tmp_path / "records.py", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + 60
        while not images(empty) and time.monotonic() < deadline:
            time.sleep(0.05)
        child.send_signal(signal.SIGINT)
        said, complained = child.communicate(timeout=60)
    finally:
        child.kill()
    assert child.returncode == 0
    assert "Traceback" not in complained
    folder = empty.captures / "synthetic-ada" / "one"
    assert f"Stored {len(images(empty))} frames of B" in said
    assert "stopped with Ctrl-C" in said
    assert len((folder / INDEX_FILE).read_text().splitlines()) == len(images(empty)) > 0
    assert json.loads((folder / "session.json").read_text())["recordings"][0]["ended_by"] == "stopped with Ctrl-C"


# Cameras, as they are when nobody looks


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch, played: Played) -> Callable[..., Any]:
    """Puts a made-up camera in the place of number 0."""
    monkeypatch.setattr("aslkit.video.stream._RETRY_S", 0.01)

    def plug_in(*takes: Any) -> Any:
        source = played(*takes)
        monkeypatch.setattr(recorder, "open_source", source)
        return source

    return plug_in


def kept_from_the_beginning(recording: SourceRecording, *, on_message: OnMessage = print) -> str:
    recording.keep = True
    return record_in_terminal(recording, on_message=on_message)


def frames_until(stored: int, workspace: Workspace, then: Any) -> Iterator[Any]:
    """Numbers, until so many images are stored; then something else."""
    deadline = time.monotonic() + 20
    for number in count():
        yield number
        if len(images(workspace)) >= stored or time.monotonic() > deadline:
            break
        time.sleep(0.002)
    yield then


LOST = SourceLost("It is gone.")


def test_a_camera_that_vanishes_and_returns_is_told_of_and_goes_on(
    take: Take, camera: Any, blind: GateConfig, empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    back, said = Event(), list[str]()

    def heard(text: str) -> None:
        said.append(text)
        back.set()

    screen = partial(kept_from_the_beginning, on_message=heard)
    away = AslkitError("It cannot be opened.")
    camera(frames_until(2, empty, LOST), away, away, chain([back], frames_until(9, empty, 0)))
    result = take("0", gate=blind, count=5, interval_s=0.0, screen=screen)
    assert (result.ended, result.stored) == ("all recorded", 5)
    assert said[0] == "It is gone. Waiting for it to come back."
    assert said[1:] in ([], ["It is back."])  # where it was quicker, all was recorded before that could be said


def test_a_camera_that_does_not_return_ends_it_and_what_was_stored_stays(
    take: Take, camera: Any, blind: GateConfig, empty: Workspace
) -> None:
    camera(frames_until(3, empty, LOST))
    with pytest.raises(AslkitError, match=r"It is gone\..*did not within 0\.05 s"):
        take("0", gate=blind, count=99, interval_s=0.0, reconnect_s=0.05, screen=kept_from_the_beginning)
    about = json.loads((empty.captures / "ada" / "one" / "session.json").read_text())
    assert about["recordings"][0]["stored"] == len(images(empty)) >= 3
    assert about["recordings"][0]["ended_by"] == "was interrupted"


def test_a_stall_is_told_of_once(
    take: Take, camera: Any, blind: GateConfig, empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aslkit.video.stream.STALLED_S", 0.01)
    monkeypatch.setattr(recorder, "_GLANCE_S", 0.001)
    on, said = Event(), list[str]()

    def heard(text: str) -> None:
        said.append(text)
        Timer(0.1, on.set).start()  # it stalls for as long as ten times the limit

    screen = partial(kept_from_the_beginning, on_message=heard)
    camera(chain([0, on], frames_until(3, empty, 0)))
    take("0", gate=blind, count=3, interval_s=0.0, screen=screen)
    assert "has given no picture" in said[0]
    assert said[1:2] in ([], ["It is back."])


def test_an_error_in_a_thread_ends_the_recording_with_it(
    clip: str, take: Take, blind: GateConfig, empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("aslkit.capture.frame_pipeline.measure_frame", fails)
    with pytest.raises(ZeroDivisionError):
        take(clip, gate=blind)
    with Session.open(empty, SessionInfo(signer="ada", session="one", camera="test"), look_at=fails):  # type: ignore[arg-type]
        pass  # it was let go


@pytest.mark.parametrize("fits", [0, 2, 4])
def test_a_full_disk_is_told_of_even_where_it_fills_with_the_last_frame(
    clip: str, take: Take, blind: GateConfig, empty: Workspace, monkeypatch: pytest.MonkeyPatch, fits: int
) -> None:
    real = Session.add

    def full(session: Session, entry: IndexEntry, data: bytes) -> None:
        if len(session.entries) == fits:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(session, entry, data)

    monkeypatch.setattr(Session, "add", full)
    with pytest.raises(OSError, match="No space left"):
        take(clip, gate=blind, count=5)
    about = json.loads((empty.captures / "ada" / "one" / "session.json").read_text())
    assert about["recordings"][0]["stored"] == len(images(empty)) == fits


def test_no_camera_leaves_nothing_behind(take: Take, empty: Workspace) -> None:
    with pytest.raises(AslkitError, match="Camera 97 cannot be opened"):
        take("97")
    assert not empty.root.exists()


def test_a_video_without_frames(tmp_path: Path, take: Take, empty: Workspace) -> None:
    path = tmp_path / "clip.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)).release()
    with pytest.raises(AslkitError, match=r"clip\.avi (gave no frames|cannot be read as a video)"):
        take(str(path))
    assert not empty.root.exists()


def test_another_source_in_the_same_session_is_refused(clip: str, take: Take, blind: GateConfig) -> None:
    take(clip, gate=blind, count=1)
    with pytest.raises(InputError, match="--session"):
        take(clip, gate=blind, count=1, camera="another")


def test_the_usual_hand_is_learned_and_remembered(take: Take, empty: Workspace) -> None:
    from aslkit.capture.signers import load_signer

    take("synthetic", count=25, interval_s=0.5, signer="synthetic-ada", letters="B")
    assert load_signer(empty, "synthetic-ada").hand in ("left", "right")


def test_a_real_webcam_recording(real_data: Path, take: Take, empty: Workspace) -> None:
    result = take(str(real_data / "webcam-A-B-C.avi"), count=6, interval_s=0.4)
    assert len(images(empty)) == result.stored > 0
    assert {decode_image(path.read_bytes()).shape for path in images(empty)} == {(480, 640, 3)}
    assert result.stored + sum(result.refused.values()) <= result.report["seen"]
