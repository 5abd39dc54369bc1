"""Recognition of drawn letters, with the starter model on synthetic signers it was not trained on."""

from collections.abc import Callable

import numpy as np
import pytest

from aslkit.core.config import load_settings
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.starter import STARTER_RUN
from aslkit.live.config import LiveConfig
from aslkit.live.observation import Observation
from aslkit.live.speller import Speller
from aslkit.synthetic.letter_poses import POSES, Pose
from aslkit.synthetic.movements.motion_poses import MOTION_POSES
from aslkit.synthetic.movements.paths import Path, draw_letter_path
from aslkit.synthetic.movements.performance import HandShape, Segment
from aslkit.synthetic.movements.scripts import Script
from aslkit.synthetic.movements.tracks import Track, record_track
from aslkit.synthetic.signer import Signer
from aslkit.vision.hand_landmarker import Hand
from aslkit.vision.motion.contract import MotionContract
from aslkit.vision.motion.reader import MotionReader, MotionReading

Create = Callable[[], MotionReader]


@pytest.fixture(scope="module")
def create() -> Create:
    """Return a function that creates a reader with the network of the starter model."""
    contract = load_network(STARTER_RUN)[1]
    network = load_motion_network(STARTER_RUN, contract)
    assert network is not None
    assert contract.motion is not None
    motion = contract.motion
    return lambda: MotionReader(network, motion)


def read(track: Track, reader: MotionReader) -> list[tuple[float, MotionReading]]:
    """Return the reading of each frame of a track."""
    readings = []
    for time_s, points in zip(track.time_s.tolist(), track.points, strict=True):
        hand = Hand(landmarks=points, handedness="left" if track.left else "right", score=1.0)
        readings.append((time_s, reader.observe(time_s, hand, width=1, height=1)))
    return readings


def letters(track: Track, reader: MotionReader) -> list[tuple[str, float]]:
    """Return the drawn letters, each with its time."""
    return [(each.letter.letter, time_s) for time_s, each in read(track, reader) if each.letter is not None]


def held(pose: Pose, rng: np.random.Generator, signer: int) -> tuple[HandShape, Segment]:
    """Return a hand shape of an unseen signer, and half a second in which it is held."""
    shape = HandShape.draw(pose, Signer.draw(f"synthetic-test-{signer:02d}"), rng)
    return shape, Segment(duration_s=0.5, shape=shape)


@pytest.mark.parametrize("letter", ["J", "Z"])
def test_unseen_signers_are_recognised_at_the_end_of_the_movement(letter: str, create: Create) -> None:
    rng = np.random.default_rng(0)
    right = 0
    for signer in range(60):
        shape, hold = held(MOTION_POSES[letter][0], rng, signer)
        path = draw_letter_path(letter, rng)
        duration = float(rng.uniform(0.45, 1.4))
        moved = Segment(duration_s=duration, shape=shape, path=path, letter=letter)
        track = record_track(Script(segments=(hold, moved, hold)), rng)
        found = letters(track, create())
        right += [each for each, _ in found] == [letter] and 0.5 < found[0][1] <= 0.5 + duration + 0.3
    assert right >= 55


def test_a_letter_drawn_twice_is_read_twice(create: Create) -> None:
    rng = np.random.default_rng(1)
    right = 0
    for signer in range(20):
        shape, hold = held(MOTION_POSES["Z"][0], rng, signer)
        back, _ = held(MOTION_POSES["Z"][0], rng, signer)
        segments = [hold]
        for each in (shape, back):
            segments += [
                Segment(duration_s=0.35, shape=each),
                Segment(duration_s=0.8, shape=each, path=draw_letter_path("Z", rng), letter="Z"),
            ]
        found = letters(record_track(Script(segments=(*segments, Segment(duration_s=0.4, shape=back))), rng), create())
        right += [each for each, _ in found] == ["Z", "Z"]
    assert right >= 17


@pytest.mark.parametrize("letter", ["I", "D", "Z"])
def test_a_hand_that_is_carried_draws_nothing_and_shows_no_letter(letter: str, create: Create) -> None:
    rng = np.random.default_rng(2)
    found = 0
    for signer in range(20):
        pose = MOTION_POSES["Z"][0] if letter == "Z" else POSES[letter]
        shape, hold = held(pose, rng, signer)
        share = np.linspace(0, 1, 20)
        across = np.stack([500 * share, np.zeros(20), np.zeros(20)], axis=1)
        carried = Path(progress=share, place=across, view=np.zeros((20, 3)))
        segments = (hold, Segment(duration_s=1.0, shape=shape, path=carried), hold)
        track = record_track(Script(segments=segments), rng)
        readings = read(track, create())
        found += sum(each.letter is not None for _, each in readings)
        middle = [each.moving for time_s, each in readings if 0.75 < time_s < 1.4]
        assert all(middle)
    assert found <= 1


def test_time_that_runs_backwards_and_gaps_are_survived(create: Create) -> None:
    rng = np.random.default_rng(3)
    shape, hold = held(MOTION_POSES["J"][0], rng, 0)
    track = record_track(Script(segments=(hold, Segment(duration_s=0.8, shape=shape))), rng)
    reader = create()
    read(track, reader)
    read(track, reader)
    assert reader.observe(100.0, None, width=1, height=1) == MotionReading()
    reader.reset()
    assert not reader.observe(100.1, None, width=1, height=1).ended


@pytest.mark.parametrize(("hold_s", "text"), [(0.7, "J"), (2.5, "IJ")])
def test_an_i_before_a_j_is_replaced_unless_it_was_held_long(hold_s: float, text: str, create: Create) -> None:
    rng = np.random.default_rng(4)
    texts = []
    for signer in range(12):
        shape, _ = held(MOTION_POSES["J"][0], rng, signer)
        segments = (
            Segment(duration_s=hold_s, shape=shape),
            Segment(duration_s=0.9, shape=shape, path=draw_letter_path("J", rng), letter="J"),
            Segment(duration_s=0.5, shape=shape),
        )
        speller = Speller(config=load_settings("live", LiveConfig))
        for time_s, reading in read(record_track(Script(segments=segments), rng), create()):
            # A model of static letters that always reads I.
            speller.observe(Observation(time_s=time_s, hand=True, letter="I", probability=0.9, motion=reading))
        texts.append(speller.text)
    assert texts.count(text) >= 11


def test_frames_from_before_the_hand_was_lost_do_not_decide() -> None:
    probabilities = {"now": [0.0, 0.0, 1.0]}
    reader = MotionReader(
        lambda inputs: np.array([probabilities["now"]], np.float32), MotionContract(), max_gap_s=1.0
    )  # fmt: skip
    rng = np.random.default_rng(6)
    hand = Hand(landmarks=rng.random((21, 3), np.float32), handedness="right", score=1.0)
    for index in range(12):
        assert reader.observe(index / 30, hand, width=100, height=100).letter is None
    for index in range(12, 24):
        reader.observe(index / 30, None, width=100, height=100)
    probabilities["now"] = [0.9, 0.0, 0.1]
    assert reader.observe(0.8, hand, width=100, height=100).letter is None
    found = reader.observe(0.95, hand, width=100, height=100).letter
    assert found is not None
    assert found.letter == "J"
