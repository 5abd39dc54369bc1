"""Time of measuring an image relative to MediaPipe alone, its lower bound; median of several rounds.

Usage: ./run bench describe [FOLDER]    images in FOLDER; without it, synthetic ones
"""

import statistics
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pyarrow as pa

from aslkit.core.letters import LETTERS
from aslkit.curate.measure.measure import BYTES_SCHEMA, MeasureOptions, measure_batch
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.hand_landmarker import MIN_CONFIDENCE, HandLandmarker
from aslkit.vision.images import decode_image, encode_jpeg

IMAGES = 96
ROUNDS = 5


def pictures(folder: str | None) -> list[bytes]:
    """Return encoded images sampled evenly from a folder, or four of each letter of a synthetic signer."""
    if folder:
        paths = sorted(Path(folder).rglob("*.jpg"))
        return [path.read_bytes() for path in paths[:: max(1, len(paths) // IMAGES)][:IMAGES]]
    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    streams = (render_frames(letter, signer=signer, session=session, fps=2.0) for letter in LETTERS)
    return [encode_jpeg(frame.image) for stream in streams for frame in islice(stream, IMAGES // len(LETTERS))]


def seconds(work: Callable[[], object]) -> float:
    """Return the duration of a call in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    """Time both alternately, so that other load affects both equally."""
    images = pictures(sys.argv[1] if len(sys.argv) > 1 else None)
    options = MeasureOptions(min_confidence=MIN_CONFIDENCE, second_try=True)
    batch = pa.RecordBatch.from_pylist(
        [{"content": str(i), "bytes": image} for i, image in enumerate(images)], BYTES_SCHEMA
    )
    decoded = [decode_image(image) for image in images]
    ratios, floors = [], []
    with HandLandmarker() as landmarker:
        measure_batch(batch.slice(0, 2), options)  # loads its landmarker
        for _ in range(ROUNDS):
            floor = seconds(lambda: [landmarker.find(frame) for frame in decoded])
            ratios.append(seconds(lambda: measure_batch(batch, options)) / floor)
            floors.append(floor / len(images) * 1000)
    floor, ratio = statistics.median(floors), statistics.median(ratios)
    print(f"MediaPipe alone: {floor:.1f} ms per image; measuring / MediaPipe = {ratio:.2f}")


if __name__ == "__main__":
    main()
