from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.capture import recorder
from aslkit.capture.recorder import CaptureConfig, Recorded, record
from aslkit.captures import SessionInfo, walk
from aslkit.errors import AslkitError, InputError
from aslkit.images import Frame, decode, pixel_hash
from aslkit.sources import SourceFrame
from aslkit.workspace import Workspace


@pytest.fixture
def empty(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> str:
    """3 seconds at 10 frames a second, each a little brighter."""
    path = tmp_path_factory.mktemp("clips") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    for index in range(30):
        writer.write(np.full((48, 64, 3), index * 8, np.uint8))
    writer.release()
    return str(path)


def take(
    source: str, workspace: Workspace, *, count: int = 5, interval_s: float = 0.0, signer: str = "ada", **other: Any
) -> Recorded:
    return record(
        "A",
        source=source,
        workspace=workspace,
        info=SessionInfo(signer=signer, session="one", camera=f"test {source[-5:]}"),
        config=CaptureConfig(count=count, interval_s=interval_s, jpeg_quality=95),
        screen=other.get("screen", recorder.nothing),
    )


def numbers(result: Recorded) -> list[int]:
    """Of the frames of `clip` that were stored, told by their brightness."""
    return [round(decode(path.read_bytes()).mean() / 8) for path in result.stored]


def test_as_many_as_asked_for(clip: str, empty: Workspace) -> None:
    result = take(clip, empty, count=4)
    assert numbers(result) == [0, 1, 2, 3]
    assert result.ended == "all recorded"
    assert [frame.path for frame in walk(empty.captures)] == result.stored
    assert result.folder == empty.captures / "ada" / "one" / "A"


@pytest.mark.parametrize(
    ("interval_s", "expected"),
    [(0.1, [0, 1, 2, 3, 4]), (0.3, [0, 3, 6, 9, 12]), (0.25, [0, 3, 6, 9, 12]), (0.7, [0, 7, 14, 21, 28])],
)
def test_frames_are_the_interval_apart(clip: str, empty: Workspace, interval_s: float, expected: list[int]) -> None:
    assert numbers(take(clip, empty, interval_s=interval_s)) == expected


def test_a_source_that_ends_sooner_keeps_what_there_is(clip: str, empty: Workspace) -> None:
    result = take(clip, empty, count=100, interval_s=1)
    assert numbers(result) == [0, 10, 20]
    assert result.ended == "the source ended"


def test_a_second_recording_overwrites_nothing(clip: str, empty: Workspace) -> None:
    first, second = take(clip, empty, count=3), take(clip, empty, count=3)
    assert len({*first.stored, *second.stored}) == len(list(walk(empty.captures))) == 6


def test_a_second_recording_of_the_synthetic_signer_shows_other_frames(empty: Workspace) -> None:
    results = [take("synthetic", empty, count=2, interval_s=0.2, signer="synthetic-ada") for _ in range(2)]
    hashes = {pixel_hash(decode(path.read_bytes())) for result in results for path in result.stored}
    assert len(hashes) == 4


def test_ctrl_c_keeps_whole_frames(empty: Workspace, picture: Frame, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def interrupted(*_: object, **__: object) -> Iterator[Iterator[SourceFrame]]:
        def frames() -> Iterator[SourceFrame]:
            for index in range(3):
                yield SourceFrame(image=picture, name=str(index), time_s=index / 30, captured_at=None)
            raise KeyboardInterrupt

        yield frames()

    monkeypatch.setattr(recorder, "opened", interrupted)
    result = take("0", empty)
    assert result.ended == "stopped with Ctrl-C"
    assert [path.name for path in result.stored] == ["0.jpg", "1.jpg", "2.jpg"]
    assert sorted(path.name for path in result.folder.iterdir()) == ["0.jpg", "1.jpg", "2.jpg"]
    for path in result.stored:
        assert decode(path.read_bytes()).shape == picture.shape


def test_ctrl_c_while_a_frame_is_written_leaves_no_half(
    clip: str, empty: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = Path.write_bytes

    def slow(path: Path, data: bytes) -> int:
        if "clip-000002" in path.name:
            written(path, data[:100])
            raise KeyboardInterrupt
        return written(path, data)

    monkeypatch.setattr(Path, "write_bytes", slow)
    result = take(clip, empty)
    assert sorted(result.folder.iterdir()) == result.stored
    assert len(result.stored) == 2


def test_the_user_stops(clip: str, empty: Workspace) -> None:
    @contextmanager
    def impatient(letter: str, goal: int) -> Iterator[recorder.Show]:
        assert (letter, goal) == ("A", 5)
        yield lambda frame, stored: stored < 2

    result = take(clip, empty, screen=impatient)
    assert result.ended == "stopped with q"
    assert len(result.stored) == 2


def test_progress_takes_every_frame(clip: str, empty: Workspace) -> None:
    assert len(take(clip, empty, screen=recorder.progress).stored) == 5


def test_no_camera_leaves_nothing_behind(empty: Workspace) -> None:
    with pytest.raises(AslkitError, match="Camera 97 cannot be opened"):
        take("97", empty)
    assert not empty.root.exists()


@pytest.mark.parametrize("display", ["", ":987"])
def test_a_preview_without_a_display(
    clip: str, empty: Workspace, monkeypatch: pytest.MonkeyPatch, display: str
) -> None:
    monkeypatch.setenv("DISPLAY", display)  # the second: as after an ssh connection that is gone
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(AslkitError, match=r"no display.*--no-preview"):
        take(clip, empty, screen=recorder.window)
    assert list(walk(empty.captures)) == []


def test_a_video_without_frames(tmp_path: Path, empty: Workspace) -> None:
    path = tmp_path / "clip.avi"
    cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48)).release()
    with pytest.raises(AslkitError, match=r"clip\.avi (gave no frames|cannot be read as a video)"):
        take(str(path), empty)


def test_another_source_in_the_same_session_is_refused(clip: str, empty: Workspace) -> None:
    take(clip, empty, count=1)
    with pytest.raises(InputError, match="--session"):
        take("synthetic", empty, count=1)


def test_a_real_webcam_recording(real_data: Path, empty: Workspace) -> None:
    result = take(str(real_data / "webcam-A-B-C.avi"), empty, count=6, interval_s=0.4)
    assert [path.name for path in result.stored] == [f"webcam-A-B-C-{index:06d}.jpg" for index in range(0, 36, 6)]
    assert {decode(path.read_bytes()).shape for path in result.stored} == {(480, 640, 3)}
