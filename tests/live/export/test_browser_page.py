"""The exported page in Chromium: predicts the same as aslkit, escapes names, and explains problems."""

import json
import zipfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aslkit.core.errors import InputError
from aslkit.core.letters import LETTERS
from aslkit.inference.load_model import load_network
from aslkit.live.export import tasks_vision
from aslkit.live.export.run import export_model
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_embedding import EMBEDDING_VALUES, SIDE, cut_region
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.hand_region import region_around
from aslkit.vision.preprocess import apply_temperature, canonical_points, landmark_features
from tests.live.factories import create_run

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

NAME = "<img src=x onerror=alert(1)> & 'run'"
SIZE = (640, 480)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_run("landmarks", "mlp", tmp_path_factory.mktemp("runs") / NAME, members=2)


@pytest.fixture(scope="module")
def folder(run: Path) -> Path:
    return export_model(run, format="page").to


@pytest.fixture(scope="module")
def run_of_both(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_run("both", "mlp", tmp_path_factory.mktemp("runs") / "both")


@pytest.fixture(scope="module")
def folder_of_both(run_of_both: Path) -> Path:
    return export_model(run_of_both, format="page").to


@pytest.fixture(scope="module")
def url(folder: Path, serve: Callable[[Path], str]) -> str:
    return serve(folder)


@pytest.fixture
def tab(browser: Any, url: str) -> Iterator[Any]:
    """Open the page without access to other servers. Script errors and dialogs fail the test."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(15_000)
    context.route(lambda address: not address.startswith(url), lambda route: route.abort())
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.goto(url)
    yield page
    context.close()
    assert errors == []


@cache
def make_hands() -> list[Hand]:
    """Return left and right hands of several signers."""
    hands: list[Hand] = []
    for name in ("synthetic-ada", "synthetic-gus", "synthetic-hal", "synthetic-ben"):
        signer = Signer.draw(name)
        for letter in LETTERS[::3]:
            frame = next(
                render_frames(
                    letter, signer=signer, session=SyntheticSession.draw(signer, "one"), width=128, height=96, fps=1.0
                )
            )
            side = "left" if len(hands) % 2 else "right"
            hands.append(Hand(landmarks=np.float32(frame.joints), handedness=side, score=1.0))  # type: ignore[arg-type]
    return hands


def to_json(hand: Hand) -> dict[str, Any]:
    """Return a hand in the format of the page."""
    width, height = SIZE
    return {
        "landmarks": hand.landmarks.tolist(), "width": width, "height": height, "handedness": hand.handedness,
    }  # fmt: skip


def test_page_predicts_same_as_aslkit(run: Path, tab: Any) -> None:
    network, contract = load_network(run)
    hands = make_hands()
    inputs = landmark_features(
        canonical_points(
            np.stack([hand.landmarks for hand in hands]),
            widths=np.full(len(hands), SIZE[0]),
            heights=np.full(len(hands), SIZE[1]),
            left=np.array([hand.handedness == "left" for hand in hands]),
            mirror_left=contract.mirror_left,
        )
    )
    expected = apply_temperature(network(inputs), contract.temperature)
    assert expected.std() > 1e-2
    values = [to_json(hand) for hand in hands]
    features = tab.evaluate("hands => hands.map((hand) => [...landmarkFeatures(canonicalPoints(hand, true))])", values)
    np.testing.assert_allclose(np.array(features), inputs, rtol=0, atol=1e-5)
    results = tab.evaluate("hands => hands.map(recognise)", values)
    actual = np.array([result["probabilities"] for result in results])
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-4)
    assert [result["letter"] for result in results] == [contract.letters[index] for index in expected.argmax(axis=1)]
    assert [result["rejected"] for result in results] == (expected.max(axis=1) < contract.threshold).tolist()


def test_landmark_file_is_recognised(run: Path, tab: Any, tmp_path: Path) -> None:
    file = tmp_path / "hand.json"
    file.write_text(json.dumps(to_json(make_hands()[0])))
    result = tab.evaluate("recognise", to_json(make_hands()[0]))
    tab.set_input_files("#file", file)
    expect(tab.locator("#status-text")).to_have_text("Landmarks from hand.json")
    expect(tab.locator("#letter")).to_have_text(result["letter"])
    expect(tab.locator("#top-letters li")).to_have_count(5)
    expect(tab.locator("#top-letters li b").first).to_have_text(result["letter"])


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_invalid_landmark_files_are_rejected(
    text: str | Callable[[dict[str, Any]], Any], message: str, tab: Any, tmp_path: Path
) -> None:
    if callable(text):
        values = to_json(make_hands()[0])
        text(values)
        text = json.dumps(values)
    (tmp_path / "hand.json").write_text(text)
    tab.set_input_files("#file", tmp_path / "hand.json")
    expect(tab.locator("#status-text")).to_contain_text(message)
    expect(tab.locator("#letter")).to_have_text("–")


def test_names_are_escaped(tab: Any, tmp_path: Path) -> None:
    expect(tab.locator("#run")).to_have_text(NAME)
    file = tmp_path / "<img src=x onerror=alert(2)>.json"
    file.write_text("{}")
    tab.set_input_files("#file", file)
    expect(tab.locator("#status-text")).to_contain_text("not a landmark file")
    assert tab.locator("img").count() == 0


@pytest.mark.parametrize("path", ["mediapipe/vision_bundle.js", "mediapipe/vision_wasm_internal.wasm", "hand.task"])
def test_missing_file_is_explained(path: str, tab: Any) -> None:
    tab.route(f"**/{path}", lambda route: route.fulfill(status=404))
    tab.click("#start")
    expect(tab.locator("#notice-text")).to_contain_text(f"Could not load {path}.")
    expect(tab.locator("#start")).to_have_text("Try again")
    expect(tab.locator("#status")).to_have_attribute("data-state", "bad")


def test_browser_without_webgl_is_explained(tab: Any) -> None:
    tab.evaluate("() => { HTMLCanvasElement.prototype.getContext = () => null; }")
    tab.click("#start")
    expect(tab.locator("#notice-text")).to_contain_text("Turn on hardware acceleration")


def test_browser_without_simd_is_explained(tab: Any) -> None:
    tab.evaluate("() => { WebAssembly.instantiate = () => Promise.reject(new Error()); }")
    tab.click("#start")
    expect(tab.locator("#notice-text")).to_have_text(
        "This browser is too old. Chrome 91, Firefox 89, Safari 16.4 and later work."
    )


def test_http_from_another_machine_is_explained(browser: Any, url: str) -> None:
    page = browser.new_page()
    page.goto(url.replace("127.0.0.1", "aslkit.test"))
    expect(page.locator("#notice-text")).to_contain_text("serve this folder over https")
    expect(page.locator("#start")).to_be_hidden()
    page.close()


# A hand close to the camera is averaged down first.
@pytest.mark.parametrize(("size", "zoom"), [((96, 72), 1), ((640, 480), 2)])
def test_page_embeds_the_same_region_as_aslkit(size: tuple[int, int], zoom: int, tab: Any) -> None:
    width, height = size
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    image = next(render_frames("L", signer=signer, session=session, width=width, height=height, fps=1.0)).image
    # As text, because lists of this length take seconds.
    pixels = ",".join(map(str, np.dstack([image[:, :, ::-1], np.full(image.shape[:2], 255, np.uint8)]).ravel()))
    tab.evaluate(
        "([pixels, width]) => { window.image = new ImageData(Uint8ClampedArray.from(pixels.split(',')), width); }",
        [pixels, width],
    )
    for hand in make_hands()[:6]:
        landmarks = 0.5 + zoom * (hand.landmarks - 0.5)
        region = region_around(landmarks, image)
        assert (region.side > 2 * SIDE) == (zoom > 1)
        for mirror in (False, True):
            found, cut = tab.evaluate(
                """([landmarks, mirror]) => {
                  const region = regionAround(landmarks, image.width, image.height);
                  return [region, cutRegion(image, region, mirror).data.join()];
                }""",
                [landmarks.tolist(), mirror],
            )
            assert found == pytest.approx(region._asdict(), abs=1e-6)
            actual = np.array(cut.split(","), np.float32).reshape(SIDE, SIDE, 4)[:, :, 2::-1]
            # OpenCV rounds positions to a 32nd of a pixel.
            difference = np.abs(actual - cut_region(image, region, mirror=mirror))
            assert difference.mean() < 0.5
            assert np.quantile(difference, 0.99) <= 6


def test_page_with_embedding_predicts_same_as_aslkit(browser: Any, run_of_both: Path, folder_of_both: Path) -> None:
    network, contract = load_network(run_of_both)
    page = browser.new_page()
    page.goto((folder_of_both / "index.html").as_uri())
    hand = make_hands()[1]
    embedding = np.random.default_rng(0).random(EMBEDDING_VALUES).astype(np.float32)
    points = canonical_points(
        hand.landmarks[None], widths=np.array([SIZE[0]]), heights=np.array([SIZE[1]]), left=np.array([True]),
        mirror_left=True,
    )  # fmt: skip
    inputs = np.concatenate([landmark_features(points)[0], embedding])
    expected = apply_temperature(network(inputs[None]), contract.temperature)[0]
    result = page.evaluate("recognise", to_json(hand) | {"handedness": "left", "embedding": embedding.tolist()})
    np.testing.assert_allclose(result["probabilities"], expected, rtol=0, atol=1e-4)
    error = page.evaluate(
        "text => { try { parseHand(text) } catch (error) { return error.message } }", json.dumps(to_json(hand))
    )
    assert "needs embedding" in error
    assert (folder_of_both / "embedding.tflite").stat().st_size > 5_000_000
    page.close()


def test_page_opened_as_file_recognises_landmarks(browser: Any, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    expect(page.locator("#run")).to_have_text(NAME)
    expect(page.locator("#notice-text")).to_contain_text("run “python -m http.server")
    expect(page.locator("#start")).to_be_hidden()
    assert page.evaluate("recognise", to_json(make_hands()[1]))["letter"] in LETTERS
    page.close()


def test_page_rejects_pixel_features(tmp_path: Path) -> None:
    run = create_run("pixels28", "cnn", tmp_path / "run")
    with pytest.raises(InputError, match="not crops"):
        export_model(run, format="page")
    assert not any((run / "exports").glob("*"))


def test_export_folder_is_complete(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {".aslkit-export.json"}
    names_of_scripts = ("embedding", "features", "mediapipe", "model", "motion", "network", "page", "speller")
    scripts = {f"{name}.js" for name in names_of_scripts}
    assert names == {"README.md", "hand.task", "index.html", "mediapipe", "page.css"} | scripts
    assert {path.name for path in (folder / "mediapipe").iterdir()} == {"LICENSE", *tasks_vision.FILES}
    assert zipfile.ZipFile(folder / "hand.task").testzip() is None
    text = (folder / "README.md").read_text()
    assert "@mediapipe/tasks-vision` 0.10.21" in text
    assert "http.server" in text
