"""Fixtures: a recording, a fake `FrameAnalyzer`, HTTP clients, a running server and a browser."""

import random
import socket
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.session.recording import Recording
from aslkit.capture.session.store import Session
from aslkit.capture.web.app import create_app
from aslkit.capture.web.controller import PageController
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.capture.web.serve import RecordingServer, ServeResult
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, encode_jpeg
from aslkit.vision.perceptual_hash import FINE_BITS
from aslkit.web.access_control import Addresses
from aslkit.web.server import LOOPBACK_HOSTS

with warnings.catch_warnings():
    # starlette.testclient warns that it prefers httpx2, which no other dependency uses yet.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

OpenRecording = Callable[..., AbstractContextManager[Recording]]

ORIGIN = "http://127.0.0.1:8000"
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)


def open_hand() -> Hand:
    """Return an open right hand in the centre of the frame."""
    angles = np.linspace(-1.0, 1.0, 5)
    reach = np.array([0.12, 0.2, 0.25, 0.3])
    tips = [(0.5 + np.sin(a) * r, 0.75 - np.cos(a) * r, 0.0) for a in angles for r in reach]
    landmarks = np.array([(0.5, 0.75, 0.0), *tips], np.float32)
    return Hand(landmarks=landmarks, handedness="right", score=0.98)


@pytest.fixture
def open_recording(tmp_path: Path) -> OpenRecording:
    """Starts a recording of ada in the workspace of the test; can be used several times."""
    workspace = Workspace(root=tmp_path / "workspace")

    @contextmanager
    def open_session(
        letters: str = "ABC",
        usual_hand: Any = None,
        count: int | None = None,
        save_licence: Any = None,
        **flags: object,
    ) -> Iterator[Recording]:
        capture = load_settings("capture", CaptureConfig, flags={"web_fps": 60, "countdown_s": 0} | flags)
        info = SessionInfo(signer="ada", session="one", camera="browser")
        with Session.open(workspace, info, measure=_fail_on_call) as session:
            recording = Recording(
                session,
                capture=capture,
                gate=load_settings("gate", GateConfig),
                letters=letters,
                counts=count_letters(workspace.captures, "ada"),
                usual_hand=usual_hand,
                count=count,
                save_licence=save_licence,
            )
            try:
                yield recording
            finally:
                recording.close()

    return open_session


def _fail_on_call(frame: Frame) -> FrameMetrics:
    raise AssertionError("all frames are in the index")


@pytest.fixture
def recording(open_recording: OpenRecording) -> Iterator[Recording]:
    with open_recording() as recording:
        yield recording


@pytest.fixture
def changed_metrics() -> dict[str, Any]:
    """Attributes of `FrameMetrics` that `analyze_frame` changes; filled by the test."""
    return {}


@pytest.fixture
def analyze_frame(changed_metrics: dict[str, Any]) -> FrameAnalyzer:
    """Returns the metrics of a good frame, never a near-duplicate, with `changed_metrics` applied."""
    hashes = random.Random(0)

    def analyze(frame: Frame, time_s: float) -> FrameMetrics:
        metrics = measure_frame(frame, [open_hand()])
        phash, fine_hash = hashes.getrandbits(64), hashes.getrandbits(FINE_BITS)
        good = replace(metrics, phash=phash, fine_hash=fine_hash, brightness=0.6, glare=0, blur_fine=0, blur_coarse=0)
        return replace(good, **changed_metrics)

    return analyze


@pytest.fixture
def controller(recording: Recording, analyze_frame: FrameAnalyzer) -> PageController:
    """A controller whose clock advances by 1 s with each call."""
    return PageController(recording, analyze_frame, clock=map(float, count()).__next__)


@pytest.fixture
def unjoined_page(controller: PageController) -> Iterator[TestClient]:
    """An HTTP client for a page that has not joined."""
    app = create_app(controller, Addresses(hosts=LOOPBACK_HOSTS, port=8000))
    with TestClient(app, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client


@pytest.fixture
def page(unjoined_page: TestClient) -> TestClient:
    """An HTTP client for the active page."""
    unjoined_page.headers["X-Page"] = unjoined_page.post("/join", json={}).json()["page"]
    return unjoined_page


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    """A synthetic frame, 640×480, as JPEG."""
    signer = Signer.draw("synthetic-ada")
    return encode_jpeg(next(render_frames("A", signer=signer, session=SyntheticSession.draw(signer, "one"))).image)


@pytest.fixture
def send_frame(page: TestClient, jpeg: bytes) -> Callable[..., Any]:
    """Sends a frame to be stored, taken 1 s after the previous one, and returns the JSON response."""
    times = count(1)

    def send(**query: object) -> Any:
        values = {"keep": 1, "revision": 0, "burst": 1, "taken_s": next(times)} | query
        response = page.post("/frames", params=values, content=jpeg, headers={"Content-Type": "image/jpeg"})
        return response.json()

    return send


@pytest.fixture
def run_server(
    open_recording: OpenRecording,
) -> Callable[..., AbstractContextManager[tuple[RecordingServer, Recording, Future[ServeResult]]]]:
    """Serves a recording until the end of the block."""

    @contextmanager
    def run(
        *, analyze_frame: FrameAnalyzer | None, port: int = 0, host: str = "127.0.0.1", **values: object
    ) -> Iterator[tuple[RecordingServer, Recording, Future[ServeResult]]]:
        with (
            open_recording(**values) as recording,
            RecordingServer(recording, analyze_frame=analyze_frame, port=port, host=host) as server,
            ThreadPoolExecutor(1) as threads,
        ):
            future = threads.submit(server.run)
            try:
                yield server, recording, future
            finally:
                server.stop()
                future.result(20)

    return run


@pytest.fixture(scope="session")
def camera_film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The video that the browser's camera shows: A, B and C. Real frames if available, otherwise synthetic ones."""
    path = tmp_path_factory.mktemp("film") / "film.mjpeg"
    try:
        images = _real_frames(request.getfixturevalue("real_data") / "webcam-A-B-C.avi")
    except pytest.skip.Exception:
        images = _synthetic_frames()
    with path.open("wb") as file:
        for image in images:
            file.write(encode_jpeg(image))
    return path


def _real_frames(path: Path) -> Iterator[Frame]:
    video = cv2.VideoCapture(str(path))
    while True:
        success, frame = video.read()
        if not success:
            return
        yield np.asarray(frame, np.uint8)


def _synthetic_frames() -> Iterator[Frame]:
    signer = Signer.draw("synthetic-ada")
    for letter in "ABC":
        stream = render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "one"), fps=4.0)
        yield from (frame.image for frame in islice(stream, 40))


@pytest.fixture(scope="module")
def browser(chromium_path: str, camera_film: Path) -> Iterator[Any]:
    """Headless Chromium, whose camera shows `camera_film`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [*CHROMIUM_ARGUMENTS, f"--use-file-for-fake-video-capture={camera_film}"]
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A browser tab of 1280×800. Script errors fail the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    context.close()
    assert errors == []


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
