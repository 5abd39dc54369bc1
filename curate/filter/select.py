"""What of the readable frames is taken: what checks are to drop goes, and of near-duplicates all but the sharpest."""

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
    dominant_hand_per_signer,
    run_checks,
)
from aslkit.curate.filter.label_issues import label_issue_scores
from aslkit.curate.measure.table import right_hands
from aslkit.formats.captures import CapturedFrame

NEAR_DUPLICATE: Final = "near_duplicate"

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What became of the frames.

    Attributes:
        kept: int64 (n,), indices of those that are taken, in order.
        dropped: why each of the others is not; one finding each.
        flagged: what is to be known of those taken; a frame may have several.
        suggested: int64 (m,), of all frames, the letter that classifiers which did not learn from it take it for.
    """

    kept: Integers
    dropped: list[CheckFinding]
    flagged: list[CheckFinding]
    suggested: Integers


def disable_checks(config: CheckConfig, keep_per_group: int, restore: Sequence[str]) -> tuple[CheckConfig, int]:
    """The settings under which what was dropped for a reason is taken again, and flagged.

    Args:
        config: the settings.
        keep_per_group: likewise.
        restore: reasons as rejected.parquet has them.

    Raises:
        InputError: a reason that cannot be overruled.
    """
    names = {reason.replace("_", "-"): reason for reason in (*CHECKS, NEAR_DUPLICATE)}
    for reason in restore:
        if reason not in names:
            raise InputError(
                f"{reason!r} cannot be restored. Unreadable images stay out; of equal pixels one is taken, "
                f"or none if they are under two letters. These can: {', '.join(names)}."
            )
    dropped = {names[reason]: "flag" for reason in restore if names[reason] in CHECKS}
    return replace(config, **dropped), 0 if "near-duplicate" in restore else keep_per_group  # type: ignore[arg-type]


def select_frames(
    kept: Sequence[CapturedFrame],
    seen: pa.Table,
    group: Integers,
    *,
    config: CheckConfig,
    keep_per_group: int,
    seed: int,
) -> Selection:
    """Check frames, and thin out groups of near-duplicates.

    Args:
        kept: the frames.
        seen: what was measured of them, rows of `describe.DESCRIBED`.
        group: int64 (n,), near-duplicates.
        config: what each check does.
        keep_per_group: how many of a group to take, the sharpest; 0 for all.
        seed: of the folds in which labels are doubted.
    """
    doubt, said = _doubted(kept, seen, group, seed)
    frames = _checked(kept, seen, doubt, said)
    dropped = {finding.index: finding for finding in reversed(list(run_checks(frames, config, "drop")))}
    taken = np.array([index for index in range(len(kept)) if index not in dropped], np.int64)
    if keep_per_group:
        thinned = {finding.index: finding for finding in _thinned(kept, frames, group, taken, keep_per_group)}
        dropped |= thinned
        taken = np.array([index for index in taken.tolist() if index not in thinned], np.int64)
    flagged = [finding for finding in run_checks(frames, config, "flag") if finding.index not in dropped]
    return Selection(kept=taken, dropped=[dropped[index] for index in sorted(dropped)], flagged=flagged, suggested=said)


def _thinned(
    kept: Sequence[CapturedFrame], frames: CheckInput, group: Integers, taken: Integers, keep_per_group: int
) -> list[CheckFinding]:
    """Of each group all but the sharpest; of equally sharp ones the first stays."""
    blur = np.where(frames.found, frames.number("blur_fine"), 2.0)[taken]
    order = taken[np.lexsort((taken, blur, group[taken]))]
    firsts = np.searchsorted(group[order], group[order])
    place = np.arange(len(order)) - firsts
    return [
        CheckFinding(index=int(i), check=NEAR_DUPLICATE, detail=f"like {kept[order[first]].key}, which is sharper")
        for i, first in zip(order[place >= keep_per_group], firsts[place >= keep_per_group], strict=True)
    ]


def _doubted(
    kept: Sequence[CapturedFrame], seen: pa.Table, group: Integers, seed: int
) -> tuple[npt.NDArray[np.float64], Integers]:
    """As `label_issue_scores`, of all frames; one without a hand is taken for what it is called."""
    doubt, said = np.zeros(len(kept)), np.array([INDEX[each.letter] for each in kept], np.int64)
    found = np.flatnonzero(seen.column("landmarks").is_valid().to_numpy())
    if len(found):
        doubt[found], said[found] = label_issue_scores(right_hands(seen), said[found], group[found], seed=seed)
    return doubt, said


def _checked(
    kept: Sequence[CapturedFrame], seen: pa.Table, doubt: npt.NDArray[np.float64], said: Integers
) -> CheckInput:
    signer = np.array([each.signer for each in kept])
    return CheckInput(
        measurements=seen,
        session=np.array([f"{each.signer}/{each.session}" for each in kept]),
        dominant_hand=dominant_hand_per_signer(np.array(seen.column("handedness").to_pylist(), object), signer),
        label_issue=doubt,
        suggested=np.array(LETTERS)[said],
        letter=np.array([f"{each.signer}/{each.letter}" for each in kept]),
    )
