"""Time and memory of `aslkit train` as the number of rows grows, in one process and on Horovod ranks.

    ./run bench training_growth DATASET [--rows 40000 140000 1000000] [--ranks 1 2] [--plot training-growth.png]

DATASET is a curated dataset. Its landmarks are repeated as other signers, with noise, so that no two rows are equal.
The images are left out. Each run trains one epoch with `--quick`. Memory is the peak of a process. That of a rank, or
of the command if there is only one process, must not grow with the rows.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.compute as pc
from scipy.spatial.transform import Rotation

from aslkit.datasets import parquet_store, schema

NOISE: Final = 0.004
"""Standard deviation of the noise on landmarks, as a share of the image's sides."""

SPLITS: Final = np.array(["train", "validation", "test", *["train"] * 6, "validation"])
"""Split of each repetition in turn."""

LIMIT_MIB: Final = 1.5e9 / 2**20
"""Memory that a rank should not exceed."""

GROUP_ROWS: Final = 4096
"""Rows of a Parquet row group; without images, they are small."""


def repeat_dataset(dataset: Path, rows: int, folder: Path) -> int:
    """Write a dataset of about `rows` rows, and return their exact number."""
    names = [field.name for field in schema.COLUMNS if field.name != "image"]
    table = parquet_store.read_dataset(dataset, [*names, "image.path"])
    facts = parquet_store.read_facts(dataset) | {"pixels": False}
    split = SPLITS[np.arange(max(len(set(SPLITS)), round(rows / len(table)))) % len(SPLITS)]
    return sum(
        parquet_store.write_split(folder, name, _iter_groups(table, np.flatnonzero(split == name)), facts=facts)
        for name in schema.SPLITS
    )


def _iter_groups(table: pa.Table, turns: Iterable[int]) -> Iterator[pa.Table]:
    for turn in turns:
        varied = _vary_signers(table, turn)
        yield from (varied.slice(start, GROUP_ROWS) for start in range(0, len(varied), GROUP_ROWS))


def _vary_signers(table: pa.Table, turn: int) -> pa.Table:
    """Return the rows with other signers: rotated hands of another shape, with noise."""
    rng, hands = np.random.default_rng(turn), table.column("landmarks").combine_chunks()
    found = hands.is_valid().to_numpy(zero_copy_only=False)
    points = hands.flatten().to_numpy().reshape(-1, 21, 3)
    shape = np.diag(rng.normal(1, 0.1, 3)) @ Rotation.from_euler("z", rng.normal(0, 10), degrees=True).as_matrix()
    points = points[:, :1] + (points - points[:, :1]) @ shape.T + rng.normal(0, NOISE, points.shape)
    offsets = np.concatenate([[0], np.cumsum(63 * found)]).astype(np.int32)
    landmarks = pa.ListArray.from_arrays(
        pa.array(offsets, mask=np.concatenate([~found, [False]])), pa.array(points.ravel().astype(np.float32))
    )
    path = pc.struct_field(table.column("image"), "path").combine_chunks()
    path = pc.replace_substring_regex(path, "^([^/]*)", f"\\1{turn}")
    changed: dict[str, Any] = {
        "image": pa.StructArray.from_arrays([pa.nulls(len(table), pa.binary()), path], names=["bytes", "path"]),
        "landmarks": landmarks,
        "signer": pc.binary_join_element_wise(table.column("signer"), str(turn), ""),
        "group": pc.add(table.column("group"), turn * 10**6),
    }
    return pa.table({name: changed.get(name, table.column(name)) for name in schema.COLUMNS.names}).cast(schema.COLUMNS)


def train(dataset: Path, ranks: int) -> dict[str, float]:
    """Train one epoch. Return the seconds, and the peak memory of each kind of process, MiB."""
    with tempfile.TemporaryDirectory() as workspace:
        command = [sys.executable, "-m", "aslkit", "train", "--dataset", str(dataset), "--workspace", workspace,
                   "--quick", "--epochs", "1", "--ranks", str(ranks), "--json"]  # fmt: skip
        start, peak = time.perf_counter(), dict[str, float]()
        with tempfile.TemporaryFile() as output, subprocess.Popen(command, stdout=output, stderr=output) as running:
            while running.poll() is None:
                for name, mib in _read_memory(running.pid):
                    peak[name] = max(peak.get(name, 0.0), mib)
                time.sleep(0.1)
            if running.returncode:
                output.seek(0)
                raise SystemExit(output.read().decode())
        return {"seconds": round(time.perf_counter() - start, 1), **{name: round(mib) for name, mib in peak.items()}}


def _read_memory(pid: int) -> Iterator[tuple[str, float]]:
    """Yield the kind and the resident memory, MiB, of a command and of each process that it started."""
    with suppress(psutil.NoSuchProcess):
        command = psutil.Process(pid)
        yield "command", command.memory_info().rss / 2**20
        for process in command.children(recursive=True):
            with suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                line = " ".join(process.cmdline())
                kind = "rank" if "gloo_exec" in line else "java" if "java" in process.name() else "other"
                yield kind, process.memory_info().rss / 2**20


def plot(results: list[dict[str, Any]], path: Path) -> None:
    """Plot memory and seconds over rows, one line for each kind of process and number of ranks."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    memory, seconds = figure.subplots(1, 2)
    for ranks in sorted({each["ranks"] for each in results}):
        own = [each for each in results if each["ranks"] == ranks]
        rows = [each["rows"] for each in own]
        label = "one process" if ranks == 1 else f"{ranks} ranks"
        seconds.plot(rows, [each["seconds"] for each in own], "o-", label=label)
        kind = "command" if ranks == 1 else "rank"
        memory.plot(rows, [each[kind] for each in own], "o-", label=label if ranks == 1 else f"each of {label}")
        if ranks > 1:
            memory.plot(rows, [each["command"] for each in own], "o--", label=f"command that starts {label}")
    memory.axhline(LIMIT_MIB, color="0.6", linewidth=1)
    memory.annotate(
        "1.5 GB", (results[0]["rows"], LIMIT_MIB), (0, 3), textcoords="offset points", fontsize=8, color="0.4"
    )
    memory.set(xscale="log", ylim=(0, 1700), xlabel="rows", ylabel="peak memory of a process, MiB")
    seconds.set(xscale="log", ylim=(0, None), xlabel="rows", ylabel="seconds of the command, one epoch")
    for axis in (memory, seconds):
        axis.grid(visible=True, alpha=0.3)
        axis.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)


def main() -> None:
    """Train on each number of rows with each number of ranks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[40_000, 140_000, 1_000_000])
    parser.add_argument("--ranks", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args()
    results = []
    for rows in options.rows:
        with tempfile.TemporaryDirectory() as folder:
            exact = repeat_dataset(options.dataset, rows, Path(folder) / "repeated")
            for ranks in options.ranks:
                results.append({"rows": exact, "ranks": ranks, **train(Path(folder) / "repeated", ranks)})
                print(json.dumps(results[-1]), flush=True)
    if options.plot:
        plot(results, options.plot)


if __name__ == "__main__":
    main()
