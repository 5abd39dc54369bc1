import copy
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from aslkit.core.errors import AslkitError
from aslkit.core.process_pool import count_cores
from aslkit.curate.measure.engine import BATCHES_PER_PROCESS, map_local

# The work functions are from the standard library, because a spawned process cannot import this file. Some tests pass
# numbers instead of batches.
HANGING_SCRIPT = (
    "import signal, time\n"
    "from aslkit.curate.measure.engine import map_local\n"
    "if __name__ == '__main__':\n"
    "    signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore SIGINT\n"
    "    results = map_local(time.sleep, [0, 0, {seconds}, {seconds}], processes=2)\n"
    "    next(results), next(results)\n"
    "    print('working', flush=True)\n"
    "    list(results)\n"
)


def run(work: Any, batches: Any, *, processes: int = 1) -> Iterator[Any]:
    return map_local(work, batches, processes=processes)


def test_every_batch_is_returned_once_and_few_are_read_ahead() -> None:
    read: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(9):
            read.append(number)
            yield pa.RecordBatch.from_pydict({"n": [number]})

    results = run(copy.copy, batches())
    first = next(results)
    assert len(read) <= BATCHES_PER_PROCESS + 1
    assert sorted(row["n"] for batch in [first, *results] for row in batch.to_pylist()) == list(range(9))


def test_no_batches_give_no_results() -> None:
    assert list(run(copy.copy, [])) == []


def test_error_in_a_worker_is_raised_and_stops_all_workers() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(run(int, ["1", "two", "3"]))
    assert multiprocessing.active_children() == []


def test_error_while_reading_batches_stops_all_workers() -> None:
    def batches() -> Iterator[int]:
        yield 0
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(run(time.sleep, batches()))
    assert multiprocessing.active_children() == []


def test_killed_worker_is_explained() -> None:
    with pytest.raises(
        AslkitError, match=r"was killed, probably because memory ran out.*it continues where it stopped"
    ):
        list(run(os._exit, [9] * 8))


def test_core_count_is_at_most_that_of_the_machine() -> None:
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


# After SIGKILL, the workers exit although they have ten minutes of work. After Ctrl-C, they finish their batch.
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGKILL, 600), (signal.SIGINT, 2)])
def test_workers_exit_with_their_parent(how: signal.Signals, seconds: int, tmp_path: Any) -> None:
    (tmp_path / "script.py").write_text(HANGING_SCRIPT.format(seconds=seconds))
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "working\n"
    parent.send_signal(how)
    # The workers hold the other end of the pipe, so it is closed when the last one has exited.
    _, errors = parent.communicate(timeout=120)
    assert parent.returncode != 0
    assert "ForkProcess" not in errors
    assert "SpawnProcess" not in errors
