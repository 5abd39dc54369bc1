"""Jobs: real processes that finish, fail, are cancelled, and outlive the server."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from aslkit.core.errors import InputError
from aslkit.core.workspace import Workspace
from aslkit.studio.jobs.job import JobRunner, Step
from aslkit.studio.parts.training import describe_job, list_run_summaries
from aslkit.train.reporting.read_runs import list_runs
from tests.studio.clients import wait_until

SPELL_FOREVER = ["live", "starter", "--source", "synthetic", "--json"]


def ended(runner: JobRunner) -> Any:
    job = runner.current()
    return job if job is not None and job.state != "running" else None


def test_steps_run_in_order_and_keep_their_results(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    arguments = ["runs", "--workspace", str(workspace.root), "--json"]
    runner.start("test", [Step(title="Version", arguments=["--version"]), Step(title="List", arguments=arguments)])
    assert runner.is_running()
    job = wait_until(lambda: ended(runner))
    assert (job.state, job.step, job.error) == ("finished", 1, "")
    assert runner.read_log()[0] == ["Version", "List"]
    assert (runner.folder / "result-1.json").read_text() == "[]\n"


def test_failed_step_ends_the_job_with_its_message(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    train = ["train", "--dataset", "nothing", "--workspace", str(workspace.root)]
    runner.start("train", [Step(title="Train", arguments=train), Step(title="Never", arguments=["--version"])])
    job = wait_until(lambda: ended(runner))
    assert (job.state, job.step) == ("failed", 0)
    assert "nothing" in job.error
    assert not job.error.startswith("Error")
    assert list_runs(workspace.runs) == []


def test_cancel_ends_all_processes(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    runner.start("test", [Step(title="Spell", arguments=SPELL_FOREVER)])
    with pytest.raises(InputError, match="running already"):
        runner.start("test", [Step(title="Another", arguments=["--version"])])
    result = runner.folder / "result-0.json"
    wait_until(lambda: result.exists() and result.read_text())
    runner.cancel()
    assert runner.current().state == "cancelled"  # type: ignore[union-attr]
    assert not runner.is_running()
    text = result.read_text()
    time.sleep(0.5)
    assert result.read_text() == text  # nobody writes any more
    runner.cancel()  # again, without effect


def test_job_can_be_cancelled_at_once(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    runner.start("test", [Step(title="Spell", arguments=SPELL_FOREVER)])
    runner.cancel()
    assert runner.current().state == "cancelled"  # type: ignore[union-attr]
    wait_until(lambda: not _is_worker_alive(runner.folder))
    time.sleep(2)
    results = [path.read_bytes() for path in runner.folder.glob("result-*")]
    assert results in ([], [b""])  # nobody spells


def _is_worker_alive(folder: Path) -> bool:
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout.splitlines()
    return any("aslkit.studio.jobs.worker" in command and str(folder) in command for command in commands)


def test_job_is_never_reported_as_failed_while_it_starts(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    states: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(runner.start, "test", [Step(title="Version", arguments=["--version"])])
        while not future.done() or not states or states[-1] == "running":
            job = runner.current()
            states += [job.state] if job else []
    assert set(states) == {"running", "finished"}


def test_failed_job_leaves_other_runs_alone(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    runner.start("train", [Step(title="Spell", arguments=SPELL_FOREVER)])
    (workspace.runs / "of-the-terminal" / "checkpoints").mkdir(parents=True)
    runner.cancel()
    assert (workspace.runs / "of-the-terminal").is_dir()


def test_worker_that_was_killed_is_reported_as_interrupted(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    runner.start("test", [Step(title="Spell", arguments=SPELL_FOREVER)])
    pid = int(wait_until(lambda: (runner.folder / "pid").read_text()))
    child = wait_until(lambda: _children(pid))[0]
    try:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not runner.is_running())
        job = runner.current()
        assert job is not None
        assert job.state == "failed"
        assert "interrupted" in job.error
    finally:
        os.kill(child, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_time_left_is_estimated_from_the_current_bar(workspace: Workspace) -> None:
    runner = JobRunner(workspace)
    runner.start("test", [Step(title="Nothing", arguments=["--version"])])
    wait_until(lambda: ended(runner))
    lines = [
        "=== Curate", '{"progress": "Hashing files", "done": 9, "total": 9, "elapsed_s": 1}', "A note.", "=== Train",
        '{"progress": "Training", "done": 5, "total": 25, "elapsed_s": 10.0}', '{"progress": "half a li',
    ]  # fmt: skip
    (runner.folder / "log.txt").write_text("\n".join(lines))
    job = describe_job(runner)
    assert job is not None
    assert job["progress"] == {"progress": "Training", "done": 5, "total": 25, "elapsed_s": 10.0, "remaining_s": 40.0}
    assert job["log"][:3] == ["Curate", "A note.", "Train"]


def start_server(workspace: Workspace) -> tuple["subprocess.Popen[str]", httpx.Client]:
    command = [sys.executable, "-m", "aslkit", "studio", "--port", "0", "--workspace", str(workspace.root)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    url = process.stderr.readline().split()[1]
    return process, httpx.Client(base_url=url, headers={"Origin": url.rstrip("/")}, timeout=30)


def test_training_outlives_a_killed_server(recorded: Workspace) -> None:
    process, client = start_server(recorded)
    with process, client:
        assert client.post("/api/training", json={}).status_code == 200
        wait_until(lambda: (client.get("/api/state").json()["job"]["progress"] or {}).get("progress"))
        process.kill()
    process, client = start_server(recorded)  # at once: it finds the running job
    with process, client:
        assert client.get("/api/state").json()["job"]["state"] == "running"
        assert client.post("/api/training", json={}).status_code == 422  # not a second one
        job = wait_until(lambda: _job_unless_running(client), 90)
        assert (job["state"], job["error"]) == ("finished", "")
        (run,) = client.get("/api/state").json()["runs"]
        assert run["run"] == job["run"]
        assert run["unseen"] is True
        assert client.get(run["report"]).status_code == 200
        process.send_signal(signal.SIGINT)
    (finished,) = list_runs(recorded.runs)
    assert (finished.kind, finished.missing) == ("run", ())


def _job_unless_running(client: httpx.Client) -> Any:
    job = client.get("/api/state").json()["job"]
    return job if job["state"] != "running" else None


def test_curation_finds_doubtful_frames_before_any_training(recorded: Workspace) -> None:
    process, client = start_server(recorded)
    with process, client:
        before = client.get("/api/review/frames").json()
        assert client.post("/api/review/curation").status_code == 200
        assert wait_until(lambda: _job_unless_running(client))["kind"] == "curate"
        after = client.get("/api/review/frames").json()
        process.send_signal(signal.SIGINT)
    assert (before["reasons"], len(after["frames"])) == ([], len(before["frames"]))
    assert "one-sitting" in after["reasons"]
    assert not recorded.runs.exists()


def test_cancelled_training_leaves_no_run(recorded: Workspace) -> None:
    process, client = start_server(recorded)
    with process, client:
        client.post("/api/training", json={})
        wait_until(lambda: client.get("/api/state").json()["job"]["step"] == 1)
        wait_until(lambda: recorded.runs.is_dir() and any(recorded.runs.iterdir()))
        assert client.delete("/api/job").status_code == 200
        assert client.get("/api/state").json()["job"]["state"] == "cancelled"
        assert list(recorded.runs.iterdir()) == []
        assert list_run_summaries(recorded) == []
        process.send_signal(signal.SIGINT)
    assert process.returncode == 0


def test_progress_lines_of_a_command(tmp_path: Path) -> None:
    script = "from aslkit.core.progress import iterate_with_progress as i; list(i('Counting', 3, range(3)))"
    environment = os.environ | {"ASLKIT_PROGRESS": "json"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["progress"], line["done"], line["total"]) for line in lines] == [
        ("Counting", 0, 3),
        ("Counting", 3, 3),
    ]
