"""Names of the files in a run folder that several stages read or write."""

from typing import Final

METRICS_FILE: Final = "metrics.json"
RESULTS_FILE: Final = "results.jsonl"
"""Results of a benchmark or sweep, one line per finished model. `--resume` skips these models."""

SWEEP_FILE: Final = "sweep.csv"
"""The table of a finished sweep."""

MISTAKES_FILE: Final = "mistakes.csv"
LETTERS_FILE: Final = "letters.csv"
