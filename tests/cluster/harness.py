"""A Spark cluster on this machine, with a separate process for master and workers, and an S3 server."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil  # type: ignore[import-untyped]
import pyspark

T = TypeVar("T")

START_S = 300
CLASSES = "org.apache.spark.deploy"

JAVA_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""For master and workers; those of drivers and executors are in tests/spark_conf."""

_STARTED: list[subprocess.Popen[str]] = []


@dataclass(kw_only=True)
class Cluster:
    """A standalone master and its workers.

    Attributes:
        url: spark://host:port.
        folder: for logs and what workers keep.
        workers: their processes, by number; one that was killed stays in it.
    """

    folder: Path
    url: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _master: subprocess.Popen[bytes] | None = None

    def start(self, workers: int) -> None:
        """Start the master and workers with one core each, and wait until the workers are registered."""
        options = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
        self._master = self._daemon("master", f"{CLASSES}.master.Master", *options)
        self.url = self._said("master", r"Starting Spark master at (spark://\S+)")
        for _ in range(workers):
            self.add_worker()
        for number in range(workers):
            self._said(f"worker-{number}", r"Successfully registered with master (\S+)")

    def add_worker(self, **environment: str) -> None:
        """Start another worker."""
        name = f"worker-{len(self.workers)}"
        options = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0", "--work-dir",
                   str(self.folder / name), self.url]  # fmt: skip
        self.workers.append(self._daemon(name, f"{CLASSES}.worker.Worker", *options, **environment))

    def executors(self, number: int) -> list[psutil.Process]:
        """Return the executors that a worker has started, one per application."""
        try:
            return list(psutil.Process(self.workers[number].pid).children())
        except psutil.NoSuchProcess:
            return []

    def kill_worker(self, number: int) -> None:
        """Kill a worker and all its processes at once, like a power failure."""
        for process in [*_below(self.workers[number].pid), psutil.Process(self.workers[number].pid)]:
            _kill(process)
        self.workers[number].wait()

    def stop(self) -> None:
        """Stop all processes."""
        for number, worker in enumerate(self.workers):
            if worker.poll() is None:
                self.kill_worker(number)
        if self._master is not None:
            self._master.kill()
            self._master.wait()

    def _daemon(self, name: str, main: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        (self.folder / f"{name}-local").mkdir(parents=True, exist_ok=True)
        own = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_DIRS": str(self.folder / f"{name}-local"),
               "SPARK_DAEMON_MEMORY": "256m", "SPARK_HOME": str(spark_home()),
               "SPARK_DAEMON_JAVA_OPTS": JAVA_OPTIONS}  # fmt: skip
        with (self.folder / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [spark_home() / "bin/spark-class", main, *options], stdout=log, stderr=log,
                env={**os.environ, **own, **environment}, cwd=self.folder,
            )  # fmt: skip

    def _said(self, name: str, pattern: str) -> str:
        path = self.folder / f"{name}.log"
        return wait_for(lambda: re.search(pattern, path.read_text(errors="replace")), f"{name}: {pattern}").group(1)


def spark_home() -> Path:
    """Return the classpath of the Spark in PySpark."""
    return Path(pyspark.__file__).parent


def wait_for(asked: Callable[[], T | None], what: str, *, seconds: float = START_S) -> T:
    """Poll until there is a result."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := asked()) is not None:
            return found
        time.sleep(0.1)
    raise TimeoutError(f"not within {seconds:g} s: {what}")


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        process.send_signal(signal.SIGKILL)


@contextmanager
def cluster(folder: Path, *, workers: int = 2) -> Iterator[Cluster]:
    """Run a cluster during the block."""
    made = Cluster(folder=folder)
    try:
        made.start(workers)
        yield made
    finally:
        made.stop()


def aslkit(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start the command like a user, with captured output."""
    started = subprocess.Popen(
        [sys.executable, "-m", "aslkit", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", **environment},
    )
    _STARTED.append(started)
    return started


def end_commands() -> None:
    """Stop processes that a failed test left running."""
    while _STARTED:
        command = _STARTED.pop()
        if command.poll() is None:
            for process in [*_below(command.pid), psutil.Process(command.pid)]:
                _kill(process)
        command.wait()
        for stream in (command.stdout, command.stderr):
            if stream is not None:
                stream.close()
