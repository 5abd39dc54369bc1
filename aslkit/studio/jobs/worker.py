"""Runs the commands of a job one after another: python -m aslkit.studio.jobs.worker FOLDER WORKSPACE."""

import glob
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from filelock import FileLock

from aslkit.core.files import remove
from aslkit.core.workspace import Workspace
from aslkit.formats.run_folder import METRICS_FILE
from aslkit.studio.jobs.job import LOCK_FILE, LOG_FILE, RESULT_FILE, Job, State, load_job, save_job

_KILL_AFTER_S: Final = 5.0
_POLL_S: Final = 0.1

_cancelled: Final = threading.Event()
"""Set by SIGTERM. An exception from the signal handler could be raised between the start of a command and its end."""


class _StartedRun(msgspec.Struct):
    """Line of the log with the run that a training writes."""

    run: str


class _CancelledError(Exception):
    """The job was cancelled."""


def run_job(folder: Path, workspace: Workspace) -> None:
    """Run the job in a folder, and write its state. A cancelled or failed job leaves no unfinished run behind."""
    with FileLock(folder / LOCK_FILE, timeout=10):
        (folder / "pid").write_text(str(os.getpid()))
        job = load_job(folder)
        if job is None:
            return
        try:
            state = _run_steps(folder, job)
        except _CancelledError:
            state = "cancelled"
        if state != "finished":
            _remove_unfinished_run(folder, workspace)
        job.state, job.ended = state, datetime.now(UTC).isoformat()
        save_job(folder, job)


def _run_steps(folder: Path, job: Job) -> State:
    for number, step in enumerate(job.steps):
        if _cancelled.is_set():
            raise _CancelledError
        job.step = number
        save_job(folder, job)
        code = _run_command(folder, number, step.title, step.arguments)
        if code:
            job.error = _last_message(folder)
            return "failed"
    return "finished"


def _run_command(folder: Path, number: int, title: str, arguments: list[str]) -> int:
    """Run an aslkit command, and return its exit code."""
    with (folder / LOG_FILE).open("a") as log, (folder / RESULT_FILE.format(number)).open("wb") as result:
        log.write(f"=== {title}\n")
        log.flush()
        process = subprocess.Popen(
            (sys.executable, "-m", "aslkit", *arguments), stdin=subprocess.DEVNULL, stdout=result, stderr=log,
            env=os.environ | {"ASLKIT_PROGRESS": "json"}, start_new_session=True,
        )  # fmt: skip
        while True:
            try:
                return process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                if _cancelled.is_set():
                    _end_group(process)
                    raise _CancelledError from None


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """End a command and its worker processes."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(_KILL_AFTER_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _remove_unfinished_run(folder: Path, workspace: Workspace) -> None:
    """Remove the run that this job has started and not finished; see `announce_run`."""
    log = folder / LOG_FILE
    for line in log.read_text(errors="replace").splitlines() if log.exists() else ():
        try:
            name = msgspec.json.decode(line, type=_StartedRun).run
        except msgspec.MsgspecError:
            continue
        if Path(name).name == name and not (workspace.runs / name / METRICS_FILE).exists():
            remove(workspace.runs / name)
            for partial in workspace.runs.glob(f".{glob.escape(name)}.partial-*"):
                remove(partial)


def _last_message(folder: Path) -> str:
    lines = (folder / LOG_FILE).read_text(errors="replace").splitlines()
    messages = [line for line in lines if line.strip() and not line.startswith(("{", "==="))]
    return messages[-1].removeprefix("Error: ") if messages else "The command failed without a message."


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: _cancelled.set())
    run_job(Path(sys.argv[1]), Workspace(root=Path(sys.argv[2])))
