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
from aslkit.curate.measure.engine import WAITING, map_local

# The work is from the standard library: a process that is spawned cannot import this file. Where batches do not
# matter, it is given numbers.
HANGS = (
    "import signal, time\n"
    "from aslkit.curate.measure.engine import map_local\n"
    "if __name__ == '__main__':\n"
    "    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it\n"
    "    done = map_local(time.sleep, [0, 0, {seconds}, {seconds}], processes=2)\n"
    "    next(done), next(done)\n"
    "    print('working', flush=True)\n"
    "    list(done)\n"
)


def run(work: Any, given: Any, *, processes: int = 1) -> Iterator[Any]:
    return map_local(work, given, processes=processes)


def test_every_batch_comes_back_once_and_few_are_read_ahead() -> None:
    read: list[int] = []

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(9):
            read.append(number)
            yield pa.RecordBatch.from_pydict({"n": [number]})

    done = run(copy.copy, batches())
    first = next(done)
    assert len(read) <= WAITING + 1
    assert sorted(row["n"] for batch in [first, *done] for row in batch.to_pylist()) == list(range(9))


def test_no_batches() -> None:
    assert list(run(copy.copy, [])) == []


def test_an_error_in_a_process_is_the_callers_and_ends_all() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        list(run(int, ["1", "two", "3"]))
    assert multiprocessing.active_children() == []


def test_an_error_in_the_batches_ends_all() -> None:
    def batches() -> Iterator[int]:
        yield 0
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        list(run(time.sleep, batches()))
    assert multiprocessing.active_children() == []


def test_a_killed_process_is_explained() -> None:
    with pytest.raises(AslkitError, match=r"was killed, perhaps for want of memory.*it goes on where it was"):
        list(run(os._exit, [9] * 8))


def test_cores_are_those_this_process_may_use() -> None:
    assert 1 <= count_cores() <= (os.cpu_count() or 1)


# Killed: its processes end though they have ten minutes of work. Ctrl-C: they end the batch they are at.
@pytest.mark.parametrize(("how", "seconds"), [(signal.SIGKILL, 600), (signal.SIGINT, 2)])
def test_no_process_outlives_its_parent(how: signal.Signals, seconds: int, tmp_path: Any) -> None:
    (tmp_path / "hangs.py").write_text(HANGS.format(seconds=seconds))
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "hangs.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "working\n"
    parent.send_signal(how)
    # The processes hold the other end of the pipe: it ends when the last of them has.
    _, said = parent.communicate(timeout=120)
    assert parent.returncode != 0
    assert "ForkProcess" not in said
    assert "SpawnProcess" not in said
