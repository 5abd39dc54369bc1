"""A sitting to record into, a `FrameAnalyzer` that sees what a test wants, a client, a server that runs, and a browser."""

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
from aslkit.core.config import load
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo, count_letters
from aslkit.synthetic import Signer, render_frames
from aslkit.synthetic import SyntheticSession as SyntheticSession
from aslkit.vision import frame_metrics as looking
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.images import Frame, encode_jpeg
from aslkit.vision.perceptual_hash import FINE_BITS
from aslkit.web.access_control import Addresses
from aslkit.web.server import LOOPBACK

with warnings.catch_warnings():
    # It would rather have httpx2, which is so new that nothing else here uses it.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

Opened = Callable[..., AbstractContextManager[Recording]]

ORIGIN = "http://127.0.0.1:8000"
SILENT = (
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


def an_open_hand() -> Hand:
    """A right hand in the middle of the frame."""
    angles = np.linspace(-1.0, 1.0, 5)
    reach = np.array([0.12, 0.2, 0.25, 0.3])
    tips = [(0.5 + np.sin(a) * r, 0.75 - np.cos(a) * r, 0.0) for a in angles for r in reach]
    landmarks = np.array([(0.5, 0.75, 0.0), *tips], np.float32)
    return Hand(landmarks=landmarks, handedness="right", score=0.98)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """Opens the sitting of `ada` in the test's own workspace; again and again if wanted."""
    workspace = Workspace(root=tmp_path / "workspace")

    @contextmanager
    def sitting(
        letters: str = "ABC", usual_hand: Any = None, count: int | None = None, **flags: object
    ) -> Iterator[Recording]:
        capture = load("capture", CaptureConfig, flags={"web_fps": 60, "countdown_s": 0} | flags)
        info = SessionInfo(signer="ada", session="one", camera="browser")
        with Session.open(workspace, info, look_at=_never) as session:
            opened = Recording(
                session,
                capture=capture,
                gate=load("gate", GateConfig),
                letters=letters,
                counts=count_letters(workspace.captures, "ada"),
                usual_hand=usual_hand,
                count=count,
            )
            try:
                yield opened
            finally:
                opened.close()

    return sitting


def _never(frame: Frame) -> FrameMetrics:
    raise AssertionError("a frame was not in the index")


@pytest.fixture
def sitting(opened: Opened) -> Iterator[Recording]:
    with opened() as sitting:
        yield sitting


@pytest.fixture
def seen() -> dict[str, Any]:
    """What `look` is to see otherwise: attributes of `FrameMetrics`."""
    return {}


@pytest.fixture
def look(seen: dict[str, Any]) -> FrameAnalyzer:
    """Sees one good hand in each frame, and no two alike, unless `seen` says otherwise."""
    hashes = random.Random(0)

    def look(frame: Frame, time_s: float) -> FrameMetrics:
        found = looking.measure_frame(frame, [an_open_hand()])
        phash, fine_hash = hashes.getrandbits(64), hashes.getrandbits(FINE_BITS)
        fine = replace(found, phash=phash, fine_hash=fine_hash, brightness=0.6, glare=0, blur_fine=0, blur_coarse=0)
        return replace(fine, **seen)

    return look


@pytest.fixture
def desk(sitting: Recording, look: FrameAnalyzer) -> PageController:
    """Whose clock goes on by a second with each request."""
    return PageController(sitting, look, clock=map(float, count()).__next__)


@pytest.fixture
def stranger(desk: PageController) -> Iterator[TestClient]:
    """Speaks to the recorder as a page that has not joined."""
    served = create_app(desk, Addresses(hosts=LOOPBACK, port=8000))
    with TestClient(served, base_url=ORIGIN, headers={"Origin": ORIGIN}) as client:
        yield client


@pytest.fixture
def page(stranger: TestClient) -> TestClient:
    """Speaks to the recorder as the page that joined."""
    stranger.headers["X-Page"] = stranger.post("/join", json={}).json()["page"]
    return stranger


@pytest.fixture(scope="session")
def jpeg() -> bytes:
    """One synthetic frame, 640×480."""
    who = Signer.draw("synthetic-ada")
    return encode_jpeg(next(render_frames("A", signer=who, session=SyntheticSession.draw(who, "one"))).image)


@pytest.fixture
def send(page: TestClient, jpeg: bytes) -> Callable[..., Any]:
    """Sends a frame to be kept, a second after the last one, and returns the answer's values."""
    times = count(1)

    def send(**query: object) -> Any:
        values = {"keep": 1, "turn": 0, "burst": 1, "taken_s": next(times)} | query
        answer = page.post("/frames", params=values, content=jpeg, headers={"Content-Type": "image/jpeg"})
        return answer.json()

    return send


@pytest.fixture
def running(
    opened: Opened,
) -> Callable[..., AbstractContextManager[tuple[RecordingServer, Recording, Future[ServeResult]]]]:
    """Serves the test's sitting for the length of a block."""

    @contextmanager
    def running(
        *, look: FrameAnalyzer | None, port: int = 0, host: str = "127.0.0.1", **values: object
    ) -> Iterator[tuple[RecordingServer, Recording, Future[ServeResult]]]:
        with (
            opened(**values) as sitting,
            RecordingServer(sitting, look=look, port=port, host=host) as service,
            ThreadPoolExecutor(1) as threads,
        ):
            result = threads.submit(service.run)
            try:
                yield service, sitting, result
            finally:
                service.stop()
                result.result(20)

    return running


@pytest.fixture(scope="session")
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the browser's camera shows: A, B and C, real frames where there are any."""
    path = tmp_path_factory.mktemp("film") / "film.mjpeg"
    try:
        pictures = _real_frames(request.getfixturevalue("real_data") / "webcam-A-B-C.avi")
    except pytest.skip.Exception:
        pictures = _synthetic_frames()
    with path.open("wb") as file:
        for picture in pictures:
            file.write(encode_jpeg(picture))
    return path


def _real_frames(path: Path) -> Iterator[Frame]:
    film = cv2.VideoCapture(str(path))
    while True:
        there, frame = film.read()
        if not there:
            return
        yield np.asarray(frame, np.uint8)


def _synthetic_frames() -> Iterator[Frame]:
    who = Signer.draw("synthetic-ada")
    for letter in "ABC":
        stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=4.0)
        yield from (each.image for each in islice(stream, 40))


@pytest.fixture(scope="module")
def browser(chromium_path: str, film: Path) -> Iterator[Any]:
    """Headless Chromium, whose camera shows `film`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = [*SILENT, f"--use-file-for-fake-video-capture={film}"]
        browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A page of 1280×800; whatever its scripts complain of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
