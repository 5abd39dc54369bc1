"""The captured frames that people may want to look at, the doubtful ones first.

The reasons come from the dataset (rejected.parquet and flagged.parquet) and from the mistakes of a run. No image is
opened.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa

from aslkit.core.errors import AslkitError
from aslkit.core.letters import INDEX
from aslkit.core.workspace import Workspace
from aslkit.curate.filter.exact_duplicates import REVIEWED
from aslkit.curate.report.galleries import DESCRIPTIONS, LETTER_REASONS, original_key, summarise_reason
from aslkit.curate.report.pose_outliers import UNUSUAL_FORM
from aslkit.datasets import parquet_store, schema
from aslkit.datasets.split import GAP
from aslkit.formats.captures import CapturedFrame, walk_captures
from aslkit.formats.reviews import Decision, load_decisions
from aslkit.formats.run_folder import MISTAKES_FILE, find_newest_run

MISTAKE: Final = "mistake"
"""Reason code of frames that a run predicted wrong."""

_IMPORTANCE: Final = (
    "label-doubt", MISTAKE, "conflicting-label", "duplicate", "near-duplicate", "blurred", "cut-off", UNUSUAL_FORM,
    "wrong-hand", "two-hands", "no-hand", "tiny-hand", "dark", "bright", "low-contrast", "small-image", "unreadable",
)  # fmt: skip
"""Reasons for which a frame is doubtful, the most important one first."""

NOT_DOUBTFUL: Final = frozenset((*LETTER_REASONS, GAP, REVIEWED))
"""Reasons that say nothing about the single frame, or that a person gave."""

_FINDING_COLUMNS: Final = pa.schema([schema.REJECTED.field(name) for name in ("path", "reason", "detail")])

_SUGGESTED_LETTER: Final = {"label-doubt": re.compile(r"looks like (\w) "), MISTAKE: re.compile(r"predicted as (\w)$")}
"""Details that suggest a letter."""

_TIMESTAMP: Final = re.compile(r"\d{8}T\d{9}Z")
"""Name of a frame with its time, as `frame_timestamp` writes it; such names sort by time."""


@dataclass(frozen=True, kw_only=True)
class ReviewFrame:
    """A captured frame, and what curation, the newest run and people say about it.

    Attributes:
        key: `CapturedFrame.key`, SIGNER/SESSION/LETTER/NAME.
        signer, session: names of the signer and the session.
        letter: the letter of the frame's folder.
        reasons: reason codes as in rejected.parquet and flagged.parquet, and MISTAKE.
        details: particulars of each reason.
        suggested: the letter that a label doubt or a mistake names; None without one.
        original: key of the frame of which this is an exact or near-duplicate; None without one.
        rejected: whether the frame is in rejected.parquet.
        decision: current decision of a person; None without one.
    """

    key: str
    signer: str
    session: str
    letter: str
    reasons: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    suggested: str | None = None
    original: str | None = None
    rejected: bool = False
    decision: Decision | None = None

    @property
    def doubtful(self) -> bool:
        """Whether there is a reason to look at this single frame, and nobody has decided about it."""
        return self.decision is None and not NOT_DOUBTFUL.issuperset(self.reasons)


@dataclass(frozen=True, kw_only=True)
class _Finding:
    reason: str
    detail: str
    rejected: bool = False


def list_review_frames(workspace: Workspace, *, dataset: str = "custom", run: Path | None = None) -> list[ReviewFrame]:
    """List all captured frames: doubtful ones first, by importance, then by signer, letter and time.

    Args:
        workspace: workspace with the captures; it needs neither datasets nor runs.
        dataset: name of the dataset whose findings are listed, if it exists.
        run: folder of the run whose mistakes are listed; default: the newest run of the workspace.

    Raises:
        AslkitError: the dataset, the mistakes or the decisions are damaged.
        InputError: a captured session is an exam.
    """
    findings: dict[str, list[_Finding]] = defaultdict(list)
    for key, finding in _read_findings(workspace.dataset(dataset)):
        findings[key].append(finding)
    run = run or find_newest_run(workspace.runs)
    for key, finding in _read_mistakes(run / MISTAKES_FILE) if run else ():
        findings[key].append(finding)
    decisions = load_decisions(workspace)
    listed = []
    for frame in walk_captures(workspace.captures):
        key = frame.key
        listed.append((_make_frame(frame, key, findings.get(key, []), decisions.get(key)), _time_of(frame)))
    # Stable: frames without a time keep the natural order of their names.
    listed.sort(key=lambda each: (_rank(each[0]), each[0].signer, each[0].letter, each[1]))
    return [frame for frame, _ in listed]


def describe_reason(reason: str) -> str:
    """Return what a reason code means, in one sentence without a period; empty for an unknown one."""
    return "The newest run predicts another letter" if reason == MISTAKE else summarise_reason(reason)


def list_reasons() -> list[str]:
    """Return all reason codes, the most important one first."""
    return [*_IMPORTANCE, *(reason for reason in DESCRIPTIONS if reason not in _IMPORTANCE)]


def _read_findings(folder: Path) -> Iterator[tuple[str, _Finding]]:
    for read, rejected in ((parquet_store.read_rejected, True), (parquet_store.read_flagged, False)):
        try:
            columns = read(folder).select(_FINDING_COLUMNS.names).cast(_FINDING_COLUMNS).to_pydict()
        except (KeyError, pa.ArrowException) as error:
            raise AslkitError(
                f"The findings in {folder} have other columns than aslkit writes. Run `aslkit curate --rebuild`."
            ) from error
        for path, reason, detail in zip(*columns.values(), strict=True):
            if path and reason:
                yield path, _Finding(reason=reason, detail=detail or "", rejected=rejected)


def _read_mistakes(path: Path) -> Iterator[tuple[str, _Finding]]:
    """Yield the wrong predictions of a run, by key of the frame; none if the run was not measured on frames."""
    if not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            predicted = row.get("predicted") or row.get("said")  # "said" in runs of earlier versions
            if not row.get("key") or not predicted:
                raise AslkitError(
                    f"{path} has a row without 'key' or 'predicted'. Train again, or delete the file, so that "
                    "its mistakes are not reviewed."
                )
            yield row["key"], _Finding(reason=MISTAKE, detail=f"predicted as {predicted}")


def _make_frame(frame: CapturedFrame, key: str, findings: list[_Finding], decision: Decision | None) -> ReviewFrame:
    findings = sorted(findings, key=lambda finding: _IMPORTANCE_OF.get(finding.reason, len(_IMPORTANCE)))
    return ReviewFrame(
        key=key,
        signer=frame.signer,
        session=frame.session,
        letter=frame.letter,
        reasons=tuple(finding.reason for finding in findings),
        details=tuple(finding.detail for finding in findings),
        suggested=next(filter(None, map(_suggested_letter, findings)), None),
        original=next(filter(None, (original_key(each.reason, each.detail) for each in findings)), None),
        rejected=any(finding.rejected for finding in findings),
        decision=decision,
    )


_IMPORTANCE_OF: Final = {reason: index for index, reason in enumerate(_IMPORTANCE)}


def _suggested_letter(finding: _Finding) -> str | None:
    pattern = _SUGGESTED_LETTER.get(finding.reason)
    match = pattern.match(finding.detail) if pattern else None
    return match[1] if match and match[1] in INDEX else None


def _rank(frame: ReviewFrame) -> int:
    """Return the importance of a frame, 0 for the highest; frames that are not doubtful are the last."""
    if not frame.doubtful:
        return len(_IMPORTANCE) + 1
    return min(_IMPORTANCE_OF.get(reason, len(_IMPORTANCE)) for reason in frame.reasons if reason not in NOT_DOUBTFUL)


def _time_of(frame: CapturedFrame) -> str:
    """Return a text that sorts by time; empty if the name of the file is no time."""
    stem = frame.path.stem
    return stem if _TIMESTAMP.fullmatch(stem) else ""
