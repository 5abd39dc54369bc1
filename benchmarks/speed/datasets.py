"""Compare reading a dataset with Hugging Face `datasets`: images decoded, rows scanned, and peak memory.

Each measurement runs in its own process. Both libraries take turns, so that other load affects both alike.

Usage: ./run bench datasets [FOLDER]    without a dataset folder, a synthetic dataset is generated
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pyarrow as pa

ROUNDS = 3
BATCH_SIZE = 64
SYNTHETIC_ROWS = 3072
SCANNED_COLUMNS = ["label", "signer", "session", "landmarks", "width", "height", "group"]


def decode_with_aslkit(folder: Path) -> int:
    """Decode all images of train in batches."""
    from aslkit.datasets import image_loader

    batches = image_loader.iter_batches(folder, split="train", batch_size=BATCH_SIZE)
    return sum(len(batch.images) for batch in batches)


def decode_with_hugging_face(folder: Path) -> int:
    """Decode all images of train in batches, as arrays."""
    from datasets import load_dataset  # type: ignore[import-not-found,attr-defined,unused-ignore]

    rows = load_dataset(str(folder), split="train").select_columns(["image", "label"])
    return sum(len(batch["image"]) for batch in rows.with_format("numpy").iter(batch_size=BATCH_SIZE))


def scan_with_aslkit(folder: Path) -> int:
    """Read the small columns of all rows."""
    from aslkit.datasets import parquet_store

    return len(parquet_store.read_dataset(folder, SCANNED_COLUMNS))


def scan_with_hugging_face(folder: Path) -> int:
    """Read the small columns of all rows as Arrow tables of 1,000 rows."""
    from datasets import load_dataset

    splits = load_dataset(str(folder)).values()
    columns = (rows.select_columns(SCANNED_COLUMNS).with_format("arrow") for rows in splits)
    return sum(len(batch) for rows in columns for batch in rows.iter(batch_size=1000))


TASKS: dict[str, Callable[[Path], int]] = {
    task.__name__: task
    for task in (decode_with_aslkit, decode_with_hugging_face, scan_with_aslkit, scan_with_hugging_face)
}


def measure(task: str, folder: Path) -> None:
    """Run a task twice, the first time to warm up, and print the measurements of the second run as JSON."""
    TASKS[task](folder)
    start = time.perf_counter()
    count = TASKS[task](folder)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "seconds": seconds, "peak_mb": peak}))


def measure_in_process(task: str, folder: Path, cache: str) -> dict[str, float]:
    """Run `measure` in another process and return its measurements."""
    # -P: otherwise `import datasets` would import this file instead of Hugging Face's package.
    command = [sys.executable, "-P", __file__, "--measure", task, str(folder)]
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": cache, "HF_DATASETS_CACHE": cache}
    result = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | offline)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def compare(title: str, tasks: tuple[Callable[[Path], int], Callable[[Path], int]], folder: Path, cache: str) -> None:
    """Print the speed and peak memory of both tasks and the ratio of the speeds, as medians of ROUNDS."""
    pairs = [[measure_in_process(task.__name__, folder, cache) for task in tasks] for _ in range(ROUNDS)]
    ours, theirs = ([pair[at] for pair in pairs] for at in (0, 1))
    ratio = statistics.median(b["seconds"] / a["seconds"] for a, b in pairs)
    speeds = [statistics.median(each["count"] / each["seconds"] for each in runs) for runs in (ours, theirs)]
    peaks = [statistics.median(each["peak_mb"] for each in runs) for runs in (ours, theirs)]
    print(f"{title}: {speeds[0]:,.0f}/s, Hugging Face {speeds[1]:,.0f}/s, {ratio:.2f}×; "
          f"peak {peaks[0]:,.0f} MB, Hugging Face {peaks[1]:,.0f} MB")  # fmt: skip


def write_synthetic_dataset(folder: Path) -> Path:
    """Write a dataset of synthetic hands with 480×360 pixels."""
    from aslkit.datasets import card, parquet_store, schema
    from aslkit.synthetic import Signer, SyntheticSession, render_frames
    from aslkit.vision.images import encode_jpeg, pixel_hash

    signer = Signer.draw("synthetic-ada")
    session = SyntheticSession.draw(signer, "one")
    stream = render_frames("L", signer=signer, session=session, width=480, height=360, fps=30.0)
    images = [frame.image for frame in islice(stream, 64)]
    rows = [
        {"image": {"bytes": encode_jpeg(image), "path": f"{index}.jpg"}, "label": index % 24, "signer": "synthetic-ada",
         "session": "one", "sha256": pixel_hash(image), "width": 480, "height": 360, "group": index,
         "landmarks": [0.5] * 63}
        for index, image in enumerate(images * (SYNTHETIC_ROWS // 64))
    ]  # fmt: skip
    groups = (pa.Table.from_pylist(rows[at : at + 256], schema.COLUMNS) for at in range(0, len(rows), 256))
    parquet_store.write_split(folder, "train", groups, facts={})
    card.write_card(folder, name="synthetic", facts={})
    return folder


def main() -> None:
    """Run all comparisons and print the results."""
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else write_synthetic_dataset(Path(temporary) / "synthetic")
        cache = f"{temporary}/cache"
        compare("images decoded in order", (decode_with_aslkit, decode_with_hugging_face), folder, cache)
        compare("rows scanned without images", (scan_with_aslkit, scan_with_hugging_face), folder, cache)


if __name__ == "__main__":
    main()
