"""Repeatedly kills a recording with SIGKILL, and checks that at most one frame is lost each time."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aslkit.capture.session.clip_files import TRASH
from aslkit.capture.session.store import Session
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.frame_index import INDEX_FILE, FrameIndex
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.vision.images import decode_image

KILLS = 10

RECORD_SCRIPT = """
import os, sys
from collections import Counter
from pathlib import Path
import numpy as np
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.vision.frame_metrics import FrameMetrics
from aslkit.capture.session.store import Session
from aslkit.capture.session.recording import Recording
from aslkit.formats.captures import SessionInfo
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace

add = Session.add

def add_and_report(session, entry, data):
    add(session, entry, data)
    os.write(1, f"{entry.file}\\n".encode())

Session.add = add_and_report
rng = np.random.default_rng()
gate = load_settings("gate", GateConfig, flags={"enabled": False})
capture = load_settings("capture", CaptureConfig, flags={"goal": 1_000_000})
measure = lambda frame: FrameMetrics(hands=0, hand=None, width=64, height=48, phash=0, fine_hash=0)
info = SessionInfo(signer="ada", session="one", camera="test")
with Session.open(Workspace(root=Path(sys.argv[1])), info, measure=measure) as session:
    recording = Recording(session, capture=capture, gate=gate, letters="A", counts=Counter())
    for number in range(1_000_000):
        frame = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
        name = f"{os.getpid()}-{number}"
        recording.process_frame(
            recording.encode(frame), measure(frame), name=name, captured_at=None, keep=True, wait=True
        )
        if number % 10 == 0:
            session.update_info({}, {"started": str(os.getpid()), "ended": None})
            recording.start_burst()
        if number % 30 == 29:
            recording.undo()
"""


def record_and_kill(script: Path, workspace: Workspace, after_s: float) -> list[str]:
    """Record, kill the process some time after its first frame, and return the files it reported as stored."""
    child = subprocess.Popen([sys.executable, script, workspace.root], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL, first + rest
    return (first + rest).split()


def test_no_reported_frame_is_lost(
    tmp_path: Path, empty_workspace: Workspace, rng: np.random.Generator, make_metrics: Callable[..., FrameMetrics]
) -> None:
    script, folder = tmp_path / "record.py", empty_workspace.captures / "ada" / "one"
    script.write_text(RECORD_SCRIPT)
    info = SessionInfo(signer="ada", session="one", camera="test")
    reported: set[str] = set()
    for _ in range(KILLS):
        reported |= set(record_and_kill(script, empty_workspace, float(rng.uniform(0, 0.4))))
        with Session.open(empty_workspace, info, measure=lambda _: make_metrics()) as session:
            assert session.recovered.half_written <= 2  # an image, and the index or session.json
            assert session.recovered.relisted <= 1
            assert session.recovered.damaged == 0
            assert session.recovered.missing <= 1  # an undo was interrupted
            assert session.recovered.broken_lines <= 1
        index = FrameIndex.load(folder)
        assert index.broken_lines == 0
        images = {f"A/{path.name}" for path in (folder / "A").iterdir()}
        assert set(index.entries) == images  # the index lists exactly the existing images
        for entry in index.entries.values():
            assert decode_image((folder / entry.file).read_bytes()).shape == (48, 64, 3)
        trashed = {f"A/{path.name}" for path in (folder / TRASH / "A").glob("*")}
        assert reported <= images | trashed
        assert not [path.name for path in folder.iterdir() if "partial" in path.name]
    assert len(reported) > 10 * KILLS
    assert (folder / INDEX_FILE).read_bytes().endswith(b"\n")


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_truncated_index_line_is_removed_and_image_added_again(
    open_recording: Callable[..., Session],
    process_frame: Callable[..., object],
    empty_workspace: Workspace,
    make_metrics: Callable[..., FrameMetrics],
    cut: int,
) -> None:
    with open_recording() as recording:  # type: ignore[attr-defined]
        for number in range(3):
            process_frame(recording, number)
    path = empty_workspace.captures / "ada" / "one" / INDEX_FILE
    path.write_bytes(path.read_bytes()[:-cut])
    info = SessionInfo(signer="ada", session="one", camera="test")
    with Session.open(empty_workspace, info, measure=lambda _: make_metrics()) as session:
        assert session.recovered.broken_lines == 1
        assert session.recovered.relisted == (0 if cut == 1 else 1)
        assert {entry.file for entry in session.entries} == {"A/0.jpg", "A/1.jpg", "A/2.jpg"}
