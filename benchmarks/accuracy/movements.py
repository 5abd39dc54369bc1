"""J and Z: how many movements are recognised, how soon, and how often something else is taken for one.

    ./run bench movements --workspace data --words house=starter rahman=starter longhong=starter
    ./run bench movements --clips data/datasets/custom

Movements are those of rendered synthetic signers on whom no model was trained, found by MediaPipe; and with --clips,
recorded ones. Words are spelled with the hands of real photographs, as in spelling.py, while the hand moves about.
"""

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

sys.path.insert(0, str(Path(__file__).parent))
import spelling

from aslkit.core.config import load_settings
from aslkit.datasets.clips import load_clips
from aslkit.inference.load_model import load_motion_network, load_network
from aslkit.inference.starter import STARTER_NAME, STARTER_RUN, load_landmark_starter
from aslkit.live.config import LiveConfig
from aslkit.live.observation import Observation, label_probabilities, letter_threshold
from aslkit.live.recogniser import is_rest
from aslkit.live.speller import Speller
from aslkit.synthetic.frames import render_frames
from aslkit.synthetic.movements.repeated_letter import RepeatedLetter
from aslkit.synthetic.movements.scripts import ScriptWriter
from aslkit.synthetic.movements.tracks import Track, record_track
from aslkit.synthetic.signer import Signer, SyntheticSession
from aslkit.train.data.motion_clips import dataset_track
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.motion.reader import MotionReader
from aslkit.vision.preprocess import apply_temperature, canonical_points, landmark_features

WIDTH, HEIGHT = 640, 480
LATE_S = 0.3
SPELLED = "JAZZ PIZZA JOHN ZOE JULY QUIZ FIJI HIJAB MAJOR DOZEN ADZE BIJOU ZIGZAG PRIZE ENJOY OZONE JET DIZZY LIZ ALIZA"


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The hand in each frame of a performance, and each letter that is drawn with its start and end, seconds."""

    signer: str
    frames: tuple[tuple[float, Hand | None], ...]
    letters: tuple[tuple[str, float, float], ...]
    size: tuple[int, int]


def render(job: tuple[str, str, float, float]) -> Recording:
    """Render a signer who draws a letter again and again, and find the hand in each frame."""
    name, letter, fps, seconds = job
    signer = Signer.draw(name)
    session = SyntheticSession.draw(signer, "bench")
    images = islice(render_frames(letter, signer=signer, session=session, fps=fps), round(seconds * fps))
    with HandLandmarker(tracking=True, spread_retries=True) as landmarker:
        frames = tuple((index / fps, landmarker.find(frame.image)) for index, frame in enumerate(images))
    repetitions = RepeatedLetter(letter, signer, session, 0).until(seconds)
    letters = tuple((letter, each.start_s, each.end_s) for each in repetitions if each.end_s + LATE_S < frames[-1][0])
    return Recording(signer=name, frames=frames, letters=letters, size=(WIDTH, HEIGHT))


def from_track(track: Track, signer: str) -> Recording:
    """Return a track of landmarks as a recording."""
    side: Any = "left" if track.left else "right"
    hands = [Hand(landmarks=points, handedness=side, score=1.0) for points in track.points]
    frames = tuple(zip(track.time_s.tolist(), hands, strict=True))
    return Recording(signer=signer, frames=frames, letters=track.letters, size=(1, 1))


def measure(recordings: list[Recording], motion: Any) -> None:
    """Print how many drawn letters are recognised before LATE_S after their end, and how many others."""
    drawn, right, delays, false = {}, {}, [], 0
    for recording in recordings:
        reader, found = motion(), []
        for time_s, hand in recording.frames:
            reading = reader.observe(time_s, hand, width=recording.size[0], height=recording.size[1])
            if reading.letter is not None:
                found.append((reading.letter.letter, time_s))
        for letter, start_s, end_s in recording.letters:
            drawn[letter] = drawn.get(letter, 0) + 1
            hit = next((each for each in found if each[0] == letter and start_s < each[1] <= end_s + LATE_S), None)
            if hit is not None:
                found.remove(hit)
                right[letter] = right.get(letter, 0) + 1
                delays.append(hit[1] - end_s)
        last_s = recording.letters[-1][2] if recording.letters else np.inf
        false += sum(time_s <= last_s + LATE_S for _, time_s in found)
    for letter, count in sorted(drawn.items()):
        print(f"  {letter}: {right.get(letter, 0)} of {count} recognised, {right.get(letter, 0) / count:.1%}")
    if delays:
        print(f"  recognised {np.median(delays):+.2f} s after the end (95 %: {np.percentile(delays, 95):+.2f} s)")
    print(f"  {false} other letters")


def move_about(hands: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return hands, (n, 21, 3), that move in the picture: slowly while a letter is held, and in between to the side."""
    steps = rng.normal(0, 0.004, (len(hands), 2))
    for start in np.flatnonzero(rng.random(len(hands)) < 1 / spelling.FPS):  # about once a second, for 0.3 s
        length = rng.uniform(0, 0.8)
        angle = rng.uniform(0, 2 * np.pi)
        steps[start : start + 9] += length / 9 * np.array([np.cos(angle), np.sin(angle)])
    place = np.cumsum(steps, axis=0)
    moved = hands.copy()
    moved[..., :2] += place[:, None]
    return moved * 100


def false_letters(person: spelling.Person, motion: Any, rng: np.random.Generator, words: int) -> int:
    """Return how many J and Z are read in words of static letters."""
    false = 0
    for word in rng.choice(spelling.VOCABULARY.split(), words):
        hands, there = person._word(str(word), rng)
        reader = motion()
        for index, (points, found) in enumerate(zip(move_about(hands, rng), there, strict=True)):
            hand = Hand(landmarks=points.astype(np.float32), handedness="right", score=1.0) if found else None
            false += reader.observe(index / spelling.FPS, hand, width=1, height=1).letter is not None
    return false


def spell(word: str, signer: str, motion: Any, rng: np.random.Generator) -> str:
    """Return what a synthetic signer's spelling of a word is read as, by the starter's landmark network."""
    network, contract = load_landmark_starter()
    config = load_settings("live", LiveConfig)
    writer = ScriptWriter(replace(Signer.draw(signer)), rng)
    track = record_track(writer.spell(word), rng)
    reader, speller = motion(), Speller(config=config)
    least = letter_threshold(contract.threshold, config.strictness)
    ones = np.ones(1)
    for time_s, points in zip(track.time_s, track.points, strict=True):
        canonical = canonical_points(
            points[None], widths=ones, heights=ones, left=np.array([track.left]), mirror_left=contract.mirror_left
        )
        raw = network(landmark_features(canonical))[0]
        probabilities = apply_temperature(raw, contract.temperature)
        best, resting = int(probabilities.argmax()), bool(is_rest(raw))
        hand = Hand(landmarks=points, handedness="left" if track.left else "right", score=1.0)
        speller.observe(
            Observation(
                time_s=float(time_s), hand=True, probability=float(probabilities[best]),
                letter=contract.letters[best] if probabilities[best] >= least and not resting else None,
                guess=None if resting else contract.letters[best],
                probabilities=label_probabilities(probabilities, contract.letters),
                motion=reader.observe(float(time_s), hand, width=1, height=1),
            )
        )  # fmt: skip
    return speller.text


def measure_spelling(motion: Any, rng: np.random.Generator) -> None:
    """Print how words with J and Z are read, and how many of these letters are right."""
    drawn = right = extra = 0
    examples = []
    for number, word in enumerate(SPELLED.split() * 5):
        text = spell(word, f"synthetic-unseen-{number % 20:02d}", motion, rng)
        for letter in "JZ":
            drawn += word.count(letter)
            right += min(word.count(letter), text.count(letter))
            extra += max(text.count(letter) - word.count(letter), 0)
        examples.append(f"{word} {text}")
    print(f"  {right} of {drawn} J and Z in words are written, {right / drawn:.1%}; {extra} too many")
    print("  " + ", ".join(examples[:24]))


def measure_time(recordings: list[Recording], motion: Any) -> None:
    """Print the time of a frame."""
    times = []
    for recording in recordings[:4]:
        reader = motion()
        for time_s, hand in recording.frames:
            start = time.perf_counter()
            reader.observe(time_s, hand, width=WIDTH, height=HEIGHT)
            times.append(1000 * (time.perf_counter() - start))
    print(f"  {np.median(times):.2f} ms per frame, 99 %: {np.percentile(times, 99):.2f} ms")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", type=Path, default=Path("data"))
    parser.add_argument("--dataset", default="custom")
    parser.add_argument("--run", default=STARTER_NAME, help="run with the motion network")
    parser.add_argument("--words", nargs="*", default=[], metavar="SIGNER=RUN")
    parser.add_argument("--clips", type=Path, help="dataset with recorded clips")
    parser.add_argument("--signers", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first synthetic signer")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = STARTER_RUN if options.run == STARTER_NAME else options.workspace / "runs" / options.run
    contract = load_network(folder)[1]
    network = load_motion_network(folder, contract)
    if network is None or contract.motion is None:
        raise SystemExit(f"{options.run} has no motion network.")
    motion = lambda: MotionReader(network, contract.motion)  # noqa: E731
    rng = np.random.default_rng(options.seed)
    names = [f"synthetic-unseen-{options.first + number:02d}" for number in range(options.signers)]
    jobs = [
        (name, letter, (30.0, 15.0, 24.0, 30.0, 12.0)[i % 5], 8.0) for i, name in enumerate(names) for letter in "JZ"
    ]
    with ProcessPoolExecutor(2) as pool:
        rendered = list(pool.map(render, jobs))
    print(f"rendered, {len(names)} unseen synthetic signers at 12 to 30 frames per second")
    measure(rendered, motion)
    measure_time(rendered, motion)
    writers = [ScriptWriter(Signer.draw(name), rng) for name in names]
    tracks = [from_track(record_track(writer.draw(), rng), "") for writer in writers for _ in range(20)]
    print(f"posed, {len(tracks)} performances at 8 to 60 frames per second")
    measure(tracks, motion)
    print(f"words with J and Z, posed, {len(SPELLED.split())} words, 5 times each")
    measure_spelling(motion, rng)
    if options.clips is not None:
        clips = [(clip, dataset_track(clip)) for clip in load_clips(options.clips)]
        recorded = [from_track(track, clip.signer) for clip, track in clips if track is not None]
        print(f"recorded, {len(recorded)} clips of {len({each.signer for each in recorded})} signers")
        measure(recorded, motion)
    for each in options.words:
        signer, _, run = each.partition("=")
        person = spelling.Person(options.workspace, options.dataset, signer, run)
        print(
            f"{signer}: {false_letters(person, motion, rng, spelling.WORDS)} J and Z in {spelling.WORDS} words without"
        )


if __name__ == "__main__":
    main()
