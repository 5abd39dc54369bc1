import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle, islice
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from aslkit.core.errors import AslkitError, InputError
from aslkit.video import sources
from aslkit.video.sources import SourceFrame, SourceLost, camera_name, open_source, source_kind
from aslkit.video.stream import Stream
from aslkit.vision import images
from aslkit.vision.images import Frame

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


def read(source: str, count: int, **options: float) -> list[SourceFrame]:
    with open_source(source, letter="A", signer="synthetic-ada", session="one", **options) as frames:  # type: ignore[arg-type]
        return list(islice(frames, count))


def video(path: Path, frames: int, fps: float = 10.0) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 10, np.uint8))
    writer.release()
    return str(path)


def test_what_a_source_is_is_told_from_how_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "clip.MP4").touch()
    kinds = [source_kind(source) for source in ("0", "12", "synthetic", str(tmp_path), str(tmp_path / "clip.MP4"))]
    assert kinds == ["camera", "camera", "synthetic", "folder", "video"]
    assert {source_kind(source) for source in ("rtsp://ada:secret@10.0.0.2/1", "HTTP://phone.local:8080/video")} == {
        "stream"
    }


def test_a_streams_password_stays_out_of_its_name() -> None:
    assert camera_name("rtsp://ada:secret@10.0.0.2/1?key=9") == "stream rtsp://10.0.0.2/1"


@pytest.mark.parametrize("source", ["-1", "nowhere.mp4", "Synthetic", "rtsp:/nowhere", "/dev/null"])
def test_what_is_no_source(source: str) -> None:
    with pytest.raises(InputError) as caught:
        source_kind(source)
    assert source in caught.value.message
    assert caught.value.exit_code == 2


def test_a_single_image_is_no_video(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(images.encode_jpeg(RED))
    with pytest.raises(InputError, match="give their folder"):
        source_kind(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize("number", ["97", "99999999999999999999"])
def test_no_camera(number: str) -> None:
    with pytest.raises(AslkitError, match=f"Camera {number} cannot be opened.*--list-cameras"):
        read(number, 1)


def test_a_video_gives_all_its_frames_with_their_times(tmp_path: Path) -> None:
    frames = read(video(tmp_path / "my clip.avi", 7), 100)
    assert [frame.name for frame in frames] == [f"my clip-{index:06d}" for index in range(7)]
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in range(7)])
    assert [int(frame.image.mean().round()) for frame in frames] == pytest.approx(range(0, 70, 10), abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF....AVI LIST", bytes(1000)])
def test_a_damaged_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(AslkitError, match=r"clip\.avi cannot be read as a video.*convert"):
        read(str(tmp_path / "clip.avi"), 1)


def test_a_folder_gives_its_images_upright_and_in_order(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "._9.png", "note.txt"):
        (tmp_path / name).write_bytes(images.encode_png(RED) if name[0] != "." else b"resource fork")
    (tmp_path / "album.jpg").mkdir()
    frames = read(str(tmp_path), 10)
    assert [frame.name for frame in frames] == ["9", "10"]
    assert (frames[0].image == RED).all()


def test_a_folder_without_images_and_one_with_a_bad_one(tmp_path: Path) -> None:
    with pytest.raises(AslkitError, match="holds no images"):
        read(str(tmp_path), 1)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"1\.jpg: empty file\. Remove it, or use `aslkit import`"):
        read(str(tmp_path), 1)


def test_the_synthetic_signer_is_the_same_each_time_and_another_with_another_seed() -> None:
    first, again, other = (read("synthetic", 2, seed=seed, interval_s=0.5) for seed in (0, 0, 7))
    assert [frame.time_s for frame in first] == [0, 0.5]
    assert (first[1].image == again[1].image).all()
    assert (first[1].image != other[1].image).any()
    assert {frame.name for frame in first} & {frame.name for frame in other} == set()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4), (48, 64, 3)])
def test_a_camera_that_gives_grey_or_transparent_pictures_gives_colour(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", camera_of(np.full(shape, 77, np.uint8)))
    frame = read("0", 1)[0]
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert (frame.image == 77).all()


@pytest.mark.parametrize("image", [np.zeros((48, 64, 2), np.uint8), np.zeros((48, 64), np.uint16)])
def test_a_camera_that_gives_what_is_no_picture_is_told_of(
    monkeypatch: pytest.MonkeyPatch, image: npt.NDArray[Any]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", camera_of(image))
    with pytest.raises(AslkitError, match=r"camera 0 gives pictures with \d × uint"):
        read("0", 1)


def test_a_camera_without_a_single_picture_is_another_matter_than_one_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", camera_of())
    with pytest.raises(AslkitError, match=r"gives no picture\. Does another program use it") as caught:
        read("0", 1)
    assert not isinstance(caught.value, SourceLost)
    monkeypatch.setattr(cv2, "VideoCapture", camera_of(RED, RED))
    with pytest.raises(SourceLost, match=r"no more frames\. What was stored is kept"):
        read("0", 3)


def camera_of(*images: npt.NDArray[Any]) -> type:
    """OpenCV's VideoCapture, giving these pictures and then nothing."""

    class Device:
        def __init__(self, *_: object) -> None:
            self._images = list(images)

        def isOpened(self) -> bool:
            return True

        def set(self, *_: object) -> bool:
            return True

        def read(self) -> tuple[bool, npt.NDArray[Any] | None]:
            return (True, self._images.pop(0)) if self._images else (False, None)

        def release(self) -> None:
            pass

    return Device


# Streams: a telephone's camera application serves JPEG after JPEG.


@contextmanager
def served(pictures: Sequence[Frame], *, port: int = 0) -> Iterator[int]:
    """Serve pictures again and again on this machine, as multipart/x-mixed-replace, and give the port."""
    ended = Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with suppress(OSError):
                for image in cycle(pictures):
                    data = images.encode_jpeg(image)
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                    if ended.wait(0.01):
                        return

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Camera)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def grey(value: int) -> Frame:
    return np.full((48, 64, 3), value, np.uint8)


def test_a_stream_is_read_goes_down_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_S", 0.05)

    def seen(value: int) -> bool:
        """Whether such a picture comes within the next few hundred."""
        taken = (stream.frames.get() for _ in range(500))
        return any(frame is not None and abs(int(frame.image.mean()) - value) < 3 for frame in taken)

    with served([grey(50)]) as port:
        address = f"http://127.0.0.1:{port}/video"

        def open_again() -> Any:
            return open_source(address, letter="A", signer="ada", session="one")

        stream = Stream(open_again, live=True)
        try:
            stream.first()
            assert seen(50)
        except BaseException:
            stream.close()
            raise
    try:
        deadline = time.monotonic() + 20
        while not stream.trouble and time.monotonic() < deadline:
            time.sleep(0.01)
        assert f"stream http://127.0.0.1:{port}/video gives no more frames" in str(stream.trouble)
        with served([grey(200)], port=port):
            assert seen(200)
            assert stream.trouble is None
    finally:
        stream.close()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_stream_where_nobody_answers(scheme: str) -> None:
    with pytest.raises(AslkitError, match=rf"stream {scheme}://127\.0\.0\.1:1/x does not answer"):
        read(f"{scheme}://ada:secret@127.0.0.1:1/x", 1)


def test_only_this_is_said_and_nothing_by_the_libraries(tmp_path: Path) -> None:
    code = "import sys; from aslkit.cli.main import main; main(sys.argv[1:])"
    arguments = ["capture", "--letter", "A", "--signer", "maria", "--no-preview", "--source", "rtsp://127.0.0.1:1/x"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--yes", "--workspace", tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Error: stream rtsp://127.0.0.1:1/x does not answer. Is the address right, and the camera on?"
    ]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_stream_that_takes_the_call_and_says_nothing_is_given_up(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_PATIENCE_MS", 200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(AslkitError, match="does not answer"):
            read(address, 1)


def test_what_is_no_stream_at_all() -> None:
    with served([]) as port, pytest.raises(AslkitError, match=r"does not answer|gives no picture"):
        read(f"http://127.0.0.1:{port}/video", 1)
