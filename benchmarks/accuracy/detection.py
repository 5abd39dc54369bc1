"""Hand detection: rate per person, false hands in the same frames with the hand painted out, and time per frame.

    ./run bench detection FRAMES [--limit 500] [--sheet detections.jpg]

FRAMES is a folder of frames with one hand each, PERSON/LETTER/*. `first` is MediaPipe's first attempt, `padded` adds
the padded frame, and `retries` all retries; `spread` shows each frame 20 times, as a camera does of a still hand. A
detection is not a correct one: --sheet writes the landmarks of every hand, and the frames with a false hand. The hand
is painted out where `retries` found it. Exits with 1 if more than 1 % of the frames without a hand contain one that the
retries found.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame, decode_image

REPEATS = 20
MAX_FALSE_HANDS = 0.01
MAX_PAINTED = 0.6  # of the frame; above it, nothing of the room is left

Attempt = Callable[[Frame], Hand | None]


def paint_out(frame: Frame, hand: Hand) -> Frame | None:
    """Return the frame with the hand's box, enlarged by 20 %, filled from its surroundings; None if little is left."""
    height, width = frame.shape[:2]
    small = cv2.resize(frame, (160, round(160 * height / width)), interpolation=cv2.INTER_AREA)
    left, top, right, bottom = hand.box.tolist()
    grow = 0.2 * max(right - left, bottom - top)
    rows = slice(*(np.clip([top - grow, bottom + grow], 0, 1) * small.shape[0]).astype(int).tolist())
    columns = slice(*(np.clip([left - grow, right + grow], 0, 1) * small.shape[1]).astype(int).tolist())
    mask = np.zeros(small.shape[:2], np.uint8)
    mask[rows, columns] = 255
    if mask.mean() > MAX_PAINTED * 255:
        return None
    filled = cv2.resize(cv2.inpaint(small, mask, 3, cv2.INPAINT_TELEA), (width, height))
    inside = cv2.resize(mask, (width, height))[..., None] > 127
    return np.where(inside, filled, frame).astype(np.uint8)


def timed(find: Attempt, frame: Frame, times: dict[bool, list[float]]) -> Hand | None:
    """Return the hand, and append the milliseconds to `times`, by whether there is one."""
    start = time.perf_counter()
    hand = find(frame)
    times[hand is not None].append((time.perf_counter() - start) * 1e3)
    return hand


def describe_times(times: list[float]) -> str:
    """Return median and 95th percentile of milliseconds."""
    if not times:
        return "       –"
    return f"median {np.median(times):6.1f} ms   p95 {np.percentile(times, 95):6.1f} ms   ({len(times)} frames)"


def draw_hand(frame: Frame, hand: Hand) -> Frame:
    """Return the frame, 320 pixels wide, with the joints as dots; fingertips are red."""
    shown = cv2.resize(frame, (320, 240))
    for joint, (x, y) in enumerate((hand.landmarks[:, :2] * (320, 240)).astype(int).tolist()):
        cv2.circle(shown, (x, y), 3, (0, 0, 255) if joint in (4, 8, 12, 16, 20) else (0, 255, 0), -1)
    return np.asarray(shown, np.uint8)


def save_sheet(path: Path, shown: list[Frame], columns: int = 8) -> None:
    """Write the frames as one image."""
    shown = shown + [np.zeros_like(shown[0])] * (-len(shown) % columns)
    rows = [np.hstack(shown[start : start + columns]) for start in range(0, len(shown), columns)]
    cv2.imwrite(str(path), np.vstack(rows))


def main() -> int:
    """Print the tables, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("frames", type=Path, nargs="?")
    parser.add_argument("--limit", type=int, default=500)
    parser.add_argument("--sheet", type=Path)
    given = parser.parse_args()
    if given.frames is None:
        print("Specify a folder of FRAMES.")
        return 0
    cv2.setNumThreads(1)
    paths = sorted(path for path in given.frames.glob("*/*/*") if path.is_file())
    paths = [paths[index] for index in np.linspace(0, len(paths) - 1, min(given.limit, len(paths))).astype(int)]
    return measure(paths, given.frames, given.sheet)


def measure(paths: list[Path], root: Path, sheet: Path | None) -> int:
    """Print the tables for frames in ROOT/PERSON/LETTER, and return the exit code."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("frames", *NAMES), 0))
    times: dict[str, dict[bool, list[float]]] = {name: {True: [], False: []} for name in (*NAMES, *EMPTY)}
    shown, empty, false_first, false_retries = [], 0, 0, 0
    with (
        HandLandmarker(second_try=False) as first,
        HandLandmarker() as every,
        HandLandmarker(spread_retries=True) as spread,
    ):
        for path in paths:
            frame, row = decode_image(path.read_bytes()), found[path.relative_to(root).parts[0]]
            row["frames"] += 1
            at_first = timed(first.find, frame, times["first"])
            row["first"] += at_first is not None
            padded = at_first is not None or bool(every._detect_padded(frame))
            row["padded"] += padded
            hand = timed(every.find, frame, times["retries"])
            row["retries"] += hand is not None
            row["spread"] += any([timed(spread.find, frame, times["spread"]) for _ in range(REPEATS)])
            if hand is None:
                continue
            shown.append(draw_hand(frame, hand))
            without = paint_out(frame, hand)
            if without is None:
                continue
            empty += 1
            if first.find(without) is not None:
                false_first += 1
                continue
            if timed(every.find, without, times["no hand"]) is not None:
                false_retries += 1
                shown.append(without)
            for _ in range(REPEATS):
                timed(spread.find, without, times["no hand, spread"])
    report(found, times, f"{false_first} by the first attempt, {false_retries} by the retries only, of {empty}")
    if sheet and shown:
        save_sheet(sheet, shown)
    return int(false_retries > MAX_FALSE_HANDS * max(empty, 1))


NAMES = ("first", "padded", "retries", "spread")
EMPTY = ("no hand", "no hand, spread")


def report(found: dict[str, dict[str, int]], times: dict[str, dict[bool, list[float]]], false_hands: str) -> None:
    """Print what was measured."""
    total = {name: sum(row[name] for row in found.values()) for name in ("frames", *NAMES)}
    print(f"{'person':12} {'frames':>6}" + "".join(f"{name:>10}" for name in NAMES))
    for who, row in [*found.items(), ("all", total)]:
        print(f"{who:12} {row['frames']:6}" + "".join(f"{row[name] / row['frames']:10.1%}" for name in NAMES))
    print(f"hands in frames with the hand painted out: {false_hands}")
    for name, by_found in times.items():
        if any(by_found.values()):
            print(f"{name:16} hand found   {describe_times(by_found[True])}")
            print(f"{'':16} none found   {describe_times(by_found[False])}")


if __name__ == "__main__":
    sys.exit(main())
