"""Killed with SIGKILL at any moment, again and again, in one session: the next opening finds all but one frame."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aslkit.capture.session.store import TRASH, Session
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.frame_index import INDEX_FILE, FrameIndex
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import decode_image

KILLS = 10

RECORDS = """
import os, sys
from collections import Counter
from pathlib import Path
import numpy as np
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.vision.frame_metrics import Look
from aslkit.capture.session.store import Session
from aslkit.capture.session.recording import Sitting
from aslkit.formats.captures import SessionInfo
from aslkit.core.config import load
from aslkit.core.workspace import Workspace

add = Session.add

def told(session, entry, data):
    add(session, entry, data)
    os.write(1, f"{entry.file}\\n".encode())

Session.add = told
rng = np.random.default_rng()
gate = load("gate", GateConfig, flags={"enabled": False})
capture = load("capture", CaptureConfig, flags={"goal": 1_000_000})
look = lambda frame: Look(hands=0, hand=None, width=64, height=48, phash=0, fine_hash=0)
info = SessionInfo(signer="ada", session="one", camera="test")
with Session.opened(Workspace(root=Path(sys.argv[1])), info, look_at=look) as session:
    sitting = Sitting(session, capture=capture, gate=gate, letters="A", counts=Counter())
    for number in range(1_000_000):
        frame = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        sitting.offer(frame, look(frame), name=f"{os.getpid()}-{number}", at=None, keep=True, wait=True)
        if number % 10 == 0:
            session.note({}, {"started": str(os.getpid()), "ended": None})
            sitting.begin_burst()
        if number % 30 == 29:
            sitting.undo()
"""


def killed(script: Path, workspace: Workspace, after_s: float) -> list[str]:
    """Record, and kill it some time after its first frame; return what it said was stored."""
    child = subprocess.Popen([sys.executable, script, workspace.root], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, first + rest
    return (first + rest).split()


def test_nothing_is_lost_that_was_said_to_be_stored(
    tmp_path: Path, empty: Workspace, rng: np.random.Generator, seen: Callable[..., FrameMetrics]
) -> None:
    script, folder = tmp_path / "records.py", empty.captures / "ada" / "one"
    script.write_text(RECORDS)
    info = SessionInfo(signer="ada", session="one", camera="test")
    told: set[str] = set()
    for _ in range(KILLS):
        told |= set(killed(script, empty, float(rng.uniform(0, 0.4))))
        with Session.open(empty, info, look_at=lambda _: seen()) as session:
            assert session.recovered.half_written <= 2  # an image and the index or session.json
            assert session.recovered.relisted <= 1
            assert session.recovered.damaged == 0
            assert session.recovered.missing <= 1  # an undo was under way
            assert session.recovered.broken_lines <= 1
        index = FrameIndex.load(folder)
        assert index.broken == 0
        there = {f"A/{path.name}" for path in (folder / "A").iterdir()}
        assert set(index.entries) == there  # every image is listed, and no other; and nothing else lies there
        for entry in index.entries.values():
            assert decode_image((folder / entry.file).read_bytes()).shape == (48, 64, 3)
        gone = {f"A/{path.name}" for path in (folder / TRASH / "A").glob("*")}
        assert told <= there | gone
        assert not [path.name for path in folder.iterdir() if "partial" in path.name]
    assert len(told) > 10 * KILLS
    assert (folder / INDEX_FILE).read_bytes().endswith(b"\n")


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_a_line_that_was_half_written_is_dropped_and_its_image_listed_again(
    sit: Callable[..., Session],
    offer: Callable[..., object],
    empty: Workspace,
    seen: Callable[..., FrameMetrics],
    cut: int,
) -> None:
    with sit() as sitting:  # type: ignore[attr-defined]
        for number in range(3):
            offer(sitting, number)
    path = empty.captures / "ada" / "one" / INDEX_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    info = SessionInfo(signer="ada", session="one", camera="test")
    with Session.open(empty, info, look_at=lambda _: seen()) as session:
        assert session.recovered.broken_lines == 1
        assert session.recovered.relisted == (0 if cut == 1 else 1)
        assert {entry.file for entry in session.entries} == {"A/0.jpg", "A/1.jpg", "A/2.jpg"}
