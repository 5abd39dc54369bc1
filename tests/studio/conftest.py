"""Fixtures: a studio, a fake `FrameAnalyzer`, HTTP clients, a running server and a browser."""

import random
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import record
from aslkit.capture.session.recording import Recording
from aslkit.capture.terminal import record_in_terminal
from aslkit.capture.web.controller import RecordingController
from aslkit.capture.web.frame_analyzer import FrameAnalyzer
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.signers import SignerDetails, save_signer
from aslkit.live.config import LiveConfig
from aslkit.studio.parts.recording import RecordingOptions
from aslkit.studio.serve import StudioServer
from aslkit.studio.studio import Studio, StudioOptions
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.images import Frame, encode_jpeg
from aslkit.vision.perceptual_hash import FINE_BITS
from aslkit.web.active_page import ActivePage
from tests.studio.clients import TestClient, create_client, join, open_hand

OpenStudio = Callable[..., AbstractContextManager[Studio]]

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


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path / "workspace")


@pytest.fixture
def open_studio(workspace: Workspace, analyze_frame: FrameAnalyzer) -> OpenStudio:
    """Opens a studio in the workspace of the test, in which ada can record; can be used several times."""

    @contextmanager
    def open_studio(
        letters: str = "ABC",
        usual_hand: Any = None,
        count: int | None = None,
        licence: str | None = "private",
        analyze_frame: FrameAnalyzer | None = analyze_frame,
        part: str = "record",
        signer: str | None = "ada",
        **flags: object,
    ) -> Iterator[Studio]:
        if licence or usual_hand:
            consent = licence and "Only for me."
            save_signer(workspace, "ada", SignerDetails(licence=licence, consent=consent, hand=usual_hand))
        recording = RecordingOptions(letters=letters, count=count, session="one", signer=signer)
        with Studio(
            workspace,
            capture=load_settings("capture", CaptureConfig, flags={"web_fps": 60, "countdown_s": 0} | flags),
            gate=load_settings("gate", GateConfig),
            live=load_settings("live", LiveConfig),
            options=StudioOptions(part=part, recording=recording),
            analyze_frame=analyze_frame,
        ) as studio:
            try:
                yield studio
            finally:
                with suppress(OSError):  # tests of a full disk look at the error themselves
                    studio.recording.close("end of the test")

    return open_studio


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
def studio(open_studio: OpenStudio) -> Iterator[Studio]:
    """A studio whose rate limits have a clock that advances by half a second with each call."""
    with open_studio() as studio:
        clock = count(0, 0.5).__next__
        studio.recording.active_page = ActivePage(60, taken_over_message="In another window.", clock=clock)
        yield studio


@pytest.fixture
def unjoined_page(studio: Studio) -> Iterator[TestClient]:
    """An HTTP client for a page that has not joined."""
    with create_client(studio) as client:
        yield client


@pytest.fixture
def page(unjoined_page: TestClient) -> TestClient:
    """An HTTP client for the page that records ada."""
    join(unjoined_page)
    return unjoined_page


@pytest.fixture
def controller(page: TestClient, studio: Studio) -> RecordingController:
    return studio.recording.controller


@pytest.fixture
def recording(controller: RecordingController) -> Recording:
    return controller.recording


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
        response = page.post(
            "/api/recording/frames", params=values, content=jpeg, headers={"Content-Type": "image/jpeg"}
        )
        return response.json()

    return send


@pytest.fixture
def run_server(open_studio: OpenStudio) -> Callable[..., AbstractContextManager[tuple[StudioServer, Studio]]]:
    """Serves a studio until the end of the block."""

    @contextmanager
    def run(*, port: int = 0, host: str = "127.0.0.1", **values: object) -> Iterator[tuple[StudioServer, Studio]]:
        with (
            open_studio(**values) as studio,
            StudioServer(studio, port=port, host=host) as server,
            ThreadPoolExecutor(1) as threads,
        ):
            future = threads.submit(server.serve)
            try:
                yield server, studio
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


@pytest.fixture
def recorded(workspace: Workspace) -> Workspace:
    """A workspace in which two synthetic signers have recorded A and B."""
    capture = load_settings("capture", CaptureConfig, flags={"interval_s": 0.7})
    gate = load_settings("gate", GateConfig)
    for signer in ("synthetic-ada", "synthetic-ben"):
        for letter in "AB":
            info = SessionInfo(
                signer=signer, session="one", camera="synthetic", licence="CC0-1.0", consent="Synthetic."
            )
            record(
                [letter], source="synthetic", workspace=workspace, info=info, capture=capture, gate=gate, count=10,
                screen=lambda *values, **named: record_in_terminal(*values, on_message=lambda text: None, **named),
            )  # fmt: skip
    return workspace
