"""Kill `aslkit capture` with SIGKILL at random moments, and check that the session is intact.

Usage: ./run bench kill_capture [KILLS] [SEED]    default: 50 0

All recordings go to one session, from a folder of synthetic frames. After each kill, the session is opened again, as
the next recording would do, and checked: every listed image can be decoded, every image is listed, the index has no
broken line, and every image that the killed process reported as stored exists. Prints one line per kill and a summary.
"""

import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import numpy as np

from aslkit.capture.session.store import Session
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from aslkit.formats.frame_index import FrameIndex
from aslkit.synthetic import Signer, render_frames
from aslkit.synthetic import SyntheticSession as Room
from aslkit.vision.frame_metrics import measure_frame
from aslkit.vision.hand_landmarker import create_landmarker
from aslkit.vision.images import decode_image, encode_jpeg

FRAMES = 400
MAX_DELAY_S = 2.0
INFO = SessionInfo(signer="synthetic-ada", session="one", camera="folder")

RECORDING_SCRIPT = """
import os, sys
from pathlib import Path
from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import record
from aslkit.capture.terminal import record_in_terminal
from aslkit.capture.session.store import Session
from aslkit.capture.session.recording import Recording
from aslkit.formats.captures import SessionInfo
from aslkit.core.config import load_settings
from aslkit.core.workspace import Workspace

add, store = Session.add, Recording._store

def added(session, entry, data):
    add(session, entry, data)
    os.write(1, f"stored {entry.file}\\n".encode())

def accepted(*given):
    entry = store(*given)
    os.write(1, f"accepted {entry.file}\\n".encode())
    return entry

Session.add, Recording._store = added, accepted
record(
    "B", source=sys.argv[1], workspace=Workspace(root=Path(sys.argv[2])),
    info=SessionInfo(signer="synthetic-ada", session="one", camera="folder"),
    capture=load_settings("capture", CaptureConfig, flags={"goal": 1_000_000}),
    gate=load_settings("gate", GateConfig, flags={"enabled": False}),
    screen=lambda source: record_in_terminal(source, on_message=lambda _: None),
)
"""


def prepared(folder: Path) -> Path:
    """Write frames with a hand to a folder to record from."""
    who = Signer.draw(INFO.signer)
    folder.mkdir()
    for index, frame in enumerate(islice(render_frames("B", signer=who, session=Room.draw(who, "one")), FRAMES)):
        (folder / f"{index}.jpg").write_bytes(encode_jpeg(frame.image))
    return folder


def killed(folder: Path, workspace: Workspace, after_s: float) -> tuple[set[str], set[str]]:
    """Record and kill. Return the files accepted for writing and the files reported as stored."""
    child = subprocess.Popen(
        [sys.executable, "-c", RECORDING_SCRIPT, folder, workspace.root],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    messages = (first + child.communicate()[0]).decode().split()
    pairs = list(zip(messages[::2], messages[1::2], strict=False))
    return {file for what, file in pairs if what == "accepted"}, {file for what, file in pairs if what == "stored"}


def main() -> None:
    """Kill, check and print."""
    kills, seed = (int(given) for given in [*sys.argv[1:], *("50", "0")[len(sys.argv) - 1 :]])
    rng, header = np.random.default_rng(seed), "kill  after s  accepted  on disk  lost  relisted  half-written  broken"
    wrong, lost_all, most, accepted_all = 0, 0, 0, 0
    with tempfile.TemporaryDirectory() as place, create_landmarker() as landmarker:
        source, workspace = prepared(Path(place) / "source"), Workspace(root=Path(place) / "workspace")
        folder = workspace.captures / INFO.signer / INFO.session
        print(header)
        for kill in range(1, kills + 1):
            after_s = float(rng.uniform(0, MAX_DELAY_S))
            accepted, stored = killed(source, workspace, after_s)
            with Session.open(
                workspace, INFO, measure=lambda frame: measure_frame(frame, landmarker.find_all(frame))
            ) as session:
                done = asdict(session.recovered)
            index, there = FrameIndex.load(folder), {f"B/{path.name}" for path in (folder / "B").iterdir()}
            for file in index.entries:
                decode_image((folder / file).read_bytes())
            lost = len(accepted - there)
            wrong += (
                (set(index.entries) != there) + bool(stored - there) + bool(index.broken_lines) + bool(done["damaged"])
            )
            lost_all, most, accepted_all = lost_all + lost, max(most, lost), accepted_all + len(accepted)
            print(
                f"{kill:4}  {after_s:7.2f}  {len(accepted):8}  {len(stored):7}  {lost:4}  {done['relisted']:8}  "
                f"{done['half_written']:12}  {done['broken_lines']:6}",
                flush=True,
            )
        print(
            f"{kills} kills: {accepted_all:,} frames accepted, {lost_all} lost, "
            f"at most {most} per kill; "
            f"{len(there):,} images, all listed and decodable; {wrong} checks failed."
        )


if __name__ == "__main__":
    main()
