"""The exported page in a real Chromium: says what aslkit says, shows names as text, and tells what it lacks."""

import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.inference.load_model import load_network
from aslkit.live.export.run import export_model
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.preprocess import apply_temperature, canonical_points, landmark_features
from tests.live.factories import run_of

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

NAME = "<img src=x onerror=alert(1)> & 'run'"
SIZE = (640, 480)


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a line for each request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_of("landmarks", "mlp", tmp_path_factory.mktemp("runs") / NAME, members=2)


@pytest.fixture(scope="module")
def folder(run: Path) -> Path:
    return export_model(run, format="page").to


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Where the page is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Any]:
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
    ]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium_path, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def tab(browser: Any, url: str) -> Iterator[Any]:
    """The page; whatever its scripts complain of fails the test, and it reaches nothing but its own server."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    context.route(lambda address: not address.startswith(url), lambda route: route.abort())
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(url)
    yield page
    context.close()
    assert complaints == []


@cache
def hands() -> list[Hand]:
    """Left and right ones, of several people."""
    found: list[Hand] = []
    for name in ("synthetic-ada", "synthetic-gus", "synthetic-hal", "synthetic-ben"):
        who = Signer.draw(name)
        for letter in LETTERS[::3]:
            frame = next(
                render_frames(
                    letter, signer=who, session=SyntheticSession.draw(who, "one"), width=128, height=96, fps=1.0
                )
            )
            side = "left" if len(found) % 2 else "right"
            found.append(Hand(landmarks=np.float32(frame.joints), handedness=side, score=1.0))  # type: ignore[arg-type]
    return found


def given(hand: Hand) -> dict[str, Any]:
    """A hand as the page takes it."""
    width, height = SIZE
    return {
        "landmarks": hand.landmarks.tolist(), "width": width, "height": height, "handedness": hand.handedness,
    }  # fmt: skip


def test_the_page_says_what_aslkit_says(run: Path, tab: Any) -> None:
    network, contract = load_network(run)
    many = hands()
    inputs = landmark_features(
        canonical_points(
            np.stack([hand.landmarks for hand in many]),
            widths=np.full(len(many), SIZE[0]),
            heights=np.full(len(many), SIZE[1]),
            left=np.array([hand.handedness == "left" for hand in many]),
            mirror_left=contract.mirror_left,
        )
    )
    said = apply_temperature(network(inputs), contract.temperature)
    assert said.std() > 1e-2
    asked = [given(hand) for hand in many]
    shown = tab.evaluate("hands => hands.map((hand) => [...landmarkFeatures(canonicalPoints(hand, true))])", asked)
    np.testing.assert_allclose(np.array(shown), inputs, rtol=0, atol=1e-5)
    seen = tab.evaluate("hands => hands.map(recognise)", asked)
    np.testing.assert_allclose(np.array([each["probabilities"] for each in seen]), said, rtol=0, atol=1e-4)
    assert [each["letter"] for each in seen] == [contract.letters[index] for index in said.argmax(axis=1)]
    assert [each["refused"] for each in seen] == (said.max(axis=1) < contract.threshold).tolist()


def test_a_file_of_landmarks(run: Path, tab: Any, tmp_path: Path) -> None:
    file = tmp_path / "hand.json"
    file.write_text(json.dumps(given(hands()[0])))
    seen = tab.evaluate("recognise", given(hands()[0]))
    tab.set_input_files("#file", file)
    expect(tab.locator("#status-text")).to_have_text("Landmarks of hand.json")
    expect(tab.locator("#letter")).to_have_text(seen["letter"])
    expect(tab.locator("#likely li")).to_have_count(5)
    expect(tab.locator("#likely li b").first).to_have_text(seen["letter"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<script>", "it is not JSON"),
        ("null", "landmarks must be a list of 21"),
        (lambda v: v["landmarks"].pop(), "landmarks must be a list of 21"),
        (lambda v: v["landmarks"][0].pop(), "three numbers"),
        (lambda v: v["landmarks"].__setitem__(3, [0, "1", 2]), "three numbers"),
        (lambda v: v.update(width=0), "width and height"),
        (lambda v: v.update(handedness="both"), "left or right"),
        (" " * 1_000_001, "too large"),
    ],
)
def test_files_that_are_none(text: str | Callable[[dict[str, Any]], Any], words: str, tab: Any, tmp_path: Path) -> None:
    if callable(text):
        values = given(hands()[0])
        text(values)
        text = json.dumps(values)
    (tmp_path / "hand.json").write_text(text)
    tab.set_input_files("#file", tmp_path / "hand.json")
    expect(tab.locator("#status-text")).to_contain_text(words)
    expect(tab.locator("#letter")).to_have_text("–")


def test_names_are_shown_as_text(tab: Any, tmp_path: Path) -> None:
    expect(tab.locator("#run")).to_have_text(NAME)
    file = tmp_path / "<img src=x onerror=alert(2)>.json"
    file.write_text("{}")
    tab.set_input_files("#file", file)
    expect(tab.locator("#status-text")).to_contain_text("no file of landmarks")
    assert tab.locator("img").count() == 0


def test_without_mediapipe_it_says_what_it_needs(tab: Any) -> None:
    tab.click("#start")
    notice = tab.locator("#notice-text")
    expect(notice).to_contain_text("Could not load https://cdn.jsdelivr.net/npm/@mediapipe/tasks-vision@0.10.21/")
    expect(notice).to_contain_text("README.md says how")
    assert notice.inner_text().count("https://") == 1
    expect(tab.locator("#start")).to_have_text("Try again")
    expect(tab.locator("#status")).to_have_attribute("data-state", "bad")


STANDING_IN = """
export const FilesetResolver = { forVisionTasks: async () => ({}) };
export const HandLandmarker = { createFromOptions: async (files, options) => ({
  detectForVideo: () => ({
    landmarks: options.numHands === 1 ? [HAND.map(([x, y, z]) => ({ x, y, z }))] : [],
    handedness: [[{ categoryName: "Left", score: 1 }]],
  }),
}) };
"""


def test_from_camera_to_letter(run: Path, browser: Any, tmp_path: Path, folder: Path) -> None:
    """With something that stands in for MediaPipe, which the network of this test cannot reach; beside the page."""
    shutil.copytree(folder, tmp_path / "page")
    hand = given(hands()[0]) | {"handedness": "left"}
    code = STANDING_IN.replace("HAND", json.dumps(hand["landmarks"]), 1)
    (tmp_path / "page" / "vision.mjs").write_text(code)
    (tmp_path / "page" / "hand.task").write_bytes(b"model")
    settings = 'const aslkitSettings = {tasksVision: "vision.mjs", wasm: "wasm", handModel: "hand.task"};'
    (tmp_path / "page" / "settings.js").write_text(settings)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "page")))
    Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    try:
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        seen = page.evaluate("hand => recognise({...hand, width: 640, height: 480})", hand)
        page.click("#start")
        expect(page.locator("#letter")).to_have_text(seen["letter"], timeout=15_000)
        expect(page.locator("#notice")).to_be_hidden()
    finally:
        page.close()
        server.shutdown()
        server.server_close()


def test_opened_as_a_file_it_says_how_to_serve_it(browser: Any, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    expect(page.locator("#run")).to_have_text(NAME)
    assert page.evaluate("recognise", given(hands()[1]))["letter"] in LETTERS
    page.close()


def test_a_run_of_pixels_has_no_page(tmp_path: Path) -> None:
    run = run_of("pixels28", "cnn", tmp_path / "run")
    with pytest.raises(InputError, match="--feature landmarks"):
        export_model(run, format="page")
    assert not any((run / "exports").glob("*"))


def test_what_lies_in_the_folder(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {".aslkit-export.json"}
    scripts = {"features.js", "model.js", "network.js", "page.js", "settings.js"}
    assert names == {"README.md", "hand.task", "index.html", "page.css"} | scripts
    assert zipfile.ZipFile(folder / "hand.task").testzip() is None
    text = (folder / "README.md").read_text()
    assert "@mediapipe/tasks-vision@0.10.21" in text
    assert "http.server" in text
