"""The job of a workspace: starts it in a process of its own, reads its progress, and cancels it.

A job is a list of aslkit commands. Its folder, WORKSPACE/jobs, contains job.json, which describes it and its state; the
log, to which the commands write messages and progress; and their results. `worker` runs the commands. It is not a
child of the server's session, so a job continues if the server stops, and the next server finds it.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from filelock import FileLock, Timeout

from aslkit.core.errors import AslkitError, InputError
from aslkit.core.files import write_bytes
from aslkit.core.workspace import Workspace

State = Literal["running", "finished", "failed", "cancelled"]

JOB_FILE: Final = "job.json"
LOG_FILE: Final = "log.txt"
RESULT_FILE: Final = "result-{}.json"
LOCK_FILE: Final = ".lock"
"""Locked by the worker while it runs. The operating system releases the lock however the worker ends."""

BUSY: Final = "A task is running already. Wait until it ends, or cancel it."

MAX_LOG_BYTES: Final = 200_000
"""Only the end of a longer log is read."""

_START_TIMEOUT_S: Final = 20.0
_CANCEL_TIMEOUT_S: Final = 20.0


class Step(msgspec.Struct, kw_only=True):
    """One command of a job.

    Attributes:
        title: what it does, such as "Train".
        arguments: arguments of the aslkit command.
    """

    title: str
    arguments: list[str]


class Job(msgspec.Struct, kw_only=True):
    """Content of job.json.

    Attributes:
        name: identifies the job, such as "20261129T014500".
        kind: what it is for, such as "train".
        steps: commands, in order.
        state: current state.
        step: index of the current step.
        started, ended: times, ISO 8601, UTC.
        error: last lines of the failed command; empty otherwise.
    """

    name: str
    kind: str
    steps: list[Step]
    state: State = "running"
    step: int = 0
    started: str = ""
    ended: str | None = None
    error: str = ""


class Progress(msgspec.Struct, kw_only=True):
    """The last line of progress that a command printed, see `aslkit.core.progress`."""

    progress: str
    done: int
    total: int
    elapsed_s: float

    @property
    def remaining_s(self) -> float | None:
        """Estimated time until the bar is complete, seconds; None before the first step."""
        return self.elapsed_s / self.done * (self.total - self.done) if self.done else None


class JobRunner:
    """Starts, watches and cancels the job of a workspace. Thread-safe.

    Args:
        workspace: workspace of the job.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._lock, self._probe = workspace, threading.Lock(), threading.Lock()
        self.folder = workspace.root / "jobs"

    def start(self, kind: str, steps: Sequence[Step]) -> Job:
        """Start a job.

        Raises:
            InputError: a job is running already.
            AslkitError: the process could not be started.
        """
        with self._lock:
            if self.is_running():
                raise InputError(BUSY)
            now = datetime.now(UTC)
            job = Job(name=f"{now:%Y%m%dT%H%M%S%f}", kind=kind, steps=list(steps), started=now.isoformat())
            self.folder.mkdir(parents=True, exist_ok=True)
            for path in self.folder.glob("*"):
                if path.name != LOCK_FILE:
                    path.unlink()
            save_job(self.folder, job)
            self._start_worker()
            return job

    def _start_worker(self) -> None:
        worker = (sys.executable, "-m", "aslkit.studio.jobs.worker", str(self.folder), str(self._workspace.root))
        try:
            process = subprocess.Popen(
                worker, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C in the terminal must not reach it
            )  # fmt: skip
        except OSError as error:
            raise AslkitError(f"The task could not be started: {error.strerror}. Try again.") from error
        # Collects its exit code when it ends; otherwise it would remain as a zombie.
        threading.Thread(target=process.wait, daemon=True).start()
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while process.poll() is None and _read_pid(self.folder) is None and time.monotonic() < deadline_s:
            time.sleep(0.02)

    def is_running(self) -> bool:
        """Return whether a worker is running, also one that an earlier server started."""
        if not (self.folder / LOCK_FILE).exists():
            return False
        with self._probe:  # two threads that take the lock at once would take each other for a worker
            try:
                with FileLock(self.folder / LOCK_FILE, timeout=0):
                    return False
            except Timeout:
                return True

    def current(self) -> Job | None:
        """Return the running or the last job; None if there was none. A job whose worker was killed has failed."""
        job = load_job(self.folder)
        if job is None or job.state != "running" or self._is_starting(job) or self.is_running():  # in this order
            return job
        job = load_job(self.folder)  # it may have ended since
        if job is not None and job.state == "running":
            job.state, job.error = "failed", "The task was interrupted, for example because the computer was shut down."
        return job

    def _is_starting(self, job: Job) -> bool:
        """Return whether the worker has not taken the lock yet; it writes its process number afterwards."""
        age_s = (datetime.now(UTC) - datetime.fromisoformat(job.started)).total_seconds()
        return _read_pid(self.folder) is None and 0 <= age_s < _START_TIMEOUT_S

    def cancel(self) -> None:
        """Cancel the running job, if there is one, and wait until it has ended."""
        with self._lock:  # while a job is being started, until it can be cancelled
            pid = _read_pid(self.folder)
            if pid is None or not self.is_running():
                return
            os.kill(pid, signal.SIGTERM)
            deadline_s = time.monotonic() + _CANCEL_TIMEOUT_S
            while self.is_running() and time.monotonic() < deadline_s:
                time.sleep(0.05)

    def read_log(self) -> tuple[list[str], Progress | None]:
        """Return the messages of the job, and the last progress that belongs to its current step."""
        lines: list[str] = []
        progress: Progress | None = None
        for line in _read_end(self.folder / LOG_FILE).split("\n"):
            try:
                progress = msgspec.json.decode(line, type=Progress)
            except msgspec.MsgspecError:
                if line.startswith("=== "):  # a new step
                    progress = None
                if line.strip() and not line.startswith("{"):
                    lines.append(line.removeprefix("=== "))
        return lines, progress

    def result(self, step: int) -> dict[str, Any] | None:
        """Return the JSON object that a step printed; None if it has not finished."""
        path = self.folder / RESULT_FILE.format(step)
        try:
            return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        except (FileNotFoundError, msgspec.MsgspecError):
            return None


def load_job(folder: Path) -> Job | None:
    """Read job.json; None if it is missing or was written by another version."""
    try:
        return msgspec.json.decode((folder / JOB_FILE).read_bytes(), type=Job)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def save_job(folder: Path, job: Job) -> None:
    """Write job.json."""
    write_bytes(folder / JOB_FILE, msgspec.json.format(msgspec.json.encode(job), indent=2))


def _read_pid(folder: Path) -> int | None:
    try:
        return int((folder / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None


def _read_end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - MAX_LOG_BYTES))
            return file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
