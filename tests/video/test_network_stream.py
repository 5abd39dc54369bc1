"""Network cameras. Camera apps of phones serve a sequence of JPEG images, or one image per request."""

import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import AslkitError
from aslkit.video import network_stream
from aslkit.video.source_frame import SourceLost
from aslkit.video.sources import open_source
from aslkit.video.stream import Stream
from aslkit.vision import images
from aslkit.vision.images import Frame
from tests.video.factories import read_frames, write_video


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
        (
            200,
            "text/html; charset=utf-8",
            r"is a web page, not a video\. Download the video first.*/video and /shot\.jpg, DroidCam at /video",
        ),
        (404, "text/html", r"responds with error 404 \(Not Found\)\. Check the path of the URL\. IP Webcam"),
        (401, "text/html", r"responds with error 401 \(Unauthorized\)\. Give user name and password in the URL"),
        (200, "text/plain", r"responds, but without images\. Check the path"),
    ],
)
def test_response_without_images_is_explained(status: int, content_type: str, message: str) -> None:
    with (
        serve_responses([(status, content_type, b"<html><body><img src=/video></body></html>")]) as (host, _),
        pytest.raises(AslkitError, match=f"Stream http://{host}/ {message}"),
    ):
        read_frames(f"http://ada:secret@{host}/", 1)


def test_video_file_on_a_web_server_is_rejected(tmp_path: Path) -> None:
    body = write_video(tmp_path / "clip.avi").read_bytes()
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
    with pytest.raises(AslkitError, match=rf"Stream {scheme}://127\.0\.0\.1:1/x does not respond"):
        read_frames(f"{scheme}://ada:secret@127.0.0.1:1/x", 1)


@pytest.mark.parametrize(
    ("url", "is_web"),
    [("https://www.example.invalid/watch", True), ("http://192.0.2.1/video", False), ("http://cam.local:8080/", False)],
)
def test_web_page_that_does_not_respond_is_explained(url: str, is_web: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(network_stream, "urlopen", refuse)
    with pytest.raises(AslkitError, match=r"^Stream .* does not respond\.") as caught:
        network_stream._request_image(url)
    assert ("download the video first" in caught.value.message) == is_web


def test_libraries_print_nothing_about_unreachable_stream(tmp_path: Path) -> None:
    code = "import sys; from aslkit.cli.main import main; main(sys.argv[1:])"
    arguments = ["capture", "--letter", "A", "--signer", "maria", "--no-preview", "--source", "rtsp://127.0.0.1:1/x"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--yes", "--workspace", tmp_path], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "Error: Stream rtsp://127.0.0.1:1/x does not respond. Check the URL, and that the camera is on."
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
