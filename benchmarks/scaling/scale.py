"""Time and peak memory of curation, with each image once and re-encoded ten ways.

    ./run bench scale [FOLDER] [--landmarks]

FOLDER has captures, SIGNER/LETTER/*.jpg; without it, synthetic images are generated. Without --landmarks, hands are not
detected, which saves 90 % of the time; memory does not depend on the number of images.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from itertools import repeat
from pathlib import Path
from threading import Thread

import psutil

from aslkit.vision.images import decode_image, encode_jpeg
from benchmarks.speed.curation import curated, frames, map_local, pictures

COPIES = 10
IMAGES_PER_PART = 64


def reencode(parts: tuple[list[Path], Path]) -> int:
    """Re-encode a part of the images at COPIES qualities."""
    paths, to = parts
    for path in paths:
        image = decode_image(path.read_bytes())
        for way in range(COPIES):
            copy = to.joinpath(*path.parts[-3:-1], f"{path.stem}-{way}.jpg")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(encode_jpeg(image, quality=50 + 5 * way))
    return len(paths)


def watch(sizes: list[int]) -> None:
    """Track the memory of the largest child process, forever; `getrusage` would include that of their parent."""
    me = psutil.Process()
    while True:
        for child in me.children():
            with suppress(psutil.NoSuchProcess):
                sizes[0] = max(sizes[0], child.memory_info().rss)
        time.sleep(0.2)


def here(folder: Path, *, hands: bool) -> None:
    """Curate in this process, and print the time and memory."""
    captured, start, sizes = frames(folder), time.perf_counter(), [0]
    Thread(target=watch, args=(sizes,), daemon=True).start()
    with tempfile.TemporaryDirectory() as cache:
        result = curated(captured, Path(cache), hands=hands)
    seconds = time.perf_counter() - start
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    memory = f"peak {own} MB, of a worker {max(sizes) >> 20} MB"
    print(f"{len(captured):8,} images {seconds:8.1f} s   {memory}   {result}")


def main() -> None:
    """Measure each size in its own process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--landmarks", action="store_true")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        here(given.folder, hands=given.landmarks)
        return
    more = ["--landmarks"] if given.landmarks else []
    with pictures(given.folder) as folder, tempfile.TemporaryDirectory() as name:
        paths = [frame.path for frame in frames(folder)]
        parts = [paths[start : start + IMAGES_PER_PART] for start in range(0, len(paths), IMAGES_PER_PART)]
        sum(map_local(reencode, zip(parts, repeat(Path(name)))))  # type: ignore[arg-type,type-var]
        for each in (folder, Path(name)):
            subprocess.run([sys.executable, "-m", "benchmarks.scaling.scale", str(each), "--here", *more], check=True)


if __name__ == "__main__":
    main()
