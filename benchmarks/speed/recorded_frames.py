"""Curation of recorded frames: with what the recorder measured, and with all images measured again.

    ./run bench recorded_frames [FOLDER] [--workspace WORKSPACE]

The images of FOLDER, SIGNER/LETTER/*.jpg, are recorded without the quality gate; without FOLDER, frames of a synthetic
signer. Prints the processor time of recording per frame, the seconds of both curations, and whether they wrote the same
dataset. With --workspace, the recording is kept and used again.
"""

import argparse
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from aslkit.capture.config import CaptureConfig, GateConfig
from aslkit.capture.record import record
from aslkit.capture.terminal import record_in_terminal
from aslkit.core.config import load_settings
from aslkit.core.files import file_hash, remove
from aslkit.core.letters import LETTERS
from aslkit.core.workspace import Workspace
from aslkit.formats.captures import SessionInfo
from benchmarks.speed.curation import timed

SYNTHETIC_FRAMES = 4
"""Frames per letter of the synthetic signer."""


def record_all(folder: Path | None, workspace: Workspace) -> None:
    """Record all images, and print the processor time per frame."""
    capture = load_settings("capture", CaptureConfig, flags={"goal": 1_000_000})
    gate = load_settings("gate", GateConfig, flags={"enabled": False})
    sources = [(path.parent.name, path.name, str(path)) for path in sorted(folder.glob("*/?"))] if folder else []
    stored, start = 0, time.process_time()
    for signer, letter, source in sources or [("synthetic-ada", letter, "synthetic") for letter in LETTERS]:
        result = record(
            [letter],
            source=source,
            workspace=workspace,
            info=SessionInfo(signer=signer, session="one", camera="camera 0"),
            capture=capture,
            gate=gate,
            screen=partial(record_in_terminal, on_message=print),
            count=None if folder else SYNTHETIC_FRAMES,
        )
        stored += result.stored
    print(f"recorded {stored:,} frames, {1000 * (time.process_time() - start) / stored:.1f} ms CPU each", flush=True)


def curated(workspace: Workspace, *options: str) -> dict[str, str]:
    """Curate, print the seconds, and return the hash of each file with rows."""
    command = [sys.executable, "-m", "aslkit", "curate", "--workspace", str(workspace.root), "--json", *options]
    seconds, processor, _ = timed(command)
    print(f"{' '.join(['curate', *options]):20}{seconds:8.1f} s {processor:8.1f} s CPU", flush=True)
    return {path.name: file_hash(path) for path in sorted(workspace.dataset("custom").rglob("*.parquet"))}


def main() -> None:
    """Record if necessary, and compare both curations."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--workspace", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace(root=given.workspace or Path(temporary))
        if not workspace.captures.exists():
            record_all(given.folder, workspace)
        remove(workspace.measurements)
        remove(workspace.dataset("custom"))
        taken_over = curated(workspace)
        again = curated(workspace, "--rebuild")
        print("same dataset" if taken_over == again else f"different: {taken_over} {again}")


if __name__ == "__main__":
    main()
