"""The exported page with MediaPipe in Chromium: recognises the same as aslkit, from nothing but its own folder."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from aslkit.inference.load_model import load_motion_network
from aslkit.inference.network import Network
from aslkit.inference.starter import STARTER_RUN, load_landmark_starter, load_starter
from aslkit.live.export.to_browser_page import write_page
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame, encode_jpeg, encode_png
from aslkit.vision.preprocess import Array, PreprocessConfig, apply_temperature, model_input

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

MODELS: Final[dict[str, Callable[[], tuple[Network, PreprocessConfig]]]] = {
    "landmarks": load_landmark_starter,
    "both": load_starter,
}

FIND_HAND: Final = """async (source, time) => {
  window.mediapipe ??= await loadMediaPipe(NEEDS_EMBEDDING);
  const image = Object.assign(new Image(), { src: source });
  await image.decode();
  const { width, height } = image;
  const pen = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
  pen.drawImage(image, 0, 0);
  const frame = { width, height, readPixels: () => pen.getImageData(0, 0, width, height) };
  const { landmarker, embedder } = window.mediapipe;
  return toHand(landmarker.detectForVideo(pen.canvas, time), frame, embedder, contract.mirror_left);
}"""
"""Finds the hand in a frame with the functions that the page uses for the camera. The time is in milliseconds."""

RECOGNISE: Final = f"""async (source) => {{
  const hand = await ({FIND_HAND})(source, performance.now());
  return hand && {{ ...hand, ...recognise(hand) }};
}}"""

SPELL: Final = f"""async ([source, time]) => {{
  readFrame(time, await ({FIND_HAND})(source, 1000 * time));
  return speller.text;
}}"""


def to_url(frame: Frame) -> str:
    """Return a frame as the address of an image."""
    return f"data:image/png;base64,{base64.b64encode(encode_png(frame)).decode()}"


def render(letter: str, name: str, count: int) -> list[Frame]:
    """Return consecutive frames, 640×480, of a synthetic signer."""
    signer = Signer.draw(name)
    stream = render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "one"))
    return [frame.image for frame in islice(stream, count)]


@pytest.fixture(scope="module")
def rendered() -> list[Frame]:
    """A video of a right hand and, mirrored, a left hand."""
    right = [frame for letter in "ALY" for frame in render(letter, "synthetic-ada", 8)]
    left = [np.ascontiguousarray(frame[:, ::-1]) for letter in "BV" for frame in render(letter, "synthetic-gus", 8)]
    return right + left


@pytest.fixture(scope="module")
def recorded(real_data: Path) -> list[Frame]:
    """Every twelfth frame of a video with a webcam."""
    capture = cv2.VideoCapture(str(real_data / "webcam-A-B-C.avi"))
    frames = [np.asarray(capture.read()[1], np.uint8) for _ in range(360)][::12]
    capture.release()
    return frames


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, serve: Callable[[Path], str]) -> dict[str, str]:
    """URLs of the pages of the starter model, and of its landmark network alone."""
    folder = tmp_path_factory.mktemp("pages")
    starter_contract = load_starter()[1]
    motion = load_motion_network(STARTER_RUN, starter_contract)
    for feature, load in MODELS.items():
        (folder / feature).mkdir()
        network, contract = load()
        contract = replace(contract, motion=starter_contract.motion)
        write_page(folder / feature, network, contract, name="starter", motion=motion)
    # Below the root of the server: the paths of the page are relative.
    url = serve(folder)
    return {feature: f"{url}{feature}/" for feature in MODELS}


@pytest.fixture(scope="module")
def camera(launch: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A browser whose camera shows a hand."""
    video = tmp_path_factory.mktemp("camera") / "hand.mjpeg"
    video.write_bytes(encode_jpeg(render("L", "synthetic-ada", 1)[0]) * 2)
    return launch(f"--use-file-for-fake-video-capture={video}")


@pytest.fixture
def messages() -> list[str]:
    """Errors and violations of the content security policy that the page reported."""
    return []


@pytest.fixture
def tab(camera: Any, messages: list[str]) -> Iterator[Any]:
    context = camera.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("console", lambda line: messages.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    context.close()


@pytest.mark.parametrize("feature", MODELS)
@pytest.mark.parametrize("video", ["rendered", "recorded"])
def test_page_recognises_the_same_as_aslkit(
    feature: str, video: str, pages: dict[str, str], tab: Any, request: pytest.FixtureRequest
) -> None:
    network, contract = MODELS[feature]()

    def predict(frame: Frame, hand: Hand) -> Array:
        return apply_temperature(network(model_input(frame, hand, contract)[None])[0], contract.temperature)

    tab.goto(pages[feature])
    same_hands, distances, differences, letters = [], [], [], []
    with HandLandmarker(second_try=False, tracking=True) as landmarker:
        for frame in request.getfixturevalue(video):
            hand = landmarker.find(frame)
            found = tab.evaluate(RECOGNISE, to_url(frame))
            if hand is None or found is None:
                continue
            landmarks = np.array(found["landmarks"], np.float32)
            # From the same landmarks, the same probabilities. MediaPipe passes images through the GPU, which rounds.
            probabilities = predict(frame, replace(hand, landmarks=landmarks, handedness=found["handedness"]))
            np.testing.assert_allclose(
                found["probabilities"], probabilities, rtol=0, atol=1e-4 if feature == "landmarks" else 0.02
            )
            same_hands.append(found["handedness"] == hand.handedness)
            distances.append(np.abs(landmarks - hand.landmarks)[:, :2].mean() / (hand.box[2:] - hand.box[:2]).max())
            expected = predict(frame, hand)
            differences.append(np.abs(found["probabilities"] - expected).max())
            letters.append(found["letter"] == contract.letters[expected.argmax()])
    assert len(letters) >= 25
    assert all(same_hands)
    assert np.mean(letters) > 0.95
    # MediaPipe's tasks and its older graph, which aslkit uses, follow a hand alike once both have found it.
    assert np.median(distances) < 0.003
    assert np.quantile(differences, 0.9) < 0.05


@pytest.mark.parametrize("feature", MODELS)
def test_camera_is_recognised_without_other_servers(
    feature: str, pages: dict[str, str], tab: Any, messages: list[str]
) -> None:
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(pages[feature])
    tab.click("#start")
    expect(tab.locator("#status-text")).to_have_text("Recognising", timeout=30_000)
    expect(tab.locator("#letter")).to_have_text("L")
    expect(tab.locator("#text")).to_have_text("L")  # typed once
    expect(tab.locator("#notice")).to_be_hidden()
    assert messages == []
    assert any(url.endswith("/mediapipe/vision_wasm_internal.wasm") for url in requests)
    allowed = (pages[feature], "data:", "blob:")
    assert [url for url in requests if not url.startswith(allowed)] == []


@pytest.mark.parametrize("letter", ["J", "Z"])
def test_drawn_letter_is_typed(letter: str, pages: dict[str, str], tab: Any) -> None:
    tab.goto(pages["landmarks"])
    texts = [
        tab.evaluate(SPELL, [to_url(frame), number / 30])
        for number, frame in enumerate(render(letter, "synthetic-hal", 55))
    ]
    assert texts[-1] == letter
    # Before the movement, the hand is held for more than half a second, and read as a static letter.
    assert {"J": "I", "Z": "D"}[letter] in texts


def test_policy_forbids_other_servers(pages: dict[str, str], tab: Any, messages: list[str]) -> None:
    tab.goto(pages["both"])
    other = pages["both"].replace("127.0.0.1", "aslkit.test")
    assert (
        tab.evaluate("url => fetch(url, { mode: 'no-cors' }).then(() => 'loaded', () => 'blocked')", other) == "blocked"
    )
    assert "Content Security Policy" in messages[0]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_is_accessible_and_fits_phones(scheme: str, pages: dict[str, str], tab: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    tab.emulate_media(color_scheme=scheme)
    tab.set_viewport_size({"width": 320, "height": 568})
    tab.goto(pages["landmarks"])

    def check() -> None:
        violations = axe.run(tab).response["violations"]
        assert [v["id"] for v in violations if v["impact"] in ("serious", "critical")] == []
        assert tab.evaluate("document.documentElement.scrollWidth") == 320

    check()
    tab.click("#start")
    expect(tab.locator("#status-text")).to_have_text("Recognising", timeout=30_000)
    assert tab.locator("#status").bounding_box()["y"] < 568
    check()
    tab.evaluate("showFailure(new Error('a long message '.repeat(20)))")
    picture, notice = (tab.locator(name).bounding_box() for name in ("#picture", "#notice"))
    assert picture["y"] < notice["y"]
    assert notice["y"] + notice["height"] < picture["y"] + picture["height"]
    check()
