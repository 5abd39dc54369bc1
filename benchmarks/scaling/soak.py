"""Memory and open files while the recorder stores frames of a synthetic signer at full speed.

    ./run bench soak [--minutes 2]

The command is run and observed from outside. benchmarks/speed/live.py does the same for `aslkit live`.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SAMPLES = 12
"""Number of measurements, evenly over the time."""


def stored(workspace: Path) -> int:
    """Return the number of frames stored so far."""
    return sum(1 for _ in workspace.glob("captures/*/*/?/*.jpg"))


def main() -> None:
    """Record, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=2)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        command = ["capture", "--letter", "A", "--source", "synthetic", "--signer", "synthetic-ada",
                   "--count", "10000000", "--licence", "CC0-1.0", "--workspace", folder]  # fmt: skip
        running = subprocess.Popen([sys.executable, "-m", "aslkit", *command], stderr=subprocess.DEVNULL)
        process = psutil.Process(running.pid)
        print("| minute | memory, MiB | open files | threads | frames stored |\n|---|---|---|---|---|")
        for sample in range(SAMPLES + 1):
            time.sleep(asked.minutes * 60 / SAMPLES if sample else 10)  # the first one after the start
            size, files = process.memory_info().rss >> 20, process.num_fds()
            minute = 10 / 60 + sample * asked.minutes / SAMPLES
            print(
                f"| {minute:.1f} | {size} | {files} | {process.num_threads()} | {stored(Path(folder)):,} |",
                flush=True,
            )
        running.send_signal(signal.SIGINT)
        running.wait()


if __name__ == "__main__":
    main()
