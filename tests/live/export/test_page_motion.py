"""Letters that are drawn, J and Z, on the exported page: the same inputs, probabilities and text as in aslkit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pytest

from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.starter import load_landmark_starter
from aslkit.live.config import LiveConfig
from aslkit.live.export.run import export_model
from aslkit.live.export.to_browser_page import write_page
from aslkit.live.reader import Reader
from aslkit.live.recogniser import Recognition, is_rest
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import Track, record_track
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.motion.features import motion_features
from aslkit.vision.motion.reader import MotionReader
from aslkit.vision.motion.track import HandTrack
from aslkit.vision.preprocess import Array, apply_temperature, model_input

pytest.importorskip("playwright.sync_api")

WIDTH, HEIGHT = 640, 480
BLANK: Final = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
WORDS: Final = ("JAZZ", "LIJD", "ZOO", "IJI", "QUIZ")

Frames = list[tuple[float, Hand | None]]
"""Times in seconds, and the hand at each of them."""

EXTRACT: Final = """frames => {
  const track = new HandTrack();
  const predict = createNetwork(aslkitModel.motion);
  return frames.map(([time, hand]) => {
    track.add(time, hand);
    if (!hand) return null;
    const features = motionFeatures(track.sample(time), track.left);
    return [[...features], [...predict(features)], [0, 8, 20].map((joint) => track.speed(joint)), track.newestPose()];
  });
}"""

READ: Final = """frames => {
  motionReader?.reset();
  speller.reset();
  speller.clear();
  speller.hand = false;
  return frames.map(([time, hand]) => {
    const { motion } = readFrame(time, hand);
    return [motion.moving, motion.steady, motion.ended, motion.letter?.letter ?? null, speller.text];
  });
}"""


def make_frames(track: Track, *, start_s: float, rng: np.random.Generator) -> Frames:
    """Return the frames of a track, and further ones without a hand."""
    size = np.array([WIDTH, HEIGHT, WIDTH], np.float32)
    # MediaPipe takes a hand for the other one in single frames.
    left = (rng.random(len(track.time_s)) < 0.05) != track.left
    hands: Frames = [
        (start_s + float(time_s), Hand(landmarks=points / size, handedness="left" if is_left else "right", score=1.0))
        for time_s, points, is_left in zip(track.time_s, track.points, left, strict=True)
    ]
    missed: Frames = [(start_s + float(time_s), None) for time_s in rng.uniform(0, track.end_s, 10)]
    return sorted([*hands, *missed], key=lambda frame: frame[0])


def make_tracks(count: int, seed: int) -> list[Frames]:
    """Return what synthetic signers do, with missing frames, left hands, and 8 to 60 frames per second."""
    rng = np.random.default_rng(seed)
    tracks: list[Frames] = []
    for number in range(count):
        writer = ScriptWriter(Signer.draw(f"synthetic-{number}"), rng)
        script = writer.spell(WORDS[number // 2 % len(WORDS)]) if number % 2 else writer.draw()
        tracks.append(make_frames(record_track(script, rng), start_s=100.0 * number, rng=rng))
    return tracks


def to_json(frames: Frames) -> list[Any]:
    """Return frames in the format of the page."""
    return [
        [time_s, hand and {"landmarks": hand.landmarks.tolist(), "width": WIDTH, "height": HEIGHT,
                           "handedness": hand.handedness}]
        for time_s, hand in frames
    ]  # fmt: skip


@dataclass
class ReplayedHands:
    """Recognises the letters of the hands of a track, in turn."""

    run: Path
    hands: Iterator[Hand | None] = field(default_factory=lambda: iter(()))

    def __post_init__(self) -> None:
        self.network, self.contract = load_network(self.run)

    def recognise(self, frame: npt.NDArray[np.uint8]) -> Recognition:
        hand = next(self.hands)
        if hand is None:
            return Recognition(hand=None, letter=None, probabilities=np.zeros(24, np.float32), rejected=True)
        outputs = self.network(model_input(frame, hand, self.contract)[None])[0]
        probabilities = apply_temperature(outputs, self.contract.temperature)
        return Recognition(
            hand=hand, letter=self.contract.letters[int(probabilities.argmax())], probabilities=probabilities,
            rejected=bool(probabilities.max() < self.contract.threshold), is_rest=bool(is_rest(outputs)),
        )  # fmt: skip


@dataclass
class RecordedMotion:
    """A MotionReader that records its readings."""

    reader: MotionReader
    readings: list[tuple[bool, bool, bool, str | None]] = field(default_factory=list)

    def observe(self, *arguments: Any, **sizes: Any) -> Any:
        reading = self.reader.observe(*arguments, **sizes)
        self.readings.append(
            (reading.moving, reading.steady, reading.ended, reading.letter.letter if reading.letter else None)
        )
        return reading


def read_frames(run: Path, frames: Frames) -> list[list[Any]]:
    """Return what aslkit reads in each frame: moving, steady, ended, drawn letter, text."""
    recogniser = ReplayedHands(run, iter([hand for _, hand in frames]))
    network = load_motion_network(run, recogniser.contract)
    assert network is not None
    assert recogniser.contract.motion is not None
    motion = RecordedMotion(MotionReader(network, recogniser.contract.motion))
    reader = Reader(
        recogniser=recogniser, contract=recogniser.contract, config=LiveConfig(), motion=motion,  # type: ignore[arg-type]
    )  # fmt: skip
    texts = [reader.read(BLANK, time_s).text for time_s, _ in frames]
    return [[*reading, text] for reading, text in zip(motion.readings, texts, strict=True)]


@pytest.fixture(scope="module")
def page(run_with_motion: Path, browser: Any, serve: Callable[[Path], str]) -> Iterator[Any]:
    errors: list[str] = []
    opened = browser.new_page()
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(serve(export_model(run_with_motion, format="page").to))
    yield opened
    opened.close()
    assert errors == []


def extract_inputs(frames: Frames) -> Iterator[tuple[Array, HandTrack] | None]:
    """Yield the input of the motion network in each frame; None for frames without a hand."""
    track = HandTrack()
    for time_s, hand in frames:
        track.add(time_s, hand, width=WIDTH, height=HEIGHT)
        if hand is None:
            yield None
            continue
        points, valid = track.sample(time_s)
        yield motion_features(points[None], valid[None], left=np.array([track.left]))[0], track


def test_page_computes_the_same_inputs_and_probabilities(run_with_motion: Path, page: Any) -> None:
    network = load_motion_network(run_with_motion, load_network(run_with_motion)[1])
    assert network is not None
    classes = set()
    for frames in make_tracks(8, seed=1):
        actual = page.evaluate(EXTRACT, to_json(frames))
        for found, expected in zip(actual, extract_inputs(frames), strict=True):
            assert (found is None) == (expected is None)
            if expected is None:
                continue
            inputs, track = expected
            np.testing.assert_allclose(found[0], inputs, rtol=0, atol=1e-5)
            probabilities = network(inputs[None])[0]
            np.testing.assert_allclose(found[1], probabilities, rtol=0, atol=1e-4)
            speeds = [track.speed(joint, 0.15) for joint in (0, 8, 20)]
            np.testing.assert_allclose(found[2], speeds, rtol=1e-3, atol=1e-3)
            np.testing.assert_allclose(found[3], track.newest_pose(), rtol=0, atol=1e-4)
            classes.add(int(probabilities.argmax()))
    assert classes == {0, 1, 2}


def test_page_reads_the_same_text_as_aslkit(run_with_motion: Path, page: Any) -> None:
    typed, replaced = "", 0
    for number, frames in enumerate(make_tracks(24, seed=2)):
        expected = read_frames(run_with_motion, frames)
        actual = page.evaluate(READ, to_json(frames))
        for row, (found, reading) in enumerate(zip(actual, expected, strict=True)):
            assert found == reading, (number, row)
        texts = [reading[-1] for reading in expected]
        typed += texts[-1]
        replaced += sum(len(after) == len(before) and after != before for before, after in pairwise(texts))
    assert min(typed.count(letter) for letter in "JZ") >= 5
    assert len(set(typed) - set("JZ ")) >= 3
    assert replaced >= 2  # static letters by drawn ones


def test_page_without_motion_network_types_held_letters(
    tmp_path: Path, browser: Any, serve: Callable[[Path], str]
) -> None:
    write_page(tmp_path, *load_landmark_starter(), name="run")
    signer = Signer.draw("synthetic-ada")
    joints = next(render_frames("L", signer=signer, session=SyntheticSession.draw(signer, "one"))).joints
    hand = Hand(landmarks=np.asarray(joints, np.float32), handedness="right", score=1.0)
    page = browser.new_page()
    page.goto(serve(tmp_path))
    readings = page.evaluate(READ, to_json([(step / 30, hand) for step in range(30)]))
    assert readings[0] == [False, True, False, None, ""]
    assert readings[-1] == [False, True, False, None, "L"]
    assert page.evaluate("motionReader") is None
    page.close()


def test_text_can_be_edited(page: Any) -> None:
    page.evaluate("() => { speller.clear(); speller.append('J'); speller.append('Z'); showText(); }")
    assert page.locator("#text").inner_text() == "JZ"
    page.click("#delete")
    assert page.locator("#text").inner_text() == "J"
    page.click("#clear")
    assert page.evaluate("speller.text") == ""
    assert page.locator("#text").get_attribute("data-empty") == "Hold a letter, or draw J or Z"
    assert page.locator("#delete").is_disabled()
    assert page.locator("#clear").is_disabled()
