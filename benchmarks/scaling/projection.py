"""Time of an epoch on many ranks, computed from costs measured on this machine, and where scaling ends.

    ./run bench projection DATASET

DATASET is a curated dataset with landmarks. Measured here: seconds per row for reading the dataset, for writing and for
reading blocks, and for training; seconds of an allreduce between two ranks on this machine; seconds until ranks start.
Assumed: NETWORK_BYTES_S and MESSAGE_S between machines, and that a rank trains as fast as one process here.

An allreduce over n ranks takes the measured time, which is mostly Horovod's coordination, and sends 2 (n - 1) / n of
the gradients' bytes in 2 (n - 1) messages (ring-allreduce; Patarasuk and Yuan, Bandwidth Optimal All-reduce Algorithms
for Clusters of Workstations, 2009).
"""

import argparse
import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from aslkit.core.config import load_settings
from aslkit.inference.starter import STARTER_NAME
from aslkit.train.config import TrainConfig
from aslkit.train.data.features import get_feature
from aslkit.train.data.samples import load_samples
from aslkit.train.engine.devices import limit_threads
from aslkit.train.engine.horovod_ranks import rank_environment
from aslkit.train.engine.row_blocks import read_rank_data, write_blocks
from aslkit.train.engine.shared_folder import SharedFolder
from aslkit.train.engine.training_rows import Rows, RowStream, TrainingRows
from aslkit.train.engine.training_session import training_session
from aslkit.train.fitting.balanced_data import balanced_rows
from aslkit.train.fitting.fit import fit

NETWORK_BYTES_S: Final = 1.25e9
"""Bandwidth between machines, bytes per second: 10 Gbit/s."""

MESSAGE_S: Final = 50e-6
"""Time of a message of a few bytes between machines, seconds: TCP in a data centre."""

RANKS: Final = (1, 8, 64, 512)
FRAMES: Final = (10**6, 10**8, 10**10)
BATCH: Final = 512

ALLREDUCES: Final = 300
"""Number of allreduces that are timed."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Measured costs: seconds per row, seconds, or bytes."""

    read_row_s: float
    write_row_s: float
    read_block_row_s: float
    train_row_s: float
    allreduce_s: float
    gradient_bytes: int
    start_s: float


def measure_costs(dataset: Path) -> Costs:
    """Measure all costs on this machine."""
    limit_threads(1)
    feature = get_feature("landmarks")
    started = time.perf_counter()
    samples = load_samples(dataset, feature.contract)
    read_row_s = (time.perf_counter() - started) / len(samples)
    config = load_settings("train", TrainConfig, flags={"architecture": "mlp", "start": STARTER_NAME, "epochs": 4})
    rows = balanced_rows(samples, feature, config)
    result = fit(samples, feature, config)
    # Each row once as it is and once augmented, see `list_variants`; the first epoch compiles.
    variants = max(2, 32_768 // rows.train.count)
    train_row_s = float(np.median([row["seconds"] for row in result.history[1:]])) / (rows.train.count * variants)
    write_row_s, read_block_row_s = _time_blocks(rows)
    allreduce_s, start_s = _time_ranks()
    gradient_bytes = 4 * sum(int(np.prod(each.shape)) for each in result.model.trainable_weights)
    return Costs(read_row_s=read_row_s, write_row_s=write_row_s, read_block_row_s=read_block_row_s,
                 train_row_s=train_row_s, allreduce_s=allreduce_s, gradient_bytes=gradient_bytes,
                 start_s=start_s)  # fmt: skip


def _time_blocks(rows: TrainingRows) -> tuple[float, float]:
    """Return seconds per row of writing and of reading blocks."""
    part = rows.train.load()
    many = 10

    def portions() -> Any:
        return (Rows(images=part.images, label=part.label, weight=part.weight) for _ in range(many))

    stream = RowStream(count=many * len(part), row_bytes=rows.train.row_bytes, portions=portions)
    with tempfile.TemporaryDirectory() as folder:
        store, started = SharedFolder(url=folder), time.perf_counter()
        write_blocks(store, TrainingRows(train=stream, validation=rows.validation), ranks=2, seed=0)
        written = time.perf_counter()
        for block in read_rank_data(store, 0, 1).train:
            block.read()
        return (written - started) / stream.count, (time.perf_counter() - written) / stream.count


def _time_allreduce() -> tuple[float, float]:
    """Run on a rank. Return the time when it was ready, and the median seconds of a small allreduce."""
    import horovod.tensorflow as hvd
    import tensorflow as tf

    hvd.init()
    ready, seconds = time.time(), []
    for _ in range(ALLREDUCES):
        started = time.perf_counter()
        hvd.allreduce(tf.zeros(8), op=hvd.Sum, name="projection")
        seconds.append(time.perf_counter() - started)
    hvd.shutdown()
    return ready, float(np.median(seconds))


def _time_ranks() -> tuple[float, float]:
    """Return the seconds of a small allreduce between two ranks, and until the ranks are ready, with Spark's start."""
    started = time.time()
    with training_session("local[2]", ranks=2):
        import horovod.spark

        results = horovod.spark.run(_time_allreduce, num_proc=2, env=rank_environment(), verbose=0)
    return results[0][1], max(ready for ready, _ in results) - started


def epoch_s(costs: Costs, frames: int, ranks: int, *, batch: int) -> tuple[float, float]:
    """Return the seconds of an epoch with two variants of each frame, and the part of them in allreduces."""
    steps = 2 * frames / batch
    allreduce = 0.0
    if ranks > 1:
        sent = 2 * (ranks - 1) / ranks * costs.gradient_bytes / NETWORK_BYTES_S
        allreduce = steps * (costs.allreduce_s + sent + 2 * (ranks - 1) * MESSAGE_S)
    compute = frames / ranks * (2 * costs.train_row_s + costs.read_block_row_s)
    return compute + allreduce, allreduce


def main() -> None:
    """Print the costs, and tables for a constant batch and for one that grows with the ranks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    costs = measure_costs(parser.parse_args().dataset)
    print(json.dumps(asdict(costs), indent=1))
    for title, growing in (("batch 512", False), ("batch 512 per rank", True)):
        print(f"\n{title}: hours of an epoch (share of allreduces), and of reading and dividing the rows before")
        for frames in FRAMES:
            cells = []
            for ranks in RANKS:
                total, allreduce = epoch_s(costs, frames, ranks, batch=BATCH * (ranks if growing else 1))
                cells.append(f"{ranks}: {total / 3600:.3g} ({allreduce / total:.0%})")
            prepare = frames * (costs.read_row_s + costs.write_row_s) / 3600
            print(f"{frames:>14,}  {'   '.join(cells)}   before: {prepare:.3g}")


if __name__ == "__main__":
    main()
