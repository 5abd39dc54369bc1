import socket
import subprocess
import sys
import time
from base64 import b64encode
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
from aslkit.video import network_stream
from aslkit.video.source_frame import SourceFrame, SourceLost
from aslkit.video.source_kind import camera_name, normalise_source, source_kind
from aslkit.video.sources import open_source
from aslkit.video.stream import Stream
from aslkit.vision import images
from aslkit.vision.images import Frame

RED = np.full((48, 64, 3), (0, 0, 255), np.uint8)


def read_frames(source: str, count: int, **options: float) -> list[SourceFrame]:
    with open_source(source, letter="A", signer="synthetic-ada", session="one", **options) as frames:  # type: ignore[arg-type]
        return list(islice(frames, count))


def create_video(path: Path, frames: int, fps: float = 10.0) -> str:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48))
    for index in range(frames):
        writer.write(np.full((48, 64, 3), index * 10, np.uint8))
    writer.release()
    return str(path)


def test_source_kind_is_derived_from_text(tmp_path: Path) -> None:
    (tmp_path / "clip.MP4").touch()
    kinds = [source_kind(source) for source in ("0", "12", "synthetic", str(tmp_path), str(tmp_path / "clip.MP4"))]
    assert kinds == ["camera", "camera", "synthetic", "folder", "video"]
    assert {source_kind(source) for source in ("rtsp://ada:secret@10.0.0.2/1", "HTTP://phone.local:8080/video")} == {
        "stream"
    }


def test_camera_name_hides_stream_password() -> None:
    assert camera_name("rtsp://ada:secret@10.0.0.2/1?key=9") == "stream rtsp://10.0.0.2/1"


@pytest.mark.parametrize("source", ["-1", "nowhere.mp4", "Synthetic", "rtsp:/nowhere", "/dev/null", r"C:\clip.mp4"])
def test_invalid_source_is_rejected(source: str) -> None:
    with pytest.raises(InputError) as caught:
        source_kind(source)
    assert source in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("0 ", "0"),
        (" synthetic", "synthetic"),
        ("  ", ""),
        ("clip.mp4 ", "clip.mp4"),
        ("file:///videos/my%20clip.mp4", "/videos/my clip.mp4"),
        ("file://localhost/clip.mp4", "/clip.mp4"),
        ("file://clip.mp4", "clip.mp4"),
        ("~/clip.mp4", "/home/ada/clip.mp4"),
        ("127.0.0.1:8099/video", "http://127.0.0.1:8099/video"),
        ("192.168.1.5", "http://192.168.1.5"),
        ("phone.local:4747/video?640x480", "http://phone.local:4747/video?640x480"),
        ("localhost:8080", "http://localhost:8080"),
        ("rtsp://ada:secret@10.0.0.2/1", "rtsp://ada:secret@10.0.0.2/1"),
        ("clip.final.mp4", "clip.final.mp4"),
        (r"C:\clip.mp4", r"C:\clip.mp4"),
    ],
)
def test_source_is_normalised(text: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    assert normalise_source(text) == source


@pytest.mark.parametrize("name", [" clip.mp4 ", "10.0.0.1", "localhost:80"])
def test_existing_file_is_not_normalised(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    assert normalise_source(name) == name


@pytest.mark.parametrize("device", ["/dev/video97", "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"])
def test_missing_device_file_is_reported(device: str) -> None:
    with pytest.raises(InputError, match=rf"{device} is not a connected camera\. .*--list-cameras"):
        normalise_source(device)


@pytest.mark.parametrize("device", ["/dev/video3", "/dev/v4l/by-id/usb-046d_HD_Pro_Webcam_C920-video-index0"])
def test_device_file_is_a_camera_number(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: str(path).startswith("/dev/"))
    monkeypatch.setattr(Path, "resolve", lambda path: Path("/dev/video3"))
    assert normalise_source(device) == "3"


def test_single_image_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(images.encode_jpeg(RED))
    with pytest.raises(InputError, match="give their folder"):
        source_kind(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize("number", ["97", "99999999999999999999"])
def test_missing_camera_is_reported(number: str) -> None:
    with pytest.raises(AslkitError, match=f"Camera {number} cannot be opened.*--list-cameras"):
        read_frames(number, 1)


def test_video_yields_all_frames_with_times(tmp_path: Path) -> None:
    frames = read_frames(create_video(tmp_path / "my clip.avi", 7), 100)
    assert [frame.name for frame in frames] == [f"my clip-{index:06d}" for index in range(7)]
    assert [frame.time_s for frame in frames] == pytest.approx([index / 10 for index in range(7)])
    assert [int(frame.image.mean().round()) for frame in frames] == pytest.approx(range(0, 70, 10), abs=3)


@pytest.mark.parametrize("content", [b"", b"RIFF....AVI LIST", bytes(1000)])
def test_damaged_video_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(AslkitError, match=r"clip\.avi cannot be read as a video.*convert"):
        read_frames(str(tmp_path / "clip.avi"), 1)


def test_folder_yields_images_in_natural_order(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "._9.png", "note.txt"):
        (tmp_path / name).write_bytes(images.encode_png(RED) if name[0] != "." else b"resource fork")
    (tmp_path / "album.jpg").mkdir()
    frames = read_frames(str(tmp_path), 10)
    assert [frame.name for frame in frames] == ["9", "10"]
    assert (frames[0].image == RED).all()


def test_folder_without_images_or_with_damaged_image_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AslkitError, match="contains no images"):
        read_frames(str(tmp_path), 1)
    (tmp_path / "1.jpg").write_bytes(b"")
    with pytest.raises(AslkitError, match=r"1\.jpg: empty file\. Remove it, or use `aslkit import`"):
        read_frames(str(tmp_path), 1)


def test_synthetic_frames_depend_on_seed_only() -> None:
    first, again, other = (read_frames("synthetic", 2, seed=seed, interval_s=0.5) for seed in (0, 0, 7))
    assert [frame.time_s for frame in first] == [0, 0.5]
    assert (first[1].image == again[1].image).all()
    assert (first[1].image != other[1].image).any()
    assert {frame.name for frame in first} & {frame.name for frame in other} == set()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4), (48, 64, 3)])
def test_greyscale_and_alpha_images_are_converted_to_bgr(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(np.full(shape, 77, np.uint8)))
    frame = read_frames("0", 1)[0]
    assert frame.image.shape == (48, 64, 3)
    assert frame.image.dtype == np.uint8
    assert (frame.image == 77).all()


@pytest.mark.parametrize("image", [np.zeros((48, 64, 2), np.uint8), np.zeros((48, 64), np.uint16)])
def test_unsupported_image_format_is_reported(monkeypatch: pytest.MonkeyPatch, image: npt.NDArray[Any]) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(image))
    with pytest.raises(AslkitError, match=r"camera 0 gives images with \d × uint"):
        read_frames("0", 1)


def test_camera_without_first_frame_is_not_source_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture())
    with pytest.raises(AslkitError, match=r"gives no image\. Check that no other program uses it") as caught:
        read_frames("0", 1)
    assert not isinstance(caught.value, SourceLost)
    monkeypatch.setattr(cv2, "VideoCapture", fake_capture(RED, RED))
    with pytest.raises(SourceLost, match=r"no more frames\. Frames stored so far are kept"):
        read_frames("0", 3)


def fake_capture(*images: npt.NDArray[Any]) -> type:
    """Return a replacement for `cv2.VideoCapture` that delivers these images and then fails."""

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


# Network streams. Camera apps of phones serve a sequence of JPEG images.


@contextmanager
def serve_images(images_to_serve: Sequence[Frame], *, port: int = 0) -> Iterator[int]:
    """Serve images repeatedly as multipart/x-mixed-replace on this machine, and yield the port."""
    stopped = Event()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.end_headers()
            with suppress(OSError):
                for image in cycle(images_to_serve):
                    data = images.encode_jpeg(image)
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                    self.wfile.write(head.encode() + data + b"\r\n")
                    if stopped.wait(0.01):
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
        stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def grey_image(value: int) -> Frame:
    return np.full((48, 64, 3), value, np.uint8)


def test_stream_reconnects_after_server_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aslkit.video.stream._RETRY_INTERVAL_S", 0.05)

    def next_frames_show(value: int) -> bool:
        """Return whether one of the next 500 frames has this grey value."""
        frames = (stream.frames.get() for _ in range(500))
        return any(frame is not None and abs(int(frame.image.mean()) - value) < 3 for frame in frames)

    with serve_images([grey_image(50)]) as port:
        address = f"http://127.0.0.1:{port}/video"

        def open_again() -> Any:
            return open_source(address, letter="A", signer="ada", session="one")

        stream = Stream(open_again, live=True)
        try:
            stream.wait_for_first_frame()
            assert next_frames_show(50)
        except BaseException:
            stream.close()
            raise
    try:
        deadline = time.monotonic() + 20
        while not stream.problem and time.monotonic() < deadline:
            time.sleep(0.01)
        assert f"stream http://127.0.0.1:{port}/video sends no more frames" in str(stream.problem)
        with serve_images([grey_image(200)], port=port):
            assert next_frames_show(200)
            assert stream.problem is None
    finally:
        stream.close()


@contextmanager
def serve_responses(responses: Sequence[tuple[int, str, bytes]]) -> Iterator[tuple[str, list[str | None]]]:
    """Answer each request with the next response (status, content type, body), and then repeat the last one.

    Yields the host and the authorisation of each request.
    """
    remaining, authorisations = list(responses), list[str | None]()

    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            authorisations.append(self.headers["Authorization"])
            status, content_type, body = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}", authorisations
        finally:
            server.shutdown()
            thread.join()


def jpeg_response(value: int) -> tuple[int, str, bytes]:
    return 200, "image/jpeg", images.encode_jpeg(grey_image(value))


def test_single_image_is_requested_again_and_again() -> None:
    with serve_responses([jpeg_response(value) for value in range(0, 250, 10)]) as (host, _):
        stream = Stream(
            lambda: open_source(f"http://{host}/shot.jpg", letter="A", signer="ada", session="one"), live=True
        )
        try:
            values = list[int]()
            while not values or values[-1] < 240:
                frame = stream.frames.get()
                assert frame is not None
                values.append(round(frame.image.mean()))
            assert stream.lost_message is None
        finally:
            stream.close()
    assert len(set(values)) > 3
    assert values == sorted(values)


def test_user_name_and_password_of_url_are_sent() -> None:
    with serve_responses([jpeg_response(0)]) as (host, authorisations):
        read_frames(f"http://ada:s%40cret@{host}/shot.jpg", 3)
    assert authorisations[-1] == f"Basic {b64encode(b'ada:s@cret').decode()}"


@pytest.mark.parametrize(
    ("status", "content_type", "message"),
    [
        (200, "text/html; charset=utf-8", r"is a web page, not a video\. .*/video and /shot\.jpg, DroidCam at /video"),
        (404, "text/html", r"responds with error 404 \(Not Found\)\. Check the path of the URL\. IP Webcam"),
        (401, "text/html", r"responds with error 401 \(Unauthorized\)\. Give user name and password in the URL"),
        (200, "text/plain", r"responds, but without images\. Check the path"),
    ],
)
def test_response_without_images_is_explained(status: int, content_type: str, message: str) -> None:
    with (
        serve_responses([(status, content_type, b"<html><body><img src=/video></body></html>")]) as (host, _),
        pytest.raises(AslkitError, match=f"stream http://{host}/ {message}"),
    ):
        read_frames(f"http://ada:secret@{host}/", 1)


def test_video_file_on_a_web_server_is_rejected(tmp_path: Path) -> None:
    body = Path(create_video(tmp_path / "clip.avi", 20)).read_bytes()
    with (
        serve_responses([(200, "video/x-msvideo", body)]) as (host, _),
        pytest.raises(AslkitError, match=r"/clip\.avi is a video file, not a camera\. Download it"),
    ):
        read_frames(f"http://{host}/clip.avi", 99)


def test_damaged_image_of_a_camera_is_a_lost_source() -> None:
    responses = [jpeg_response(0), jpeg_response(0), (200, "image/jpeg", b"damaged")]
    with serve_responses(responses) as (host, _), pytest.raises(SourceLost, match="sends a damaged image"):
        read_frames(f"http://{host}/shot.jpg", 9)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_unreachable_stream_is_reported(scheme: str) -> None:
    with pytest.raises(AslkitError, match=rf"stream {scheme}://127\.0\.0\.1:1/x does not respond"):
        read_frames(f"{scheme}://ada:secret@127.0.0.1:1/x", 1)


def test_libraries_print_nothing_about_unreachable_stream(tmp_path: Path) -> None:
    code = "import sys; from aslkit.cli.main import main; main(sys.argv[1:])"
    arguments = ["capture", "--letter", "A", "--signer", "maria", "--no-preview", "--source", "rtsp://127.0.0.1:1/x"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--yes", "--workspace", tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Error: stream rtsp://127.0.0.1:1/x does not respond. Check the URL, and that the camera is on."
    ]


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_silent_stream_server_times_out(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_stream, "STREAM_TIMEOUT_MS", 200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/x"
        with pytest.raises(AslkitError, match="does not respond"):
            read_frames(address, 1)


def test_server_without_images_is_reported() -> None:
    with serve_images([]) as port, pytest.raises(AslkitError, match="responds, but without images"):
        read_frames(f"http://127.0.0.1:{port}/video", 1)
