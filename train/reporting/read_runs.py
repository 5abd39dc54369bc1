"""Find and read the runs of a workspace."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct, field

from aslkit.core.errors import AslkitError, InputError
from aslkit.formats.benchmark_metrics import BenchmarkMetrics
from aslkit.formats.run_folder import METRICS_FILE, RESULTS_FILE, SWEEP_FILE
from aslkit.formats.run_metrics import RunMetrics, read_metrics
from aslkit.train.reporting.resume import CHECKPOINTS
from aslkit.train.reporting.summary_text import describe_test_set, random_split_accuracy
from aslkit.vision.preprocess import CONTRACT_FILE, MODEL_FILE, NETWORK_FILE

Kind = Literal["run", "benchmark", "sweep", "interrupted", "damaged"]

_REQUIRED_FILES: Final = (METRICS_FILE, f"model/{NETWORK_FILE}", f"model/{CONTRACT_FILE}")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One folder of WORKSPACE/runs.

    Attributes:
        folder: of the run.
        metrics: content of its metrics.json; None if it has none, or none that can be read.
        missing: files that a complete run has and this one does not.
        damage: why metrics.json cannot be read; empty if it can.
    """

    folder: Path
    metrics: RunMetrics | BenchmarkMetrics | None
    missing: tuple[str, ...]
    damage: str = ""

    @property
    def kind(self) -> Kind:
        """What the folder holds."""
        if self.damage:
            return "damaged"
        if self.metrics is None:
            return "sweep" if (self.folder / SWEEP_FILE).is_file() else "interrupted"
        return "run" if isinstance(self.metrics, RunMetrics) else "benchmark"

    def row(self) -> "RunRow":
        """Return the row of this run in the list of runs."""
        metrics = self.metrics
        row = RunRow(run=self.folder.name, kind=self.kind, missing=list(self.missing), damage=self.damage)
        if isinstance(metrics, BenchmarkMetrics):
            row.dataset, row.best = metrics.dataset, metrics.best.name if metrics.best else None
        elif metrics is not None:
            _add_metrics(row, metrics)
        return row


def _add_metrics(row: "RunRow", metrics: RunMetrics) -> None:
    unseen, cv = metrics.unseen, metrics.cv
    row.dataset, row.feature, row.architecture = metrics.dataset, metrics.feature, metrics.architecture
    row.seed, row.fit_s, row.n, row.stopped = metrics.seed, metrics.fit_s, unseen.n, metrics.stopped
    row.accuracy = metrics.headline_accuracy
    row.random_split = random_split_accuracy(metrics)
    row.cv, row.by = cv is not None, (cv.by if cv else None) or unseen.by
    row.tested_on = describe_test_set(metrics)
    row.correct_at_threshold = metrics.rejection.letters.correct if metrics.rejection else None
    if cv and cv.folds:
        row.held_out = {fold.name: fold.accuracy for fold in cv.folds}
    elif not unseen.same_signers:
        row.held_out = dict.fromkeys(unseen.held_out, unseen.accuracy)


class RunRow(Struct, kw_only=True):
    """One row of `aslkit runs`; null if a run of this kind has no such value.

    Attributes:
        tested_on: the test set, such as "unseen signers: maria" or "same person, later recording (same session)".
        accuracy: share of correct predictions on it, if every frame with a hand gets a letter.
        correct_at_threshold: share of its frames for which `aslkit live` gives the right letter.
        held_out: accuracy of each held-out signer, session or block; empty if nobody and nothing was held out in turn,
            and the test set is another recording of the training signers.
        random_split: accuracy on a random split, which is optimistic; null if there is only one signer.
        stopped: why training ended early, other than for lack of progress; empty if it did not.
        best: name of a benchmark's best model.
    """

    run: str
    kind: Kind
    dataset: str | None = None
    feature: str | None = None
    architecture: str | None = None
    seed: int | None = None
    tested_on: str | None = None
    accuracy: float | None = None
    correct_at_threshold: float | None = None
    held_out: dict[str, float | None] = field(name="left_out", default_factory=dict)
    by: str | None = None
    cv: bool = False
    n: int | None = None
    random_split: float | None = None
    fit_s: float | None = None
    stopped: str = ""
    best: str | None = None
    missing: list[str] = []
    damage: str = ""


@dataclass(frozen=True, kw_only=True)
class CompleteRun(Run):
    """A training run with all its files."""

    metrics: RunMetrics


def list_runs(folder: Path) -> list[Run]:
    """Return all runs of a workspace, best accuracy first, with benchmarks, sweeps, interrupted and damaged runs."""
    paths = [path for path in sorted(folder.glob("*")) if path.is_dir() and path.name[0] != "."]
    return sorted(map(_read_run_or_damage, filter(_is_started, paths)), key=lambda run: -(run.row().accuracy or 0))


def _is_started(folder: Path) -> bool:
    """Return whether a folder has results or checkpoints."""
    return any((folder / name).exists() for name in (METRICS_FILE, CHECKPOINTS, RESULTS_FILE))


def _read_run_or_damage(folder: Path) -> Run:
    """Read a run; if it is damaged, return a run with the reason, so that it does not hide the others."""
    try:
        return read_run(folder)
    except AslkitError as error:
        return Run(folder=folder, metrics=None, missing=(), damage=error.message)


def read_run(folder: Path) -> Run:
    """Read a run, complete or not.

    Raises:
        AslkitError: metrics.json is damaged.
    """
    metrics = read_metrics(folder)
    missing = [name for name in _REQUIRED_FILES if not (folder / name).is_file()]
    if (folder / "model" / MODEL_FILE).is_file():  # runs of older versions have no model.json; it can be converted
        missing = [name for name in missing if not name.endswith(NETWORK_FILE)]
    return Run(folder=folder, metrics=metrics, missing=tuple(missing))


def read_started_run(folder: Path) -> Run:
    """Read a run that has at least results or checkpoints.

    Raises:
        InputError: the folder has neither.
        AslkitError: metrics.json is damaged.
    """
    run = read_run(folder)
    if run.metrics is None and len(run.missing) == len(_REQUIRED_FILES) and not _is_started(folder):
        raise InputError(f"{folder} contains no results and no checkpoints. Train again; the folder can be deleted.")
    return run


def read_complete_run(folder: Path) -> CompleteRun:
    """Read a finished training run.

    Raises:
        InputError: no such run, or it is not a training run.
        AslkitError: a file of the run is missing or damaged.
    """
    if not folder.is_dir():
        raise InputError(f"There is no run in {folder}. `aslkit runs` lists all runs; `aslkit train` creates one.")
    run = read_started_run(folder)
    if run.missing:
        raise AslkitError(
            f"{folder} is incomplete: it has no {', '.join(run.missing)}. Copy the whole run folder, or train again."
        )
    if not isinstance(run.metrics, RunMetrics):
        raise InputError(f"{folder} is a benchmark, not a training run. `aslkit runs` lists the training runs.")
    return CompleteRun(folder=folder, metrics=run.metrics, missing=())
