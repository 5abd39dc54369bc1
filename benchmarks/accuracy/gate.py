"""Frames that the quality gate of the recorder rejects: degraded copies of real frames, and whole recordings.

Usage: ./run bench gate [FOLDER]    FOLDER/SIGNER/LETTER/*.jpg; without it, synthetic signers
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from aslkit.capture.config import GateConfig
from aslkit.capture.quality.gate import REASONS, KeptFrames, judge_frame
from aslkit.core.config import load_settings
from aslkit.core.files import natural_key
from aslkit.core.letters import LETTERS
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.frame_metrics import FrameMetrics, measure_frame
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame, decode_image, encode_jpeg

PLANTED = 200
"""Number of degraded frames of each kind."""

Spoil = Callable[[Frame, Hand, np.random.Generator], Frame | None]


def box_of(frame: Frame, hand: Hand) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of the hand in pixels."""
    height, width = frame.shape[:2]
    left, top, right, bottom = (hand.box * np.array([width, height, width, height])).tolist()
    return left, top, right, bottom


def blurred(frame: Frame, hand: Hand, rng: np.random.Generator) -> Frame:
    """Blur a frame: out of focus by 2–5 % of the hand size, or motion blur of 10–20 % of it."""
    left, top, right, bottom = box_of(frame, hand)
    size = max(right - left, bottom - top)
    if rng.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), rng.uniform(0.02, 0.05) * size), np.uint8)
    length = max(3, int(rng.uniform(0.1, 0.2) * size) | 1)
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    turn = cv2.getRotationMatrix2D((length // 2, length // 2), rng.uniform(0, 180), 1)
    line = cv2.warpAffine(line, turn, (length, length))
    return np.asarray(cv2.filter2D(frame, -1, line / line.sum()), np.uint8)


def dark(frame: Frame, _: Hand, rng: np.random.Generator) -> Frame:
    """Reduce the brightness to 5–20 %, and add noise."""
    noise = rng.normal(0, 2, frame.shape)
    return np.asarray(np.clip(frame * rng.uniform(0.05, 0.2) + noise, 0, 255), np.uint8)


def bright(frame: Frame, _: Hand, rng: np.random.Generator) -> Frame:
    """Increase the brightness to 2–3 times."""
    return np.asarray(np.clip(frame * rng.uniform(2, 3) + 40, 0, 255), np.uint8)


def cut(frame: Frame, hand: Hand, rng: np.random.Generator) -> Frame | None:
    """Crop a frame so that its left, right or upper edge cuts through the hand at 25–65 %."""
    left, top, right, bottom = box_of(frame, hand)
    share, side = rng.uniform(0.25, 0.65), rng.choice(["left", "right", "top"])
    if side == "left":
        part = frame[:, max(0, int(left + share * (right - left))) :]
    elif side == "right":
        part = frame[:, : int(right - share * (right - left))]
    else:
        part = frame[max(0, int(top + share * (bottom - top))) :]
    return np.ascontiguousarray(part) if min(part.shape[:2]) >= 64 else None


def no_hand(frame: Frame, hand: Hand, _: np.random.Generator) -> Frame | None:
    """Return the largest part of the frame next to the hand."""
    height, width = frame.shape[:2]
    left, top, right, bottom = box_of(frame, hand)
    margin = 0.15 * max(right - left, bottom - top)
    parts = [
        frame[:, : max(0, int(left - margin))],
        frame[:, int(right + margin) :],
        frame[: max(0, int(top - margin))],
    ]
    part = max(parts, key=lambda each: min(each.shape[:2]))
    return np.asarray(cv2.resize(part, (width, height)), np.uint8) if min(part.shape[:2]) >= 48 else None


def two_hands(frame: Frame, _: Hand, __: np.random.Generator) -> Frame:
    """Append the mirrored frame, which shows a second hand."""
    return np.hstack([frame, frame[:, ::-1]])


def repeated(frame: Frame, _: Hand, rng: np.random.Generator) -> Frame:
    """Re-encode a frame, slightly brighter or darker."""
    lit = np.clip(frame * rng.uniform(0.95, 1.05), 0, 255).astype(np.uint8)
    return decode_image(encode_jpeg(lit, quality=int(rng.integers(70, 95))))


SPOILS: dict[str, Spoil] = {
    "blurred": blurred, "too-dark": dark, "too-bright": bright, "cut-off": cut,
    "no-hand": no_hand, "two-hands": two_hands, "too-alike": repeated,
}  # fmt: skip


@lru_cache(maxsize=1)
def landmarker() -> HandLandmarker:
    """Load the hand landmarker once per process."""
    cv2.setNumThreads(1)
    return HandLandmarker(max_hands=2)


def measure(frame: Frame) -> FrameMetrics:
    """Measure a frame as the recorder does."""
    return measure_frame(frame, landmarker().find_all(frame))


@dataclass(kw_only=True)
class Tally:
    """Results for one letter of one signer."""

    person: str
    frames: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    planted: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))


def walk(job: tuple[str, str, Sequence[Any], int]) -> Tally:
    """Judge the frames of one letter as the recorder does, and degraded copies of `plant` good frames of each kind."""
    person, letter, paths, plant = job
    config, known, tally = load_settings("gate", GateConfig), KeptFrames(), Tally(person=person)
    rng = np.random.default_rng([ord(letter), len(paths), len(person)])
    chosen = set(rng.choice(len(paths), size=min(len(paths), 6 * plant), replace=False).tolist())
    wanted = {kind: plant for kind in SPOILS}
    for number, source in enumerate(paths):
        frame = decode_image(source.read_bytes()) if isinstance(source, Path) else source
        seen = measure(frame)
        reasons = judge_frame(seen, known, config)
        tally.frames += 1
        if reasons:
            tally.rejected[reasons[0]] += 1
        else:
            known.add(str(number), seen)
        if number in chosen and not set(reasons) - {"too-alike"}:
            spoil_all(frame, seen, wanted, tally, config, rng)
    return tally


def spoil_all(
    frame: Frame, seen: FrameMetrics, wanted: dict[str, int], tally: Tally, config: GateConfig, rng: np.random.Generator
) -> None:
    """Judge a copy of each kind that is still wanted, and count the reasons."""
    assert seen.hand is not None
    known = KeptFrames()
    known.add("original", seen)
    for kind, spoil in SPOILS.items():
        if wanted[kind] and (bad := spoil(frame, seen.hand, rng)) is not None:
            wanted[kind] -= 1
            reasons = judge_frame(measure(decode_image(encode_jpeg(bad, quality=90))), known, config)
            tally.planted[kind][" ".join(reasons) or "stored"] += 1


def real(folder: Path) -> Iterator[tuple[str, str, Sequence[Any]]]:
    """Yield the images of each letter of each signer."""
    for person in sorted(path for path in folder.iterdir() if path.is_dir()):
        for letter in LETTERS:
            yield person.name, letter, sorted((person / letter).glob("*.jpg"), key=lambda path: natural_key(path.name))


def synthetic() -> Iterator[tuple[str, str, Sequence[Any]]]:
    """Yield a few frames of each letter of two synthetic signers."""
    for name in ("synthetic-ada", "synthetic-ben"):
        who = Signer.draw(name)
        for letter in LETTERS:
            stream = render_frames(letter, signer=who, session=SyntheticSession.draw(who, "one"), fps=5.0)
            yield name, letter, [each.image for each in islice(stream, 10)]


def main() -> None:
    """Print the results for degraded frames and for whole recordings."""
    parts = list(real(Path(sys.argv[1])) if len(sys.argv) > 1 else synthetic())
    each = -(-PLANTED // len(parts))
    with get_context("spawn").Pool() as pool:
        tallies = list(pool.imap(walk, [(*part, each) for part in parts]))
    rng = np.random.default_rng(0)
    print("| degradation | frames | rejected | with that reason | other reasons, or stored |\n|---|---|---|---|---|")
    for kind in SPOILS:
        outcomes = [outcome for tally in tallies for outcome in tally.planted[kind].elements()]
        outcomes = list(rng.permutation(outcomes)[:PLANTED])
        count = max(len(outcomes), 1)
        rejected = sum(outcome != "stored" for outcome in outcomes)
        right = sum(kind in outcome.split() for outcome in outcomes)
        others = Counter(outcome.split()[0] for outcome in outcomes if kind not in outcome.split())
        reasons = ", ".join(f"{reason} {number}" for reason, number in others.most_common())
        print(f"| {kind} | {len(outcomes)} | {rejected / count:.1%} | {right / count:.1%} | {reasons} |")
    print(f"\n| recorded | frames | stored | {' | '.join(REASONS)} |\n|---|---|---|{'---|' * len(REASONS)}")
    for person in dict.fromkeys(tally.person for tally in tallies):
        own = [tally for tally in tallies if tally.person == person]
        total, rejected_for = sum(t.frames for t in own), sum((t.rejected for t in own), Counter[str]())
        shares = " | ".join(f"{rejected_for[reason] / total:.2%}" for reason in REASONS)
        print(f"| {person} | {total:,} | {1 - rejected_for.total() / total:.1%} | {shares} |")


if __name__ == "__main__":
    main()
