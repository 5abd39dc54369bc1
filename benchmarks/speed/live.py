"""Speed of live recognition: frame to letter, start to first letter, memory and file handles over time.

    ./run bench live RUN --frames 20000

RUN is a run folder. Frames are 640×480, of a synthetic signer. MediaPipe alone is timed alternately on the same frames,
so that the ratio is valid on a busy machine. For memory, --frames frames of 160×120 are read; with --stub, the hand
landmarker is replaced by a stub.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aslkit.core.config import load_settings
from aslkit.live.config import LiveConfig
from aslkit.live.reader import Reader
from aslkit.live.recogniser import Recogniser
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import Hand, HandLandmarker
from aslkit.vision.images import Frame


def pictures(count: int, size: tuple[int, int] = (640, 480)) -> list[Frame]:
    """Return frames of a few letters, BGR, uint8."""
    who = Signer.draw("synthetic-ada")
    found: list[Frame] = []
    for letter in "ABLY":
        stream = render_frames(
            letter, signer=who, session=SyntheticSession.draw(who, "one"), width=size[0], height=size[1]
        )
        found += [next(stream).image for _ in range(count // 4)]
    return found


def latency(run: Path) -> None:
    """Print the latency of frame to letter and of MediaPipe alone, in milliseconds."""
    shown = pictures(200)
    whole, alone = [], []
    with Recogniser(run, consecutive=True) as recogniser, HandLandmarker() as landmarker:
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=load_settings("live", LiveConfig))
        for index, frame in enumerate(shown):
            began = time.perf_counter()
            landmarker.find(frame)
            middle = time.perf_counter()
            reader.read(frame, index / 30)
            alone.append(middle - began)
            whole.append(time.perf_counter() - middle)
    for name, times in (("frame to letter", whole[20:]), ("MediaPipe alone", alone[20:])):
        print(f"{name:16} p50 {np.percentile(times, 50) * 1e3:6.1f} ms   p95 {np.percentile(times, 95) * 1e3:6.1f} ms")
    print(f"ratio of the medians {np.median(whole[20:]) / np.median(alone[20:]):.2f}")


def start(run: Path) -> None:
    """Print the seconds from the command to its first letter."""
    command = [sys.executable, "-m", "aslkit", "live", str(run), "--source", "synthetic", "--letter", "B", "--json"]
    began = time.perf_counter()
    with subprocess.Popen([*command, "--limit-s", "3"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"hand"' in line or '"letter"' in line:
                print(f"start to {line.split(chr(34))[3]:10} {time.perf_counter() - began:5.1f} s")


class Stub:
    """Hand landmarker that finds a hand in two of three frames."""

    def __init__(self) -> None:
        points = np.random.default_rng(0).uniform(0.3, 0.7, (21, 3)).astype(np.float32)
        self._hand, self._number = Hand(landmarks=points, handedness="right", score=0.9), 0

    def find(self, frame: Frame) -> Hand | None:
        """See `HandLandmarker.find`."""
        self._number += 1
        return self._hand if self._number % 3 else None

    def close(self) -> None:
        """Do nothing."""


def flat(run: Path, count: int, *, stub: bool) -> None:
    """Print memory and file handles over many frames."""
    shown = pictures(40, (160, 120))
    with Recogniser(run, consecutive=True, hand_finder=Stub() if stub else None) as recogniser:
        reader = Reader(recogniser=recogniser, contract=recogniser.contract, config=load_settings("live", LiveConfig))
        began = time.perf_counter()
        for number, frame in zip(range(count), _repeat_forever(shown), strict=False):
            reader.read(frame, number / 30)
            if number % max(count // 5, 1) == 0 or number == count - 1:
                print(f"frame {number:7,}  {_memory():6.0f} MiB  {_handles()} handles", flush=True)
        print(
            f"{count / (time.perf_counter() - began):.0f} frames per second{', with a stub landmarker' if stub else ''}"
        )


def _repeat_forever(shown: list[Frame]) -> Iterator[Frame]:
    while True:
        yield from shown


def _memory() -> float:
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _handles() -> int:
    return len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0  # noqa: PTH208


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--stub", action="store_true", help="replace the hand landmarker by a stub")
    options = parser.parse_args()
    start(options.run)
    latency(options.run)
    flat(options.run, options.frames, stub=options.stub)


if __name__ == "__main__":
    main()
