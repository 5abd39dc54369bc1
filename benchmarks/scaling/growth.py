"""Time and memory of each stage as the number of rows grows.

    ./run bench growth [WORKSPACE] [--times 1 10 100] [--frames | --pictures] [--plot growth.png]

WORKSPACE has captures; without it, synthetic ones are generated.

The measurements of each frame are repeated with random changes to hashes and landmarks, so that no two rows are equal.
`--times 100` of 14,448 rows makes 1,444,800. By default, each repetition has new signers. With `--frames` the signers
stay the same and have more frames; because all pairs within a signer's letter are compared, time then grows
quadratically. Images are not repeated: measuring takes the same time for each, and is timed on a sample. With
`--pictures`, only measuring is timed, on rotated, shifted and re-encoded copies of all images.

Each count runs in its own process. Memory is the peak of a stage, including the Python interpreter.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np
import psutil
import pyarrow as pa

from aslkit.core.config import load_settings
from aslkit.core.files import file_hash
from aslkit.core.workspace import Workspace
from aslkit.curate.config import CurateConfig
from aslkit.curate.filter.checks import CheckConfig
from aslkit.curate.filter.exact_duplicates import drop_exact_duplicates
from aslkit.curate.filter.select import select_frames
from aslkit.curate.measure import measure
from aslkit.curate.measure import table as measure_table
from aslkit.curate.measure.cache import MeasurementCache
from aslkit.curate.measure.engine import Local
from aslkit.curate.measure.group_frames import group_frames
from aslkit.datasets import parquet_store
from aslkit.datasets.split import SplitFrames, split_frames
from aslkit.formats.captures import CapturedFrame, SessionInfo, walk_captures
from aslkit.vision.images import decode_image, encode_jpeg, read_image_file
from benchmarks.speed.curation import pictures

SAMPLE = 600
"""Number of images that are measured to estimate the time per image."""

FLIPPED_SHARE = 0.12
"""Share of a hash's bits that are flipped; images that differ by so many bits are not near-duplicates."""

Measured = dict[str, dict[str, float]]

_MODULE = "benchmarks.scaling.growth"


@contextmanager
def measured(name: str, into: Measured) -> Iterator[None]:
    """Record the seconds and the peak memory of this process and its children."""
    done, peak = Event(), [0]

    def watch() -> None:
        me = psutil.Process()
        while not done.wait(0.05):
            peak[0] = max(peak[0], me.memory_info().rss + sum(_size(each) for each in me.children()))

    Thread(target=watch, daemon=True).start()
    start = time.perf_counter()
    yield
    into[name] = {"seconds": time.perf_counter() - start, "mib": peak[0] / 2**20}
    done.set()
    print(f"    {name:28} {into[name]['seconds']:9.1f} s {into[name]['mib']:9,.0f} MiB", file=sys.stderr, flush=True)


def _size(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def described(workspace: Workspace, config: CurateConfig) -> tuple[list[CapturedFrame], pa.Table]:
    """Return the readable frames and their measurements."""
    frames = list(walk_captures(workspace.captures))
    contents = [file_hash(frame.path) for frame in frames]
    options = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    known = MeasurementCache(folder=workspace.measurements, options=options)
    known.fill({c: frame.path for c, frame in zip(contents, frames, strict=True)}, Local())
    seen = known.get(contents)
    kept, _ = drop_exact_duplicates(frames, *(seen.column(name).to_pylist() for name in ("error", "sha256")))
    return [frames[index] for index in kept], seen.take(kept)


def repeated(
    frames: list[CapturedFrame], seen: pa.Table, times: int, *, same_people: bool
) -> tuple[list[CapturedFrame], pa.Table]:
    """Repeat all frames with new signers, or with new sessions of the same signers."""
    rng = np.random.default_rng(0)
    more, tables = list(frames), [seen]
    for turn in range(1, times):
        tables.append(_shaken(seen, turn, rng))
        for frame in frames:
            signer, session = (frame.signer, f"again-{turn}") if same_people else (f"{frame.signer}-{turn}", "one")
            more.append(CapturedFrame(path=frame.path, signer=signer, session=session, letter=frame.letter))
    return more, pa.concat_tables(tables).combine_chunks()


def _shaken(seen: pa.Table, turn: int, rng: np.random.Generator) -> pa.Table:
    turned = np.packbits(rng.random((len(seen), 64)) < FLIPPED_SHARE, axis=1).view(np.uint64).ravel()
    values = pa.array(seen.column("phash").to_numpy() ^ turned, pa.uint64())
    seen = seen.set_column(seen.schema.get_field_index("phash"), seen.schema.field("phash"), values)
    hands = seen.column("landmarks").combine_chunks()
    shaken = hands.flatten().to_numpy() + rng.normal(0, 0.004, 63 * (len(hands) - hands.null_count)).astype(np.float32)
    values = _with_nulls(hands, shaken)
    seen = seen.set_column(seen.schema.get_field_index("landmarks"), seen.schema.field("landmarks"), values)
    names = pa.array([f"{turn:x}{each[len(f'{turn:x}') :]}" for each in seen.column("sha256").to_pylist()])
    at = seen.schema.get_field_index("sha256")
    return seen.set_column(at, seen.schema.field("sha256"), names.cast(seen.schema.field("sha256").type))


def _with_nulls(hands: Any, values: Any) -> Any:
    there = hands.is_valid().to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.cumsum(63 * there)]).astype(np.int32)
    offsets = pa.array(starts, mask=np.concatenate([~there, [False]]))
    return pa.ListArray.from_arrays(offsets, pa.array(values)).cast(hands.type)


def measure_all(root: Path, times: int) -> dict[str, Any]:
    """Measure several rotated, shifted and re-encoded copies of every image."""
    into: Measured = {}
    config = load_settings("curate", CurateConfig)
    settings = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    with tempfile.TemporaryDirectory() as folder:
        images = {
            str(path): path
            for path in _jittered(list(walk_captures(root / "captures")), times, Path(folder) / "images")
        }
        known = MeasurementCache(folder=Path(folder) / "known", options=settings)
        with measured("measure images", into):
            known.fill(images, Local())
        found = known.get(list(images)).column("landmarks")
        into["measure images"]["hands"] = 1 - found.null_count / len(found)
    return {"rows": len(images), "stages": into}


def _jittered(frames: list[CapturedFrame], times: int, folder: Path) -> Iterator[Path]:
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number, frame in enumerate(frames):
        pixels = decode_image(read_image_file(frame.path))
        height, width = pixels.shape[:2]
        for turn in range(times):
            moved = cv2.getRotationMatrix2D((width / 2, height / 2), *rng.normal((0, 1), (3, 0.02)))
            moved[:, 2] += rng.normal(0, 0.01, 2) * (width, height)
            image = cv2.warpAffine(pixels, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
            path = folder / f"{number}-{turn}.jpg"
            path.write_bytes(encode_jpeg(image, quality=int(rng.integers(80, 96))))
            yield path


def stages(root: Path, times: int, *, same_people: bool) -> dict[str, Any]:
    """Time all stages of curation, and reading for training; for training see training_growth."""
    into: Measured = {}
    workspace, config, engine = Workspace(root=root), load_settings("curate", CurateConfig), Local()
    frames, seen = described(workspace, config)
    if times == 1:
        _time_measuring(frames, config, into)
    frames, seen = repeated(frames, seen, times, same_people=same_people)
    infos = {
        key: SessionInfo(signer=key[0], session=key[1], camera="camera 0", licence="CC0-1.0")
        for key in {(frame.signer, frame.session) for frame in frames}
    }
    with measured("group near-duplicates", into):
        group = group_frames(frames, seen, infos, limits=config.limits, engine=engine, cache=root / "copies.json")
    with measured("check frames and labels", into):
        found = select_frames(frames, seen, group, config=load_settings("checks", CheckConfig), keep_per_group=0)
    frames, seen, group = [frames[index] for index in found.kept], seen.take(found.kept), group[found.kept]
    with measured("build rows and split", into):
        table = measure_table.build_table(frames, seen, group, infos)
        parts = split_frames(
            SplitFrames(
                signer=np.array(table.column("signer").to_pylist()),
                session=np.array(table.column("session").to_pylist()),
                label=table.column("label").to_numpy(),
                group=group,
            ),
            test_share=config.test_share, validation_share=config.validation_share, gap_share=config.gap_share,
            seed=0, hold_out=(),
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        with measured("write Parquet without images", into):
            for name in ("train", "validation", "test"):
                part = table.filter(pa.array(parts.names == name))
                groups = (
                    part.slice(at, parquet_store.ROWS_PER_GROUP)
                    for at in range(0, len(part), parquet_store.ROWS_PER_GROUP)
                )
                parquet_store.write_split(Path(folder), name, _named(groups), facts={})
        del table, seen, found, frames
        _read_for_training(Path(folder), into)
    return {"rows": len(group), "stages": into}


def _named(groups: Iterator[pa.Table]) -> Iterator[pa.Table]:
    for number, part in enumerate(groups):
        names = [{"bytes": None, "path": f"a/b/A/{number}-{row}.jpg"} for row in range(len(part))]
        at = part.schema.get_field_index("image")
        yield part.set_column(at, "image", pa.array(names, part.schema.field(at).type))


def _time_measuring(frames: list[CapturedFrame], config: CurateConfig, into: Measured) -> None:
    """Time measuring on a sample, and extrapolate to all images."""
    some = frames[:: max(len(frames) // SAMPLE, 1)]
    options = measure.MeasureOptions(min_confidence=config.min_confidence, second_try=config.second_try)
    with measured("measure images", into), tempfile.TemporaryDirectory() as cache:
        MeasurementCache(folder=Path(cache), options=options).fill({str(f.path): f.path for f in some}, Local())
    into["measure images"]["seconds"] *= len(frames) / len(some)


def _read_for_training(folder: Path, into: Measured) -> None:
    from aslkit.train.data import samples as data
    from aslkit.train.data.features import get_feature

    with measured("read for training", into):
        data.load_samples(folder, get_feature("landmarks").contract)


# --- The plot ------------------------------------------------------------------------------------------------------


def plot(found: list[dict[str, Any]], path: Path) -> None:
    """Plot seconds and memory over rows on logarithmic axes, with the slope of each stage."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5.4), layout="constrained")
    for axis, what, unit in zip(
        figure.subplots(1, 2), ("seconds", "mib"), ("seconds", "peak memory, MiB"), strict=True
    ):
        for name in dict.fromkeys(name for each in found for name in each["stages"]):
            at = [(each["rows"], each["stages"][name][what]) for each in found if name in each["stages"]]
            label = name if len(at) < 2 else f"{name}: slope {slope(at):.2f}"
            axis.plot(*zip(*at, strict=True), "o-", label=label, markersize=4)
        axis.set(xscale="log", yscale="log", xlabel="rows", ylabel=unit)
        axis.grid(True, which="major", alpha=0.3)
        axis.legend(fontsize=8, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def slope(at: list[tuple[float, float]]) -> float:
    """Return the slope of a line fitted to the logarithms: 1 is linear growth, 2 is quadratic."""
    rows_, values = np.log(np.array(at, float).clip(1e-3)).T
    return float(np.polyfit(rows_, values, 1)[0])


def main() -> None:
    """Measure, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("workspace", type=Path, nargs="?")
    parser.add_argument("--times", type=int, nargs="+", default=[1, 10])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--frames", action="store_true")
    what.add_argument("--pictures", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.workspace is None:
        with pictures(None) as folder, tempfile.TemporaryDirectory() as root:
            for person in sorted(folder.iterdir()):
                options = ["--signer", person.name[-3:], "--licence", "CC0-1.0", "--workspace", root]
                command = [sys.executable, "-m", "aslkit", "import", str(person), *options]
                subprocess.run(command, check=True, capture_output=True)
            sys.exit(subprocess.run([sys.executable, "-m", _MODULE, root, *sys.argv[1:]]).returncode)
    if asked.here:
        root, times = asked.workspace, asked.times[0]
        print(json.dumps(measure_all(root, times) if asked.pictures else stages(root, times, same_people=asked.frames)))
        return
    found = []
    for times in asked.times:
        print(f"× {times}", file=sys.stderr)
        command = [sys.executable, "-m", _MODULE, str(asked.workspace), "--times", str(times), "--here"]
        command += ["--frames"] * asked.frames + ["--pictures"] * asked.pictures
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"× {times} failed with exit code {done.returncode}", file=sys.stderr)
            break
        found.append(json.loads(done.stdout.splitlines()[-1]))
    if asked.plot:
        plot(found, asked.plot)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
