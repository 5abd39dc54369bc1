"""Reading a dataset, against Hugging Face `datasets` on the same folder: images decoded, rows scanned, peak memory.

Each measurement runs in a process of its own, ours and theirs in turn, so that a noisy machine disturbs both alike.

Usage: ./run bench datasets [FOLDER]    a dataset's folder; a synthetic one is made without
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

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROUNDS = 3
BATCH = 64
ROWS = 1_000_000
SYNTHETIC = 3072
SCANNED = ["label", "signer", "session", "landmarks", "width", "height", "group"]


def ours(folder: Path, shuffled: bool) -> int:
    """Decode all of train into batches."""
    from aslkit.datasets import image_loader

    rng = np.random.default_rng(0) if shuffled else None
    return sum(len(each.images) for each in image_loader.iter_batches(folder, split="train", size=BATCH, rng=rng))


def theirs(folder: Path, shuffled: bool) -> int:
    """The same; images come as arrays there too."""
    from datasets import load_dataset  # type: ignore[import-not-found,attr-defined,unused-ignore]

    rows = load_dataset(str(folder), split="train").select_columns(["image", "label"])
    rows = rows.shuffle(seed=0) if shuffled else rows
    return sum(len(each["image"]) for each in rows.with_format("numpy").iter(batch_size=BATCH))


def our_scan(folder: Path, _: bool) -> int:
    """Read the small columns of all rows."""
    from aslkit.datasets import image_loader

    return len(image_loader.table(folder, SCANNED))


def their_scan(folder: Path, _: bool) -> int:
    """The same, as Arrow tables, a thousand rows at a time."""
    from datasets import load_dataset

    splits = load_dataset(str(folder)).values()
    columns = (rows.select_columns(SCANNED).with_format("arrow") for rows in splits)
    return sum(len(each) for rows in columns for each in rows.iter(batch_size=1000))


def filtered(folder: Path, _: bool) -> int:
    """Read the landmarks of one signer's right hands, and count those whose wrist is in the left half."""
    from aslkit.datasets import image_loader

    hands = image_loader.landmarks(folder, where=(pc.field("signer") == "ben") & (pc.field("handedness") == "right"))
    return len(hands) - int((hands[:, 0, 0] >= 0.5).sum())


WORK: dict[str, Callable[[Path, bool], int]] = {
    "ours": ours, "theirs": theirs, "our_scan": our_scan, "their_scan": their_scan, "filtered": filtered,
}  # fmt: skip


def measure(name: str, folder: Path, shuffled: bool) -> None:
    """Do one piece of work twice, the first time to warm up, and print what the second took."""
    WORK[name](folder, shuffled)
    start = time.perf_counter()
    count = WORK[name](folder, shuffled)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"count": count, "seconds": took, "peak_mb": peak}))


def in_its_own_process(name: str, folder: Path, cache: str, *, shuffled: bool = False) -> dict[str, float]:
    """What `measure` prints. -P: this file is called as Hugging Face's package."""
    command = [sys.executable, "-P", __file__, "--measure", name, str(folder), str(int(shuffled))]
    offline = {"HF_HUB_OFFLINE": "1", "HF_HOME": cache, "HF_DATASETS_CACHE": cache}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | offline)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def compare(what: str, names: tuple[str, str], folder: Path, cache: str, *, shuffled: bool = False) -> None:
    """Print both speeds, their ratio and both peaks: medians of ROUNDS."""
    pairs = [[in_its_own_process(name, folder, cache, shuffled=shuffled) for name in names] for _ in range(ROUNDS)]
    mine, other = ([pair[at] for pair in pairs] for at in (0, 1))
    ratio = statistics.median(b["seconds"] / a["seconds"] for a, b in pairs)
    speeds = [statistics.median(each["count"] / each["seconds"] for each in runs) for runs in (mine, other)]
    peaks = [statistics.median(each["peak_mb"] for each in runs) for runs in (mine, other)]
    print(f"{what}: {speeds[0]:,.0f}/s, Hugging Face {speeds[1]:,.0f}/s, {ratio:.2f}×; "
          f"peak {peaks[0]:,.0f} MB, Hugging Face {peaks[1]:,.0f} MB")  # fmt: skip


def synthetic(folder: Path) -> Path:
    """A dataset of synthetic hands, 480×360."""
    from aslkit.datasets import card, parquet_store, schema
    from aslkit.synthetic import Signer, SyntheticSession, render_frames
    from aslkit.vision.images import encode_jpeg, pixel_hash

    who = Signer.draw("synthetic-ada")
    stream = render_frames("L", signer=who, session=SyntheticSession.draw(who, "one"), width=480, height=360, fps=30.0)
    images = [frame.image for frame in islice(stream, 64)]
    rows = [
        {"image": {"bytes": encode_jpeg(image), "path": f"{index}.jpg"}, "label": index % 24, "signer": "synthetic-ada",
         "session": "one", "sha256": pixel_hash(image), "width": 480, "height": 360, "group": index,
         "landmarks": [0.5] * 63}
        for index, image in enumerate(images * (SYNTHETIC // 64))
    ]  # fmt: skip
    groups = (pa.Table.from_pylist(rows[at : at + 256], schema.COLUMNS) for at in range(0, len(rows), 256))
    parquet_store.write_split(folder, "train", groups, facts={})
    card.write_card(folder, name="synthetic", facts={})
    return folder


def a_million(folder: Path) -> Path:
    """Rows without images."""
    from aslkit.datasets import parquet_store, schema

    rng = np.random.default_rng(0)

    def groups() -> Callable[[], pa.Table]:
        def group() -> pa.Table:
            count = ROWS // 20
            offsets = pa.array(np.arange(0, 63 * count + 1, 63, dtype=np.int32))
            known = {
                "label": pa.array(rng.integers(0, 24, count)),
                "signer": pa.array(rng.choice(["ada", "ben", "cleo", "dan"], count)),
                "handedness": pa.array(rng.choice(["left", "right"], count)),
                "landmarks": pa.ListArray.from_arrays(offsets, pa.array(rng.random(63 * count, np.float32))),
            }
            arrays = [known.get(field.name, pa.nulls(count, field.type)) for field in schema.COLUMNS]
            return pa.Table.from_arrays(arrays, schema=schema.COLUMNS)

        return group

    make = groups()
    parquet_store.write_split(folder, "train", (make() for _ in range(20)), facts={})
    return folder


def main() -> None:
    """Compare, and print."""
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], Path(sys.argv[3]), sys.argv[4] == "1")
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else synthetic(Path(place) / "synthetic")
        cache = f"{place}/cache"
        compare("images decoded in order", ("ours", "theirs"), folder, cache)
        compare("images decoded shuffled", ("ours", "theirs"), folder, cache, shuffled=True)
        compare("rows scanned without images", ("our_scan", "their_scan"), folder, cache)
        rows = a_million(Path(place) / "million")
        took = [in_its_own_process("filtered", rows, cache)["seconds"] for _ in range(ROUNDS)]
        print(f"{ROWS:,} rows of landmarks filtered and counted in {statistics.median(took):.2f} s")


if __name__ == "__main__":
    main()
