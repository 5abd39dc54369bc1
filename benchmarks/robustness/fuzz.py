"""Fuzz every file format that aslkit reads: each damaged file must be read, or rejected with an error message.

    ./run bench fuzz [--minutes 5] [--only TARGET …] [--again TARGET SEED]

A small workspace is recorded, curated and trained on. Then, until the time is over, one of its files is damaged at
random (bytes flipped, removed or repeated; values in JSON and TOML replaced) and read. A traceback, a crash, more than
20 seconds (or five times the time of the intact file), or more than 4 GiB of memory is a finding. Each is printed once,
with the seed that reproduces it.
"""

import argparse
import faulthandler
import io
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path

from benchmarks.robustness.damage import damage_file, workspace

HERE = Path(__file__).parents[2]
MEMORY = 4 << 30
TIMEOUT_S = 20
TURN_S = 15
"""Seconds per target before the next one."""


def quietly(*arguments: str) -> None:
    """Run an aslkit command in this process. SystemExit is expected, any other exception is a finding."""
    from aslkit.cli.main import main

    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()), suppress(SystemExit):
        main(list(arguments), prog_name="aslkit")


def image(workspace: Path, path: Path) -> None:
    """Read an image as capture, import and curation do."""
    from aslkit.vision import images

    data = path.read_bytes()
    images.read_header(data)
    frame = images.decode_image(data)
    images.perceptual_hash(frame)
    images.measure_quality(frame)
    images.normalize_image_file(data, mirrored=True)
    images.strip_metadata(data)


def dataset(workspace: Path, path: Path) -> None:
    """Show a dataset."""
    quietly("dataset", "info", str(workspace / "datasets/custom"))
    quietly("dataset", "show", str(workspace / "datasets/custom"), "--to", str(workspace / "sheet.html"))


def verified(workspace: Path, path: Path) -> None:
    """Verify a dataset from an untrusted source."""
    from aslkit.datasets.verify.run import verify_dataset

    verify_dataset(workspace / "datasets/custom", processes=1)


def trained_on(workspace: Path, path: Path) -> None:
    """Read a dataset as training does."""
    from aslkit.train.data import samples
    from aslkit.train.data.features import get_feature

    samples.load_samples(workspace / "datasets/custom", get_feature("landmarks").contract)
    samples.load_samples(workspace / "datasets/custom", get_feature("hand28").contract)


def captures(workspace: Path, path: Path) -> None:
    """Read the captures and their metadata."""
    from aslkit.core.workspace import Workspace
    from aslkit.formats import signers
    from aslkit.formats.captures import SessionInfo, walk_captures
    from aslkit.formats.frame_index import FrameIndex
    from aslkit.train.data.features import get_feature
    from aslkit.train.data.recorded_negatives import load_recorded_negatives
    from aslkit.vision.preprocess import PreprocessConfig

    contract: PreprocessConfig = get_feature("landmarks").contract
    load_recorded_negatives(workspace / "captures", contract)
    for session in (workspace / "captures").glob("*/*"):
        SessionInfo.load(session / "session.json")
        FrameIndex.load(session)
    for _ in walk_captures(workspace / "captures"):
        pass
    signers.load_signer(Workspace(root=workspace), "synthetic-ada")


def configured(workspace: Path, path: Path) -> None:
    """Read a configuration file, for each stage."""
    for command in (["train"], ["curate"], ["capture", "--letter", "A", "--source", str(workspace / "no.mp4")]):
        quietly(*command, "--config", str(path), "--workspace", str(workspace / "empty"))


def recipe(workspace: Path, path: Path) -> None:
    """Read a benchmark recipe and a grid."""
    from aslkit.train.benchmark.recipe import load_recipe as read
    from aslkit.train.benchmark.sweep import load_grid

    for each in (read, load_grid):
        try:
            each(str(path))
        except Exception as error:
            if type(error).__name__ not in ("AslkitError", "InputError"):
                raise


def table(workspace: Path, path: Path) -> None:
    """Read Sign Language MNIST, as CSV or zip."""
    from aslkit.datasets.sign_mnist import read_csv

    read_csv.read_sign_mnist(path)


def run(workspace: Path, path: Path) -> None:
    """Show a run and load its model."""
    from aslkit.core.errors import AslkitError
    from aslkit.formats.recording_plan import load_plan
    from aslkit.inference.load_model import load_network

    quietly("runs", "--workspace", str(workspace))
    quietly("runs", "--json", "--workspace", str(workspace))
    folder = next((workspace / "runs").glob("*"))
    for read in (load_network, load_plan):
        with suppress(AslkitError):
            read(folder)


def keras(workspace: Path, path: Path) -> None:
    """Load the model with Keras."""
    from aslkit.inference.load_model import load_keras_model

    load_keras_model(next((workspace / "runs").glob("*")))


def film(workspace: Path, path: Path) -> None:
    """Read a video."""
    from itertools import islice

    from aslkit.video import sources

    with sources.open_source(str(path), letter="A", signer="a", session="one") as frames:
        for _ in islice(frames, 20):
            pass


def received(workspace: Path, path: Path) -> None:
    """Merge a dataset from an untrusted source with another one."""
    quietly("dataset", "merge", str(workspace / "datasets/custom"), str(workspace / "datasets/mine"), "--to",
            str(workspace / "datasets/ours"), "--force")  # fmt: skip


Read = Callable[[Path, Path], None]
TARGETS: dict[str, tuple[str, Read]] = {
    "image": ("captures/*/*/*/*.jpg", image),
    "png": ("files/*.png", image),
    "parquet": ("datasets/custom/data/*.parquet", dataset),
    "parquet-training": ("datasets/custom/data/*.parquet", trained_on),
    "parquet-verify": ("datasets/custom/data/*.parquet", verified),
    "parquet-merge": ("datasets/custom/data/*.parquet", received),
    "findings": ("datasets/custom/*.parquet", verified),
    "dataset-text": ("datasets/custom/*.[jm]*", verified),
    "dataset-text-info": ("datasets/custom/*.[jm]*", dataset),
    "session": ("captures/*/*/session.json", captures),
    "frames": ("captures/*/*/frames.jsonl", captures),
    "signers": ("signers.toml", captures),
    "config": ("files/own.toml", configured),
    "recipe": ("files/recipe.toml", recipe),
    "csv": ("files/sign_mnist_train.csv", table),
    "zip": ("files/sign_mnist.zip", table),
    "run": ("runs/*/*.json", run),
    "run-model": ("runs/*/model/*.json", run),
    "keras": ("runs/*/model/*.keras", keras),
    "film": ("files/*.avi", film),
}
"""Glob pattern of the damaged files, and the function that reads them, by name."""


# --- Turns ------------------------------------------------------------------------------------------------------------


def one(root: Path, name: str, seed: int) -> str | None:
    """Damage a file, read it and restore it. Return a description of the finding, or None."""
    from click import ClickException

    rng = random.Random(f"{name} {seed}")
    pattern, read = TARGETS[name]
    path = rng.choice(sorted(root.glob(pattern)))
    whole = path.read_bytes()
    path.write_bytes(damage_file(path, rng))
    try:
        read(root, path)
    except ClickException:
        pass
    except BaseException as error:
        last = [each for each in traceback.extract_tb(error.__traceback__) if _own(each.filename)][-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno} ({path.name}): {str(error)[:200]!r}"
    finally:
        path.write_bytes(whole)
    return None


def _own(file: str) -> bool:
    return Path(file).is_relative_to(HERE) and "site-packages" not in file


def turn(root: Path, name: str, seed: int, seconds: float) -> None:
    """Try seeds from `seed` on in this process; print each one before it is tried."""
    if name != "keras":  # TensorFlow maps more memory than it uses
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY * 4, MEMORY * 4))
    pattern, read = TARGETS[name]
    start = time.monotonic()
    read(
        root, sorted(root.glob(pattern))[0]
    )  # intact: loads the libraries, which should not count as time of a damaged file
    timeout = max(TIMEOUT_S, 5 * (time.monotonic() - start))  # a busy machine is not a finding
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        print(json.dumps({"seed": seed}), flush=True)
        faulthandler.dump_traceback_later(timeout, exit=True)
        found = one(root, name, seed)
        faulthandler.cancel_dump_traceback_later()
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10 > MEMORY:
            found = found or "more than 4 GiB"
        if found:
            print(json.dumps({"seed": seed, "found": found}), flush=True)
        seed += 1


def child(root: Path, name: str, seed: int, seconds: float) -> tuple[int, dict[str, int]]:
    """Run `turn` in its own process. Return the next seed, and the seed of each finding."""
    command = [sys.executable, "-m", "benchmarks.robustness.fuzz", "--turn", name, str(seed), str(seconds), str(root)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"seed"')]
    found = {each["found"]: each["seed"] for each in reversed(messages) if "found" in each}
    last = max((each["seed"] for each in messages), default=seed)
    if done.returncode:
        frames = [line.strip() for line in done.stderr.splitlines() if "/site-packages/" not in line and "File" in line]
        found[f"process exited with {done.returncode}: {(frames or done.stderr.splitlines() or ['?'])[0][:300]}"] = last
        for path in root.glob(TARGETS[name][0]):  # the process could not restore its file
            shutil.copy(root.with_name("whole") / path.relative_to(root), path)
    return last + 1, found


def main() -> None:
    """Fuzz all targets until the time is over, and print the findings."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--only", nargs="*", choices=TARGETS, default=list(TARGETS))
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "SEED"))
    parser.add_argument("--from", dest="first", type=int, default=0, help="the first seed")
    parser.add_argument("--turn", nargs=4, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.turn:
        name, seed, seconds, root = asked.turn
        turn(Path(root), name, int(seed), float(seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "workspace"
        workspace(root)
        shutil.copytree(root, root.with_name("whole"))
        if asked.again:
            print(one(root, asked.again[0], int(asked.again[1])))
            return
        rounds(root, asked.only, asked.first, asked.minutes * 60)


def rounds(root: Path, names: list[str], first: int, seconds: float) -> None:
    """Fuzz the targets in turn, and print each finding once."""
    end, seeds, known = time.monotonic() + seconds, dict.fromkeys(names, first), set[str]()
    while time.monotonic() < end:
        for name in names:
            seeds[name], found = child(root, name, seeds[name], TURN_S)
            for text, seed in found.items():
                place = f"{name} {text.split('(')[0]}"
                if place not in known:
                    known.add(place)
                    print(f"{name} {seed}: {text}", flush=True)
    tried = {name: seed - first for name, seed in seeds.items()}
    print(f"{sum(tried.values()):,} damaged files, {len(known)} findings; {tried}", flush=True)


if __name__ == "__main__":
    main()
