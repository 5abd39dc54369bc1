"""Speed of curation compared with CleanVision, fastdup, imagededup, MediaPipe alone, and decoding alone.

    ./run bench curation [FOLDER [PEERS]]

FOLDER has captures, SIGNER/LETTER/*.jpg, all of which are used; without it, synthetic images are generated. PEERS is
the Python of an environment with the other libraries, which need different versions of shared dependencies:
`python -m venv peers && peers/bin/pip install cleanvision fastdup imagededup`. "without landmarks" is what they can be
compared with: hashes, quality, exact and near-duplicates. "and copies" also searches augmented copies.
Each is timed in a new process with a warm page cache; `--rounds N` reports medians. CPU seconds over all cores are
printed as well, because other load affects them least.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

from aslkit.core.config import load_settings
from aslkit.core.files import file_hash
from aslkit.core.letters import LETTERS
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.exact_duplicates import drop_exact_duplicates
from aslkit.curate.filter.select import select_frames
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Local, map_local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.curate.measure.measure import MeasureOptions
from aslkit.formats.captures import CapturedFrame, SessionInfo
from aslkit.synthetic import Signer, SyntheticSession, render_frames
from aslkit.vision.images import decode_image, encode_jpeg

SYNTHETIC_FRAMES = 4
"""Frames per letter of the two synthetic signers."""

PEERS = {
    "imagededup": """
        from imagededup.methods import PHash
        hasher = PHash(verbose=False)
        hashes = hasher.encode_images(image_dir=folder)
        found = hasher.find_duplicates(encoding_map=hashes, max_distance_threshold=4)
        said = sum(1 for each in found.values() if each)
    """,
    "cleanvision": """
        from cleanvision import Imagelab
        lab = Imagelab(data_path=folder)
        lab.find_issues(verbose=False)
        said = len(lab.issues)
    """,
    "fastdup": """
        import fastdup, tempfile
        work = fastdup.create(work_dir=tempfile.mkdtemp(), input_dir=folder)
        work.run(overwrite=True)
        said = len(work.similarity())
    """,
}


@contextmanager
def pictures(folder: Path | None) -> Iterator[Path]:
    """Yield the folder, or a temporary one with images of synthetic signers."""
    if folder:
        yield folder
        return
    with tempfile.TemporaryDirectory() as name:
        for signer in map(Signer.draw, ("synthetic-ada", "synthetic-ben")):
            for letter in LETTERS:
                target = Path(name) / signer.name / letter
                target.mkdir(parents=True)
                stream = render_frames(letter, signer=signer, session=SyntheticSession.draw(signer, "one"), fps=2.0)
                for number, frame in enumerate(islice(stream, SYNTHETIC_FRAMES)):
                    (target / f"{number}.jpg").write_bytes(encode_jpeg(frame.image))
        yield Path(name)


def frames(folder: Path) -> list[CapturedFrame]:
    """Return all images as captured frames."""
    return [
        CapturedFrame(path=path, signer=path.parts[-3], session="one", letter=path.parts[-2])
        for path in sorted(folder.glob("*/?/*.*"))
    ]


def curated(captured: list[CapturedFrame], cache: Path, *, hands: bool, copies: bool = True) -> str:
    """Measure, check and group the frames without writing a dataset, and return the counts as text.

    Args:
        captured: the frames.
        cache: folder of the caches.
        hands: whether to detect hands.
        copies: whether to search augmented copies, as in imported images. None of the other libraries does.
    """
    config, checks, engine = load_settings("curate", CurateConfig), load_settings("checks", CheckConfig), Local()
    contents = [file_hash(frame.path) for frame in captured]
    options = MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try, hands=hands)
    cached = MeasurementCache(folder=cache, options=options)
    cached.fill({content: frame.path for content, frame in zip(contents, captured, strict=True)}, engine)
    measurements = cached.get(contents)
    kept, rejected = drop_exact_duplicates(
        captured, *(measurements.column(name).to_pylist() for name in ("error", "sha256"))
    )
    remaining, measurements = [captured[index] for index in kept], measurements.take(kept)
    sessions = {
        (frame.signer, frame.session): SessionInfo(
            signer=frame.signer, session=frame.session, camera="unknown" if copies else "camera 0"
        )
        for frame in remaining
    }
    group = group_frames(
        remaining, measurements, sessions, limits=config.limits, engine=engine, cache=cache / "copies.json"
    )
    selection = select_frames(remaining, measurements, group, config=checks, keep_per_group=0)
    return f"{len(rejected)} rejected, {len(set(group.tolist()))} groups, {len(selection.dropped)} dropped"


def bare(paths: list[Path]) -> int:
    """Read and decode images only."""
    return sum(decode_image(path.read_bytes()).shape[0] > 0 for path in paths)


def landmarks(paths: list[Path]) -> int:
    """Run MediaPipe alone, with a single attempt per image."""
    import cv2

    from aslkit.vision.hand_landmarker import HandLandmarker

    cv2.setNumThreads(1)
    with HandLandmarker(second_try=False) as landmarker:
        return sum(landmarker.find(decode_image(path.read_bytes())) is not None for path in paths)


def spread(work: str, paths: list[Path]) -> str:
    """Run a function of this module on all cores."""
    parts = [paths[start : start + 32] for start in range(0, len(paths), 32)]
    return str(sum(map_local(globals()[work], parts)))


def here(what: str, folder: Path) -> str:
    """Run one of our own tasks in this process."""
    captured = frames(folder)
    if what in ("bare", "landmarks"):
        return spread(what, [frame.path for frame in captured])
    with tempfile.TemporaryDirectory() as cache:
        if what == "second":  # all but a hundred images are cached
            curated(captured[100:], Path(cache), hands=True)
            start = time.perf_counter()
            result = curated(captured, Path(cache), hands=True)
            return f"{time.perf_counter() - start:.1f} s for the second run: {result}"
        return curated(captured, Path(cache), hands=what == "with landmarks", copies=what != "without landmarks")


def timed(command: list[str]) -> tuple[float, float, str]:
    """Return the seconds, the CPU seconds, and the last line of the output."""
    # Packages installed by pip are byte-compiled. Allow it for aslkit as well, as for a user after the first run.
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start, before = time.perf_counter(), _processor()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=compiled)
    seconds, processor = time.perf_counter() - start, _processor() - before
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return seconds, processor, lines[-1][:150] if lines else "no output"


def _processor() -> float:
    """Return the CPU seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def flat(folder: Path, to: Path) -> None:
    """Link or copy all files into one folder, which some of the other libraries need."""
    for frame in frames(folder):
        os.link(frame.path, to / frame.key.replace("/", "-")) if same_disk(folder, to) else shutil.copy(
            frame.path, to / frame.key.replace("/", "-")
        )


def same_disk(one: Path, other: Path) -> bool:
    """Return whether files can be linked."""
    return one.stat().st_dev == other.stat().st_dev


def main() -> None:
    """Print seconds and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("peers", nargs="?")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", action="append")
    parser.add_argument("--do", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.do:
        print(here(given.do, given.folder))
        return
    with pictures(given.folder) as folder, tempfile.TemporaryDirectory() as name:
        flat(folder, Path(name))
        commands = {
            what: [sys.executable, __file__, str(folder), "--do", what]
            for what in ("bare", "without landmarks", "and copies", "landmarks", "with landmarks", "second")
        }
        if given.peers:
            for peer, code in PEERS.items():
                script = f"folder = {json.dumps(name)}\n{textwrap.dedent(code)}\nprint(said, 'found')"
                commands[peer] = [given.peers, "-c", script]
        commands = {what: command for what, command in commands.items() if not given.only or what in given.only}
        taken: dict[str, list[tuple[float, float]]] = {what: [] for what in commands}
        for _ in range(given.rounds):
            for what, command in commands.items():
                seconds, processor, output = timed(command)
                taken[what].append((seconds, processor))
                print(f"{what:20}{seconds:8.1f} s {processor:8.1f} s CPU   {output}", flush=True)
    print_ratios(taken)


def print_ratios(taken: dict[str, list[tuple[float, float]]]) -> None:
    """Print the ratios of wall-clock and CPU time, as medians of the rounds."""
    for what, other in (("imagededup", "without landmarks"), ("cleanvision", "without landmarks"),
                        ("fastdup", "without landmarks"), ("with landmarks", "landmarks"),
                        ("without landmarks", "bare")):  # fmt: skip
        if what in taken and other in taken:
            pairs = list(zip(taken[what], taken[other], strict=True))
            seconds, processor = (statistics.median(one[at] / two[at] for one, two in pairs) for at in (0, 1))
            print(f"{what} / {other} = {seconds:.2f}; CPU {processor:.2f}")


if __name__ == "__main__":
    main()
