"""The file names of a run folder, and what several stages read from it."""

import json
from pathlib import Path
from typing import Any, Final

from aslkit.core.errors import AslkitError

METRICS_FILE: Final = "metrics.json"
RESULTS_FILE: Final = "results.jsonl"
"""Of a benchmark or sweep: one line per finished model. `--resume` skips these models."""

SWEEP_FILE: Final = "sweep.csv"
"""The table of a finished sweep."""

MISTAKES_FILE: Final = "mistakes.csv"
LETTERS_FILE: Final = "letters.csv"


def read_training_signers(run: Path) -> set[str]:
    """Whom the run learned from, as its metrics.json says; nobody where that is missing.

    Raises:
        AslkitError: metrics.json is damaged.
    """
    path = run / METRICS_FILE
    try:
        metrics: Any = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        return {str(signer) for signer in metrics.get("trained_on", {}).get("signers", [])}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error
