"""Select the readable frames of a dataset: drop what the checks reject, and thin out groups of near-duplicates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from aslkit.core.errors import InputError
from aslkit.core.letters import INDEX, LETTERS
from aslkit.curate.filter.checks import (
    CHECKS,
    CheckConfig,
    CheckFinding,
    CheckInput,
    Mask,
    dominant_hand_per_signer,
    run_checks,
)
from aslkit.curate.filter.label_issues import label_issue_scores
from aslkit.curate.measure.table import right_hands
from aslkit.formats.captures import CapturedFrame

NEAR_DUPLICATE: Final = "near_duplicate"

_NO_HAND_BLUR: Final = 2.0
"""Sorts frames without a hand behind all others, whose blur is 0–1."""

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Result of `select_frames` for n frames.

    Attributes:
        kept: int64 (k,), indices of the kept frames, in order.
        dropped: one finding for each dropped frame.
        flagged: findings about kept frames; a frame can have several.
        suggested: int64 (n,), letter predicted by classifiers that were not trained on the frame.
    """

    kept: Integers
    dropped: list[CheckFinding]
    flagged: list[CheckFinding]
    suggested: Integers


def disable_checks(config: CheckConfig, keep_per_group: int, restore: Sequence[str]) -> tuple[CheckConfig, int]:
    """Return the settings with which frames dropped for the given reasons are kept and flagged.

    Args:
        config: settings of the checks.
        keep_per_group: as in `CurateConfig`.
        restore: reason codes as in rejected.parquet.

    Raises:
        InputError: a reason that cannot be restored.
    """
    names = {reason.replace("_", "-"): reason for reason in (*CHECKS, NEAR_DUPLICATE)}
    for reason in restore:
        if reason == "reviewed":
            raise InputError("Frames that were dropped in review are restored with `aslkit review --keep KEY`.")
        if reason not in names:
            raise InputError(
                f"{reason!r} cannot be restored. Unreadable images and exact duplicates are always rejected, and so "
                f"are equal pixels with different letters. Reasons that can be restored: {', '.join(names)}."
            )
    flagged = {names[reason]: "flag" for reason in restore if names[reason] in CHECKS}
    return replace(config, **flagged), 0 if "near-duplicate" in restore else keep_per_group  # type: ignore[arg-type]


def select_frames(
    frames: Sequence[CapturedFrame],
    measurements: pa.Table,
    group: Integers,
    *,
    config: CheckConfig,
    keep_per_group: int,
    confirmed: Mask | None = None,
    relabelled: Mask | None = None,
) -> Selection:
    """Check frames, and thin out groups of near-duplicates.

    Args:
        frames: n readable frames.
        measurements: their rows of `measure.MEASURED_SCHEMA`.
        group: int64 (n,), near-duplicates.
        config: settings of the checks.
        keep_per_group: number of sharpest frames to keep per group; 0 keeps all.
        confirmed: bool (n,), frames that people kept: they are neither dropped nor flagged.
        relabelled: bool (n,), frames to which people gave another letter: their label is not doubted.
    """
    confirmed = np.zeros(len(frames), bool) if confirmed is None else confirmed
    label_issue, suggested = _check_labels(frames, measurements)
    label_issue = label_issue if relabelled is None else np.where(relabelled, 0.0, label_issue)
    inputs = _build_check_input(frames, measurements, label_issue, suggested)
    findings = {
        action: [finding for finding in run_checks(inputs, config, action) if not confirmed[finding.index]]
        for action in ("drop", "flag")
    }
    dropped = {finding.index: finding for finding in reversed(findings["drop"])}
    kept = np.array([index for index in range(len(frames)) if index not in dropped], np.int64)
    if keep_per_group:
        surplus = _thin_out_groups(frames, inputs, group, kept, keep_per_group, confirmed)
        near_duplicates = {finding.index: finding for finding in surplus}
        dropped |= near_duplicates
        kept = np.array([index for index in kept.tolist() if index not in near_duplicates], np.int64)
    return Selection(
        kept=kept,
        dropped=[dropped[index] for index in sorted(dropped)],
        flagged=[finding for finding in findings["flag"] if finding.index not in dropped],
        suggested=suggested,
    )


def _thin_out_groups(
    frames: Sequence[CapturedFrame],
    inputs: CheckInput,
    group: Integers,
    kept: Integers,
    keep_per_group: int,
    confirmed: Mask,
) -> list[CheckFinding]:
    """Find all but the confirmed and the sharpest frames of each group; of equally sharp frames the first is kept."""
    blur = np.where(inputs.has_hand, inputs.number("blur_fine"), _NO_HAND_BLUR)[kept]
    order = kept[np.lexsort((kept, blur, ~confirmed[kept], group[kept]))]
    why = np.where(confirmed, "was kept in review", "is sharper")
    first_of_group = np.searchsorted(group[order], group[order])
    rank = np.arange(len(order)) - first_of_group
    surplus = (rank >= keep_per_group) & ~confirmed[order]
    return [
        CheckFinding(index=int(i), check=NEAR_DUPLICATE, detail=f"like {frames[first].key}, which {why[first]}")
        for i, first in zip(order[surplus], order[first_of_group[surplus]], strict=True)
    ]


def _check_labels(frames: Sequence[CapturedFrame], measurements: pa.Table) -> tuple[npt.NDArray[np.float64], Integers]:
    """Return `label_issue_scores` of all frames; frames without a hand have score 0 and keep their label."""
    scores, suggested = np.zeros(len(frames)), np.array([INDEX[frame.letter] for frame in frames], np.int64)
    rows = np.flatnonzero(measurements.column("landmarks").is_valid().to_numpy())
    if len(rows):
        scores[rows], suggested[rows] = label_issue_scores(right_hands(measurements), suggested[rows])
    return scores, suggested


def _build_check_input(
    frames: Sequence[CapturedFrame],
    measurements: pa.Table,
    label_issue: npt.NDArray[np.float64],
    suggested: Integers,
) -> CheckInput:
    handedness = np.array(measurements.column("handedness").to_pylist(), object)
    return CheckInput(
        measurements=measurements,
        session=np.array([f"{frame.signer}/{frame.session}" for frame in frames]),
        dominant_hand=dominant_hand_per_signer(handedness, np.array([frame.signer for frame in frames])),
        label_issue=label_issue,
        suggested=np.array(LETTERS)[suggested],
        letter=np.array([f"{frame.signer}/{frame.letter}" for frame in frames]),
    )
