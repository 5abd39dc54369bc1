"""The part Train: curation and training as one job, and the finished runs."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from aslkit.core.workspace import Workspace
from aslkit.formats.run_metrics import RunMetrics
from aslkit.inference.starter import STARTER_NAME
from aslkit.studio.jobs.job import JobRunner, Step
from aslkit.studio.parts.people import Person, list_people
from aslkit.train.reporting.read_runs import Run, list_runs
from aslkit.train.reporting.summary_text import describe_run, list_hardest, random_split_accuracy

DATASET: Final = "custom"
"""Name of the dataset that the studio curates."""

MIN_LETTERS: Final = 2
MIN_FRAMES: Final = 10
"""A letter of a person counts as recorded from here on: two of ten frames are then left to test on."""

MAX_TURNS: Final = 5
"""Number of people up to which each is held out in turn; every turn is a training."""

_HARDEST: Final = 6


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A finished run, as the page shows it.

    Attributes:
        run: name.
        accuracy: on the test set, 0–1; None if it was not measured.
        tested_frames: size of the test set.
        tested_on: the test set, in words.
        unseen: whether the model was trained on nobody in the test set.
        explanation, warning: what the accuracy does not show; empty if nothing.
        correct_at_threshold: share of frames that get the right letter in live spelling; None if not measured.
        random_split: accuracy on a random split, which is optimistic; None if it was not measured.
        hardest: letters with the lowest accuracy, in words; empty if none is wrong.
        signers, letters, frames: what it was trained on.
        report: URL path of the report.
    """

    run: str
    accuracy: float | None
    tested_frames: int
    tested_on: str
    unseen: bool
    explanation: str
    warning: str
    correct_at_threshold: float | None
    random_split: float | None
    hardest: str
    signers: list[str]
    letters: list[str]
    frames: int
    report: str


def list_names(folder: Path) -> list[str]:
    """Return the names of the folders in a folder. A name from a page is compared with these, and is never a path."""
    return [path.name for path in folder.glob("*") if path.is_dir() and path.name[0] != "."]


def list_run_summaries(workspace: Workspace) -> list[RunSummary]:
    """Return the finished runs that can be tried, the newest first."""
    runs = [run for run in list_runs(workspace.runs) if run.kind == "run" and not run.missing]
    runs.sort(key=lambda run: (run.folder / "model").stat().st_mtime, reverse=True)
    return [_summarise(run, run.metrics) for run in runs if isinstance(run.metrics, RunMetrics)]


def _summarise(run: Run, metrics: RunMetrics) -> RunSummary:
    headline = describe_run(metrics)
    data = metrics.trained_on
    return RunSummary(
        run=run.folder.name,
        accuracy=metrics.headline_accuracy,
        tested_frames=metrics.unseen.n or 0,
        tested_on=headline.tested,
        unseen=metrics.is_unseen,
        explanation=headline.explanation,
        warning=_without_commands(headline.warning),
        correct_at_threshold=metrics.rejection.letters.correct if metrics.rejection else None,
        random_split=random_split_accuracy(metrics),
        hardest=list_hardest(metrics, _HARDEST),
        signers=data.signers,
        letters=data.letters,
        frames=data.n,
        report=f"/files/runs/{run.folder.name}/report.html",
    )


def _without_commands(text: str) -> str:
    """Return a sentence without the command that it names: the page has buttons."""
    return re.sub(r": aslkit .*$", ".", text)


def start_curation(runner: JobRunner, workspace: Workspace) -> None:
    """Start a job that curates all recordings, so that doubtful frames can be reviewed before training.

    Raises:
        InputError: a job is running already.
    """
    runner.start("curate", [_curation_step(workspace)])


def _curation_step(workspace: Workspace, *options: str) -> Step:
    return Step(title="Curate", arguments=["curate", "--dataset", DATASET, *options, *_common_options(workspace)])


def _common_options(workspace: Workspace) -> tuple[str, ...]:
    return "--workspace", str(workspace.root), "--json"


def start_training(runner: JobRunner, workspace: Workspace, *, compare: bool, hold_out: str | None) -> None:
    """Start a job that curates all recordings and trains on them.

    A few people are held out in turn, and the model is then trained on everybody: whoever recorded wants to try it.

    Args:
        runner: runs the job.
        workspace: workspace with the recordings.
        compare: also train for comparison: on a random split, and from scratch. Takes about three times as long.
        hold_out: person to test on, whom the model is not trained on; None for everybody in turn, or if there are more
            than MAX_TURNS, for those that curation chooses.

    Raises:
        InputError: a job is running already.
    """
    held_out = ("--hold-out", hold_out) if hold_out else ()
    people = sum(bool(person.frames) and not person.synthetic for person in list_people(workspace))
    in_turn = ("--cv", "signer") if hold_out is None and 2 <= people <= MAX_TURNS else ()
    options = (*in_turn, *(() if compare else ("--quick",)), *_common_options(workspace))
    train = Step(title="Train", arguments=["train", "--dataset", DATASET, *options])
    runner.start("train", [_curation_step(workspace, *held_out), train])


def describe_job(runner: JobRunner) -> dict[str, Any] | None:
    """Return state and progress of the current or last job; None if there was none."""
    job = runner.current()
    if job is None:
        return None
    lines, progress = runner.read_log()
    return {
        "name": job.name, "kind": job.kind, "state": job.state, "steps": [step.title for step in job.steps],
        "step": job.step, "started": job.started, "ended": job.ended, "error": job.error, "log": lines[-200:],
        "progress": progress and msgspec.to_builtins(progress) | {"remaining_s": progress.remaining_s},
        "run": _job_run(runner, job.state, len(job.steps)) if job.kind == "train" else None,
    }  # fmt: skip


def _job_run(runner: JobRunner, state: str, steps: int) -> str | None:
    result = runner.result(steps - 1) if state == "finished" else None
    folder = (result or {}).get("folder")
    return str(folder).rstrip("/").rpartition("/")[2] if folder else None


def missing_steps(people: list[Person], runs: list[RunSummary]) -> dict[str, str]:
    """Return what each part still needs, by its name; parts that need nothing are left out."""
    needs = {}
    if not people:
        needs["record"] = "Add the person who signs first, under People."
    if not any(person.frames for person in people):
        needs["review"] = "Record some frames first, under Record."
    recorded = [{letter for letter, count in person.letters.items() if count >= MIN_FRAMES} for person in people]
    letters = set().union(*recorded)
    if len(letters) < MIN_LETTERS:
        needs["train"] = (
            f"Record at least {MIN_LETTERS} letters with {MIN_FRAMES} frames each; so far there "
            f"{'is 1' if len(letters) == 1 else 'are none'}."
        )
    if not runs:
        needs["share"] = f"Train a model first, or share {STARTER_NAME}, the model that aslkit ships."
    return needs


def honesty_note(people: list[Person]) -> str:
    """Return what the accuracy of a model trained now would not show; empty if it would be measured on a new person."""
    recorded = [person for person in people if person.frames]
    if len(recorded) == 1:
        return (
            f"Only {recorded[0].name} has recorded, so the accuracy will be for {recorded[0].name}. To learn how well "
            "it works for others, record a second person."
        )
    if len(recorded) == 2:
        return "With two people, each is tested with a model of the other. More people make it better for everybody."
    return ""
