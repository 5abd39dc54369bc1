"""The runs of a workspace: found, read, and put side by side."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from aslkit.core.errors import AslkitError, InputError
from aslkit.formats.run_folder import METRICS_FILE, RESULTS_FILE, SWEEP_FILE
from aslkit.train.reporting.resume import CHECKPOINTS
from aslkit.train.reporting.summary_text import headline_accuracy
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE

Kind = Literal["run", "benchmark", "sweep", "interrupted", "damaged"]

_NUMBER: Final = (int, float, type(None))
_TEXT: Final = (str, type(None))

_SHAPE: Final[dict[str, Any]] = {
    "dataset": _TEXT,
    "feature": _TEXT,
    "architecture": _TEXT,
    "seed": (int, type(None)),
    "fit_s": _NUMBER,
    "unseen": {
        "accuracy": _NUMBER,
        "by": _TEXT,
        "n": (int, type(None)),
        "held_out": [_TEXT],
        "per_letter": {"*": {"accuracy": _NUMBER}},
    },
    "random_split": {"accuracy": _NUMBER},
    "best": {"name": (str,)},
    "cv": {"mean": _NUMBER, "by": _TEXT, "each": [{"name": (str,), "accuracy": _NUMBER}]},
}
"""What of metrics.json is read from a run that somebody else may have sent, and what it may be. "*" is any name."""

_NEVER_MISSING: Final = {"accuracy", "mean", "each", "name"}

_NEEDED: Final = (METRICS_FILE, f"model/{MODEL_FILE}", f"model/{CONTRACT_FILE}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        folder: where it lies.
        metrics: as its metrics.json has them.
        missing: what should be in the folder and is not; empty for a whole run.
        damage: why metrics.json cannot be read; empty where it can.
    """

    folder: Path
    metrics: dict[str, Any]
    missing: tuple[str, ...]
    damage: str = ""

    @property
    def kind(self) -> Kind:
        """What there is of it."""
        if self.damage:
            return "damaged"
        if not self.metrics:
            return "sweep" if (self.folder / SWEEP_FILE).is_file() else "interrupted"
        return "run" if "unseen" in self.metrics else "benchmark"

    def row(self) -> dict[str, Any]:
        """What a list of runs shows."""
        metrics = self.metrics
        unseen = metrics.get("unseen", {})
        each = metrics.get("cv", {}).get("each", [])
        return {
            "run": self.folder.name,
            "kind": self.kind,
            "dataset": metrics.get("dataset"),
            "feature": metrics.get("feature"),
            "architecture": metrics.get("architecture"),
            "seed": metrics.get("seed"),
            "accuracy": headline_accuracy(metrics) if unseen else None,
            "left_out": {one["name"]: one["accuracy"] for one in each}
            or dict.fromkeys(unseen.get("held_out", []), unseen.get("accuracy")),
            "by": metrics.get("cv", {}).get("by") or unseen.get("by"),
            "cv": "cv" in metrics,
            "n": unseen.get("n"),
            "random_split": (metrics.get("random_split") or {}).get("accuracy"),
            "fit_s": metrics.get("fit_s"),
            "best": (metrics.get("best") or {}).get("name"),
            "missing": list(self.missing),
            "damage": self.damage,
        }


def list_runs(folder: Path) -> list[Run]:
    """All in a workspace's runs folder, best first: benchmarks, sweeps, what was interrupted or is damaged, too."""
    paths = [path for path in sorted(folder.glob("*")) if path.is_dir() and path.name[0] != "."]
    return sorted(map(_whatever, filter(_is_begun, paths)), key=lambda run: -(run.row()["accuracy"] or 0))


def _is_begun(folder: Path) -> bool:
    return any((folder / name).exists() for name in (METRICS_FILE, CHECKPOINTS, RESULTS_FILE))


def _whatever(folder: Path) -> Run:
    """Read what is there, damaged or not: one damaged run must not hide the others."""
    try:
        return read_run(folder)
    except AslkitError as error:
        return Run(folder=folder, metrics={}, missing=(), damage=error.message)


def read_run(folder: Path) -> Run:
    """Read a run, whole or not.

    Raises:
        AslkitError: its metrics.json is damaged.
    """
    path = folder / METRICS_FILE
    try:
        metrics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not isinstance(metrics, dict):
            raise ValueError("it is no JSON object")
        for name, shape in _SHAPE.items():
            if metrics.get(name) is not None:
                _check(metrics[name], shape, name)
    except (OSError, ValueError, RecursionError) as error:
        raise AslkitError(f"{path} is damaged ({error}). Train again, or copy the whole run folder.") from error
    return Run(folder=folder, metrics=metrics, missing=tuple(each for each in _NEEDED if not (folder / each).is_file()))


def _check(value: Any, shape: Any, where: str) -> None:
    """Raise ValueError where a value of metrics.json is not what it should be."""
    if isinstance(shape, tuple):
        if not isinstance(value, shape) or isinstance(value, bool):
            raise ValueError(f"{where} is {str(value)[:40]!r}")
    elif not isinstance(value, type(shape)):
        raise ValueError(f"{where} is {str(value)[:40]!r}")
    elif isinstance(shape, list):
        for each in value:
            _check(each, shape[0], f"a value of {where}")
    elif "*" in shape:
        for name, each in value.items():
            _check(each, shape["*"], f"{where}, {name[:40]!r},")
    else:
        for name, inner in shape.items():
            if name in value or name in _NEVER_MISSING:
                _check(value.get(name, ...), inner, f"{where}.{name}")


def read_started_run(folder: Path) -> Run:
    """Read a run, whole or not, of which there is something.

    Raises:
        InputError: nothing was trained there.
        AslkitError: its metrics.json is damaged.
    """
    run = read_run(folder)
    if not run.metrics and len(run.missing) == len(_NEEDED) and not _is_begun(folder):
        raise InputError(f"{folder} holds nothing that was trained. Train again; it is of no more use.")
    return run


def read_complete_run(folder: Path) -> Run:
    """Read a run that must be whole.

    Raises:
        InputError: no run there, or nothing was trained.
        AslkitError: a file of it is missing or damaged.
    """
    if not folder.is_dir():
        raise InputError(f"There is no run in {folder}. `aslkit runs` lists them; `aslkit train` makes one.")
    run = read_started_run(folder)
    if run.missing:
        raise AslkitError(f"{folder} lacks {', '.join(run.missing)}. Copy the whole run folder, or train again.")
    return run
