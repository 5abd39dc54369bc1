"""Fault tolerance on a cluster: inject faults into a local Spark cluster with a master and two workers.

    ./run bench cluster [FAULT …]

Curation processes images of two synthetic signers. Training fits a small CNN to generated letters on two ranks, with
dataset and checkpoints on a local S3 server. Prints the time of each, with and without a fault, and whether anything
was lost. The fault of a full disk needs root, to mount a small file system.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from tests.cluster import harness  # noqa: E402
from tests.train import published  # noqa: E402

BUCKET = "club"
BUSY_S = 20
RECIPE = f"{published.RECIPE}epochs = 12\npatience = 12\n"


class Busy:
    """S3 server that responds with 503 until the time `until`, and counts these responses."""

    def __init__(self) -> None:
        from moto.server import DomainDispatcherApplication, create_backend_app

        self._application = DomainDispatcherApplication(create_backend_app)
        self.until, self.refused = 0.0, 0

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Any:
        """Handle a WSGI request."""
        if time.monotonic() < self.until:
            self.refused += 1
            start("503 Service Unavailable", [("Content-Length", "0")])
            return [b""]
        return self._application(environment, start)


@contextmanager
def bucket() -> Iterator[Busy]:
    """Start an S3 server with an empty bucket, and set AWS_ENDPOINT_URL."""
    import boto3
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    busy = Busy()
    server = make_server("127.0.0.1", 0, busy, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ |= {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "none",
                   "AWS_SECRET_ACCESS_KEY": "none", "AWS_DEFAULT_REGION": "us-east-1"}  # fmt: skip
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    yield busy
    server.shutdown()


class Bench:
    """A workspace with captures, the dataset that local curation makes of them, and a dataset in a bucket.

    Attributes:
        cluster: the cluster to use next.
    """

    cluster: harness.Cluster

    def __init__(self, folder: Path, s3: Busy) -> None:
        self.folder, self.s3, self.number = folder, s3, 0
        self.captures = folder / "captures"
        for signer in ("synthetic-ada", "synthetic-ben"):
            for letter in "ABC":
                self._done("capture", "--letter", letter, "--source", "synthetic", "--count", 30, "--signer", signer,
                           "--licence", "CC0-1.0", "--workspace", folder)  # fmt: skip
        self._done("curate", "--name", "local", "--workspace", folder)
        self.rows = self._rows(folder / "datasets/local")
        published.write(folder / "datasets/sign-mnist", folder / "csv")
        (folder / "recipe.toml").write_text(RECIPE)
        self._done("dataset", "push", folder / "datasets/sign-mnist", f"s3://{BUCKET}/sign-mnist")

    def _done(self, *arguments: object) -> None:
        process = harness.aslkit(*arguments)
        _, told = process.communicate()
        if process.returncode:
            sys.exit(told)

    def _rows(self, folder: Path) -> list[bytes]:
        return [path.read_bytes() for path in sorted(folder.glob("data/*.parquet"))]

    def workspace(self) -> Path:
        """Create a new workspace with the same captures."""
        self.number += 1
        folder = self.folder / f"workspace-{self.number}"
        folder.mkdir()
        shutil.copytree(self.captures, folder / "captures")
        return folder

    def curate(self, fault: Callable[[subprocess.Popen[str]], None] = lambda _: None) -> str:
        """Curate on the cluster with a fault, and describe the result."""
        folder = self.workspace()
        asked = ("curate", "--engine", "spark", "--master", self.cluster.url, "--name", "local", "--workspace", folder)
        running = harness.aslkit(*asked)
        fault(running)
        running.communicate()
        again = ""
        if running.returncode:
            again = f"failed with {running.returncode}; after running it again: "
            self._done(*asked)
        same = self._rows(folder / "datasets/local") == self.rows
        rows = sum(pq.read_metadata(path).num_rows for path in (folder / "datasets/local/data").glob("*"))
        return again + (f"all {rows} rows, byte-identical" if same else "DIFFERENT ROWS")

    def train(self, fault: Callable[[subprocess.Popen[str], Path], None] = lambda *_: None) -> str:
        """Train on two ranks with a fault, and describe the result."""
        folder = self.workspace()
        asked = ["train", "--dataset", f"s3://{BUCKET}/sign-mnist", "--checkpoints", f"s3://{BUCKET}/{folder.name}",
                 "--config", self.folder / "recipe.toml", "--ranks", 2, "--master", self.cluster.url,
                 "--workspace", folder, "--json"]  # fmt: skip
        running = harness.aslkit(*asked)
        fault(running, folder)
        said, told = running.communicate()
        again = ""
        if running.returncode:
            again = f"failed with {running.returncode}; after --resume: "
            name = next((folder / "runs").glob("*")).name
            running = harness.aslkit(*asked, "--resume", name)
            said, told = running.communicate()
        if running.returncode:
            return again + f"FAILED: {told.strip().splitlines()[-1]}"
        (entry,) = json.loads(said)["models"]
        return again + f"{entry['epochs']} epochs, official test {entry['official_test']['accuracy']:.3f}"

    def epochs(self, folder: Path) -> int:
        """Return the number of epochs that a training run has checkpointed."""
        import fsspec

        files = fsspec.filesystem("s3")
        files.invalidate_cache()
        found = files.glob(f"{BUCKET}/{folder.name}/*/*/history.json")
        return len(json.loads(files.cat_file(found[0]))) if found else 0

    def pythons(self, number: int) -> list[Any]:
        """Return the child processes of a worker's executor."""
        return [each for executor in self.cluster.executors(number) for each in executor.children(recursive=True)]

    def wait_for_work(self) -> None:
        """Wait until a worker measures images."""
        harness.wait_for(lambda: self.pythons(0) or None, "work on a worker")

    def wait_for_epoch(self, folder: Path) -> None:
        """Wait until an epoch is checkpointed."""
        harness.wait_for(lambda: self.epochs(folder) or None, "an epoch", seconds=300)


def kill_worker(bench: Bench) -> str:
    """Kill a worker, as in a power failure."""

    def fault(_: object) -> None:
        bench.wait_for_work()
        bench.cluster.kill_worker(0)

    return bench.curate(fault)


def kill_curation(bench: Bench) -> str:
    """Kill the command during curation."""

    def fault(running: subprocess.Popen[str]) -> None:
        bench.wait_for_work()
        running.kill()

    return bench.curate(fault)


def kill_rank(bench: Bench) -> str:
    """Kill a training process."""

    def fault(_: object, folder: Path) -> None:
        bench.wait_for_epoch(folder)
        below = [each for number in (0, 1) for each in bench.pythons(number)]
        next(each for each in below if "gloo_exec" in " ".join(each.cmdline())).kill()

    return bench.train(fault)


def kill_training(bench: Bench) -> str:
    """Kill the command during training."""

    def fault(running: subprocess.Popen[str], folder: Path) -> None:
        bench.wait_for_epoch(folder)
        running.kill()

    return bench.train(fault)


def busy_bucket(bench: Bench) -> str:
    """Let S3 respond with 503 for a while."""

    def fault(_: object, folder: Path) -> None:
        bench.wait_for_epoch(folder)
        bench.s3.until, bench.s3.refused = time.monotonic() + BUSY_S, 0

    return f"{bench.train(fault)}; {bench.s3.refused} requests rejected"


def full_disk(bench: Bench) -> str:
    """Add a worker whose local disk is full."""
    small = bench.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", small], check=True)
    try:
        (small / "full").write_bytes(b"x" * 40_000)
        bench.cluster.add_worker(SPARK_LOCAL_DIRS=str(small))
        return bench.curate()
    finally:
        bench.cluster.kill_worker(len(bench.cluster.workers) - 1)
        subprocess.run(["umount", "-l", small], check=False)


FAULTS: dict[str, Callable[[Bench], str]] = {
    "curation": Bench.curate,
    "curation, a worker killed": kill_worker,
    "curation, the driver killed": kill_curation,
    "curation, a worker's disk full": full_disk,
    "training": Bench.train,
    "training, a rank killed": kill_rank,
    "training, the driver killed": kill_training,
    f"training, S3 responds with 503 for {BUSY_S} s": busy_bucket,
}
"""Function that injects the fault and describes the result, by name."""


def main() -> None:
    """Measure each fault and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(FAULTS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, bucket() as s3:
        bench = Bench(Path(name), s3)
        for number, fault in enumerate(asked.faults or FAULTS):
            with harness.cluster(Path(name) / f"cluster-{number}") as bench.cluster:
                start = time.perf_counter()
                result = FAULTS[fault](bench)
                print(f"{fault:38} {time.perf_counter() - start:6.1f} s   {result}", flush=True)


if __name__ == "__main__":
    main()
