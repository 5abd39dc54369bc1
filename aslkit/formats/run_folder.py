"""What several stages read from or write to a run folder: names of files, where a model was trained, the newest run."""

from pathlib import Path
from typing import Final

from msgspec import Struct

METRICS_FILE: Final = "metrics.json"
RESULTS_FILE: Final = "results.jsonl"
"""Results of a benchmark or sweep, one line per finished model. `--resume` skips these models."""

SWEEP_FILE: Final = "sweep.csv"
"""The table of a finished sweep."""

MISTAKES_FILE: Final = "mistakes.csv"
LETTERS_FILE: Final = "letters.csv"


class Environment(Struct, kw_only=True):
    """Where a model was trained: Python version, system, CPU cores, GPU ("" without one), versions (null if absent)."""

    python: str = ""
    system: str = ""
    cores: int | None = None
    gpu: str = ""
    packages: dict[str, str | None] = {}


def find_newest_run(runs: Path) -> Path | None:
    """Return the folder of the most recent run that has a model; None if there is none."""
    found = [path for path in runs.glob("*") if path.name[0] != "." and (path / "model").is_dir()]
    return max(found, key=lambda path: ((path / "model").stat().st_mtime, path.name), default=None)
